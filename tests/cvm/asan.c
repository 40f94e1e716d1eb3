// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock boot' and `airlock linux' with AddressSanitizer, which the lab in
 * build/airlock cannot have.
 */
#include "command.h"
#include "linux.h"
#include "machine.h"

static const struct command list[] = {
	{ "boot", "", cli_boot }, { "linux", "", cli_linux },
	{ NULL, NULL, NULL },
};

static const struct commands commands = { "airlock", "", "", list };

int main(int argc, char **argv)
{
	return commands_main(&commands, "airlock (a test)", argc, argv);
}
