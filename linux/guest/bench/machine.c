// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's clock. It counts the instructions of all CPUs, which take
 * turns, as long as the CPU that asks is in the guest: the other CPUs' too,
 * but not what the machine itself executes for an exit. All but a few of
 * those, the same for every exit: they are measured and taken off.
 */
#include <linux/mm.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "bench.h"
#include "abi/guest-abi.h"

#define ROUNDS	16

#define X2APIC(reg)	(0x800 + ((reg) >> 4))

static u64 exit_cost;			/* instructions of the machine */
static u64 empty;			/* two questions with nothing between */

static u64 now(void)
{
	return cvm_call4(CVM_GUEST_TIME, 0, 0, 0, 0);
}

static u64 counter(enum cvm_counter which)
{
	return cvm_call4(CVM_COUNTER, which, 0, 0, 0);
}

/* Not those by which the machine interrupts CPUs for its own purposes. */
static u64 exits(void)
{
	return counter(CVM_N_EXITS) - counter(CVM_N_EXIT_NMI);
}

/* ROUNDS times two instructions and an exit, and one of those to read it. */
static u64 rounds(void)
{
	u64 time;

	asm volatile(".rept %c[n]\n\t"
		     "movl %[call], %%eax\n\t"
		     "outb %%al, %[port]\n\t"
		     ".endr"
		     : "=&a" (time)
		     : [n] "i" (ROUNDS), [call] "i" (CVM_GUEST_TIME),
		       [port] "i" (CVM_PORT) : "memory");
	return time;
}

void machine_init(void)
{
	u64 t, i;

	exit_cost = empty = U64_MAX;
	/* A tick may fall into one of them. */
	for (i = 0; i < 8; i++) {
		t = rounds();
		t = rounds() - t;
		exit_cost = min(exit_cost, t / ROUNDS - 2);
		t = now();
		empty = min(empty, now() - t);
	}
}

u64 machine_exit_cost(void)
{
	return exit_cost;
}

int machine_measure(const struct span *r, bool shared, struct cost *c)
{
	u64 e = exits(), t = now();
	int err = span_convert(r, shared);

	t = now() - t - empty;
	c->exits = exits() - e;
	c->instructions = t - c->exits * exit_cost;
	return err;
}

static bool is(unsigned long va, u64 state)
{
	return (cvm_call4(CVM_PAGE_STATE, __pa(va), 0, 0, 0) &
		CVM_STATE_MASK) == state;
}

/* Was it done? The machine is asked about the first page and the last. */
int machine_check(const struct span *r, bool shared)
{
	u64 state = shared ? CVM_STATE_SHARED : CVM_STATE_PRIVATE;
	unsigned long last = r->va + (r->pages - 1) * PAGE_SIZE;

	return is(r->va, state) && is(last, state) ? 0 : -EIO;
}

/* Not by the kernel's functions: those are called otherwise every few years. */
static u64 read_msr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return (u64)high << 32 | low;
}

static void write_msr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c" (msr), "a" ((u32)value),
		     "d" ((u32)(value >> 32)) : "memory");
}

/*
 * A tick in the middle would be counted, and there is one in every conversion
 * of many pages: what the machine does for it, such as to fill the pages with
 * garbage, takes time, though it is not counted. So this CPU's timer is mute
 * meanwhile. What it forgot, it is asked again;
 * a periodic one goes on by itself.
 */
void machine_mute(void)
{
	u64 lvt = read_msr(X2APIC(APIC_LVTT));

	write_msr(X2APIC(APIC_LVTT), lvt | APIC_LVT_MASKED);
}

void machine_unmute(void)
{
	u64 lvt = read_msr(X2APIC(APIC_LVTT));

	write_msr(X2APIC(APIC_LVTT), lvt & ~(u64)APIC_LVT_MASKED);
	if (lvt & APIC_LVT_TIMER_TSCDEADLINE)
		write_msr(MSR_IA32_TSC_DEADLINE, 1);
	else if (!(lvt & APIC_LVT_TIMER_PERIODIC))
		write_msr(X2APIC(APIC_TMICT), 1);
}
