// SPDX-License-Identifier: GPL-2.0
/* build/airlock-linux: `airlock linux` alone. */
#include "linux_cmd.h"

int main(int argc, char **argv)
{
	return linux_main(argc, argv);
}
