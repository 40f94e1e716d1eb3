// SPDX-License-Identifier: GPL-2.0
/*
 * The other CPUs: started once for the machine, then given to the guest as it
 * asks for them.
 */
#include "apic.h"
#include "clock.h"
#include "config.h"
#include "io.h"
#include "layout.h"
#include "lib.h"
#include "lock.h"
#include "pool.h"
#include "power.h"
#include "smp.h"
#include "vcpu.h"

extern char ap_trampoline[], ap_trampoline_end[];
extern u64 ap_stack, ap_argument;
extern void (*ap_entry)(u64 argument);
static volatile u32 ups;		/* CPUs of the machine that came up */

static void spin_us(u64 us)
{
	u64 end = rdtsc() + us * tsc_khz / 1000;

	while (rdtsc() < end)
		pause();
}

/* The MTRRs are to be the same on all CPUs; INIT has cleared them. */
static void copy_mtrrs(bool from_first)
{
	static const u32 msr[] = {
		0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
		0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
		0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c,
		0x26d, 0x26e, 0x26f, 0x2ff,
	};
	static u64 value[ARRAY_SIZE(msr)];

	for (size_t i = 0; i < ARRAY_SIZE(msr); i++)
		if (from_first)
			value[i] = rdmsr(msr[i]);
		else
			wrmsr(msr[i], value[i]);
}

/* What a CPU of the machine does first. */
void machine_cpu_up(void)
{
	copy_mtrrs(!ups);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);	/* x2APIC */
	__atomic_fetch_add(&ups, 1, __ATOMIC_SEQ_CST);
}

/*
 * Start a CPU of QEMU's in @entry, which calls machine_cpu_up(), and wait for
 * that. The started one may be the next to call this.
 */
void machine_cpu_start(u32 apic_id, void (*entry)(u64), u64 argument,
		       unsigned int stack_pages)
{
	u64 end = rdtsc() + 5000 * tsc_khz;
	u32 before = ups;

	memcpy((void *)TRAMPOLINE, ap_trampoline,
	       (size_t)(ap_trampoline_end - ap_trampoline));
	ap_stack = (u64)pool_pages(stack_pages) + stack_pages * PAGE_SIZE;
	ap_entry = entry;
	ap_argument = argument;
	send(apic_id, ICR_INIT);
	spin_us(200);
	send(apic_id, ICR_SIPI | TRAMPOLINE >> 12);
	while (ups == before)
		if (rdtsc() > end)
			machine_cannot("CPU %u does not start", apic_id);
		else
			pause();
}

/* CPUs that are not started: begin to poll for a reason to (platform->ap_poll). */
void wake_idle_cpus(void)
{
	for (unsigned int i = 1; i < config.cpus; i++)
		if (!vcpus[i].go) {
			__atomic_store_n(&vcpus[i].wake, 1, __ATOMIC_SEQ_CST);
			send(vcpus[i].apic_id, ICR_NMI);
		}
}

/* Let CPU @t run the guest from the state in its VMCB. */
void vcpu_go(struct vcpu *t)
{
	__atomic_store_n(&t->go, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&t->wake, 1, __ATOMIC_SEQ_CST);
	send(t->apic_id, ICR_NMI);
}

/* CPU @t leaves the guest before this returns. @c asks for it. */
void vcpu_leave(struct vcpu *c, struct vcpu *t)
{
	if (!t->go)
		return;
	__atomic_store_n(&t->init, 1, __ATOMIC_SEQ_CST);
	if (t == c)
		return;			/* when this exit ends */
	send(t->apic_id, ICR_NMI);
	while (t->go) {
		kick_ack(c);		/* it may wait for us */
		pause();
	}
}

/* INIT: what comes next is a new state for it. */
void vcpu_stop(struct vcpu *c, struct vcpu *t)
{
	if (t->id)
		vcpu_leave(c, t);
}

static void init(struct vcpu *c, u64 value)
{
	u32 shorthand = value >> 18 & 3;
	struct vcpu *t = vcpu_of(value >> 32);

	if ((value & ICR_LEVEL) && !(value & ICR_ASSERT))
		return;
	for (u32 i = 0; i < config.cpus; i++)
		if ((!shorthand && t == &vcpus[i]) || shorthand == 2 ||
		    (shorthand == 1 && i == c->id) ||
		    (shorthand == 3 && i != c->id))
			vcpu_stop(c, &vcpus[i]);
}

/* Real-mode start at the page of a SIPI. */
static void sipi(struct vcpu *t, u32 vector)
{
	struct vmcb *v = t->v;

	if (t->go)
		return;
	v->cs = (struct segment){ (u16)(vector << 8), 0x9b, 0xffff,
				  (u64)vector << 12 };
	v->ss = v->ds = v->es = v->fs = v->gs =
		(struct segment){ 0, 0x93, 0xffff, 0 };
	v->gdtr = v->idtr = (struct segment){ 0, 0, 0xffff, 0 };
	v->tr = (struct segment){ 0, 0x8b, 0xffff, 0 };
	v->ldtr = (struct segment){ 0, 0x82, 0xffff, 0 };
	v->cr0 = 0x10;
	v->cr3 = v->cr4 = v->rip = v->rsp = v->rax = 0;
	v->cpl = 0;
	v->efer = EFER_SVME;
	v->rflags = 2;
	v->dr6 = 0xffff0ff0;
	v->dr7 = 0x400;
	v->inject = 0;
	v->interrupt_shadow = 0;
	t->r = (struct regs){ 0 };
	vcpu_go(t);
}

/*
 * A Linux guest's IPI. INIT and SIPI start virtual CPUs, a guest's NMI is
 * flagged because the machine's own NMIs look the same; all else is passed on.
 */
void icr_write(struct vcpu *c, u64 value)
{
	u32 mode = value >> 8 & 7, shorthand = value >> 18 & 3;
	u32 to = (u32)(value >> 32);
	struct vcpu *t = vcpu_of(to);

	if (mode == 5) {
		init(c, value);
		return;
	}
	if (mode == 6) {
		if (t && t->id)
			sipi(t, value & 0xff);
		return;
	}
	for (u32 i = 0; mode == 4 && i < config.cpus; i++)
		if ((!shorthand && t == &vcpus[i]) || shorthand == 2 ||
		    (shorthand == 1 && i == c->id) ||
		    (shorthand == 3 && i != c->id))
			vcpus[i].nmi = 1;
	if (mode == 4 && (shorthand == 1 || t == c))
		return;			/* it gets it when this exit ends */
	wrmsr(MSR_X2APIC_ICR, value);
}
