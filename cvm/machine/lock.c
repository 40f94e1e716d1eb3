// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs of the machine wait for each other: shootdown of nested translations,
 * the lock, and waiting for an interrupt of the guest's.
 *
 * Shootdown: set t->kick and send an NMI. A CPU in the guest exits (TCG and,
 * on hardware, TLB_CONTROL drop its translations) and clears the flag; a CPU
 * in the machine holds no guest translation and clears it where it waits. It
 * clears the flag only after draining the NMI: two kicks merge into one NMI,
 * and a flag set between would wait for ever. NMIs, not interrupts, because
 * those belong to the guest and do not exit.
 */
#include "apic.h"
#include "config.h"
#include "io.h"
#include "lock.h"
#include "platform.h"
#include "pool.h"
#include "power.h"
#include "stats.h"
#include "vcpu.h"
#include "world.h"

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
	v->cr0 = read_cr0();
	v->cr3 = read_cr3();
	v->cr4 = read_cr4();
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

/*
 * Out of the guest, for INIT or from the beginning, until somebody makes a new
 * state in the VMCB and sets go, or the platform finds that it should start.
 * Nobody waits for a CPU that does not run, and it holds no lock.
 */
void vcpu_wait_start(struct vcpu *c)
{
	__atomic_store_n(&c->running, 0, __ATOMIC_SEQ_CST);
	kick_ack(c);
	if (c->init) {
		c->nmi = 0;
		c->init = 0;
		c->in_kernel = false;
		__atomic_store_n(&c->go, 0, __ATOMIC_SEQ_CST);
	}
	while (!c->go) {
		if (platform->ap_poll && platform->ap_poll(c))
			pause();
		else if (!c->go)
			sleep_once(c);
	}
}

/* The guest gave this CPU up for good. */
void vcpu_park(struct vcpu *c)
{
	__atomic_store_n(&c->running, 0, __ATOMIC_SEQ_CST);
	kick_ack(c);
	halt_forever();
}
