/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_CMD_H
#define WATCH_CMD_H

/*
 * `airlock watch`: cmd.c options, guest.c what is booted, run.c the machine,
 * join.c several runs as one, show.c what came of it.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

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
	const char *only, *initrd, *svg, *trace;
	const char *image;		/* where a kernel of the user's lies */
	const char *command;		/* this one */
	unsigned long conversions;
	unsigned int schedules;		/* runs that differ in whose turn it is,
					 * or 0: CPUs run as they will */
	bool storm;			/* its options were given */
	bool devices, traffic;		/* ... and linux/guest/traffic */
	bool verbose, coherent, no_evict, no_lab, all, is_linux, reference, honest,
	     lies;
	char words[128];		/* for the initramfs */
	char plugin[PATH_MAX];
	const struct launch_listener *listener;	/* or NULL */
	int ram;			/* a file for the guest's memory, or 0 */
	/* what came of it */
	struct launch_result result;	/* of several runs the worst */
	char line[256];			/* of the guest's console */
	size_t line_used;
	struct devices busy;
	bool idle;			/* in some run they were not */
	unsigned int ran;
	json_t *lines;			/* what the plugin wrote, an array */
};

/* The whole of `airlock watch`. Return: one of WATCH_*. */
int cli_watch(int argc, char **argv);

/*
 * The same around a guest of somebody else's, whose request is in
 * linux_run.machine and whose console is listened to: fill in the rest.
 * False with a message.
 */
bool watch_around(struct watch_run *r);

/* guest.c: find it, and say what it is. False with a message. */
bool guest_prepare(struct watch_run *r);
void guest_describe(struct watch_run *r);

/* Boot and listen, once or for each schedule. False with a message. */
bool watch_boot(struct watch_run *r);

/* Add what the run of this seed showed to what others did. */
void join_run(json_t *all, const json_t *lines, uint64_t seed);

/* lines.c: to places, their names and lines in the source, if they are known. */
void lines_add(const struct watch_run *r);

/* draw.c: a finding, as the lab draws. */
struct svg_text;
void draw_text(FILE *to, const struct watch_run *r, const json_t *f);
void draw_svg(FILE *to, const struct watch_run *r, const json_t *f,
	      const struct svg_text *t);
void draw_trace(FILE *to, const struct watch_run *r, const json_t *f);

/* write.c: --svg and --trace. False with a message. */
bool write_can(const char *name);
void write_files(const struct watch_run *r, const char *kernel);

/* Print what came of it. Return: one of WATCH_*. */
int watch_show(const struct watch_run *r);

#endif
