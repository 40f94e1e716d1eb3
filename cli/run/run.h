/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `airlock run': run.c options and the end, guest.c what the guest's first
 * process is told, files.c the command's standard files, gdb.c where a debugger
 * comes in, dump.c what is left of one that died.
 */
#ifndef AIRLOCK_CLI_RUN_H
#define AIRLOCK_CLI_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "kernel_find.h"

#define RUN_KERNEL	"6.12-amd64"
#define RUN_FOLDERS	16
#define RUN_FORWARDS	16
#define RUN_TAIL	16384
#define RUN_MEMORY	1024
#define RUN_TIME_LIMIT	3600

/* Exit codes beside the command's own. */
enum {
	RUN_USAGE = 2, RUN_PANICKED = 122, RUN_LOST = 123, RUN_TIME_LIMIT_CODE = 124,
};

enum { IN, OUT, ERR, CODE, CONTROL, PORTS };

struct run {
	struct machine machine;
	const char *root, *pwd, *user, *dump;
	const char *rw[RUN_FOLDERS];
	unsigned int n_rw;
	const char *forward[RUN_FORWARDS];
	char **command;			/* or NULL: a shell */
	bool verbose, watch, gdb, init;
	/* found */
	bool image;			/* the root is a disk */
	struct kernel kernel;
	int ram, dump_fd;
	char initrd[32], here[PATH_MAX];
	char cmdline[1024], attest[PATH_MAX];
	struct launch_share share[RUN_FOLDERS + 2];
	char tags[RUN_FOLDERS][16];
	struct launch_disk disk[MACHINE_DISKS + 1];
	/* standard files */
	struct launch_port port[PORTS];
	int ours[PORTS];		/* the other ends */
	pthread_t drains[2];
	int write_error[2];		/* errno, for stdout and stderr */
	bool terminal;			/* stdin and stdout are one */
	struct termios old_terminal;
	/* the console, its last bytes */
	char tail[RUN_TAIL];
	size_t n_tail;
};

/* ---- guest.c ---- */

/* The folders and disks that the guest sees. False with a message. */
bool guest_folders(struct run *r);
/* Its initramfs. False with a message. */
bool guest_initrd(struct run *r);

/* ---- files.c ---- */

/* To be called first: is there a terminal? */
void files_look(struct run *r);
bool files_open(struct run *r);
/* Carry bytes until files_end(). False with a message. */
bool files_start(struct run *r);
void files_end(struct run *r);
/* The exit code that the guest told, or -1. QEMU is gone: nothing blocks. */
int files_code(const struct run *r);

/* ---- gdb.c ---- */

/* Say what to type. False with a message. */
bool gdb_begin(struct run *r);

/* ---- dump.c ---- */

/* The guest's memory shall be a file. False with a message. */
bool ram_begin(struct run *r);
/* Can it be written? False with a message. */
bool dump_begin(struct run *r);
/* If the guest died. False with a message. */
bool dump_end(const struct run *r, const struct launch_result *result);

#endif
