/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_CMD_H
#define WATCH_CMD_H

/* `airlock watch`: cmd.c options, run.c the machine, show.c what came of it. */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "linux.h"

enum {
	WATCH_SAFE = 0,
	WATCH_FOUND = 1,
	WATCH_USAGE = 2,
	WATCH_ENDED = 3,	/* before the end: says nothing */
};

struct watch_run {
	struct linux_run linux_run;
	const char *platform;
	char host[HOST_TEXT];
	char release[128];
	const char *only, *initrd;
	unsigned long conversions;
	bool verbose, coherent, no_evict, no_lab, all, is_linux, reference, honest,
	     lies;
	char words[128];		/* for the initramfs */
	char plugin[PATH_MAX];
	/* what came of it */
	struct launch_result result;
	json_t *lines;			/* what the plugin wrote, an array */
};

/* The whole of `airlock watch`. Return: one of WATCH_*. */
int cli_watch(int argc, char **argv);

/* Boot and listen. False with a message. */
bool watch_boot(struct watch_run *r);

/* Print what came of it. Return: one of WATCH_*. */
int watch_show(const struct watch_run *r);

#endif
