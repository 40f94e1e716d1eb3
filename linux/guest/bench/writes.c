// SPDX-License-Identifier: GPL-2.0
/*
 * Writes of page-table entries: the CPUs stop at each by their debug
 * registers. There are four, so that a range is converted once more for every
 * four of its entries, until all have been watched.
 *
 * The accessed and dirty bits that a CPU sets by itself are not writes here.
 */
#include <linux/atomic.h>
#include <linux/hw_breakpoint.h>
#include <linux/mm.h>
#include <linux/perf_event.h>
#include <linux/pgtable.h>

#include "bench.h"

#define SLOTS	4

struct watch {
	struct perf_event * __percpu *event;
	atomic_t hits;
};

static void hit(struct perf_event *event, struct perf_sample_data *data,
		struct pt_regs *regs)
{
	struct watch *w = event->overflow_handler_context;

	atomic_inc(&w->hits);
}

static int watch(struct watch *w, pte_t *entry)
{
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)entry;
	attr.bp_len = HW_BREAKPOINT_LEN_8;
	attr.bp_type = HW_BREAKPOINT_W;
	atomic_set(&w->hits, 0);
	w->event = register_wide_hw_breakpoint(&attr, hit, w);
	return IS_ERR((void __force *)w->event) ?
	       PTR_ERR((void __force *)w->event) : 0;
}

static void unwatch(struct watch *w, unsigned int n)
{
	while (n--)
		unregister_wide_hw_breakpoint(w[n].event);
}

/* Up to SLOTS entries from *@va on, which moves. Returns how many, or -errno. */
static int watch_some(const struct span *r, unsigned long *va,
		      struct watch *w)
{
	unsigned long end = r->va + r->pages * PAGE_SIZE;
	unsigned int level, n = 0;
	pte_t *entry;
	int err;

	while (n < SLOTS && *va < end) {
		entry = lookup_address(*va, &level);
		err = entry ? watch(&w[n], entry) : -EFAULT;
		if (err) {
			unwatch(w, n);
			return err;
		}
		n++;
		*va += page_level_size(level);
	}
	return n;
}

/* Convert once; what was written goes into @sum. */
static int count(const struct span *r, bool shared, struct watch *w,
		 unsigned int n, struct writes *sum)
{
	unsigned int i;
	u64 hits;
	int err;

	for (i = 0; i < n; i++)
		atomic_set(&w[i].hits, 0);
	err = span_convert(r, shared);
	for (i = 0; i < n; i++) {
		hits = atomic_read(&w[i].hits);
		sum->all[shared] += hits;
		sum->least[shared] = min(sum->least[shared], hits);
		sum->most[shared] = max(sum->most[shared], hits);
	}
	return err;
}

int writes_count(const struct span *r, struct writes *sum)
{
	unsigned long va = r->va;
	struct watch w[SLOTS];
	int n, err = 0;

	*sum = (struct writes){ .least = { U64_MAX, U64_MAX } };
	while (!err && va < r->va + r->pages * PAGE_SIZE) {
		n = watch_some(r, &va, w);
		if (n < 0)
			return n;
		err = count(r, true, w, n, sum);
		if (!err)
			err = count(r, false, w, n, sum);
		unwatch(w, n);
		sum->entries += n;
	}
	return err;
}
