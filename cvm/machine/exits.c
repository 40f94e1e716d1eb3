// SPDX-License-Identifier: GPL-2.0
/*
 * Running a CPU of the guest: the loop around VMRUN, and the exits that mean
 * the same on every platform.
 *
 * A platform sees an exit first (platform->exit) and leaves to the loop what
 * it does not care for. An exit may interrupt the delivery of an event to the
 * guest (EXITINTINFO); it is kept in c->event and injected again unless the
 * handler injected something itself.
 *
 * Facts about QEMU's SVM that shape this file: it saves no next RIP and
 * decodes nothing, so instruction lengths are known or bytes fetched; it
 * drops the whole TLB of a CPU on every exit.
 */
#include "config.h"
#include "cpu.h"
#include "debug.h"
#include "end.h"
#include "exits.h"
#include "host.h"
#include "io.h"
#include "kexec.h"
#include "layout.h"
#include "lock.h"
#include "npt.h"
#include "platform.h"
#include "pool.h"
#include "stats.h"
#include "svm.h"
#include "vcpu.h"
#include "world.h"

static void exit_cpuid(struct vcpu *c)
{
	u32 r[4];

	guest_cpuid(c, (u32)c->v->rax, (u32)c->r.rcx, r);
	c->v->rax = r[0];
	c->r.rbx = r[1];
	c->r.rcx = r[2];
	c->r.rdx = r[3];
	c->v->rip += 2;
}

static void exit_msr(struct vcpu *c)
{
	struct vmcb *v = c->v;
	u32 msr = (u32)c->r.rcx;
	u64 value;
	bool ok;

	if (v->exit_info_1) {
		ok = guest_wrmsr(c, msr, (u32)v->rax | c->r.rdx << 32);
	} else {
		ok = guest_rdmsr(c, msr, &value);
		if (ok) {
			v->rax = (u32)value;
			c->r.rdx = value >> 32;
		}
	}
	if (ok)
		v->rip += 2;
	else
		inject_error(c, 13, 0);
}

/* EXITINFO2 is the next RIP. String forms reach only intercepted ports. */
static void exit_io(struct vcpu *c)
{
	struct vmcb *v = c->v;
	u32 info = (u32)v->exit_info_1;
	unsigned int size = IO_SIZE(info);
	u64 mask = size == 4 ? ~0u : (1UL << 8 * size) - 1;

	if (info & IO_STRING)
		machine_stop(c, "string I/O to port %x", IO_PORT(info));
	v->rip = v->exit_info_2;
	if (!(info & IO_IN))
		port_write(c, IO_PORT(info), size, v->rax & mask);
	else if (size == 4)
		v->rax = port_read(IO_PORT(info), 4);
	else
		v->rax = (v->rax & ~mask) | port_read(IO_PORT(info), size);
}

static void exit_npf(struct vcpu *c)
{
	struct vmcb *v = c->v;
	struct access a = {
		.raw = v->exit_info_2,
		.gpa = v->exit_info_2 & ~GUEST_BIT,
		.error = v->exit_info_1,
	};

	count(CVM_N_EXIT_NPF, 1);
	a.private = !(a.raw & GUEST_BIT) == !platform->bit_is_private;
	if (is_machine(a.gpa))
		a.state = CVM_STATE_NONE;
	else if (!is_ram(a.gpa)) {
		platform->mmio(c, &a);
		return;
	} else {
		a.state = page_state(a.gpa) & CVM_STATE_MASK;
	}
	handle_mismatch(c, &a);
}

static void core_exit(struct vcpu *c)
{
	switch ((u32)c->v->exit_code) {
	case EXIT_CPUID:
		exit_cpuid(c);
		break;
	case EXIT_MSR:
		exit_msr(c);
		break;
	case EXIT_IO:
		exit_io(c);
		break;
	case EXIT_NPF:
		exit_npf(c);
		break;
	case EXIT_WBINVD:
		c->v->rip += 2;
		break;
	case EXIT_UD:
		count(CVM_N_EXIT_OTHER, 1);
		inject(c, 6);
		break;
	case EXIT_VMMCALL:
		inject(c, 6);
		break;
	case EXIT_INIT:
		break;
	case EXIT_SHUTDOWN:
		machine_stop(c, "triple fault");
	case EXIT_INVALID:
		/* QEMU has put the machine's own registers into the VMCB */
		machine_stop(NULL, "VMRUN refused the guest's state");
	default:
		machine_stop(c, "unexpected exit %lx", c->v->exit_code);
	}
}

static void exit_nmi(struct vcpu *c)
{
	drain_nmi();
	kick_ack(c);
}

/* The guest's own NMI may have come while the machine took NMIs itself. */
static void guest_nmi(struct vcpu *c)
{
	if (!c->nmi || c->v->inject)
		return;
	c->nmi = 0;
	c->v->inject = EVENT_VALID | EVENT_NMI | 2;
}

static void count_exit(u64 code)
{
	static const struct {
		u16 code;
		u8 counter;
	} kinds[] = {
		{ EXIT_NMI, CVM_N_EXIT_NMI }, { EXIT_CPUID, CVM_N_EXIT_CPUID },
		{ EXIT_IO, CVM_N_EXIT_IO }, { EXIT_MSR, CVM_N_EXIT_MSR },
		{ EXIT_HLT, CVM_N_EXIT_HLT }, { EXIT_VMMCALL, CVM_N_EXIT_CALL },
	};

	count(CVM_N_EXITS, 1);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].code == code) {
			count(kinds[i].counter, 1);
			return;
		}
	/* #UD is TDCALL, PVALIDATE or neither: its decoder counts it */
	if (code != EXIT_UD && code != EXIT_NPF)
		count(CVM_N_EXIT_OTHER, 1);
}

/* The debug port comes before any platform: it is not part of one. */
static bool is_debug_call(const struct vcpu *c)
{
	u32 info = (u32)c->v->exit_info_1;

	return c->v->exit_code == EXIT_IO && IO_PORT(info) == CVM_PORT &&
	       !(info & (IO_IN | IO_STRING));
}

/* Remember what the exit interrupted (APM 2, 15.7.2). */
static void save_event(struct vcpu *c)
{
	u32 e = c->v->exit_event;

	if (!(e & EVENT_VALID))
		e = 0;
	/* QEMU calls a hardware interrupt an exception here */
	if ((e & EVENT_TYPE) == EVENT_EXCEPTION && (e & 0xff) >= 32)
		e &= ~EVENT_TYPE;
	c->event = e;
	c->event_error = c->v->exit_event_error;
	c->v->inject = 0;
}

/*
 * An instruction that was carried out for the guest is one that it stepped
 * over, and ends what STI or MOV SS had put off.
 */
static void after_instruction(struct vcpu *c, u64 rip)
{
	struct vmcb *v = c->v;

	if (v->rip == rip || v->inject)
		return;
	v->interrupt_shadow = 0;
	if (!(v->rflags & RFLAGS_TF) || c->event)
		return;
	v->dr6 |= DR6_BS;
	inject(c, 1);
}

static void handle_exit(struct vcpu *c)
{
	u64 rip = c->v->rip;

	save_event(c);
	kexec_look(c);
	if (c->v->exit_code == EXIT_NMI) {
		count_exit(EXIT_NMI);
		exit_nmi(c);
	} else if (is_debug_call(c)) {
		count(CVM_N_EXIT_DEBUG, 1);
		c->v->rip = c->v->exit_info_2;
		debug_call(c);
	} else {
		count_exit(c->v->exit_code);
		if (!platform->exit || !platform->exit(c))
			core_exit(c);
		host_moment(c);
	}
	after_instruction(c, rip);
	if (c->event) {
		if (c->v->inject)
			machine_stop(c, "exception %u while event %x was "
				     "delivered", c->v->inject & 0xff,
				     c->event);
		c->v->inject = c->event;
		c->v->inject_error = c->event_error;
	}
	guest_nmi(c);
}

/*
 * Where CPUs take turns, PAUSE passes the turn on: after some exits, which the
 * seed chooses. So runs of different seeds interleave differently.
 */
static void pass_turn(void)
{
	static u64 r;

	if (!config.schedule)
		return;
	r ^= config.schedule;
	r = r * 6364136223846793005UL + 1442695040888963407UL;
	for (u64 n = r >> 61 ? 0 : 1 + (r >> 59 & 3); n; n--)
		pause();
}

/* FS, GS, TR, LDTR, STAR...: not the machine's, so loaded only once. */
static void enter(struct vcpu *c)
{
	c->flush = 1;
	__atomic_store_n(&c->running, 1, __ATOMIC_SEQ_CST);
	__asm__ volatile("vmload" : : "a"(c->vmcb_pa) : "memory");
}

void vcpu_run(struct vcpu *c)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_HSAVE_PA, (u64)pool_pages(1));
	vcpu_wait_start(c);
	enter(c);
	for (;;) {
		if (c->init) {
			vcpu_wait_start(c);
			enter(c);
		}
		c->v->tlb_control = c->flush ? TLB_FLUSH_ALL : 0;
		c->flush = 0;
		c->entered = rdtsc();
		vmrun(c);
		c->guest_time += rdtsc() - c->entered;
		kick_ack(c);
		handle_exit(c);
		pass_turn();
	}
}
