/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the launcher hands to the machine as QEMU's -initrd: one page of
 * header, then the pieces, each at a page boundary. QEMU puts it at the top
 * of RAM; a Linux initrd is used where it lies.
 */
#ifndef CVM_BLOB_H
#define CVM_BLOB_H

#include <stdint.h>

#include "attest.h"

#define BLOB_MAGIC	"AIRLOCK1"
#define BLOB_LINUX	1
#define BLOB_ELF	2

struct blob {
	char magic[8];
	uint64_t kind;
	uint64_t kernel, kernel_size;	/* offsets from the header */
	uint64_t initrd, initrd_size;
	uint64_t load, entry;		/* ELF: flat image, where it goes */
	uint64_t memory_size;		/* ELF: with .bss */
	char cmdline[2048];
	uint8_t vmpck[ATTEST_VMPCKS][ATTEST_VMPCK];	/* SNP, Linux */
	char reserved[4096 - 8 - 8 * 8 - 2048 - ATTEST_VMPCKS * ATTEST_VMPCK];
};

_Static_assert(sizeof(struct blob) == 4096, "blob");

#endif
