// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A port for SEV-SNP: one CPU, one megabyte, a GHCB page.
 *
 * It runs as an ordinary program, so the machine is simulated: page tables in
 * an array, an RMP, a host that reads the GHCB page. "A kernel:" says in each
 * place what stands there in a real one. The third part, the instructions, a
 * kernel leaves out altogether: libairlock.a has them.
 *
 * The simulated instructions walk the page tables as the CPU does. PVALIDATE
 * of an address that is not mapped, private, ends the program: it shows that
 * the engine works through its window while the pages are not present.
 */
#include <stdio.h>
#include <stdlib.h>

#include <airlock/port.h>

#define C_BIT		(UINT64_C(1) << 51)
#define PRESENT_RW	UINT64_C(3)
#define LARGE		(UINT64_C(1) << 7)
#define DIRECT_MAP	UINT64_C(0xffff888000000000)
#define WINDOW		UINT64_C(0xfffffe8000000000)
#define MEMORY		(UINT64_C(1) << 20)
#define PAGES		(MEMORY / AIRLOCK_PAGE_SIZE)
#define GHCB_GPA	UINT64_C(0xff000)

#define CHECK(cond)	do { if (!(cond)) broken(#cond); } while (0)

static void broken(const char *what)
{
	fprintf(stderr, "broken: %s\n", what);
	exit(1);
}

/* ---- 1. what every port has ---- */

/* "Physical memory" for page tables: page n is at n * 4096. */
static uint64_t memory[16][512];
static unsigned int used;

/* A kernel: the page at @pa, in its direct map. */
const uint64_t *airlock_port_table(uint64_t pa)
{
	return memory[pa / 4096];
}

/* A kernel: WRITE_ONCE() there. */
void airlock_port_pte_write(uint64_t pa, uint64_t entry)
{
	memory[pa / 4096][pa % 4096 / 8] = entry;
}

/* A kernel: its page allocator, zeroed. The page is private, and validated. */
uint64_t airlock_port_table_alloc(void)
{
	return used < 16 ? used++ * 4096 : AIRLOCK_NO_PAGE;
}

void airlock_port_table_free(uint64_t pa)
{
	(void)pa;
}

/* A kernel: the spinlock that it holds to split and join its own leaves. */
void airlock_port_lock(void)
{
}

void airlock_port_unlock(void)
{
}

/* A kernel: interrupts off, and the number of this CPU. An NMI or #VC handler
 * that uses the same GHCB must save and restore what it finds in it. */
unsigned int airlock_port_pin(void)
{
	return 0;
}

void airlock_port_unpin(void)
{
}

/* A kernel: not in an interrupt, and interrupts are on (it sends IPIs). */
bool airlock_port_may_convert(void)
{
	return true;
}

/* A kernel: an IPI to every CPU, each drops these, wait for all of them; or
 * INVLPGB and TLBSYNC. Here there are no TLBs: the walk below holds nothing. */
void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	for (; n; n--, f++)
		printf("  shootdown of %lu pages at %#lx\n",
		       (unsigned long)f->pages, (unsigned long)f->va);
}

/* A kernel: vm_unmap_aliases() or the like; the direct map's address of a page
 * that is converted by a vmalloc address. */
void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	(void)r;
	(void)n;
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	(void)va;
	(void)gpa;
	(void)pages;
	(void)index;
	(void)alias;
	return false;
}

/* A kernel: its own choice. To end the guest (GHCB MSR 0x100) is a safe one. */
void airlock_port_violation(const struct airlock_violation *v)
{
	fprintf(stderr, "%s\n", airlock_strerror(v->status));
	abort();
}

/* ---- 2. SEV-SNP: the page through which the host is asked ---- */

static uint64_t ghcb[512];

/* A kernel: this CPU's GHCB, mapped without the C-bit, registered with the
 * host. Before there is one: NULL, and the engine uses the MSR protocol. */
void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	(void)cpu;
	*gpa = GHCB_GPA;
	return ghcb;
}

/* ---- 3. instructions: a kernel leaves these out ---- */

enum rmp { VALIDATED, ASSIGNED, SHARED };

static enum rmp rmp[PAGES];
static uint64_t root;

/* The leaf entry of @va: what a page walk finds. */
static uint64_t walk(uint64_t va)
{
	uint64_t table = root, e = 0;
	unsigned int shift;

	for (shift = 39; shift >= 12; shift -= 9) {
		e = memory[table / 4096][va >> shift & 511];
		CHECK(e & 1);
		CHECK(!(e & LARGE) || shift == 12);
		CHECK(shift == 12 || e & C_BIT);
		table = e & ~C_BIT & ~UINT64_C(0xfff) & ~(UINT64_C(1) << 63);
	}
	CHECK(table < MEMORY);
	return e;
}

/* The page that @va reaches, by a mapping with or without the C-bit. */
static uint64_t reach(uint64_t va, bool private)
{
	uint64_t e = walk(va);

	CHECK(!(e & C_BIT) == !private);
	return (e & (MEMORY - 1)) / 4096;
}

uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate)
{
	uint64_t pfn = reach(va, true);

	if (large)
		return AIRLOCK_PVALIDATE_SIZE;	/* the RMP has 4K pages */
	CHECK(rmp[pfn] != SHARED);
	if ((rmp[pfn] == VALIDATED) == validate)
		return AIRLOCK_PVALIDATE_CF;
	rmp[pfn] = validate ? VALIDATED : ASSIGNED;
	return AIRLOCK_PVALIDATE_OK;
}

/* The host, asked for a page-state change: GHCB specification. */
uint64_t airlock_port_vmgexit(uint64_t msr)
{
	uint64_t n = (ghcb[0x800 / 8] >> 16 & 0xffff) + 1, i, e;

	CHECK(msr == GHCB_GPA);
	CHECK(ghcb[0x390 / 8] == 0x80000010);
	for (i = 0; i < n; i++) {
		e = ghcb[0x808 / 8 + i];
		rmp[(e & (MEMORY - 1)) / 4096] =
			(e >> 52 & 15) == 2 ? SHARED : ASSIGNED;
	}
	ghcb[0x800 / 8] = n | (n - 1) << 16;	/* all entries are done */
	ghcb[0x3a0 / 8] = 0;			/* without an error */
	printf("  VMGEXIT: %lu pages\n", (unsigned long)n);
	return msr;
}

/* Lines are flushed by the mapping that filled them. */
void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	bool private = walk(va) & C_BIT;

	printf("  CLFLUSH of %lu pages at %#lx, %s\n", (unsigned long)pages,
	       (unsigned long)va, private ? "private" : "shared");
	for (; pages; pages--, va += AIRLOCK_PAGE_SIZE)
		reach(va, private);
}

void airlock_port_evict(uint64_t va, uint64_t pages)
{
	for (; pages; pages--, va += AIRLOCK_PAGE_SIZE)
		CHECK(rmp[reach(va, true)] == VALIDATED);
}

void airlock_port_invlpg(uint64_t va)
{
	(void)va;
}

/* ---- a kernel of few words ---- */

/* Four tables in a row, the last one full: memory at the direct map. The GHCB
 * page was made shared by early boot. */
static void make_page_tables(void)
{
	uint64_t pa, next, i;
	unsigned int shift;

	root = pa = airlock_port_table_alloc();
	for (shift = 39; shift > 12; shift -= 9, pa = next) {
		next = airlock_port_table_alloc();
		airlock_port_pte_write(pa + (DIRECT_MAP >> shift & 511) * 8,
				       next | PRESENT_RW | C_BIT);
	}
	for (i = 0; i < PAGES; i++)
		airlock_port_pte_write(pa + i * 8, i * 4096 | PRESENT_RW |
				       (i * 4096 == GHCB_GPA ? 0 : C_BIT));
	rmp[GHCB_GPA / 4096] = SHARED;
}

/*
 * A kernel: CPUID 8000001F. EBX[5:0] is the number of the C-bit, EAX[10] is
 * AIRLOCK_F_COHERENT, EBX[31] AIRLOCK_F_NO_EVICT; here neither is there. The
 * root comes from CR3, without the C-bit that CR3 has; what the engine puts
 * into entries that point to its own tables needs the C-bit.
 */
static struct airlock *start(void)
{
	static uint64_t context[1024] __attribute__((aligned(64)));
	struct airlock_config cfg = {
		.platform = AIRLOCK_SNP, .enc_bit = 51, .levels = 4,
		.root = root, .table_attr = PRESENT_RW, .memory = MEMORY,
		.cpus = 1, .window = WINDOW, .direct_map = DIRECT_MAP,
	};
	const char *wrong = airlock_init_check(context, sizeof(context), &cfg);
	struct airlock *a;

	printf("without the C-bit in table_attr: \"%s\"\n", wrong);
	cfg.table_attr |= C_BIT;
	wrong = airlock_init_check(context, sizeof(context), &cfg);
	if (wrong)
		broken(wrong);
	CHECK(!airlock_init(&a, context, sizeof(context), &cfg));
	/*
	 * Other pages that are shared already, the ledger is told of, with
	 * airlock_note(). Not the GHCB: airlock_reclaim_all() would take it
	 * back while it talks through it.
	 */
	return a;
}

int main(void)
{
	struct airlock_range buffer = { DIRECT_MAP + 0x10000, 8 };
	struct airlock_outcome out;
	struct airlock *a;

	make_page_tables();
	a = start();
	printf("to shared:\n");
	CHECK(!airlock_convert(a, &buffer, 1, AIRLOCK_TO_SHARED, &out));
	CHECK(out.converted == 8 && rmp[16] == SHARED);
	CHECK(reach(buffer.va, false) == 16);
	printf("to private:\n");
	CHECK(!airlock_convert(a, &buffer, 1, AIRLOCK_TO_PRIVATE, &out));
	CHECK(out.converted == 8 && rmp[16] == VALIDATED);
	CHECK(reach(buffer.va, true) == 16);
	printf("a page twice: \"%s\"\n", airlock_strerror(
		airlock_convert(a, &buffer, 1, AIRLOCK_TO_PRIVATE, &out)));
	CHECK(out.status == AIRLOCK_E_STATE);
	return 0;
}
