// SPDX-License-Identifier: GPL-2.0
/*
 * Airlock in a kernel that was built without it, as a live patch.
 *
 * For evaluation: see symbols.c.
 */
#include <linux/livepatch.h>
#include <linux/module.h>

#include "port.h"

static char *order;
module_param(order, charp, 0444);
MODULE_PARM_DESC(order, "steps, to see what becomes of another order");

static struct klp_func funcs[] = {
	{
		.old_name = "__set_memory_enc_pgtable",
		.new_func = airlock_set_memory,
	},
	{ }
};

static struct klp_object objects[] = {
	{ .funcs = funcs },		/* of vmlinux */
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int set_order(void)
{
	static struct airlock_order other;

	if (order && airlock_order_parse(order, &other, NULL))
		return -EINVAL;
	if (order)
		airlock_order = &other;
	return 0;
}

static int __init patch_init(void)
{
	int err = airlock_find_symbols();

	if (err)
		return err;
	err = set_order();
	if (err)
		return err;
	airlock_setup();
	if (!airlock_can_convert()) {
		pr_err("no platform here that this is for\n");
		return -ENODEV;
	}
	err = klp_enable_patch(&patch);
	if (err)
		airlock_teardown();
	return err;
}

static void __exit patch_exit(void)
{
	airlock_teardown();
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("Private/shared transitions with pages not present");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
