// SPDX-License-Identifier: GPL-2.0
/*
 * The other CPUs: started once for the machine, then given to the guest as it
 * asks for them; shootdown of nested translations; waiting.
 *
 * Shootdown: set t->kick and send an NMI. A CPU in the guest exits (TCG and,
 * on hardware, TLB_CONTROL drop its translations) and clears the flag; a CPU
 * in the machine holds no guest translation and clears it where it waits. It
 * clears the flag only after draining the NMI: two kicks merge into one NMI,
 * and a flag set between would wait for ever. NMIs, not interrupts, because
 * those belong to the guest and do not exit.
 */
#include "machine.h"

#define ICR_NMI		0x4400u
#define ICR_INIT	0x4500u
#define ICR_SIPI	0x4600u

extern char ap_trampoline[], ap_trampoline_end[];
extern u64 ap_stack, ap_argument;
extern void (*ap_entry)(u64 argument);
static volatile u32 ups;		/* CPUs of the machine that came up */

static void send(u32 apic_id, u32 what)
{
	wrmsr(MSR_X2APIC_ICR, (u64)apic_id << 32 | what);
}

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

__attribute__((noreturn)) static void ap_main(u64 id)
{
	struct vcpu *c = &vcpus[id];

	machine_cpu_up();
	if (platform->ap_poll && !elf_guest) {
		ap_sleep(&c->wake);
		while (!c->go && !platform->ap_poll(c))
			pause();
	} else {
		ap_sleep(&c->go);
	}
	vcpu_run(c);
}

void start_machine_aps(void)
{
	for (u32 i = 1; i < config.cpus; i++)
		machine_cpu_start(CVM_APIC_ID(i), ap_main, i, 4);
	memset((void *)TRAMPOLINE, 0, PAGE_SIZE);
}

/* CPUs not yet started: begin to poll for a reason to (platform->ap_poll). */
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
	send(t->apic_id, ICR_NMI);
}

/* After an exit GIF is clear; a window in which a pending NMI is taken. */
void drain_nmi(void)
{
	__asm__ volatile("stgi; nop; nop; clgi" : : : "memory");
}

/*
 * Waiting for another CPU of the machine. A virtual CPU that spins takes host
 * time from the one it waits for, milliseconds when QEMU's threads outnumber
 * the host's cores; so after a short spin it halts, and whoever makes the
 * condition true wakes it by an NMI.
 *
 *   waiter                          waker
 *     asleep = 1                      make the condition true
 *     (fence)                         (fence)
 *     test the condition              asleep? then wake = 1, NMI
 *     halt until wake
 */
#define SPIN		64

static void sleep_once(struct vcpu *c)
{
	__asm__ volatile("stgi" : : : "memory");
	ap_sleep(&c->wake);
	__asm__ volatile("clgi" : : : "memory");
	__atomic_store_n(&c->wake, 0, __ATOMIC_SEQ_CST);
}

static void wake(struct vcpu *t)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!t->asleep)
		return;
	__atomic_store_n(&t->wake, 1, __ATOMIC_SEQ_CST);
	send(t->apic_id, ICR_NMI);
}

static void wait_for(struct vcpu *c, bool (*condition)(struct vcpu *))
{
	for (unsigned int i = 0; i < SPIN; i++) {
		if (condition(c))
			return;
		kick_ack(c);
		pause();
	}
	__atomic_store_n(&c->asleep, 1, __ATOMIC_SEQ_CST);
	while (!condition(c)) {
		kick_ack(c);
		sleep_once(c);
	}
	__atomic_store_n(&c->asleep, 0, __ATOMIC_SEQ_CST);
}

static struct vcpu *volatile kicker;	/* holds the machine lock */

/* Not before the NMI that announced it is drained, if there was one. */
void kick_ack(struct vcpu *c)
{
	struct vcpu *k;

	if (!c->kick)
		return;
	c->flush = 1;
	k = kicker;
	__atomic_store_n(&c->kick, 0, __ATOMIC_SEQ_CST);
	if (k)
		wake(k);
}

static bool all_acked(struct vcpu *c)
{
	for (unsigned int i = 0; i < config.cpus; i++)
		if (i != c->id && vcpus[i].running && vcpus[i].kick)
			return false;
	return true;
}

/* With the machine lock held. */
void kick_others(struct vcpu *c)
{
	count(CVM_N_SHOOTDOWNS, 1);
	kicker = c;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < config.cpus; i++) {
		struct vcpu *t = &vcpus[i];

		if (t == c || !t->running)
			continue;
		__atomic_store_n(&t->kick, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&t->wake, 1, __ATOMIC_SEQ_CST);
		send(t->apic_id, ICR_NMI);
	}
	wait_for(c, all_acked);
	kicker = NULL;
}

static volatile u32 big_lock;

static bool try_lock(struct vcpu *c)
{
	(void)c;
	return !__atomic_exchange_n(&big_lock, 1, __ATOMIC_ACQUIRE);
}

/*
 * One lock for page states, nested tables and the host. Its holder may wait
 * for this CPU's kick_ack(), which is why wait_for() answers kicks.
 */
void machine_lock(struct vcpu *c)
{
	wait_for(c, try_lock);
}

/* Wakes one sleeper, in turn; it tries again and may find the lock taken. */
void machine_unlock(void)
{
	static unsigned int turn;
	unsigned int from = ++turn;

	__atomic_store_n(&big_lock, 0, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < config.cpus; i++) {
		struct vcpu *t = &vcpus[(from + i) % config.cpus];

		if (t->asleep) {
			wake(t);
			return;
		}
	}
}

/*
 * The guest waits for an interrupt with interrupts to be enabled afterwards
 * (TDVMCALL<HLT>). Wait in a stub guest that has them enabled and exits on
 * INTR: so the interrupt stays pending for the real one.
 */
void wait_interrupt(struct vcpu *c)
{
	static struct vcpu waiters[MAX_CPUS];
	struct vcpu *w = &waiters[c->id];
	struct vmcb *v = w->v;
	u64 r;

	if (!v) {
		v = w->v = pool_pages(1);
		w->vmcb_pa = (u64)v;
		__asm__ volatile("vmsave" : : "a"(w->vmcb_pa) : "memory");
		v->rsp = (u64)pool_pages(1) + PAGE_SIZE;
	}
	v->intercept_1 = ICPT_INTR | ICPT_NMI;
	v->intercept_2 = 1;
	v->asid = 2;
	v->iopm = c->v->iopm;
	v->msrpm = c->v->msrpm;
	v->dr6 = 0xffff0ff0;
	v->dr7 = 0x400;
	v->efer = rdmsr(MSR_EFER);
	__asm__ volatile("mov %%cr0, %0" : "=r"(r));
	v->cr0 = r;
	__asm__ volatile("mov %%cr3, %0" : "=r"(r));
	v->cr3 = r;
	__asm__ volatile("mov %%cr4, %0" : "=r"(r));
	v->cr4 = r;
	v->cs = (struct segment){ 8, 0x29b, ~0u, 0 };
	v->ss = v->ds = v->es = (struct segment){ 16, 0xc93, ~0u, 0 };
	v->rip = (u64)halt_stub;
	v->rflags = 2;
	v->interrupt_shadow = 0;
	vmrun(w);
	if (v->exit_code == EXIT_NMI)
		drain_nmi();
	kick_ack(c);
}

/* The guest gave this CPU up for good. */
void vcpu_park(struct vcpu *c)
{
	__atomic_store_n(&c->running, 0, __ATOMIC_SEQ_CST);
	kick_ack(c);
	halt_forever();
}

/* NULL: no CPU of the guest has this APIC ID. */
struct vcpu *vcpu_of(u64 apic_id)
{
	return apic_id >= CVM_APIC_ID(0) && apic_id < CVM_APIC_ID(config.cpus) ?
	       &vcpus[apic_id - CVM_APIC_ID(0)] : NULL;
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
	v->cr3 = v->cr4 = v->rip = v->rsp = 0;
	v->efer = EFER_SVME;
	v->rflags = 2;
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

	if (mode == 5)
		return;
	if (mode == 6) {
		if (t && t->id)
			sipi(t, value & 0xff);
		return;
	}
	for (u32 i = 0; mode == 4 && i < config.cpus; i++)
		if ((!shorthand && t == &vcpus[i]) || shorthand == 2 ||
		    (shorthand == 3 && i != c->id))
			vcpus[i].nmi = 1;
	wrmsr(MSR_X2APIC_ICR, value);
}
