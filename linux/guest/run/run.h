/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first process of `airlock run', a static program. cli/run/ puts it into
 * the initramfs as /init, and beside it:
 *
 *   /airlock/config    a word, what belongs to it (main.c), a NUL; and again
 *   /airlock/argv      the command, a NUL after each word
 *   /airlock/modules/  modules, and `list': their names in the order to load
 *
 * It puts the host's folder, or a disk, under a layer of memory, runs the
 * command there, tells its exit code and powers off. With --init all but the
 * first half of that is done by a child. In a kernel that `airlock watch' boots
 * it does no more than load the modules.
 */
#ifndef AIRLOCK_GUEST_RUN_H
#define AIRLOCK_GUEST_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MAX_MOUNTS 24

/* A folder of the host's, by 9p, over one of the root's. */
struct share {
	const char *tag, *path;
	bool write;
};

struct config {
	bool off;		/* no command: power off */
	bool disk;		/* the root is one */
	bool net;
	bool init;		/* the root's own is the first process */
	const char *pwd, *user, *term;
	/* Which of the command's standard files are a terminal. */
	bool tty, tty_errors;
	unsigned short rows, columns;
	struct share share[MAX_MOUNTS];
	unsigned int shares;
	char *const *argv;	/* or NULL: the user's shell */
};

/* ---- main.c ---- */

/* Say so on the command's standard error, and end with 2. */
__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *fmt, ...);

/* ---- root.c ---- */

/* All that belongs to a root; it is / then. */
void root_enter(const struct config *c);
void network_up(void);

/* ---- command.c ---- */

enum { PORT_IN, PORT_OUT, PORT_ERR, PORT_EXIT, PORT_CONTROL, PORTS };

/*
 * The host's ends of the command's standard files are virtio serial ports,
 * which carry every byte as it is. Return: its exit code.
 */
int command_run(const struct config *c, const int port[PORTS]);

#endif
