// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that the guest broke, whose doing that was, and the end, in the lines
 * of abi/report.h.
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
	unsigned int state = is_ram(gpa) ? page_state(gpa) : 0;
	char what[120];
	va_list ap;

	va_start(ap, fmt);
	vformat(what, sizeof(what), fmt, ap);
	va_end(ap);
	count(CVM_N_VIOLATIONS, 1);
	if (counter(CVM_N_VIOLATIONS) > 64)
		return;			/* enough is known; keep counting */
	say("@violation %u %lx %lx %lx %x %s\n", c->id, c->v->rip, c->v->cr3,
	    gpa, state, what);
}

/* One CPU ends the machine; any other that comes here waits for it. */
static void end_once(void)
{
	static u32 ended;

	if (__atomic_exchange_n(&ended, 1, __ATOMIC_SEQ_CST))
		halt_forever();
}

__attribute__((noreturn))
static void end(enum cvm_end how, const char *why)
{
	static const char *const words[] = {
#define E(name, word) [CVM_END_##name] = word,
		CVM_ENDS(E)
#undef E
	};

	stats_print();
	for (unsigned int i = 0; i < config.cpus; i++)
		say("@stat guest_time_cpu%u %lu\n", i,
		    vcpus[i].guest_time >> config.icount_shift);
	say("@end %s %s\n", words[how], why);
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

void machine_end(enum cvm_end how, const char *why)
{
	end_once();
	vtd_report();
	if ((how == CVM_END_PASSED || how == CVM_END_POWERED_OFF) &&
	    counter(CVM_N_VIOLATIONS) != expected) {
		how = CVM_END_VIOLATED;
		why = expected ? "other violations than the guest expected" :
				 "violations";
	}
	end(how, why);
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

__attribute__((noreturn))
static void stop(struct vcpu *c, enum cvm_end how, const char *why)
{
	end_once();
	vtd_report();
	if (c)
		say_registers(c);
	end(how, why);
}

/* The guest cannot go on, and that is a failure. */
void machine_stop(struct vcpu *c, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	stop(c, CVM_END_CRASHED, why);
}

/* Of an end that the host forced the reason says so first. */
__attribute__((noreturn, format(printf, 4, 0)))
static void stop_of(struct vcpu *c, bool forced, enum cvm_end how,
		    const char *fmt, va_list ap)
{
	static const char by_host[] = "forced by the host: ";
	char why[160];
	size_t n = forced ? sizeof(by_host) - 1 : 0;

	memcpy(why, by_host, n);
	vformat(why + n, sizeof(why) - n, fmt, ap);
	stop(c, forced ? CVM_END_FORCED : how, why);
}

/* The guest asks its host for its own end. */
void guest_terminated(struct vcpu *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	stop_of(c, c->forced, CVM_END_TERMINATED, fmt, ap);
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
	if (forced || !expected || counter(CVM_N_VIOLATIONS) != expected)
		stop_of(c, forced, CVM_END_VIOLATED, fmt, ap);
	vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	end_once();
	end(CVM_END_PASSED, why);
}
