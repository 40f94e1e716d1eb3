// SPDX-License-Identifier: GPL-2.0
/*
 * The stray reads.
 *
 * A page fault in one of them is what should happen; the tracepoint of kernel
 * page faults counts those at addresses of the regions.
 */
#define pr_fmt(fmt) "storm: " fmt
#include <linux/cpu.h>
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stringhash.h>
#include <linux/tracepoint.h>
#include <linux/version.h>
#include <asm/ptrace.h>
#include <asm/word-at-a-time.h>

#include "storm.h"

#define NAME	"dev"			/* there is such a directory */
#define NAMELEN	3

struct reader {
	struct task_struct *task;
	struct readers *all;
	struct reads seen;
	unsigned long hash;		/* keeps the compiler from skipping it */
} ____cacheline_aligned;

struct readers {
	struct region *r;
	unsigned int n;
	unsigned int threads;
	struct path root;
	struct reader reader[];
};

static struct readers *current_readers;
static atomic64_t faults;
static struct tracepoint *fault_tp;

/* The signature is that of the tracepoint exceptions:page_fault_kernel. */
static void on_fault(void *data, unsigned long address, struct pt_regs *regs,
		     unsigned long error_code)
{
	struct readers *rs = READ_ONCE(current_readers);
	unsigned int i;

	if (!rs)
		return;
	for (i = 0; i < rs->n; i++) {
		unsigned long at = (unsigned long)rs->r[i].va;

		if (address >= at &&
		    address < at + rs->r[i].pages * PAGE_SIZE) {
			atomic64_inc(&faults);
			return;
		}
	}
}

/* Not inlined, so that the address of a read that hurt has a good name. */
static noinline unsigned long stray_load(const u8 *p)
{
	return load_unaligned_zeropad(p);
}

/* 6.16 has another name for a look-up without a check of permissions. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define PATH_LOOKUP lookup_noperm_unlocked
static struct dentry *path_lookup(const char *name, struct dentry *root)
{
	return PATH_LOOKUP(&QSTR_LEN(name, NAMELEN), root);
}
#else
#define PATH_LOOKUP lookup_one_len_unlocked
static struct dentry *path_lookup(const char *name, struct dentry *root)
{
	return PATH_LOOKUP(name, root, NAMELEN);
}
#endif

/* The kernel's own readers, as it calls them for path names. */
static noinline void look_up(struct reader *me, const u8 *end)
{
	const char *name = (const char *)end - NAMELEN;
	struct dentry *d;
	unsigned int k;

	for (k = 1; k < sizeof(long); k++)
		me->hash += full_name_hash(NULL, (const char *)end - k, k);
	d = path_lookup(name, me->all->root.dentry);
	if (IS_ERR(d) || d_is_negative(d))
		me->seen.mangled++;
	if (!IS_ERR(d))
		dput(d);
	me->seen.names += k;
}

static void read_at(struct reader *me, const u8 *end)
{
	unsigned int k, i;
	unsigned long v;

	for (i = 0; i < 8; i++)
		for (k = 1; k < sizeof(long); k++) {
			v = stray_load(end - k);
			me->seen.loads++;
			/* The last byte of the guard page is that of NAME. */
			if ((u8)(v >> (k - 1) * 8) != NAME[NAMELEN - 1])
				me->seen.mangled++;
		}
	look_up(me, end);
}

static int read_thread(void *arg)
{
	struct reader *me = arg;
	struct readers *rs = me->all;
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < rs->n; i++)
			read_at(me, rs->r[i].va);
		cond_resched();
	}
	return 0;
}

static void start_on(struct readers *rs, int cpu)
{
	struct reader *me = &rs->reader[rs->threads];

	me->all = rs;
	me->task = kthread_create_on_cpu(read_thread, me, cpu, "storm/%u");
	if (IS_ERR(me->task))
		return;
	wake_up_process(me->task);
	rs->threads++;
}

struct readers *readers_start(struct region *r, unsigned int n, int except)
{
	struct readers *rs;
	unsigned int i;
	int cpu;

	rs = kzalloc(struct_size(rs, reader, nr_cpu_ids), GFP_KERNEL);
	if (!rs || kern_path("/", 0, &rs->root)) {
		kfree(rs);
		return NULL;
	}
	rs->r = r;
	rs->n = n;
	for (i = 0; i < n; i++)
		memcpy(r[i].va - NAMELEN, NAME, NAMELEN);
	atomic64_set(&faults, 0);
	WRITE_ONCE(current_readers, rs);
	cpus_read_lock();
	for_each_online_cpu(cpu)
		if (cpu != except)
			start_on(rs, cpu);
	cpus_read_unlock();
	/* Not before each of them has read. */
	for (i = 0; i < rs->threads; i++)
		while (!READ_ONCE(rs->reader[i].seen.names))
			usleep_range(100, 1000);
	return rs;
}

struct reads readers_stop(struct readers *rs)
{
	struct reads sum = { 0 };
	unsigned int i;

	for (i = 0; i < rs->threads; i++) {
		struct reader *me = &rs->reader[i];

		kthread_stop(me->task);
		sum.loads += me->seen.loads;
		sum.names += me->seen.names;
		sum.mangled += me->seen.mangled;
	}
	WRITE_ONCE(current_readers, NULL);
	tracepoint_synchronize_unregister();
	sum.fixups = atomic64_read(&faults);
	path_put(&rs->root);
	kfree(rs);
	return sum;
}

static void find_tracepoint(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "page_fault_kernel"))
		fault_tp = tp;
}

int reads_init(void)
{
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	if (!fault_tp)
		return -ENOENT;
	return tracepoint_probe_register(fault_tp, on_fault, NULL);
}

void reads_exit(void)
{
	tracepoint_probe_unregister(fault_tp, on_fault, NULL);
	tracepoint_synchronize_unregister();
}

/* For whoever gets to know nothing but the address of a read that hurt. */
static void symbol(void *f, const char *what)
{
	pr_info("symbol %px %ps %s\n", f, f, what);
}

/* One that is not exported, where a probe can be put on it. */
static void hidden_symbol(const char *name, const char *what)
{
	struct kprobe kp = { .symbol_name = name };

	if (register_kprobe(&kp))
		return;
	symbol(kp.addr, what);
	unregister_kprobe(&kp);
}

void reads_symbols(void)
{
	symbol(stray_load, "load_unaligned_zeropad()");
	symbol(full_name_hash, "full_name_hash(), hashing a path name");
	symbol(PATH_LOOKUP, "a path look-up");
	hidden_symbol("d_same_name", "comparing path names");
	hidden_symbol("__d_lookup", "comparing path names");
	hidden_symbol("lookup_one_common", "a path look-up");
	hidden_symbol("lookup_noperm_common", "a path look-up");
}
