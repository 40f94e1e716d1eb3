// SPDX-License-Identifier: GPL-2.0
/* The `airlock` command: which subcommand, and what all of them share. */
#include "cli.h"

#include <argp.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#ifdef CLI_BOOT
#include "boot.h"
#else
static int cvm_boot(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fprintf(stderr, "airlock boot: not in this build\n");
	return CLI_USAGE;
}
#endif

#ifdef CLI_LINUX
#include "linux_cmd.h"
#else
static int linux_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fprintf(stderr, "airlock linux: not in this build\n");
	return CLI_USAGE;
}
#endif

static const struct command {
	const char *name;
	const char *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "check", "is an order of steps safe? explore every interleaving",
	  cli_check },
	{ "orders", "list the named orders, step by step", cli_orders },
	{ "replay", "run a counterexample again, from its trace", cli_replay },
	{ "boot", "boot a guest in the emulated confidential machine",
	  cvm_boot },
	{ "linux", "Debian's kernel in that machine, with Airlock or without",
	  linux_main },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

FILE *output_open(const char *name)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "w") : stdout;

	if (!f)
		err(CLI_USAGE, "%s", name);
	return f;
}

/* A full disk shows only here. */
void output_close(FILE *f, const char *name)
{
	if (fflush(f) || ferror(f) || (f != stdout && fclose(f)))
		err(CLI_USAGE, "%s", name);
}

static void usage(FILE *to)
{
	fprintf(to, "usage: airlock COMMAND [OPTION ...]\n\n"
		"Private/shared page transitions for confidential VMs: is an "
		"order of steps safe?\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s  %s\n", commands[i].name,
			commands[i].what);
	fprintf(to, "  %-8s  this text, or that of a command\n\n", "help");
	fprintf(to, "`airlock COMMAND --help' tells more; so does airlock(1)."
		"\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	fprintf(stderr, "airlock: no command is named '%s'; "
		"try `airlock help'\n", name);
	return CLI_USAGE;
}

static int run(const struct command *c, int argc, char **argv)
{
	static char name[32];

	/* argp and err() begin their messages with this. */
	snprintf(name, sizeof(name), "airlock %s", c->name);
	if (c->run != cvm_boot && c->run != linux_main) {
		argv[0] = name;
		program_invocation_name = program_invocation_short_name = name;
	}
	return c->run(argc, argv);
}

static int help(int argc, char **argv)
{
	static char option[] = "--help";
	char *args[] = { NULL, option, NULL };
	const struct command *c = argc > 2 ? find(argv[2]) : NULL;

	if (argc > 2 && !c)
		return unknown(argv[2]);
	if (!c) {
		usage(stdout);
		return CLI_SAFE;
	}
	args[0] = argv[2];
	return run(c, 2, args);
}

int main(int argc, char **argv)
{
	const struct command *c;

	argp_program_version = "airlock " AIRLOCK_VERSION;
	argp_err_exit_status = CLI_USAGE;
	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-?") || !strcmp(argv[1], "-h"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return CLI_SAFE;
	}
	c = find(argv[1]);
	return c ? run(c, argc - 1, argv + 1) : unknown(argv[1]);
}
