/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs a guest in the emulated confidential machine: a request in, a result
 * out. Nothing is printed but what the request asks for.
 *
 * Words
 *   machine   the hypervisor of cvm/machine, carried inside this program, in
 *             QEMU
 *   guest     what it boots: a Linux bzImage or an ELF (abi/guest-abi.h)
 *   console   the guest's serial port
 */
#ifndef CVM_LAUNCH_H
#define CVM_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/guest-abi.h"
#include "abi/report.h"

#define LAUNCH_MAX_CPUS		16	/* CVM_ELF_CPUS for an ELF guest */
#define LAUNCH_MIN_MEMORY	64	/* MiB */
#define LAUNCH_MAX_MEMORY	16384	/* CVM_ELF_MEMORY for an ELF guest */
#define LAUNCH_LOW_MEMORY	2048	/* the rest is at 4 GiB */
#define LAUNCH_MAX_VIOLATIONS	64	/* that are kept; all are counted */
#define LAUNCH_MAX_COUNTERS	96

/* ---- the result ---- */

/* How it ended. The machine tells the first ones (abi/report.h). */
enum launch_end {
#define E(name, word) LAUNCH_##name = CVM_END_##name,
	CVM_ENDS(E)
#undef E
	/*
	 * The guest's console says that Linux panicked, and it then ended in
	 * one of the ways above, or not at all.
	 */
	LAUNCH_PANICKED = CVM_END_COUNT,
	LAUNCH_TIME_LIMIT,
	LAUNCH_INTERRUPTED,		/* by a signal to this process */
	LAUNCH_QEMU_LOST,		/* QEMU ended before the guest */
	LAUNCH_CANNOT,			/* nothing ran: why says what's amiss */
	LAUNCH_END_COUNT
};

/* Something that the guest may not do. */
struct launch_violation {
	int cpu;			/* -1: a device */
	uint64_t rip, cr3, gpa;
	unsigned int state;		/* of the page: CVM_STATE_* */
	char what[160];
};

struct launch_counter {
	char name[48];
	uint64_t value;
};

struct launch_result {
	enum launch_end end;
	char why[512];			/* a sentence without its full stop */
	int signal;			/* that interrupted it */
	int console_error;		/* errno: stdout could not be written */
	unsigned int violations;	/* how many: of device or CPU */
	struct launch_violation violation[LAUNCH_MAX_VIOLATIONS];
	unsigned int counters;
	struct launch_counter counter[LAUNCH_MAX_COUNTERS];
};

/* ---- the request ---- */

struct launch_host {
	enum cvm_host kind;
	uint64_t argument;		/* failing: N; hostile: seed */
};

/* An image as a virtio disk. */
struct launch_disk {
	const char *file;		/* or NULL: */
	int fd;				/* this one, inherited by QEMU */
	bool keep;			/* else what the guest writes is lost */
	bool qcow2;			/* else raw */
};

/* A folder of the host's, for the guest to mount by 9p. */
struct launch_share {
	const char *path;
	const char *tag;
	bool write;			/* else it is read-only */
};

/* A virtio serial port. */
struct launch_port {
	const char *name;
	int fd;				/* inherited by QEMU */
	bool input;			/* fd is a socket, else it is written */
};

/*
 * Who listens. Each function may be NULL. They run within launch(), and what
 * they are given is theirs until they return.
 */
struct launch_listener {
	void *context;
	/* Bytes of the console, as they come. */
	void (*console)(void *context, const char *bytes, size_t n);
	void (*violation)(void *context, const struct launch_violation *v);
	/* Any other line of the machine's, without its end. */
	void (*line)(void *context, const char *line);
};

struct launch {
	enum cvm_platform platform;
	unsigned int cpus;		/* 1 to LAUNCH_MAX_CPUS */
	unsigned int memory;		/* MiB, even */
	unsigned int time_limit;	/* seconds */
	struct launch_host host;
	bool deterministic;		/* time is instructions */
	uint64_t seed;
	uint64_t schedule;		/* deterministic: whose turn, or 0 */
	bool lazy;			/* Linux finds memory unaccepted */
	bool iommu;			/* devices reach shared pages only */
	unsigned int isolation;		/* vTOM: 1 VBS, 2 SNP */

	const char *kernel;
	const char *kernel_name;	/* what messages call it, or NULL */
	const char *initrd;		/* or NULL */
	const char *append;		/* the command line, or NULL */

	const struct launch_disk *disk;	/* disks of them */
	unsigned int disks;
	const struct launch_share *share;
	unsigned int shares;
	const struct launch_port *port;
	unsigned int ports;
	bool network;			/* an echo server: 10.0.2.100 port 7 */
	bool outside;			/* and all that the host reaches */
	/* Ports of this host's 127.0.0.1 that lead into the guest: "H-:G". */
	const char *const *forward;	/* forwards of them */
	unsigned int forwards;

	/*
	 * QEMU keeps guest RAM in this file, shared, so that others may map it:
	 * guest physical 0 is its first byte, what is at 4 GiB follows the low
	 * memory. It is made anew. NULL: anonymous.
	 */
	const char *ram_file;
	/*
	 * QEMU's gdb stub listens at this socket of the file system. On SNP
	 * that takes a ram_file, of the next power of 2 at least, and
	 * no more than LAUNCH_LOW_MEMORY. @gdb_wait: the first instruction waits for gdb.
	 */
	const char *gdb;
	bool gdb_wait;
	/*
	 * On SNP and TDX a guest gets attestation, EMULATED: by a key kept in
	 * this folder, or made there. NULL: none.
	 */
	const char *attest;
	/* The key's certificates and what is measured go there, or NULL. */
	const char *certs;
	/* A TCG plugin with its options, "FILE[,NAME=VALUE...]", or NULL. */
	const char *plugin;
	const char *const *qemu_args;	/* more arguments, NULL at the end */

	/*
	 * NULL: the console goes to stdout, our stdin to the console, and what
	 * the machine says to stderr, each line after "NAME: ".
	 */
	const struct launch_listener *listener;
	const char *name;
};

/**
 * launch() - run a guest to its end
 * @l: what to run
 * @r: receives how that went
 *
 * Signals that end a process are held off meanwhile: each ends the guest,
 * and then the run is LAUNCH_INTERRUPTED.
 *
 * Return: an exit code, launch_exit() of the end.
 */
int launch(const struct launch *l, struct launch_result *r);

/*
 * 0 the guest passed; 1 it did not; 2 nothing could run; 3 it was stopped
 * before its end, which says nothing.
 */
int launch_exit(enum launch_end end);

/* A word for how it ended, for programs: "powered-off". */
const char *launch_end_word(enum launch_end end);

/* The same for people: "passed", "failed", "time limit"... */
const char *launch_verdict(enum launch_end end);

/* "private, 2M" and the like. Return: @buf. */
#define LAUNCH_STATE_TEXT 48
const char *launch_state_text(unsigned int state, char buf[LAUNCH_STATE_TEXT]);

/* A violation in one line. Return: @buf. */
const char *launch_violation_text(const struct launch_violation *v, char *buf,
				  size_t size);

/* The counter of that name, or 0. */
uint64_t launch_counter(const struct launch_result *r, const char *name);

/* Names of platforms and hosts: numbers of the ABI, see `airlock boot --help'. */
const char *launch_platform_name(enum cvm_platform p);
bool launch_platform_parse(const char *text, enum cvm_platform *p);

#endif
