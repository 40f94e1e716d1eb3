/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LINUX_CMD_H
#define LINUX_CMD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LINUX_VERSION	"6.12"
#define LINUX_USAGE	2

/* What was asked for; strings go to cvm_boot() as they are. */
struct linux_run {
	const char *platform, *cpus, *host, *memory, *time_limit;
	const char *json, *version, *append, *only, *order;
	unsigned long conversions;
	const char *disk;		/* an image, or NULL */
	bool disk_rw;			/* what the guest writes stays */
	bool net, devices;
	int scratch;			/* the storm's disk, or -1 */
	bool deterministic, lazy, patched, shell, storm, verbose;
	char kernel[PATH_MAX], initrd[PATH_MAX];
	const char *machine_host;	/* before the storm */
	char host_word[64];
	char cmdline[1024];
};

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

/**
 * linux_main() - the whole of `airlock linux`
 * @argv: [0] is "linux"
 * Return: 0 every page was right and no confidential exception came; 1 not
 * so; 2 bad usage or nothing to boot; 3 time limit.
 */
int linux_main(int argc, char **argv);

__attribute__((format(printf, 1, 2)))
int linux_error(const char *fmt, ...);

/**
 * linux_boot() - run the machine in this process, its console on stdout
 * @json: where the machine's own report goes, or NULL
 * Return: as cvm_boot().
 */
int linux_boot(const struct linux_run *l, const char *json);

/**
 * linux_storm() - boot, listen, and judge
 * Return: as linux_main().
 */
int linux_storm(const struct linux_run *l);

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
void devices_json(const struct devices *d, FILE *f);

#endif
