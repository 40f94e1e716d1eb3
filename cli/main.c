// SPDX-License-Identifier: GPL-2.0
/* The `airlock` command. */
#include "cli.h"
#include "cmd.h"
#include "command.h"
#include "here.h"
#include "linux.h"
#include "machine.h"

#include <err.h>
#include <string.h>

static const struct command list[] = {
	{ "check", "is an order of steps safe? explore every interleaving",
	  cli_check },
	{ "prove", "the same for any number of CPUs, pages and calls, by z3 "
	  "and cvc5", cli_prove },
	{ "orders", "list the named orders, step by step", cli_orders },
	{ "report", "join the answers of many machines", cli_report },
	{ "replay", "run a counterexample again, from its trace", cli_replay },
	{ "run", "run a command in a confidential guest with this root",
	  cli_run },
	{ "fetch", "get a kernel of Debian's", cli_fetch },
	{ "boot", "boot a guest in the emulated confidential machine",
	  cli_boot },
	{ "linux", "Debian's kernel in that machine, with Airlock or without",
	  cli_linux },
	{ "storm", "convert pages of the guest that this is typed in (--here)",
	  cli_storm },
	{ "watch", "what could any stray read in a kernel have met?",
	  cli_watch },
	{ NULL, NULL, NULL },
};

static const struct commands commands = {
	"airlock",
	"Private/shared page transitions for confidential VMs: is an order of "
	"steps safe?",
	"`airlock COMMAND --help' tells more; so does airlock(1).", list,
};

int main(int argc, char **argv)
{
	return commands_main(&commands, "airlock " AIRLOCK_VERSION, argc, argv);
}
