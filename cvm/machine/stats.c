// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine saw: counters, violations, and the end. The launcher reads
 * lines that start with @:
 *   @stat NAME VALUE          @violation TEXT
 *   @end passed|failed WHY    @cannot WHY (the machine itself cannot run)
 */
#include "machine.h"

u64 counters[CVM_N_COUNTERS];
static u64 expected;

static const char *const names[CVM_N_COUNTERS] = {
	[CVM_N_EXITS] = "exits",
	[CVM_N_EXIT_NMI] = "exits_shootdown",
	[CVM_N_EXIT_CPUID] = "exits_cpuid",
	[CVM_N_EXIT_IO] = "exits_io",
	[CVM_N_EXIT_MSR] = "exits_msr",
	[CVM_N_EXIT_HLT] = "exits_hlt",
	[CVM_N_EXIT_CALL] = "exits_call",
	[CVM_N_EXIT_PVALIDATE] = "exits_pvalidate",
	[CVM_N_EXIT_NPF] = "exits_nested_fault",
	[CVM_N_EXIT_DEBUG] = "exits_debug_port",
	[CVM_N_EXIT_OTHER] = "exits_other",
	[CVM_N_TO_SHARED_CALLS] = "to_shared_calls",
	[CVM_N_TO_SHARED_PAGES] = "to_shared_pages",
	[CVM_N_TO_SHARED_MOST] = "to_shared_most_pages_in_a_call",
	[CVM_N_TO_PRIVATE_CALLS] = "to_private_calls",
	[CVM_N_TO_PRIVATE_PAGES] = "to_private_pages",
	[CVM_N_TO_PRIVATE_MOST] = "to_private_most_pages_in_a_call",
	[CVM_N_ACCEPT_CALLS] = "accept_calls",
	[CVM_N_ACCEPT_PAGES] = "accept_pages",
	[CVM_N_RELEASE_CALLS] = "release_calls",
	[CVM_N_RELEASE_PAGES] = "release_pages",
	[CVM_N_SIZE_MISMATCH] = "size_mismatches",
	[CVM_N_UNCHANGED] = "accepted_twice",
	[CVM_N_HOST_REFUSED] = "host_refused",
	[CVM_N_HOST_LIES] = "host_lies",
	[CVM_N_HOST_UNASKED] = "host_unasked_conversions",
	[CVM_N_HOST_WRITES] = "host_writes",
	[CVM_N_IMPLICIT] = "implicit_conversions",
	[CVM_N_BAD_PRIVATE_SHARED] = "private_access_to_shared",
	[CVM_N_BAD_PRIVATE_PENDING] = "private_access_to_pending",
	[CVM_N_BAD_SHARED_PRIVATE] = "shared_access_to_private",
	[CVM_N_BAD_SHARED_PENDING] = "shared_access_to_pending",
	[CVM_N_BAD_HOLE] = "access_to_nothing",
	[CVM_N_BAD_CALL] = "call_on_wrong_state",
	[CVM_N_FORCED] = "forced_by_host",
	[CVM_N_VIOLATIONS] = "violations",
	[CVM_N_VE] = "ve_injected",
	[CVM_N_VC] = "vc_injected",
	[CVM_N_SHOOTDOWNS] = "host_shootdowns",
	[CVM_N_DMA_BLOCKED] = "dma_blocked",
};

void count(enum cvm_counter which, u64 n)
{
	__atomic_fetch_add(&counters[which], n, __ATOMIC_RELAXED);
}

void count_most(enum cvm_counter which, u64 n)
{
	if (n > counters[which])
		counters[which] = n;
}

u64 counter(enum cvm_counter which)
{
	return which < CVM_N_COUNTERS ? counters[which] : 0;
}

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
	if (counters[CVM_N_VIOLATIONS] > 64)
		return;			/* enough is known; keep counting */
	say("@violation cpu %u rip %lx cr3 %lx gpa %lx (%s%s%s): %s\n", c->id,
	    c->v->rip, c->v->cr3, gpa, state_names[state & CVM_STATE_MASK],
	    state & CVM_STATE_LARGE ? ", 2M" : "",
	    state & CVM_STATE_BY_HOST ? ", changed by the host" : "", what);
}

__attribute__((noreturn)) static void power_off(void)
{
	outw(0x604, 0x2000);
	halt_forever();
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
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		say("@stat %s %lu\n", names[i], counters[i]);
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
	if (passed && counters[CVM_N_VIOLATIONS] != expected) {
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
	if (!forced && expected && counters[CVM_N_VIOLATIONS] == expected) {
		end_once();
		end(true, why);
	}
	machine_stop(c, "%s%s", whose_doing(forced), why);
}

void machine_cannot(const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	say("@cannot %s\n", why);
	power_off();
}
