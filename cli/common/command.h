/* SPDX-License-Identifier: GPL-2.0 */
/* Commands with subcommands: which one, and what all of them share. */
#ifndef AIRLOCK_CLI_COMMAND_H
#define AIRLOCK_CLI_COMMAND_H

struct command {
	const char *name;
	const char *what;		/* one line of --help */
	int (*run)(int argc, char **argv);	/* argv[0]: all of its name */
};

struct commands {
	const char *name;		/* "airlock linux" */
	const char *what;		/* a paragraph */
	const char *more;		/* what --help ends with */
	const struct command *list;	/* a NULL name ends it */
};

/*
 * Run the subcommand that argv[1] names; --help, --version and `help' are
 * known without being listed. Return: the exit code.
 */
int commands_run(const struct commands *c, int argc, char **argv);

/* The whole of main(): the same, and an exit code of 2 if stdout was lost. */
int commands_main(const struct commands *c, const char *version, int argc,
		  char **argv);

#endif
