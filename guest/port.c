// SPDX-License-Identifier: GPL-2.0
/*
 * The engine's port: what include/airlock/port.h asks of a kernel. The
 * shootdown is in smp.c, aliases are in mm.c.
 *
 * Options (mutant=NAME) break a part on purpose, so that a test can see the
 * run fail. TCG has no store buffer long enough to lose a table write in, so
 * with store-buffer (and with mutant=no-fence) this file has one of its own:
 * up to 8 entries that reach memory in order, and at the latest at the next
 * fence, locked instruction or read of a table. What it delays, x86 may.
 */
#include "kernel.h"

struct port_options port;
u64 host_violations;

static volatile u32 table_lock;

static const struct {
	const char *name;
	bool *flag;
} mutants[] = {
	{ "one-cpu", &port.one_cpu },
	{ "no-ack", &port.no_ack },
	{ "no-flush", &port.no_flush },
	{ "no-invlpg", &port.no_invlpg },
	{ "no-fence", &port.no_fence },
	{ "no-alias", &port.no_alias },
	{ "no-purge", &port.no_purge },
	{ "one-request", &port.one_request },
	{ "plain", &port.plain },
	{ "unfenced", &port.unfenced },
};

void port_init(void)
{
	const char *name = option("mutant");
	size_t i, n = sizeof(mutants) / sizeof(mutants[0]);

	port.check_window = !option("no-window-check");
	if (name) {
		for (i = 0; i < n && !text_is(name, mutants[i].name); i++)
			;
		if (i == n)
			panic("no mutant '%s'", name);
		*mutants[i].flag = true;
	}
	port.plain |= port.unfenced;
	port.ghcb_msr = option("ghcb-msr");
	port.store_buffer = option("store-buffer") || port.no_fence;
}

/* ---- page tables ---- */

const uint64_t *airlock_port_table(uint64_t pa)
{
	port_drain();
	return direct(pa);
}

static void store(u64 pa, u64 entry)
{
	*(volatile u64 *)direct(pa) = entry;
}

/* The store buffer empties, oldest first. */
void port_drain(void)
{
	struct cpu *c;
	unsigned int i;
	u64 flags;

	if (!port.store_buffer)
		return;
	flags = irq_save();
	c = this_cpu();
	for (i = 0; i < c->stored; i++)
		store(c->store[i].pa, c->store[i].entry);
	c->stored = 0;
	irq_restore(flags);
}

static void buffer(u64 pa, u64 entry)
{
	u64 flags = irq_save();
	struct cpu *c = this_cpu();
	unsigned int i;

	if (c->stored == 8) {
		store(c->store[0].pa, c->store[0].entry);
		for (i = 1; i < 8; i++)
			c->store[i - 1] = c->store[i];
		c->stored--;
	}
	c->store[c->stored].pa = pa;
	c->store[c->stored++].entry = entry;
	irq_restore(flags);
}

void airlock_port_pte_write(uint64_t pa, uint64_t entry)
{
	if (port.store_buffer)
		buffer(pa, entry);
	else
		store(pa, entry);
}

uint64_t airlock_port_table_alloc(void)
{
	return page_alloc();
}

void airlock_port_table_free(uint64_t pa)
{
	page_free(pa);
}

/* ---- lock, pin ---- */

void airlock_port_lock(void)
{
	port_drain();
	while (__atomic_exchange_n(&table_lock, 1, __ATOMIC_ACQUIRE))
		pause();
}

void airlock_port_unlock(void)
{
	port_drain();
	__atomic_store_n(&table_lock, 0, __ATOMIC_RELEASE);
}

void port_lock_tables(void)
{
	airlock_port_lock();
}

void port_unlock_tables(void)
{
	airlock_port_unlock();
}

unsigned int airlock_port_pin(void)
{
	u64 flags = irq_save();
	struct cpu *c = this_cpu();

	port_drain();
	if (c->pinned)
		panic("pinned twice");
	c->pin_flags = flags;
	c->pinned = true;
	return c->id;
}

/* Nothing of the window may be left when its use is over: look at up to 16
 * of the pages that were read through it. */
static void check_window(struct cpu *c)
{
	u64 step = c->window_pages / 16 + 1, i, v;

	for (i = 0; i < c->window_pages; i += step)
		if (probe(c->window_va + i * PAGE, &v))
			panic("CPU %u still sees page %lu of its window",
			      c->id, i);
	c->window_pages = 0;
}

/* Pages were read here: through the window? */
static void note_window(u64 va, u64 pages)
{
	struct cpu *c = this_cpu();

	if (va < WINDOW || !port.check_window)
		return;
	c->window_va = va;
	c->window_pages = pages;
}

void airlock_port_unpin(void)
{
	struct cpu *c = this_cpu();

	port_drain();
	check_window(c);
	c->pinned = false;
	irq_restore(c->pin_flags);
}

bool airlock_port_may_convert(void)
{
	return irq_enabled() && !this_cpu()->pinned;
}

/* ---- aliases ---- */

void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	(void)r;
	(void)n;
	if (!port.no_purge)
		vm_purge();
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	return !port.no_alias && vm_alias(va, gpa, pages, index, alias);
}

void airlock_port_violation(const struct airlock_violation *v)
{
	u64 n = __atomic_add_fetch(&host_violations, 1, __ATOMIC_SEQ_CST);
	char text[160];
	size_t len;

	if (n > 4)
		return;
	len = format(text, sizeof(text), "violation by the host: %s: gpa %lx, "
		     "%lu pages, %lx", airlock_strerror(v->status), v->gpa,
		     v->pages, v->detail);
	call2(CVM_LOG, (u64)text, len);
}

/* ---- platform calls ---- */

void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	return port.ghcb_msr ? NULL : platform_ghcb(cpu, gpa);
}

void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa)
{
	return platform_hv_page(cpu, gpa);
}

/* ---- instructions ---- */

/*
 * They are the archive's, as it has them. The linker's --wrap leads the
 * engine's calls here first, and __real_ from here to the archive: for the
 * store buffer, the look at the window, and the mutants.
 */
#define WRAP(type, name, ...)						\
	type __real_airlock_port_##name(__VA_ARGS__);			\
	type __wrap_airlock_port_##name(__VA_ARGS__);			\
	type __wrap_airlock_port_##name(__VA_ARGS__)

WRAP(void, invlpg, uint64_t va)
{
	port_drain();
	if (!port.no_invlpg)
		__real_airlock_port_invlpg(va);
}

WRAP(uint64_t, pvalidate, uint64_t va, bool large, bool validate)
{
	port_drain();
	return __real_airlock_port_pvalidate(va, large, validate);
}

WRAP(void, evict, uint64_t va, uint64_t pages)
{
	port_drain();
	note_window(va, pages);
	__real_airlock_port_evict(va, pages);
}

/* This kernel's own calls through its GHCB need not write the MSR again. */
WRAP(uint64_t, vmgexit, uint64_t msr)
{
	port_drain();
	this_cpu()->ghcb_msr = msr & (PAGE - 1) ? 0 : msr;
	return __real_airlock_port_vmgexit(msr);
}

/* TCG's CLFLUSHOPT takes any address; on hardware it faults where nothing is
 * mapped, and so must this. */
WRAP(void, cache_flush, uint64_t va, uint64_t pages)
{
	port_drain();
	note_window(va, pages);
	for (u64 i = 0; i < pages; i++)
		(void)*(volatile u8 *)(va + i * PAGE);
	__real_airlock_port_cache_flush(va, pages);
}
