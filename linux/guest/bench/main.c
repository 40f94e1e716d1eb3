// SPDX-License-Identifier: GPL-2.0
/*
 * The bench. CPU 0 converts; the others are busy doing nothing, with
 * interrupts on, so that a shootdown costs them their handler and no way out
 * of idle. All of it runs when the module is loaded.
 *
 * Report, for programs to read:
 *   bench: begin cpus N exit_cost N
 *   bench: result SIZE shared|private pages N entries N least N median N
 *	    most N exits N conversions N others N calls N writes N
 *	    writes_least N writes_most N
 *   bench: end
 * where `calls' are interrupts of all other CPUs and `writes' are those of all
 * entries; each number is the median of so many conversions. An error:
 *   bench: failed WHAT: ERRNO
 */
#define pr_fmt(fmt) "bench: " fmt
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "bench.h"

#define MOST_CPUS 8
#define FEWER	10			/* times, of what is very large */

static unsigned int conversions = 50;
module_param(conversions, uint, 0444);
MODULE_PARM_DESC(conversions, "how many, for each size and direction");
static char *only;
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "name of the one size to measure");
static bool watch = true;
module_param(watch, bool, 0444);
MODULE_PARM_DESC(watch, "count writes of page-table entries");

int span_convert(const struct span *r, bool shared)
{
	return shared ? set_memory_decrypted(r->va, r->pages) :
			set_memory_encrypted(r->va, r->pages);
}

static int failed(const char *what, int err)
{
	pr_err("failed %s: %d\n", what, err);
	return err;
}

/* ---- the other CPUs ---- */

static struct task_struct *busy[MOST_CPUS];
static bool measuring;
static atomic_t spinning;

static int stay_busy(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!READ_ONCE(measuring) && !kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
		if (!READ_ONCE(measuring))
			continue;
		machine_mute();
		atomic_inc(&spinning);
		while (READ_ONCE(measuring))
			cpu_relax();
		machine_unmute();
		atomic_dec(&spinning);
	}
	return 0;
}

static void busy_stop(void)
{
	unsigned int i;

	for (i = 0; i < MOST_CPUS; i++)
		if (busy[i])
			kthread_stop(busy[i]);
}

static int busy_start(void)
{
	struct task_struct *t;
	unsigned int i = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		if (!cpu)
			continue;
		if (i == MOST_CPUS)
			return -E2BIG;
		t = kthread_create_on_cpu(stay_busy, NULL, cpu, "busy/%u");
		if (IS_ERR(t))
			return PTR_ERR(t);
		busy[i++] = t;
		wake_up_process(t);
	}
	return 0;
}

/* Returns when the other CPUs do what they shall. */
static void set_measuring(bool on)
{
	int wanted = on ? num_online_cpus() - 1 : 0;
	unsigned int i;

	WRITE_ONCE(measuring, on);
	if (!on)
		machine_unmute();
	for (i = 0; on && i < MOST_CPUS; i++)
		if (busy[i])
			wake_up_process(busy[i]);
	while (atomic_read(&spinning) != wanted) {
		cpu_relax();
		cond_resched();
	}
	if (on)
		machine_mute();
}

/* ---- one size ---- */

struct series {
	u64 *instructions, *exits, *calls;
};

struct result {
	struct span r;
	unsigned int conversions;
	struct series s[2];		/* by direction: to private, to shared */
	struct writes w;
};

/* The @i-th conversion in that direction. */
static int one(struct result *res, bool shared, unsigned int i)
{
	struct series *s = &res->s[shared];
	u64 before, after;
	struct cost c;
	int err;

	err = calls_count(&before);
	if (err)
		return err;
	err = machine_measure(&res->r, shared, &c);
	if (err)
		return err;
	err = calls_count(&after);
	if (err)
		return err;
	s->instructions[i] = c.instructions;
	s->exits[i] = c.exits;
	s->calls[i] = after - before;
	return machine_check(&res->r, shared);
}

static int run_series(struct result *res)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < res->conversions && !err; i++) {
		err = one(res, true, i);
		if (!err)
			err = one(res, false, i);
	}
	return err;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *numbers, unsigned int n)
{
	sort(numbers, n, sizeof(*numbers), by_value, NULL);
	return numbers[n / 2];
}

static void report(const struct result *res, bool shared)
{
	const struct series *s = &res->s[shared];
	unsigned int n = res->conversions;
	u64 instructions = median(s->instructions, n);

	pr_info("result %s %s pages %u entries %llu least %llu median %llu most %llu exits %llu conversions %u others %u calls %llu writes %llu writes_least %llu writes_most %llu\n",
		res->r.name, shared ? "shared" : "private", res->r.pages,
		res->w.entries, s->instructions[0], instructions,
		s->instructions[n - 1], median(s->exits, n), n,
		num_online_cpus() - 1, median(s->calls, n),
		res->w.all[shared], res->w.least[shared], res->w.most[shared]);
}

/* The first conversions split leaves and unmap what vmap() left behind. */
static int warm_up(const struct span *r)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < 2 && !err; i++) {
		err = span_convert(r, true);
		if (!err)
			err = span_convert(r, false);
	}
	return err;
}

static int check_leaves(const struct span *r)
{
	unsigned int level;

	if (!lookup_address(r->va, &level))
		return -EFAULT;
	return (level == PG_LEVEL_4K) == r->small ? 0 : -EINVAL;
}

static int measure(struct result *res)
{
	int err = warm_up(&res->r);

	if (err)
		return failed("first conversions", err);
	err = check_leaves(&res->r);
	if (err)
		return failed("leaves of another size", err);
	set_measuring(true);
	machine_init();
	err = run_series(res);
	set_measuring(false);
	if (err)
		return failed("conversions", err);
	if (watch)
		err = writes_count(&res->r, &res->w);
	if (err)
		return failed("watched conversions", err);
	return 0;
}

static int run(const struct span *r)
{
	struct result res = {
		.r = *r, .conversions = r->pages > PTRS_PER_PMD ?
			max(conversions / FEWER, 3U) : conversions,
	};
	unsigned int n = res.conversions;
	u64 *numbers = kcalloc(6 * n, sizeof(u64), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!numbers)
		return failed("memory", -ENOMEM);
	for (i = 0; i < 2; i++) {
		res.s[i].instructions = numbers + 3 * i * n;
		res.s[i].exits = res.s[i].instructions + n;
		res.s[i].calls = res.s[i].exits + n;
	}
	err = measure(&res);
	if (!err) {
		report(&res, true);
		report(&res, false);
	}
	kfree(numbers);
	return err;
}

/* ---- all sizes ---- */

static int run_all(const struct area *a)
{
	/* Whole leaves first: what is less than one splits it, for good. */
	const struct span ranges[] = {
		{ "64M", a->swiotlb, 16384, false },
		{ "512", a->block[0], 512, false },
		{ "1", a->block[1], 1, true },
		{ "8", a->block[1] + 16 * PAGE_SIZE, 8, true },
		{ "511", a->block[1] + PMD_SIZE, 511, true },
	};
	unsigned int i;
	int err = 0;

	set_measuring(true);
	machine_init();
	set_measuring(false);
	pr_info("begin cpus %u exit_cost %llu\n", num_online_cpus(),
		machine_exit_cost());
	for (i = 0; i < ARRAY_SIZE(ranges) && !err; i++)
		if (!only || !strcmp(only, ranges[i].name))
			err = run(&ranges[i]);
	return err;
}

struct work {
	const struct area *area;
	struct completion done;
	int err;
};

static int work_thread(void *arg)
{
	struct work *w = arg;

	w->err = run_all(w->area);
	complete(&w->done);
	return 0;
}

static int work(const struct area *a)
{
	struct work w = { .area = a };
	struct task_struct *t;

	init_completion(&w.done);
	t = kthread_create_on_cpu(work_thread, &w, 0, "bench/%u");
	if (IS_ERR(t))
		return failed("thread", PTR_ERR(t));
	wake_up_process(t);
	wait_for_completion(&w.done);
	return w.err;
}

static int __init bench_init(void)
{
	struct area a;
	int err;

	if (!conversions)
		return -EINVAL;
	err = calls_open();
	if (err)
		return failed("/proc/interrupts", err);
	err = area_get(&a);
	if (err) {
		calls_close();
		return failed("64M in a row", err);
	}
	err = busy_start();
	if (err)
		failed("busy CPUs", err);
	else
		err = work(&a);
	busy_stop();
	calls_close();
	/* After an error nobody knows which pages are still private. */
	if (err)
		return err;
	pr_info("end\n");
	area_put(&a);
	return 0;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("What conversions of pages cost");
MODULE_LICENSE("GPL");
