// SPDX-License-Identifier: GPL-2.0
/* Which subcommand, and what is the same for all of them. */
#include "command.h"

#include <argp.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE	2		/* the exit code of it */

static void usage(const struct commands *c, FILE *to)
{
	fprintf(to, "usage: %s COMMAND [OPTION...]\n\n%s\n\n", c->name,
		c->what);
	for (const struct command *i = c->list; i->name; i++)
		fprintf(to, "  %-8s  %s\n", i->name, i->what);
	fprintf(to, "  %-8s  this text, or that of a command\n\n", "help");
	fprintf(to, "%s\n", c->more);
}

static const struct command *find(const struct commands *c, const char *name)
{
	for (const struct command *i = c->list; i->name; i++)
		if (!strcmp(i->name, name))
			return i;
	return NULL;
}

static int unknown(const struct commands *c, const char *name)
{
	fprintf(stderr, "%s: no command is named '%s'; try `%s help'\n",
		c->name, name, c->name);
	return USAGE;
}

/* argp and err() begin their messages with its name. */
static int run(const struct commands *c, const struct command *i, int argc,
	       char **argv)
{
	static char name[64];
	char whole[sizeof(name)];

	snprintf(whole, sizeof(whole), "%s %s", c->name, i->name);
	memcpy(name, whole, sizeof(name));
	program_invocation_name = program_invocation_short_name = name;
	argv[0] = name;
	return i->run(argc, argv);
}

static int help(const struct commands *c, int argc, char **argv)
{
	static char option[] = "--help";
	char *args[] = { NULL, option, NULL };
	const struct command *i = argc > 2 ? find(c, argv[2]) : NULL;

	if (argc > 2 && !i)
		return unknown(c, argv[2]);
	if (i)
		return run(c, i, 2, args);
	usage(c, stdout);
	return 0;
}

int commands_run(const struct commands *c, int argc, char **argv)
{
	const struct command *i;

	if (argc < 2) {
		usage(c, stderr);
		return USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-?") || !strcmp(argv[1], "-h"))
		return help(c, argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return 0;
	}
	i = find(c, argv[1]);
	return i ? run(c, i, argc - 1, argv + 1) : unknown(c, argv[1]);
}

/* Whatever a command answers: what it could not write nobody has read. */
static void check_stdout(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return;
	if (errno)
		warn("cannot write to stdout");
	else
		warnx("cannot write to stdout");
	_exit(USAGE);
}

/* Without one of them the next file that is opened would be taken for it. */
static void open_standard_files(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	if (fd >= 0)
		close(fd);
}

int commands_main(const struct commands *c, const char *version, int argc,
		  char **argv)
{
	open_standard_files();
	atexit(check_stdout);
	argp_program_version = version;
	argp_err_exit_status = USAGE;
	return commands_run(c, argc, argv);
}
