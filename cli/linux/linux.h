/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_CLI_LINUX_H
#define AIRLOCK_CLI_LINUX_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

#define LINUX_VERSION	"6.12"
#define LINUX_USAGE	2

/* The whole of `airlock linux`. argv[0] is "airlock linux". */
int cli_linux(int argc, char **argv);

/* ---- linux.c: what both subcommands have ---- */

struct linux_run {
	struct machine machine;
	const char *version;		/* of what is in build/linux */
	const char *order;		/* of the live patch, or NULL */
	bool patched, shell;
	char kernel[PATH_MAX], initrd[PATH_MAX];
	char cmdline[1024];
};

/* Options, with a struct linux_run as input. */
extern const struct argp linux_argp;

void linux_default(struct linux_run *l);
/*
 * What can be said only when all options are known: find the files, and put
 * @words behind the kernel's command line. False with a message.
 */
bool linux_prepare(struct linux_run *l, bool quiet, const char *words);

/* ---- storm.c ---- */

int linux_storm(int argc, char **argv);

/* ---- devices.c: the storm's disk and network ---- */

/* What the guest did with a device, in bytes. */
struct traffic {
	bool heard, absent;
	unsigned long written, read, wrong;
	unsigned long meanwhile;	/* written during the storm */
	unsigned long rebinds;		/* a driver began anew */
};

struct devices {
	struct traffic disk, net;
	uint32_t image_first, image_last;	/* the image's CRC-32 */
	uint32_t guest_first, guest_last;	/* as the guest sees it */
	unsigned long blocked;			/* DMA, at least */
	bool stuck;
};

/* A new image for the storm's disk, or -1 and a message. */
int devices_scratch(void);
void devices_begin(struct devices *d, int scratch);
/* A line of linux/guest/traffic, without its first word. */
void devices_heard(struct devices *d, const char *text);
void devices_end(struct devices *d, int scratch, unsigned long blocked);
bool devices_absent(const struct devices *d);
bool devices_right(const struct devices *d);
/* @ended: the storm came to its end. */
void devices_print(const struct devices *d, bool ended);
json_t *devices_json(const struct devices *d);

#endif
