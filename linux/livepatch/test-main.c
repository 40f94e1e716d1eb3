// SPDX-License-Identifier: GPL-2.0
/*
 * The port in a kernel that knows no live patches but KUnit, whose tests (in
 * test.c) begin when this module has been loaded.
 */
#include <linux/module.h>

#include "port.h"

static int __init test_module_init(void)
{
	int err = airlock_find_symbols();

	if (!err)
		airlock_setup();
	return err;
}

/* What was converted would be nobody's. */
static void __exit test_module_exit(void)
{
	airlock_teardown();
}

module_init(test_module_init);
module_exit(test_module_exit);
MODULE_DESCRIPTION("KUnit tests of private/shared transitions");
MODULE_LICENSE("GPL");
