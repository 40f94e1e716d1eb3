/* SPDX-License-Identifier: GPL-2.0 */
/* `airlock storm --here': the storm in the guest that it is typed in. */
#ifndef AIRLOCK_CLI_HERE_H
#define AIRLOCK_CLI_HERE_H

#include <stdbool.h>
#include <stddef.h>

/* ---- here.c ---- */

int cli_storm(int argc, char **argv);

/* ---- module.c ---- */

/*
 * Load NAME: the one that dkms built, or DIR/NAME.ko. @words end with NULL,
 * and there are at most MODULE_WORDS. False with a message that says why.
 */
#define MODULE_WORDS 4
bool module_load(const char *dir, const char *name, const char *const *words);
/* Without a word, also if it is not there. */
void module_unload(const char *name);

/* ---- log.c ---- */

/* The kernel's log from here on, or -1 and a message. */
int log_open(void);
/* Hear every line that came since. */
void log_hear(int fd, void (*hear)(void *context, const char *line),
	      void *context);

/*
 * The report to send. Whatever is told is on the disk when told() is back: the
 * guest may not be there to write the rest.
 */
bool report_open(const char *name);
void told(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool report_close(void);

#endif
