/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

/*
 * The reference kernel: the smallest SMP kernel in which the engine has all
 * that it needs of a real one.
 *
 * Linear addresses
 *   0x1000000             the image, one to one, 4K entries
 *   DIRECT + gpa          the direct map, 2M leaves until the engine splits
 *   VMALLOC               scattered pages in a row; the direct map is their
 *                         alias
 *   WINDOW                the engine's window slots
 *
 * Words
 *   pool    memory for page tables and the engine, behind the image
 *   arena   the rest, 2M aligned: what the workloads convert
 *   home    a page of the arena that is never converted; stray reads begin
 *           at its end and run into the page behind it
 */

#include <airlock/port.h>

#include "../bare/insn.h"
#include "../bare/text.h"
#include "../bare/trap.h"
#include "../cvm/abi/guest-abi.h"

#define PAGE		4096UL
#define LARGE		0x200000UL
#define MAX_CPUS	8u
#define STACK_SIZE	32768UL

#define DIRECT		0xffff888000000000UL
#define VMALLOC		0xffffc90000000000UL
#define WINDOW		0xffffd00000000000UL

#define PTE_P		1UL
#define PTE_W		2UL
#define PTE_A		0x20UL
#define PTE_D		0x40UL
#define PTE_PS		0x80UL
#define PTE_G		0x100UL
#define PTE_NX		(1UL << 63)
#define PTE_DATA	(PTE_P | PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)
#define PTE_ADDR	0xffffffffff000UL

#define VECTOR_PF	14
#define VECTOR_VE	20
#define VECTOR_VC	29
#define VECTOR_FLUSH	0x40
#define VECTOR_WAKE	0x41

/* At the bottom of each CPU's stack. */
struct cpu {
	unsigned int id;
	volatile u32 up;
	volatile u64 todo;		/* who waits for a flush here */
	u64 pin_flags;
	bool pinned;
	u64 ghcb_msr;			/* what the GHCB MSR holds */
	u64 window_va, window_pages;	/* what was read through the window */
	unsigned int stored;		/* entries of the store buffer */
	struct {
		u64 pa, entry;
	} store[8];

	/* counted */
	u64 exception[32];
	u64 fixups, probes, reads, flushes, shootdowns;
};

extern struct cvm_boot boot;
extern u64 arena, ram_end;
extern struct airlock *engine;

/* lib.c */
void options_init(const char *line);
const char *option(const char *name);
u64 option_number(const char *name, u64 otherwise);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
__attribute__((noreturn, format(printf, 1, 2)))
void panic(const char *fmt, ...);

/* mm.c */
void mm_init(void);
u64 pool_pages(u64 n);
u64 page_alloc(void);
void page_free(u64 pa);
u64 *pte_of(u64 va);
void map_shared(u64 va);
u64 vmap(const u64 *gpa, unsigned int n);
void vunmap_lazily(u64 va, unsigned int n);
void vm_purge(void);
bool vm_alias(u64 va, u64 gpa, u64 pages, unsigned int index,
	      struct airlock_range *alias);
static inline void *direct(u64 gpa)
{
	return (void *)(DIRECT + gpa);
}

/* trap.c */
void trap_init(void);
void trap_load(void);
bool probe(u64 va, u64 *value);

/* smp.c */
struct cpu *cpu_of(unsigned int id);
struct cpu *this_cpu(void);
void smp_init(void);
void smp_start(void);
void shootdown_handler(void);
void wake(unsigned int from);
u64 cpu_sum(size_t offset);
#define CPU_SUM(member) cpu_sum(offsetof(struct cpu, member))

/* platform.c */
void platform_init(void);
void platform_init_cpu(void);
void platform_put(char c);
void platform_doze(void);
bool platform_cpuid(u32 leaf, u32 sub, u32 out[4]);
bool platform_ve_cpuid(struct frame *f, u64 *reason, u64 *gpa);
void *platform_ghcb(unsigned int cpu, u64 *gpa);
void *platform_hv_page(unsigned int cpu, u64 *gpa);
bool own_page(u64 gpa);
const char *platform_name(void);
enum airlock_platform engine_platform(void);
void wrmsr_apic(u32 msr, u64 value);

/* port.c */
struct port_options {
	bool check_window;	/* after each use it must be gone */
	bool ghcb_msr;		/* no GHCB page for the engine */
	bool store_buffer;	/* table entries reach memory late */
	bool one_cpu, no_ack, no_flush, no_invlpg, no_fence, no_alias,
	     no_purge, one_request, plain, unfenced;
};

extern struct port_options port;
extern u64 host_violations;
void port_init(void);
void port_drain(void);
void port_lock_tables(void);
void port_unlock_tables(void);

/* arena.c: who converts which pages, and what must be true of them */
#define JOB_RANGES	20
#define JOBS		8
#define HOMES		40

struct job {
	const char *name;
	unsigned int n;
	struct airlock_range r[JOB_RANGES];
	unsigned int aliases;		/* other mappings of the same pages */
	struct airlock_range alias[JOB_RANGES];
	u64 pages;
};

/* What one converting CPU owns. */
struct area {
	unsigned int jobs, homes;
	struct job job[JOBS];
	u64 home[HOMES];		/* linear addresses of home pages */
};

extern struct area area[MAX_CPUS];
extern unsigned int areas;
void arena_init(void);
void lazy_job(const struct area *a, struct job *j);
u64 gpa_of(u64 va);
bool job_state(const struct job *j, enum airlock_page *state);
void stray_reads(const struct area *a);
void check_contents(const struct job *j, enum airlock_to to);
bool host_misbehaved(void);
bool convert_job(const struct job *j, bool lazy);

/* readers.c: what the other CPUs do meanwhile */
enum ask { ASK_TOUCH, ASK_CLOSED };
void readers_init(unsigned int converters);
void read_for_ever(volatile u32 *stop);
void ask_readers(unsigned int area, const struct job *j, enum ask what);

/* work.c: the workloads */
struct totals {
	u64 calls, pages, refused, quarantined;
};

extern struct totals totals;
extern bool asking;
extern struct airlock_order order[2];	/* by enum airlock_to */
void orders_init(void);
int closed(void *cookie, const struct airlock_range *r, unsigned int n,
	   enum airlock_to to);
bool order_closes(const struct airlock_order *o);
bool order_has(const struct airlock_order *o, uint8_t step);
void work(void);
void work_ap(void);
__attribute__((noreturn)) void forced_by_host(const char *what);
__attribute__((noreturn)) void finish(void);
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void storm(void);
void storm_ap(void);
void with_readers(void (*workload)(void));
void failing(void);
void bench(void);

static inline u64 irq_save(void)
{
	u64 flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(u64 flags)
{
	if (flags & 0x200)
		__asm__ volatile("sti" : : : "memory");
}

static inline bool irq_enabled(void)
{
	u64 flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags & 0x200;
}

static inline void irq_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline u64 call0(u64 n)
{
	return cvm_call4(n, 0, 0, 0, 0);
}

static inline u64 call1(u64 n, u64 b)
{
	return cvm_call4(n, b, 0, 0, 0);
}

static inline u64 call2(u64 n, u64 b, u64 c)
{
	return cvm_call4(n, b, c, 0, 0);
}

#endif
