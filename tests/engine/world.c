// SPDX-License-Identifier: GPL-2.0
#include "world.h"

#define P	UINT64_C(0x001)
#define RW	UINT64_C(0x002)
#define A_D	UINT64_C(0x060)
#define PS	UINT64_C(0x080)
#define G	UINT64_C(0x100)
#define NX	(UINT64_C(1) << 63)
#define ADDR	UINT64_C(0x000ffffffffff000)

#define TABLES	2048
#define TABLE0	(UINT64_C(1) << 40)

enum use { FREE, SPARE, LINKED, STALE };

static uint64_t table[TABLES][512];
static unsigned char use[TABLES];
static uint64_t stale_va[TABLES];
static uint64_t vm_gpa[VM_SLOTS];
static unsigned int vm_slots;

/* By page: 1 = the direct map's translation may be cached, 2 = vmalloc's. */
static unsigned char tlb[PAGES];
static uint64_t slot_pde;
static unsigned char win_used[512];
static uint64_t ghcb[512] __attribute__((aligned(4096)));
static uint64_t hv_page[512] __attribute__((aligned(4096)));

struct world w;
unsigned int world_levels = 4;

#define POLICE(cond)							\
	do {								\
		if (!(cond))						\
			fail_msg("%s:%d: broken: %s", __func__,		\
				 __LINE__, #cond);			\
	} while (0)

static uint64_t enc(void)
{
	return w.cfg.platform == AIRLOCK_PLAIN ? 0 :
	       UINT64_C(1) << w.cfg.enc_bit;
}

static bool c_bit(void)
{
	return w.cfg.platform == AIRLOCK_SNP || w.cfg.platform == AIRLOCK_SEV;
}

static bool entry_shared(uint64_t e)
{
	return c_bit() ? !(e & enc()) : e & enc();
}

/* ---- page tables ---- */

static unsigned int tab(uint64_t pa)
{
	uint64_t i = (pa - TABLE0) / PAGE;

	if (pa < TABLE0 || i >= TABLES || use[i] == FREE)
		fail_msg("no table at %#lx", (unsigned long)pa);
	return (unsigned int)i;
}

static uint64_t new_table(enum use u)
{
	unsigned int i;

	for (i = 0; use[i] != FREE; i++)
		assert_true(i < TABLES - 1);
	memset(table[i], 0, sizeof(table[i]));
	use[i] = (unsigned char)u;
	return TABLE0 + i * PAGE;
}

uint64_t *world_entry(uint64_t va, unsigned int level)
{
	uint64_t pa = w.root;
	unsigned int l;

	for (l = w.cfg.levels;; l--) {
		uint64_t *e = &table[tab(pa)][va >> (3 + 9 * l) & 511];

		if (l == level || l == 1 || (l <= 3 && (*e & PS)))
			return e;
		if (!(*e & P))
			return NULL;
		pa = *e & ADDR & ~enc();
	}
}

uint64_t world_leaf(uint64_t va, unsigned int *level)
{
	uint64_t pa = w.root, e;
	unsigned int l;

	for (l = w.cfg.levels;; l--) {
		e = table[tab(pa)][va >> (3 + 9 * l) & 511];
		if (level)
			*level = l;
		if (l == 1 || (l <= 3 && (e & PS)))
			return e;
		if (!(e & P))
			return 0;
		pa = e & ADDR & ~enc();
	}
}

static uint64_t leaf_size(unsigned int level)
{
	return PAGE << (9 * (level - 1));
}

static uint64_t leaf_gpa(uint64_t va, uint64_t e, unsigned int level)
{
	uint64_t size = leaf_size(level);

	return (e & ADDR & ~enc() & ~(size - 1)) | (va & (size - 1));
}

static void map(uint64_t va, uint64_t gpa, unsigned int level)
{
	uint64_t pa = w.root, *e;
	unsigned int l;

	for (l = w.cfg.levels; l > level; l--) {
		e = &table[tab(pa)][va >> (3 + 9 * l) & 511];
		if (!*e)
			*e = new_table(LINKED) | w.cfg.table_attr;
		pa = *e & ADDR & ~enc();
	}
	e = &table[tab(pa)][va >> (3 + 9 * l) & 511];
	*e = gpa | P | RW | G | NX | (level > 1 ? PS : 0) |
	     (c_bit() ? enc() : 0);
}

/* May any CPU still, or again, reach @gpa by its own mappings? */
static bool reachable(uint64_t gpa)
{
	unsigned int i;

	if (tlb[gpa / PAGE] || world_leaf(DM + gpa, NULL) & P)
		return true;
	for (i = 0; i < vm_slots; i++)
		if (vm_gpa[i] == gpa && world_leaf(VM + i * PAGE, NULL) & P)
			return true;
	return false;
}

/* The host, or the CPU, changes what a page is: nobody may be looking. */
static void change(uint64_t gpa, enum held to)
{
	POLICE(gpa < MEMORY);
	if (!w.any_order)
		POLICE(!reachable(gpa));
	w.held[gpa / PAGE] = (unsigned char)to;
}

void world_vmalloc(unsigned int i, uint64_t gpa)
{
	vm_gpa[i] = gpa;
	if (i >= vm_slots)
		vm_slots = i + 1;
	map(VM + i * PAGE, gpa, 1);
}

/* ---- a world ---- */

static int callback(unsigned long *count)
{
	POLICE(!w.locked && !w.pinned);
	++*count;
	return w.callback_left >= 0 && w.callback_left-- == 0 ? -1 : 0;
}

static int on_prepare(void *cookie, const struct airlock_range *r,
		      unsigned int n, enum airlock_to to)
{
	POLICE(cookie == &w);
	if (w.hook)
		w.hook(r, n, to);
	return callback(&w.prepares);
}

static int on_notify(void *cookie, const struct airlock_range *r,
		     unsigned int n, enum airlock_to to)
{
	(void)r, (void)n, (void)to;
	POLICE(cookie == &w);
	return callback(&w.notifies);
}

static void map_all(void)
{
	uint64_t gpa;

	for (gpa = 0; gpa < 8 * MiB; gpa += PAGE)
		map(DM + gpa, gpa, 1);
	for (; gpa < GiB; gpa += 2 * MiB)
		map(DM + gpa, gpa, 2);
	map(DM + gpa, gpa, 3);
	for (gpa += GiB; gpa < MEMORY; gpa += 2 * MiB)
		map(DM + gpa, gpa, 2);
}

void world_begin(enum airlock_platform p, uint32_t features)
{
	size_t size;

	memset(&w, 0, sizeof(w));
	memset(use, FREE, sizeof(use));
	memset(tlb, 0, sizeof(tlb));
	memset(win_used, 0, sizeof(win_used));
	vm_slots = 0;
	slot_pde = 0;
	w.may_convert = true;
	w.alloc_left = w.callback_left = w.hv_left = -1;
	w.held = calloc(PAGES, 1);
	w.cfg = (struct airlock_config){
		.platform = p, .features = features,
		.enc_bit = p == AIRLOCK_VTOM ? 46 : 51,
		.levels = world_levels, .memory = MEMORY, .cpus = 1,
		.window = WIN, .direct_map = DM,
		.prepare = on_prepare, .notify = on_notify,
		.cookie = &w,
	};
	w.cfg.table_attr = P | RW | (c_bit() ? enc() : 0);
	w.root = new_table(LINKED);
	w.cfg.root = w.root;
	map_all();
	size = airlock_size(&w.cfg);
	w.mem = aligned_alloc(64, (size + 63) / 64 * 64);
	memset(w.mem, 0, size);
	assert_int_equal(airlock_init(&w.a, w.mem, size, &w.cfg), 0);
	if (p != AIRLOCK_PLAIN)
		slot_pde = (uint64_t)(uintptr_t)world_entry(WIN + 2 * MiB, 2);
	w.pte_writes = w.window_writes = w.table_writes = 0;
	w.tables = 0;
}

void world_end(void)
{
	free(w.mem);
	free(w.held);
	w.mem = w.held = NULL;
}

static void check_page(uint64_t gpa, uint64_t va, uint64_t e)
{
	enum airlock_page state = airlock_page(w.a, gpa);
	unsigned char held = w.held[gpa / PAGE];

	if (state == AIRLOCK_PAGE_QUARANTINE) {
		if (e & P || tlb[gpa / PAGE])
			fail_msg("%#lx: quarantined and reachable at %#lx",
				 (unsigned long)gpa, (unsigned long)va);
		return;
	}
	if (!(e & P) || state == AIRLOCK_PAGE_TRANSITION ||
	    entry_shared(e) != (state == AIRLOCK_PAGE_SHARED))
		fail_msg("%#lx: ledger %d, but entry %#lx at %#lx",
			 (unsigned long)gpa, (int)state, (unsigned long)e,
			 (unsigned long)va);
	if (w.cfg.platform >= AIRLOCK_SNP &&
	    held != (state == AIRLOCK_PAGE_SHARED ? SHARED : OURS))
		fail_msg("%#lx: ledger %d, but the host holds %d",
			 (unsigned long)gpa, (int)state, (int)held);
}

void world_check(uint64_t from, uint64_t to)
{
	unsigned int level, i, tables = 0;
	uint64_t gpa, e;

	POLICE(!w.locked && !w.pinned);
	for (gpa = from; gpa < to;) {
		uint64_t end;

		e = world_leaf(DM + gpa, &level);
		end = (gpa & ~(leaf_size(level) - 1)) + leaf_size(level);
		if (leaf_gpa(DM + gpa, e, level) != gpa)
			fail_msg("%#lx is mapped elsewhere: %#lx",
				 (unsigned long)gpa, (unsigned long)e);
		for (; gpa < end && gpa < to; gpa += PAGE)
			check_page(gpa, DM + gpa, e);
	}
	for (i = 0; i < vm_slots; i++)
		check_page(vm_gpa[i], VM + i * PAGE,
			   world_leaf(VM + i * PAGE, NULL));
	for (i = 0; i < TABLES; i++)
		tables += use[i] == SPARE;
	/* The slot's own table, and not one surplus. */
	if (w.cfg.platform != AIRLOCK_PLAIN) {
		assert_int_equal(tables, 1);
		assert_int_equal(*world_entry(WIN + 2 * MiB, 2), 0);
	}
}

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const uint64_t *q = p;

	for (; n >= 8; n -= 8, q++)
		h = (h ^ *q) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
	return h;
}

uint64_t world_hash(void)
{
	uint64_t h = mix(1, use, sizeof(use));
	unsigned int i;

	for (i = 0; i < TABLES; i++)
		if (use[i] != FREE)
			h = mix(h, table[i], sizeof(table[i]));
	h = mix(h, w.held, PAGES);
	return mix(h, w.mem, airlock_size(&w.cfg));
}

/* ---- port.h: tables, locks ---- */

const uint64_t *airlock_port_table(uint64_t pa)
{
	return table[tab(pa)];
}

/* Entry @old of a linked table, at @va's level, no longer says what it did:
 * the TLB may. */
static void may_be_cached(uint64_t e, uint64_t size, unsigned char bit)
{
	uint64_t gpa = e & ADDR & ~enc() & ~(size - 1), i;

	for (i = 0; i < size && gpa + i < MEMORY; i += PAGE)
		tlb[(gpa + i) / PAGE] |= bit;
}

/* Where in the direct map or vmalloc is the entry at @pa? */
static bool find(const uint64_t *e, uint64_t old, unsigned int *level,
		 unsigned char *bit)
{
	unsigned int l, i;
	uint64_t va;

	for (l = 1; l <= 3; l++) {
		va = DM + (old & ADDR & ~enc() & ~(leaf_size(l) - 1));
		*level = l;
		*bit = 1;
		if (va < DM + MEMORY && world_entry(va, l) == e)
			return true;
	}
	*level = 1;
	*bit = 2;
	for (i = 0; i < vm_slots; i++)
		if (world_entry(VM + i * PAGE, 1) == e)
			return true;
	return false;
}

static void unlinked(uint64_t old, uint64_t entry, uint64_t va)
{
	unsigned int t = (unsigned int)(((old & ADDR & ~enc()) - TABLE0) /
					PAGE);

	POLICE(use[t] == LINKED && (entry & PS));
	use[t] = STALE;
	stale_va[t] = va;
}

/* A write to a table that walks can reach. */
static void linked_write(uint64_t *e, uint64_t entry)
{
	uint64_t old = *e, next = entry & ADDR & ~enc();
	bool to_table = entry & P && next >= TABLE0;
	unsigned char bit;
	unsigned int level;

	if ((uint64_t)(uintptr_t)e == slot_pde) {
		POLICE(w.pinned && !w.locked);
		w.window_writes++;
		return;
	}
	if (to_table) {
		POLICE(w.locked);
		POLICE(use[tab(next)] == SPARE);
		use[tab(next)] = LINKED;
		return;
	}
	if (old & P && (old & ADDR & ~enc()) >= TABLE0) {
		POLICE(w.locked);
		*e = entry;
		for (level = 2; level <= 3; level++) {
			uint64_t gpa = next & ~(leaf_size(level) - 1);

			if (world_entry(DM + gpa, level) == e)
				break;
		}
		unlinked(old, entry, DM + (next & ~(leaf_size(level) - 1)));
		return;
	}
	POLICE(find(e, old, &level, &bit));
	POLICE(!((old ^ entry) & ~(P | A_D | enc())));
	if (w.locked)
		fail_msg("a pass holds the lock");
	POLICE(airlock_page(w.a, old & ADDR & ~enc() &
			    ~(leaf_size(level) - 1)) ==
	       AIRLOCK_PAGE_TRANSITION);
	if (old & P && old != (entry | (old & A_D)) &&
	    (old ^ entry) & (P | enc()))
		may_be_cached(old, leaf_size(level), bit);
	w.pte_writes++;
}

void airlock_port_pte_write(uint64_t pa, uint64_t entry)
{
	unsigned int t = tab(pa & ~(PAGE - 1));
	uint64_t *e = &table[t][pa % PAGE / 8];

	POLICE(pa % 8 == 0);
	POLICE(use[t] != STALE);
	if (use[t] == LINKED)
		linked_write(e, entry);
	else if (w.pinned)
		w.window_writes++;
	else
		w.table_writes++;
	*e = entry;
}

uint64_t airlock_port_table_alloc(void)
{
	POLICE(!w.locked && !w.pinned);
	if (w.alloc_left >= 0 && w.alloc_left-- == 0)
		return AIRLOCK_NO_PAGE;
	w.tables++;
	return new_table(SPARE);
}

void airlock_port_table_free(uint64_t pa)
{
	POLICE(!w.locked && !w.pinned);
	POLICE(use[tab(pa)] == SPARE);	/* also: flushed since unlinked */
	use[tab(pa)] = FREE;
	w.tables--;
}

void airlock_port_lock(void)
{
	POLICE(!w.locked && !w.pinned);
	w.locked = true;
}

void airlock_port_unlock(void)
{
	POLICE(w.locked);
	w.locked = false;
}

unsigned int airlock_port_pin(void)
{
	POLICE(!w.locked && !w.pinned);
	w.pinned = true;
	return 0;
}

void airlock_port_unpin(void)
{
	unsigned int i;

	POLICE(w.pinned);
	if (slot_pde)
		POLICE(!*(uint64_t *)(uintptr_t)slot_pde);
	for (i = 0; i < 512; i++)
		POLICE(!win_used[i]);
	w.pinned = false;
}

bool airlock_port_may_convert(void)
{
	return w.may_convert;
}

/* ---- port.h: TLB ---- */

static void drop(uint64_t va, uint64_t pages)
{
	uint64_t i, gpa, e;
	unsigned int level;

	for (i = 0; i < TABLES; i++)
		if (use[i] == STALE && va <= stale_va[i] &&
		    va + pages * PAGE > stale_va[i])
			use[i] = SPARE;
	for (i = 0; i < pages; i++, va += PAGE) {
		e = world_leaf(va, &level);
		gpa = e ? leaf_gpa(va, e, level) : MEMORY;
		if (gpa < MEMORY)
			tlb[gpa / PAGE] &= va < VM ? (unsigned char)~1 :
					   (unsigned char)~2;
	}
}

void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	unsigned int i;

	POLICE(!w.locked && !w.pinned);
	w.shootdowns++;
	w.last_flush_n = n;
	for (i = 0; i < n; i++)
		drop(f[i].va, f[i].pages);
	if (n)
		return;
	memset(tlb, 0, sizeof(tlb));
	for (i = 0; i < TABLES; i++)
		if (use[i] == STALE)
			use[i] = SPARE;
}

void airlock_port_invlpg(uint64_t va)
{
	unsigned int level;
	uint64_t e;

	w.invlpgs++;
	if (va >= WIN) {
		POLICE(w.pinned && !*(uint64_t *)(uintptr_t)slot_pde);
		win_used[va / PAGE % 512] = 0;
		if (va % (2 * MiB) == 0)
			memset(win_used, 0, sizeof(win_used));
		return;
	}
	e = world_leaf(va, &level);
	if (e)
		drop(va & ~(leaf_size(level) - 1), leaf_size(level) / PAGE);
}

void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	POLICE(!w.locked && !w.pinned && r && n);
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	unsigned int i;

	w.aliases++;
	if (va >= VM) {
		*alias = (struct airlock_range){ w.alias_va ? w.alias_va :
						 DM + gpa,
						 pages + w.alias_more };
		return index == 0;
	}
	for (i = 0; i < vm_slots; i++) {
		if (vm_gpa[i] < gpa || vm_gpa[i] >= gpa + pages * PAGE ||
		    index--)
			continue;
		*alias = (struct airlock_range){ VM + i * PAGE, 1 };
		return true;
	}
	return false;
}

void airlock_port_violation(const struct airlock_violation *v)
{
	POLICE(!w.locked && !w.pinned);
	POLICE(v->status >= AIRLOCK_V_UNCHANGED &&
	       v->status <= AIRLOCK_V_CALLED_BACK);
	w.violations++;
	w.violation = v->status;
	w.lied_at = v->gpa;
}

/* ---- the host's temper ---- */

/* Is this the request that goes wrong? */
static bool wrong(void)
{
	w.requests++;
	if (w.mode == HONEST)
		return false;
	if (w.fail_at > 0) {
		w.fail_at--;
		return false;
	}
	if (w.fail_at < 0)
		return false;
	if (w.mode == REFUSE || w.mode == HALF || w.once)
		w.fail_at = -1;
	return true;
}

/* ---- SNP ---- */

/* What an instruction with a linear address meets. */
static uint64_t access_gpa(uint64_t va, bool shared)
{
	unsigned int level;
	uint64_t e = world_leaf(va, &level), gpa = leaf_gpa(va, e, level);

	POLICE(e & P);
	POLICE(entry_shared(e) == shared);
	if (va >= WIN) {
		POLICE(w.pinned);
		win_used[va / PAGE % 512] = 1;
	}
	return gpa;
}

uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate)
{
	uint64_t gpa = access_gpa(va, false), i, n = large ? 512 : 1;
	enum held from = validate ? PENDING : OURS;

	w.pvalidates++;
	if (large && w.small)
		return AIRLOCK_PVALIDATE_SIZE;
	if (w.mode == LIE && w.lie < 2 && wrong())
		return w.lie ? AIRLOCK_PVALIDATE_INPUT : AIRLOCK_PVALIDATE_CF;
	for (i = 0; i < n; i++) {
		POLICE(w.held[gpa / PAGE + i] != SHARED);
		if (w.held[gpa / PAGE + i] != from)
			return AIRLOCK_PVALIDATE_CF;
		change(gpa + i * PAGE, validate ? OURS : PENDING);
	}
	return AIRLOCK_PVALIDATE_OK;
}

void airlock_port_evict(uint64_t va, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages; i++)
		POLICE(w.held[access_gpa(va + i * PAGE, false) / PAGE] ==
		       OURS);
	w.evicts += pages;
}

void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	uint64_t i, gpa;
	bool shared;

	for (i = 0; i < pages; i++) {
		unsigned int level;
		uint64_t e = world_leaf(va + i * PAGE, &level);

		shared = entry_shared(e);
		gpa = access_gpa(va + i * PAGE, shared);
		if (w.cfg.platform >= AIRLOCK_SNP)
			POLICE(w.held[gpa / PAGE] == (shared ? SHARED : OURS));
	}
	w.flushed += pages;
}

uint64_t airlock_port_shared_read(const volatile void *p, unsigned int size)
{
	POLICE(size == 8);
	return *(const volatile uint64_t *)p;
}

void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	POLICE(w.pinned && cpu == 0);
	*gpa = 0x7000;
	return w.no_ghcb ? NULL : ghcb;
}

void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa)
{
	POLICE(w.pinned && cpu == 0);
	*gpa = 0x8000;
	if (w.hv_left >= 0 && w.hv_left-- == 0)
		return NULL;
	return hv_page;
}

static void psc_entry(uint64_t e)
{
	uint64_t gpa = e & UINT64_C(0xffffffffff000), n = e >> 56 & 1;
	unsigned int op = e >> 52 & 15;

	POLICE(op == 1 || op == 2);
	POLICE(!(e & 0xfff) && !(e >> 57));
	POLICE(!n || !(gpa % (2 * MiB)));
	for (n = n ? 512 : 1; n; n--, gpa += PAGE) {
		/* Private again: assigned, not validated. Again private: as
		 * it was. */
		if (op == 2)
			change(gpa, SHARED);
		else if (w.held[gpa / PAGE] == SHARED)
			change(gpa, PENDING);
	}
}

static uint64_t psc_lie(uint64_t h)
{
	switch (w.lie) {
	case 2:
		return h | UINT64_C(1) << 40;		/* reserved */
	case 3:
		return h + (UINT64_C(1) << 16);		/* end grows */
	case 4:
		return h + 0xfff;			/* cur beyond */
	case 5:
		return (h & ~UINT64_C(0xffff0000));	/* end shrinks */
	case 6:
		return h & ~UINT64_C(0xffff);		/* cur goes back */
	}
	return h;
}

static void psc_page(void)
{
	uint64_t *buf = &ghcb[0x800 / 8], h = buf[0];
	unsigned int cur = h & 0xffff, end = h >> 16 & 0xffff, stop;

	POLICE(ghcb[0x390 / 8] == 0x80000010 && ghcb[0x3a8 / 8] == 0x7800);
	POLICE(ghcb[0x3f8 / 8] == UINT64_C(0x3c000000000000));
	POLICE(end < 253 && cur <= end && !(h >> 32));
	stop = end + 1;
	if (w.early && cur + 3 < stop)
		stop = cur + 3;
	/* The first two lies are PVALIDATE's; one entry cannot go back. */
	if (!(w.mode == LIE && (w.lie < 2 || (w.lie == 6 && !end))) &&
	    wrong()) {
		if (w.mode == STALL)
			return;
		if (w.mode == LIE) {
			if (w.lie == 6 && !cur)
				psc_entry(buf[1]), buf[0] = h + 1;
			else
				buf[0] = psc_lie(h);
			return;
		}
		ghcb[0x3a0 / 8] = UINT64_C(0x100000001);
		stop = w.mode == HALF ? cur + (end + 1 - cur) / 2 : cur;
	}
	for (; cur < stop; cur++)
		psc_entry(buf[1 + cur]);
	buf[0] = (h & ~UINT64_C(0xffff)) | cur;
}

uint64_t airlock_port_vmgexit(uint64_t msr)
{
	POLICE(w.pinned);
	w.exits++;
	if (msr == 0x7000) {
		psc_page();
		return msr;
	}
	POLICE((msr & 0xfff) == 0x014);
	if (wrong())
		return w.mode == LIE ? 0x016 : 0x015 | UINT64_C(1) << 32;
	psc_entry(msr & ~UINT64_C(0xfff));
	return 0x015;
}

/* ---- TDX ---- */

static void map_gpa(struct airlock_tdcall *t)
{
	uint64_t gpa = t->r12 & ~enc(), n = t->r13 / PAGE, i, stop = n;
	bool shared = t->r12 & enc(), bad;

	POLICE(t->r10 == 0 && t->r11 == 0x10001 && n && !(t->r13 % PAGE));
	w.exits++;
	t->r10 = 0;
	if (w.early && n > 2) {
		stop = (n + 1) / 2;
		t->r10 = 1;
	}
	bad = wrong();
	if (bad) {
		t->r10 = UINT64_C(0x8000000000000000);
		stop = w.mode == HALF ? n / 2 : 0;
	}
	for (i = 0; i < stop; i++, gpa += PAGE) {
		if (shared)
			change(gpa, SHARED);
		else if (w.held[gpa / PAGE] == SHARED)
			change(gpa, PENDING);
	}
	t->r11 = t->r12 + stop * PAGE;
	if (bad && w.mode == STALL)
		t->r10 = 1;
	if (bad && w.mode == LIE) {
		static const int64_t off[] = { -4096, 1, 0, 0x10 };

		t->r10 = 1;
		t->r11 = t->r12 + (uint64_t)off[w.lie & 3];
		if ((w.lie & 3) == 2)
			t->r11 = t->r12 + n * PAGE;
	}
}

static uint64_t page_call(uint64_t rcx, bool accept)
{
	uint64_t gpa = rcx & ~UINT64_C(0xfff), n, i;

	POLICE((rcx & 0xfff) <= 2);
	n = UINT64_C(1) << (9 * (rcx & 3));
	POLICE(!(gpa % (n * PAGE)) && gpa + n * PAGE <= MEMORY);
	if (w.busy) {
		w.busy--;
		return UINT64_C(0x8000020000000001);
	}
	if (n > 512 || (n > 1 && w.small))
		return UINT64_C(0xc0000b0b00000001);
	for (i = 0; i < n; i++) {
		enum held h = w.held[gpa / PAGE + i];

		if (accept && h == OURS)
			return UINT64_C(0x00000b0a00000001);
		if (h != (accept ? PENDING : OURS))
			return UINT64_C(0xc0000b0d00000001);
	}
	for (i = 0; i < n; i++)
		change(gpa + i * PAGE, accept ? OURS : PENDING);
	return 0;
}

void airlock_port_tdcall(struct airlock_tdcall *t)
{
	POLICE(!w.locked);
	switch (t->rax) {
	case 0:
		POLICE(w.pinned && t->rcx == 0xfc00);
		map_gpa(t);
		t->rax = 0;
		return;
	case 6:
		w.accepts++;
		t->rax = page_call(t->rcx, true);
		return;
	case 30:
		POLICE(w.cfg.features & AIRLOCK_F_TDX_RELEASE);
		t->rax = page_call(t->rcx, false);
		return;
	}
	fail_msg("TDCALL leaf %lu", (unsigned long)t->rax);
}

/* ---- vTOM, TDP ---- */

uint64_t airlock_port_hypercall(uint64_t control, uint64_t in, uint64_t out)
{
	uint64_t n = control >> 32 & 0xfff, start = control >> 48, i, stop = n;
	uint64_t status = 0;

	POLICE(w.pinned && in == 0x8000 && !out);
	POLICE((control & 0xffffffff) == 0xdb && n <= 510 && start < n);
	POLICE(hv_page[0] == UINT64_MAX && !(hv_page[1] & ~UINT64_C(3)));
	w.exits++;
	if (w.early && start + 2 < n) {
		stop = start + 2;
		status = start & 2 ? 0x78 : 0;
	}
	if (wrong()) {
		switch (w.mode) {
		case STALL:
			return start << 32;
		case LIE:
			return w.lie & 1 || !start ? (n + 1) << 32 :
			       (start - 1) << 32;
		default:
			stop = w.mode == HALF ? start + (n - start) / 2 : start;
			status = 0x05;
		}
	}
	for (i = start; i < stop; i++)
		change(hv_page[2 + i] * PAGE, hv_page[1] ? SHARED : OURS);
	return status | stop << 32;
}
