// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs, and the shootdown.
 *
 *   CPU 0                               CPU 1
 *   request[0] = ranges, waiting = {1}
 *   cpu 1's todo |= {0}
 *   fence, IPI           ------------>  todo -> 0
 *                                       INVLPG each page of request[0]
 *   waiting == {}        <------------  request[0].waiting -= {1}
 *
 * IPIs of one vector merge, so a CPU takes all that is in its todo at once.
 * A CPU that waits has its interrupts on and answers others meanwhile.
 */
#include "kernel.h"

#define ICR		0x830
#define INVLPG_MOST	64	/* pages; beyond, everything is cheaper */

extern u8 stacks[];
void ap_entry(void);

static struct request {
	struct airlock_flush f[32];
	unsigned int n;			/* 0: everything */
	volatile u64 waiting;
} request[MAX_CPUS];

struct cpu *cpu_of(unsigned int id)
{
	return (struct cpu *)(stacks + STACK_SIZE * id);
}

struct cpu *this_cpu(void)
{
	u64 sp;

	__asm__ volatile("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu *)(sp & ~(STACK_SIZE - 1));
}

/* Toggling CR4.PGE drops global entries, too. */
static void flush_everything(void)
{
	u64 cr4 = read_cr4();

	write_cr4(cr4 & ~0x80UL);
	write_cr4(cr4);
}

/* What a request wants, here. */
static void flush(const struct request *r)
{
	u64 pages = 0;
	unsigned int i;

	for (i = 0; i < r->n; i++)
		pages += r->f[i].pages;
	if (!r->n || pages > INVLPG_MOST) {
		flush_everything();
		return;
	}
	for (i = 0; i < r->n; i++)
		for (u64 k = 0; k < r->f[i].pages; k++)
			invlpg(r->f[i].va + k * PAGE);
}

void shootdown_handler(void)
{
	struct cpu *c = this_cpu();
	u64 todo = __atomic_exchange_n(&c->todo, 0, __ATOMIC_SEQ_CST);

	for (unsigned int i = 0; i < boot.cpus; i++) {
		if (!(todo >> i & 1))
			continue;
		if (!port.no_flush)
			flush(&request[i]);
		c->flushes++;
		__atomic_fetch_and(&request[i].waiting, ~(1UL << c->id),
				   __ATOMIC_SEQ_CST);
	}
}

/* Whom to ask. */
static u64 targets(const struct cpu *c)
{
	u64 all = 0;

	for (unsigned int i = 0; i < boot.cpus; i++)
		if (i != c->id && cpu_of(i)->up)
			all |= 1UL << i;
	return port.one_cpu ? all & -all : all;
}

/* Each CPU has its own; with mutant=one-request two of them share one, twice. */
static unsigned int request_of(const struct cpu *c)
{
	return port.one_request && c->id > 1 && c->shootdowns >> 1 == 1 ?
		1 : c->id;
}

/*
 * Without a locked instruction, of which each is a fence, too. That does for
 * two CPUs: nobody else asks this one.
 */
static void ask_plainly(const struct cpu *c, struct request *r, u64 all)
{
	*(volatile u64 *)&r->waiting = all;
	for (unsigned int i = 0; i < boot.cpus; i++)
		if (all >> i & 1)
			*(volatile u64 *)&cpu_of(i)->todo |= 1UL << c->id;
}

void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	struct cpu *c = this_cpu();
	unsigned int own = request_of(c);
	struct request *r = &request[own];
	u64 all = targets(c);

	r->n = n > 32 ? 0 : n;
	for (unsigned int i = 0; i < r->n; i++)
		r->f[i] = f[i];
	c->shootdowns++;
	/* Earlier stores to page tables become visible: x2APIC's ICR write
	 * orders nothing. */
	if (!port.no_fence)
		port_drain();
	if (!port.no_fence && !port.unfenced)
		__asm__ volatile("mfence" : : : "memory");
	if (port.plain)
		ask_plainly(c, r, all);
	else
		__atomic_store_n(&r->waiting, all, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < boot.cpus; i++) {
		if (!(all >> i & 1))
			continue;
		if (!port.plain)
			__atomic_fetch_or(&cpu_of(i)->todo, 1UL << own,
					  __ATOMIC_SEQ_CST);
		wrmsr(ICR, (u64)CVM_APIC_ID(i) << 32 | 0x4000 |
		      VECTOR_FLUSH);
	}
	flush(r);
	while (r->waiting && !port.no_ack)
		pause();
	port_drain();
}

/* CPUs from @from on that doze go on. */
void wake(unsigned int from)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned int i = from; i < boot.cpus; i++)
		if (i != this_cpu()->id && cpu_of(i)->up)
			wrmsr(ICR, (u64)CVM_APIC_ID(i) << 32 | 0x4000 |
			      VECTOR_WAKE);
}

/* ---- start ---- */

static void apic_on(void)
{
	wrmsr_apic(0x80f, 0x1ff);
}

void smp_init(void)
{
	apic_on();
	cpu_of(0)->up = 1;
}

__attribute__((noreturn)) void ap_main(u64 id);
void ap_main(u64 id)
{
	struct cpu *c = cpu_of((unsigned int)id);

	trap_load();
	apic_on();
	platform_init_cpu();
	irq_on();
	c->up = 1;
	work_ap();
	for (;;)
		pause();
}

void smp_start(void)
{
	for (unsigned int i = 1; i < boot.cpus; i++) {
		cpu_of(i)->id = i;
		if (cvm_call4(CVM_START_CPU, i, (u64)ap_entry,
			      (u64)stacks + STACK_SIZE * (i + 1), i))
			panic("CPU %u does not start", i);
		while (!cpu_of(i)->up)
			pause();
	}
}

/* A counter of struct cpu, over all CPUs. */
u64 cpu_sum(size_t offset)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < boot.cpus; i++)
		sum += *(u64 *)((u8 *)cpu_of(i) + offset);
	return sum;
}
