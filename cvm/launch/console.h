/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's console on its way from QEMU to a listener, or to our stdout
 * with the machine's lines beside it on stderr. Where these are one file, such
 * as a terminal, a line of the machine waits for the end of the console's
 * line.
 */
#ifndef CVM_CONSOLE_H
#define CVM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "launch.h"

struct console {
	int from;		/* QEMU's stdout, a pipe; -1 after its end */
	const struct launch_listener *listener;
	const char *name;	/* of who speaks on stderr */
	int error;		/* errno: stdout takes no more */
	/* How Linux begins its last words, and the words, without the end. */
	size_t panic_matched, panic_used;
	char panic[120];
	bool one_file;		/* our stdout and stderr */
	bool within;		/* the console's last line has not ended */
	struct timespec last;	/* when it last went on */
	char text[4096];	/* read, and not yet written */
	size_t used;
	char held[4096];	/* lines that wait */
	size_t n_held;
};

/* FROM is closed by console_close(). */
void console_open(struct console *c, int from, const struct launch *l);

/* What to poll: for input and for output, each -1 when there is no need. */
int console_in(const struct console *c);
int console_out(const struct console *c);

/* How long to poll at most: MS, or less when lines wait. In milliseconds. */
int console_patience(const struct console *c, int ms);

/* After poll() said so; neither blocks. */
void console_read(struct console *c);
void console_write(struct console *c);

/* A line of the machine's, on stderr: now or when the console's ends. */
void console_tell(struct console *c, const char *line);

/* What Linux said when it panicked, or NULL. */
const char *console_panic(const struct console *c);

/* To be called after each poll(): lines do not wait for a prompt's end. */
void console_tick(struct console *c);

/* QEMU is gone: pass on what it left, as far as nobody blocks; then close. */
void console_close(struct console *c);

#endif
