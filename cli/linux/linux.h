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
/* `airlock fetch', and `airlock linux fetch'. */
int cli_fetch(int argc, char **argv);

/* ---- linux.c: what both subcommands have ---- */

struct linux_run {
	struct machine machine;
	const char *version;		/* of what is in build/linux */
	const char *order;		/* of the live patch, or NULL */
	const char *image;		/* the initramfs' file */
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

#define LINUX_HOST_WORD	64
/*
 * A host that fails or lies does so later: before, a stock kernel boots, whose
 * answer to any of that is to end the guest. It is honest, and @word tells
 * the guest which one to ask for. The one that was asked for comes back.
 */
struct launch_host linux_host_later(struct linux_run *l,
				    char word[LINUX_HOST_WORD]);
/* The guest asked for its end since the host refused, or had lied. */
bool linux_gave_in(const struct launch_result *r);

/* ---- said.c: a guest's console, and what the machine met ---- */

#define SAID_SYMBOLS	16

struct said_symbol {
	unsigned long at;
	char name[64];
	char what[80];
};

struct said {
	/* to be set */
	/* Lines of the console. */
	void (*hear)(void *context, const char *line);
	/* The machine's lines; NULL: those and violations, if verbose. */
	void (*machine)(void *context, const char *line);
	void *context;
	bool verbose;			/* print what the console says */
	/* the rest begins as 0 */
	char line[1024];		/* so far */
	size_t used;
	struct said_symbol symbol[SAID_SYMBOLS];
	unsigned int symbols;
};

/* launch(), and listen. */
void said_launch(struct said *s, const struct launch *l,
		 struct launch_result *result);
/* "ADDRESS NAME [WHAT]", of a function that may meet a page. */
void said_symbol(struct said *s, const char *text);
/* Violations of CPUs, the first few in full; those of devices are told apart. */
void said_print_bads(const struct said *s, const struct launch_result *m,
		     unsigned int of_devices);

/* Where the kernel comes from: "as Debian built it". */
const char *linux_origin(const struct linux_run *l);

/* ---- heap.c ---- */

int linux_heap(int argc, char **argv);

/* ---- storm.c ---- */

int linux_storm(int argc, char **argv);

/* What the module says of a shape when it is done with it. */
struct storm_shape {
	char name[16];
	unsigned long conversions, loads, names, fixups, refused, given_up,
		      wrong, mangled, global;
};

/* "NAME conversions N loads N ...": false if it is anything else. */
bool storm_shape_heard(const char *text, struct storm_shape *s);

/* ---- kexec.c ---- */

int linux_kexec(int argc, char **argv);

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
/* Both wrote and read, and nothing came back wrong. */
bool devices_busy(const struct devices *d);
void devices_end(struct devices *d, int scratch, unsigned long blocked);
bool devices_absent(const struct devices *d);
bool devices_right(const struct devices *d);
/* @ended: the storm came to its end. */
void devices_print(const struct devices *d, bool ended);
json_t *devices_json(const struct devices *d);

#endif
