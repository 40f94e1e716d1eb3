// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that the guest broke, whose doing that was, and the end. The launcher
 * reads lines that start with @:
 *   @violation TEXT           @end passed|failed WHY
 */
#include "config.h"
#include "end.h"
#include "lib.h"
#include "npt.h"
#include "power.h"
#include "stats.h"
#include "vcpu.h"
#include "vtd.h"

static u64 expected;

void expect_violations(u64 n)
{
	__atomic_fetch_add(&expected, n, __ATOMIC_RELAXED);
}

/* The guest broke a rule. @c tells who and where, @gpa which page. */
void violation(struct vcpu *c, u64 gpa, const char *fmt, ...)
{
	static const char *const state_names[] = {
		"none", "shared", "pending", "private",
	};
	unsigned int state = is_ram(gpa) ? page_state(gpa) : 0;
	char what[120];
	va_list ap;

	va_start(ap, fmt);
	vformat(what, sizeof(what), fmt, ap);
	va_end(ap);
	count(CVM_N_VIOLATIONS, 1);
	if (counter(CVM_N_VIOLATIONS) > 64)
		return;			/* enough is known; keep counting */
	say("@violation cpu %u rip %lx cr3 %lx gpa %lx (%s%s%s): %s\n", c->id,
	    c->v->rip, c->v->cr3, gpa, state_names[state & CVM_STATE_MASK],
	    state & CVM_STATE_LARGE ? ", 2M" : "",
	    state & CVM_STATE_BY_HOST ? ", changed by the host" : "", what);
}

/* One CPU ends the machine; any other that comes here waits for it. */
static void end_once(void)
{
	static u32 ended;

	if (__atomic_exchange_n(&ended, 1, __ATOMIC_SEQ_CST))
		halt_forever();
}

__attribute__((noreturn))
static void end(bool passed, const char *why)
{
	stats_print();
	for (unsigned int i = 0; i < config.cpus; i++)
		say("@stat guest_time_cpu%u %lu\n", i,
		    vcpus[i].guest_time >> config.icount_shift);
	say("@end %s %s\n", passed ? "passed" : "failed", why);
	power_off();
}

/*
 * @c met page @gpa in a state that forbids what it did. True, counted and
 * remembered when the host had changed it unasked: no violation of the guest's.
 */
bool forced_by_host(struct vcpu *c, u64 gpa)
{
	if (!is_ram(gpa) || !(page_state(gpa) & CVM_STATE_BY_HOST))
		return false;
	count(CVM_N_FORCED, 1);
	c->forced = true;
	return true;
}

/* What the reason for an end starts with. */
const char *whose_doing(bool forced)
{
	return forced ? "forced by the host: " : "";
}

void machine_end(bool passed, const char *why)
{
	end_once();
	vtd_report();
	if (passed && counter(CVM_N_VIOLATIONS) != expected) {
		passed = false;
		why = expected ? "other violations than the guest expected" :
				 "violations";
	}
	end(passed, why);
}

static void say_registers(struct vcpu *c)
{
	say("stopped on cpu %u: rip %lx cs %x rsp %lx rflags %lx cr0 "
	    "%lx cr2 %lx cr3 %lx cr4 %lx efer %lx exit %lx %lx %lx "
	    "rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx\n",
	    c->id, c->v->rip, c->v->cs.selector, c->v->rsp,
	    c->v->rflags, c->v->cr0, c->v->cr2, c->v->cr3, c->v->cr4,
	    c->v->efer, c->v->exit_code, c->v->exit_info_1,
	    c->v->exit_info_2, c->v->rax, c->r.rbx, c->r.rcx, c->r.rdx,
	    c->r.rsi, c->r.rdi);
}

/* The guest cannot go on, and that is a failure. */
void machine_stop(struct vcpu *c, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	end_once();
	vtd_report();
	if (c)
		say_registers(c);
	end(false, why);
}

/*
 * A mismatched access that the guest cannot survive. A guest that foretold
 * just these violations has passed; one whose host converted the page behind
 * its back has failed through no fault of its own, and the reason says so.
 */
void guest_lost(struct vcpu *c, bool forced, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (!forced && expected && counter(CVM_N_VIOLATIONS) == expected) {
		end_once();
		end(true, why);
	}
	machine_stop(c, "%s%s", whose_doing(forced), why);
}
