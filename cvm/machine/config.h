/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_CONFIG_H
#define CVM_CONFIG_H

#include "types.h"
#include "abi/guest-abi.h"

#define MAX_CPUS	16u

struct config {
	enum cvm_platform platform;
	unsigned int cpus;
	enum cvm_host host;
	u64 host_arg;
	u64 seed;
	bool deterministic;
	unsigned int icount_shift;
	u64 schedule;			/* seed of whose turn it is, or 0 */
	bool lazy;			/* leave memory unaccepted for Linux */
	bool iommu;
	bool gdb;			/* a debugger may come */
	bool attest;			/* the launcher answers questions */
	u64 pool;			/* bytes above the guest's RAM */
	unsigned int isolation;		/* vTOM: 1 VBS, 2 SNP, 3 TDX */
};

struct platform;

extern struct config config;
extern const struct platform *platform;
/* Behind the guest's RAM below the hole, and behind all of it. */
extern u64 low_ram_end, ram_end;
extern bool elf_guest;			/* else Linux */

#endif
