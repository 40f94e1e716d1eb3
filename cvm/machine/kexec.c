// SPDX-License-Identifier: GPL-2.0
/*
 * A Linux kernel that starts another one. Nothing announces that: a CPU that
 * ran kernel code at a kernel's addresses, the upper half, exits with the same
 * rights in the lower half. There runs the code that copies the next kernel
 * to its place, that kernel's decompressor, and a CPU that starts, which is
 * not one that ran (INIT clears in_kernel).
 *
 * What is not private by then is lost to the next kernel, which maps all
 * memory as private.
 */
#include "config.h"
#include "kexec.h"
#include "layout.h"
#include "lib.h"
#include "npt.h"
#include "platform.h"
#include "smp.h"
#include "stats.h"
#include "vcpu.h"

#define SHOWN	16u			/* ranges that are said */

struct left {
	u64 shared, pending;
	u64 ranges;
};

static unsigned int state_at(u64 gpa)
{
	return is_ram(gpa) ? page_state(gpa) & CVM_STATE_MASK : 0;
}

/* Memory that one kernel hands to the next, in which state it should not be. */
static bool is_left(u64 gpa, unsigned int state)
{
	if (gpa >= LOW_END && gpa < CVM_RAM_BASE)
		return false;
	return state == CVM_STATE_SHARED ||
	       (state == CVM_STATE_PENDING && !config.lazy);
}

static u64 range(struct left *l, u64 from)
{
	unsigned int state = state_at(from);
	u64 to = from, pages;

	while (to < ram_end && state_at(to) == state &&
	       is_left(to, state) == is_left(from, state))
		to += PAGE_SIZE;
	if (!is_left(from, state))
		return to;
	pages = (to - from) / PAGE_SIZE;
	if (state == CVM_STATE_SHARED)
		l->shared += pages;
	else
		l->pending += pages;
	if (l->ranges++ < SHOWN)
		say("left %s by the kernel before: %lx to %lx, %lu pages\n",
		    state == CVM_STATE_SHARED ? "shared" : "pending", from,
		    to - 1, pages);
	return to;
}

/*
 * The kernel before halted its other CPUs, with interrupts off, to be started
 * anew. HLT does not exit here, so the machine's own NMIs would have one go on
 * behind it, where the next kernel's memory is.
 */
static void stop_halted(struct vcpu *c)
{
	for (unsigned int i = 0; platform->halts && i < config.cpus; i++)
		if (&vcpus[i] != c)
			vcpu_leave(c, &vcpus[i]);
}

static void next_kernel(struct vcpu *c)
{
	struct left l = { 0 };

	for (u64 at = 0; at < ram_end;)
		at = range(&l, at);
	if (l.ranges > SHOWN)
		say("and %lu ranges more\n", l.ranges - SHOWN);
	count(CVM_N_KERNELS, 1);
	count_set(CVM_N_LEFT_SHARED, l.shared);
	count_set(CVM_N_LEFT_PENDING, l.pending);
	say("the next kernel begins on cpu %u at %lx: %lu pages left shared, "
	    "%lu pending\n", c->id, c->v->rip, l.shared, l.pending);
	stop_halted(c);
}

void kexec_look(struct vcpu *c)
{
	const struct vmcb *v = c->v;

	if (elf_guest || SEG_DPL(v->ss.attributes))
		return;
	if (v->rip >> 63) {
		c->in_kernel = true;
		return;
	}
	/* firmware's code: where a CPU gives itself back (TDX) */
	if (!c->in_kernel || (v->rip >= FIRMWARE_BASE && v->rip < FIRMWARE_END))
		return;
	c->in_kernel = false;
	next_kernel(c);
}
