// SPDX-License-Identifier: GPL-2.0
/* build/airlock-boot: `airlock boot` by itself. */
#include "boot.h"

int main(int argc, char **argv)
{
	argv[0] = "boot";
	return cvm_boot(argc, argv);
}
