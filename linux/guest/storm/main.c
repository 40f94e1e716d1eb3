// SPDX-License-Identifier: GPL-2.0
/*
 * The storm's shapes: how many pages a conversion has, in which mapping, and
 * how many CPUs convert at once. All of it runs when the module is loaded.
 *
 * With `here' it is no emulated machine, and it says first which guest it is
 * in; with no conversions it only says that.
 *
 * Report, for programs to read:
 *   storm: guest NAME
 *   storm: begin CPUS
 *   storm: symbol ADDRESS NAME WHAT
 *   storm: shape NAME conversions N loads N names N fixups N refused N
 *	    given_up N wrong N mangled N global N
 *   storm: end
 */
#define pr_fmt(fmt) "storm: " fmt
#include <linux/cc_platform.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/hypervisor.h>

#include "storm.h"

#define ORDER	10			/* the arena: two 2M leaves */
#define MAX_AT_ONCE 8

static unsigned int conversions = 2000;
module_param(conversions, uint, 0444);
MODULE_PARM_DESC(conversions, "how many, for each shape");
static char *only;
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "name of the one shape to run");
module_param_named(machine, storm_machine, bool, 0444);
MODULE_PARM_DESC(machine, "this is Airlock's machine: ask it too");
static bool here;
module_param(here, bool, 0444);
MODULE_PARM_DESC(here, "refuse where there is nothing to convert");
static unsigned int host;
module_param(host, uint, 0444);
MODULE_PARM_DESC(host, "character of the machine's host meanwhile");
static ulong host_arg;
module_param(host_arg, ulong, 0444);

static u8 *arena;

struct converter {
	struct region *r;
	struct completion done;
};

/* Convert once. Refused, the pages are what they were, or not present. */
static bool one(struct region *r, bool shared)
{
	unsigned long va = (unsigned long)r->va;
	int err = shared ? set_memory_decrypted(va, r->pages) :
			   set_memory_encrypted(va, r->pages);

	if (err) {
		r->errors++;
		check_refused(r, !shared);
		return false;
	}
	r->conversions++;
	check_converted(r, shared);
	return true;
}

static void convert(struct region *r, unsigned int n)
{
	bool shared = false;
	unsigned int i;

	check_begin(r);
	for (i = 0; i < n && !r->given_up; i++) {
		if (one(r, !shared))
			shared = !shared;
		cond_resched();
	}
	for (i = 0; i < 3 && shared && !r->given_up; i++)
		if (one(r, false))
			shared = false;
	r->shared = shared;
}

static int convert_thread(void *arg)
{
	struct converter *c = arg;

	convert(c->r, conversions);
	complete(&c->done);
	return 0;
}

static void convert_at_once(struct region *r, unsigned int n)
{
	struct converter c[MAX_AT_ONCE];
	unsigned int i = 0, started;
	struct task_struct *t;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		if (i == n)
			break;
		c[i].r = &r[i];
		init_completion(&c[i].done);
		t = kthread_create_on_cpu(convert_thread, &c[i], cpu,
					  "convert/%u");
		if (IS_ERR(t))
			break;
		wake_up_process(t);
		i++;
	}
	started = i;
	cpus_read_unlock();
	for (i = 0; i < started; i++)
		wait_for_completion(&c[i].done);
}

static bool report(const char *name, const struct region *r, unsigned int n,
		   const struct reads *seen)
{
	struct region sum = { 0 };
	unsigned int i;

	for (i = 0; i < n; i++) {
		sum.conversions += r[i].conversions;
		sum.errors += r[i].errors;
		sum.given_up += r[i].given_up;
		sum.shared |= r[i].shared;
		sum.wrong += r[i].wrong;
		sum.flags_lost += r[i].flags_lost;
	}
	pr_info("shape %s conversions %lu loads %llu names %llu fixups %llu refused %lu given_up %lu wrong %lu mangled %llu global %lu\n",
		name, sum.conversions, seen->loads, seen->names, seen->fixups,
		sum.errors, sum.given_up, sum.wrong, seen->mangled,
		sum.flags_lost);
	return !sum.given_up && !sum.shared && !sum.wrong;
}

static bool run(const char *name, struct region *r, unsigned int n)
{
	struct readers *rs;
	struct reads seen;
	int self = -1;

	if (only && strcmp(only, name))
		return true;
	migrate_disable();
	/* A converter alone leaves its CPU to no reader, if there is another. */
	if (n == 1 && num_online_cpus() > 1)
		self = raw_smp_processor_id();
	pr_info("now %s\n", name);
	rs = readers_start(r, n, self);
	if (!rs) {
		migrate_enable();
		return false;
	}
	if (n == 1)
		convert(r, conversions);
	else
		convert_at_once(r, n);
	seen = readers_stop(rs);
	migrate_enable();
	return report(name, r, n, &seen);
}

static bool run_direct(const char *name, unsigned int at, unsigned int pages)
{
	struct region r = { .va = arena + at * PAGE_SIZE, .pages = pages };

	return run(name, &r, 1);
}

static bool run_vmalloc(void)
{
	u8 *va = vmalloc(9 * PAGE_SIZE);
	struct region r = { .va = va + PAGE_SIZE, .pages = 8 };
	bool ok;

	if (!va)
		return false;
	ok = run("vmalloc", &r, 1);
	if (ok)
		vfree(va);
	return ok;
}

/* Regions of 1 to 8 pages, 16 pages apart, each CPU its own. */
static bool run_at_once(void)
{
	unsigned int i, n = min_t(unsigned int, num_online_cpus(),
				  MAX_AT_ONCE);
	struct region r[MAX_AT_ONCE] = { 0 };

	for (i = 0; i < n; i++) {
		r[i].va = arena + (64 + 16 * i) * PAGE_SIZE;
		r[i].pages = 1 + i * 7 % 8;
	}
	return run("at-once", r, n);
}

/* A paravisor hides from its guest what is below. */
static const char *guest_name(void)
{
	if (!cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		return NULL;
	if (boot_cpu_has(X86_FEATURE_TDX_GUEST))
		return "TDX";
	if (cc_platform_has(CC_ATTR_GUEST_SEV_SNP))
		return "SEV-SNP";
	if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT))
		return "SEV-ES";
	return x86_hyper_type == X86_HYPER_MS_HYPERV ?
	       "Hyper-V, under a paravisor" : "SEV";
}

static int look_here(void)
{
	const char *name = guest_name();

	if (!name)
		return -ENODEV;
	pr_info("guest %s\n", name);
	return 0;
}

static int __init storm_init(void)
{
	bool ok;
	int err = here ? look_here() : 0;

	if (err || !conversions)
		return err;
	arena = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_NOWARN, ORDER);
	if (!arena)
		return -ENOMEM;
	err = reads_init();
	if (err)
		goto free;
	pr_info("begin %u\n", num_online_cpus());
	reads_symbols();
	if (host)
		machine_host(host, host_arg);
	/* 512 first: the others split the leaves they are in, for good. */
	ok = run_direct("512", 512, 512);
	ok &= run_direct("1", 16, 1);
	ok &= run_direct("8", 32, 8);
	ok &= run_at_once();
	ok &= run_vmalloc();
	if (host)
		machine_host(0, 0);
	if (!ok)
		pr_info("some pages are in doubt: they are not freed\n");
	pr_info("end\n");
	reads_exit();
	if (!ok)
		return 0;
free:
	free_pages((unsigned long)arena, ORDER);
	return err;
}

static void __exit storm_exit(void)
{
}

module_init(storm_init);
module_exit(storm_exit);
MODULE_DESCRIPTION("Conversions of pages under stray reads");
MODULE_LICENSE("GPL");
