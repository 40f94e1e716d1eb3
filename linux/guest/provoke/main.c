// SPDX-License-Identifier: GPL-2.0
/*
 * What a checking kernel must complain of, so that its silence means something:
 *
 *   kind=order   two locks, taken in either order
 *   kind=sleep   waiting where nobody may
 *   kind=past    a byte behind an object
 *   kind=freed   a page that nobody has
 *   kind=guard   a byte before the page of a KFENCE object
 */
#define pr_fmt(fmt) "provoke: " fmt
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kfence.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *kind = "";
module_param(kind, charp, 0444);

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);
static DEFINE_RAW_SPINLOCK(spin);

static void order(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

static void wait(void)
{
	raw_spin_lock(&spin);
	might_sleep();
	raw_spin_unlock(&spin);
}

/* Loads that the compiler cannot see to be wrong. */
static void load(const u8 *p)
{
	OPTIMIZER_HIDE_VAR(p);
	READ_ONCE(*p);
}

static void past(void)
{
	u8 *p = kmalloc(40, GFP_KERNEL);

	if (p)
		load(p + 40);
	kfree(p);
}

/* Not the next one that somebody asks for. */
static void freed(void)
{
	unsigned long p = __get_free_pages(GFP_KERNEL, 6);

	if (!p)
		return;
	free_pages(p, 6);
	load((u8 *)p);
}

/* One allocation every few milliseconds is KFENCE's. */
static void before(void)
{
	unsigned int i;
	u8 *p;

	for (i = 0; i < 2000; i++) {
		p = kmalloc(40, GFP_KERNEL);
		if (p && is_kfence_address(p)) {
			load((u8 *)((unsigned long)p & PAGE_MASK) - 1);
			kfree(p);
			return;
		}
		kfree(p);
		usleep_range(500, 1000);
	}
	pr_info("no object is KFENCE's\n");
}

static int __init provoke_init(void)
{
	static const struct {
		const char *kind;
		void (*fn)(void);
	} all[] = {
		{ "order", order }, { "sleep", wait }, { "past", past },
		{ "freed", freed }, { "guard", before },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(kind, all[i].kind)) {
			all[i].fn();
			pr_info("did %s\n", kind);
			return 0;
		}
	return -EINVAL;
}

static void __exit provoke_exit(void)
{
}

module_init(provoke_init);
module_exit(provoke_exit);
MODULE_DESCRIPTION("Mistakes, for kernels that look for them");
MODULE_LICENSE("GPL");
