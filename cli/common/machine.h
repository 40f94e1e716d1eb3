/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the subcommands that run a guest have in common: options, the files
 * they need, and the report.
 */
#ifndef AIRLOCK_CLI_MACHINE_H
#define AIRLOCK_CLI_MACHINE_H

#include <argp.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "launch.h"

#define MACHINE_DISKS	8

/* ---- machine_options.c ---- */

struct machine {
	struct launch launch;
	char *host;			/* as it was written */
	const char *json;		/* where the report goes, or NULL */
	struct launch_disk disk[MACHINE_DISKS];
	/* for --help */
	struct launch at_first;		/* before any option */
	const char *time_text;		/* the time limit if it depends */
};

#define HOST_TEXT 40

void machine_default(struct machine *m, enum cvm_platform p);

/*
 * Options, each with a struct machine as its input. @machine_argp: platform,
 * CPUs, memory, host, time, report. @devices_argp: @disks_argp and a network.
 */
extern const struct argp machine_argp, disks_argp, devices_argp;

/* A whole decimal number within bounds, or the end of the program. */
uint64_t option_number(struct argp_state *state, const char *option,
		       const char *text, uint64_t min, uint64_t max);

/* "failing:25:half". Return: @buf. */
const char *host_text(const struct launch_host *h, char buf[HOST_TEXT]);

/* Which options do not go together. False with a message. */
bool machine_check(const struct machine *m);

/* ---- machine_report.c ---- */

/* The last line, and the counters that are not 0, on stderr. */
void machine_print(const struct launch *l, const struct launch_result *r,
		   bool counters);

/* The request and the result. @code is the exit code that it gives. */
json_t *machine_json(const struct machine *m, const struct launch_result *r,
		     int code);

/*
 * Run it, its console on the terminal; print the end and @counters, and write
 * the report. Return: the exit code.
 */
int machine_run(const struct machine *m, bool counters);

/* Drops @j. False with a message. */
bool json_write(const char *name, json_t *j);

/* ---- places.c ---- */

/*
 * Where things are. In a checkout this program lies in build/, and what it
 * fetches and builds lies there too. Installed it is PREFIX/bin/airlock, with
 * data in PREFIX/lib/airlock and PREFIX/share/airlock, and what it fetches and
 * builds goes to $XDG_CACHE_HOME/airlock.
 */
bool place_guest(char path[PATH_MAX]);		/* the reference kernel */
/* A file as the checkout has it, such as linux/tools/fetch. */
bool place_source(char path[PATH_MAX], const char *name);
/* Where what was fetched or built is, or shall be. */
bool place_work(char path[PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool place_is_checkout(void);

/* ---- initrd.c ---- */

struct initrd_file {
	const char *name;		/* NULL: the end */
	unsigned int mode;
	const void *data;
	size_t size;
};

/*
 * A memfd with an archive of @files, and behind it that of the file @more, for
 * Linux to unpack both. Return: -1 with a message.
 */
int initrd_make(const struct initrd_file *files, int more);

/* ---- script.c ---- */

struct script {
	pid_t pid;
	FILE *out;			/* what it prints */
};

/* Run argv[0]. False with a message. */
bool script_begin(struct script *s, const char *const *argv);
/* When all was read. Return: did it exit with 0? */
bool script_end(struct script *s);

/* ---- subcommands: argv[0] is "airlock NAME" ---- */

int cli_boot(int argc, char **argv);
int cli_run(int argc, char **argv);

#endif
