/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_CLI_KERNEL_FIND_H
#define AIRLOCK_CLI_KERNEL_FIND_H

/* A kernel of whoever's, wherever it is: linux/tools/run-kernel finds it. */
#include <limits.h>
#include <stdbool.h>

#include "machine.h"

struct kernel {
	/* to be set */
	const char *who;		/* says what is wrong */
	const char *name;		/* a version, folder, package or file */
	const char *needs;		/* words, beside devices: run-kernel */
	/* found */
	int fd, modules_fd;		/* it, and an initramfs of modules */
	char file[32];			/* to be booted */
	char image[PATH_MAX];		/* where it lies */
	char release[128];
	char modules[PATH_MAX];		/* where all of them lie, or "" */
	char vmlinux[PATH_MAX];		/* with symbols, or "" */
};

/* Find it and its modules, for this guest. False with a message. */
bool kernel_find(struct kernel *k, const struct launch *l);

/* linux/guest/run, which may be the first process of a guest. */
extern const char run_init[], run_init_end[];

#endif
