/* SPDX-License-Identifier: GPL-2.0 */
/* The launcher's own parts: boot.c options, image.c guests, run.c QEMU. */
#ifndef CVM_LAUNCH_H
#define CVM_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/guest-abi.h"

enum {
	LAUNCH_PASSED = 0,
	LAUNCH_FAILED = 1,
	LAUNCH_USAGE = 2,
	LAUNCH_TIME_LIMIT = 3,
};

struct launch {
	enum cvm_platform platform;
	const char *platform_name;
	unsigned int cpus, memory, time_limit;
	enum cvm_host host;
	const char *host_name;
	uint64_t host_arg;
	bool deterministic;
	uint64_t seed;
	bool lazy, iommu, quiet;
	unsigned int isolation;
	const char *json, *kernel, *initrd, *append, *order;
	char command_line[2048];
	char **qemu_args;
	char guest_path[4096];
};

/* Print "airlock boot: ..." and return LAUNCH_USAGE. */
__attribute__((format(printf, 1, 2))) int launch_error(const char *fmt, ...);

/* A memfd with the guest for the machine (blob.h), or -1 with a message. */
int launch_image(const struct launch *l);

/* Run QEMU to its end. Return: one of LAUNCH_*. */
int launch_run(const struct launch *l, int image);

#endif
