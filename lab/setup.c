// SPDX-License-Identifier: GPL-2.0
/*
 * The first state of a question: memory, page tables, what the host holds,
 * which pages are converted and who lives next to them.
 *
 * Direct map, one chunk of 2M (in pages from its start):
 *
 *   3           a bystander; stray reads into the range come from here
 *   4 .. 4+N-1  the range of the first converter, then those of the others
 *   4+N         a bystander
 *
 * A long range begins where cfg.first says, and goes over as many chunks as it
 * needs; the bystanders are the pages before and after it. With vmalloc the range's pages lie two apart, and a
 * second mapping puts them side by side, between two bystanders of its own.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 4u

static uint64_t enc(enum view v)
{
	bool set;

	if (lab->cfg.platform == AIRLOCK_PLAIN)
		return 0;
	set = (v == VIEW_PRIVATE) == pte_private_set(lab->cfg.platform);
	return set ? UINT64_C(1) << LAB_ENC_BIT : 0;
}

static uint64_t table_attr(void)
{
	return PTE_P | PTE_RW | PTE_A |
		(pte_private_set(lab->cfg.platform) ? enc(VIEW_PRIVATE) : 0);
}

static uint64_t leaf_attr(void)
{
	return PTE_P | PTE_RW | PTE_G | PTE_NX | PTE_SOFT | enc(VIEW_PRIVATE);
}

/* The entry of @level for @vpn, with the tables above it made as needed. */
static uint64_t entry_at(unsigned int level, uint32_t vpn)
{
	uint64_t table = table_gpa(0), va = vpn_va(vpn);

	for (unsigned int l = 4; ; l--) {
		uint64_t pa = table + (va >> (12 + 9 * (l - 1)) & 511) * 8;
		uint64_t e = pte_visible(0, pa);

		if (l == level)
			return pa;
		if (!(e & PTE_P)) {
			e = lab_take_table() | table_attr();
			pte_now(pa, e);
		}
		table = e & PTE_ADDR & ~(UINT64_C(1) << LAB_ENC_BIT);
	}
}

static void map_4k(uint32_t vpn, uint32_t gfn)
{
	pte_now(entry_at(1, vpn), (uint64_t)gfn << 12 | leaf_attr());
}

static void map_2m(uint32_t vpn, uint32_t gfn)
{
	pte_now(entry_at(2, vpn), (uint64_t)gfn << 12 | leaf_attr() | PTE_PS |
		(has_pat(vpn) ? PTE_PAT_LARGE : 0));
}

static bool full;		/* there were more spots than room */

static void add_spot(uint32_t vpn, uint32_t gfn, enum spot_role role,
		     unsigned int owner, const char *name)
{
	struct spot *p;

	if (lab->nspots == LAB_SPOTS) {
		full = true;
		return;
	}
	p = &lab->spot[lab->nspots++];
	*p = (struct spot){ .vpn = vpn, .gfn = gfn, .role = role,
			    .owner = owner };
	snprintf(p->name, sizeof(p->name), "%s", name);
}

/* First frame of a converter's k-th range, and the distance of its pages. */
static uint32_t first_gfn(unsigned int c, unsigned int k)
{
	const struct lab_config *q = &lab->cfg;
	uint32_t chunk = GFN_CHUNK + k * 512;

	if (q->overlap == LAB_OVERLAP_NONE)
		return chunk + c * q->ranges * 512 +
			(has_row() ? q->first : FIRST);
	if (q->overlap == LAB_OVERLAP_LEAF)
		return chunk + FIRST + c * q->pages;
	return chunk + FIRST;
}

/*
 * Frame of the i-th page of a converter's k-th range. Scattered ones lie two
 * apart; many of them, back to front.
 */
static uint32_t page_gfn(unsigned int c, unsigned int k, unsigned int i)
{
	const struct lab_config *q = &lab->cfg;

	if (!q->vmalloc || q->together)
		return first_gfn(c, k) + i;
	return first_gfn(c, k) + (q->pages > 6 ? q->pages - 1 - i : 2 * i);
}

static uint32_t lazy_vpn(unsigned int c)
{
	return va_vpn(LAB_VMALLOC) + 512 * (LAB_MAX_CPUS + c);
}

static uint32_t vmalloc_vpn(unsigned int c)
{
	return va_vpn(LAB_VMALLOC) + 512 * c + 16;
}

/* The chunk's direct map: one large leaf? */
static bool leaf_2m(unsigned int chunk)
{
	return was_large(GFN_CHUNK + 512 * chunk);
}

static void map_chunks(void)
{
	unsigned int n = chunks();

	for (unsigned int c = 0; c < n; c++) {
		uint32_t g = GFN_CHUNK + 512 * c;

		if (leaf_2m(c)) {
			map_2m(g, g);
			continue;
		}
		for (uint32_t i = 0; i < (has_row() ? 512 : 64); i++)
			map_4k(g + i, g + i);
	}
	if (has_row()) {
		map_4k(GFN_CHUNK - 1, GFN_CHUNK - 1);
		map_4k(GFN_CHUNK + 512 * n, GFN_CHUNK + 512 * n);
	}
}

static void name_page(char *buf, size_t size, const char *what,
		      unsigned int c, unsigned int i)
{
	if (lab->cfg.converters > 1)
		snprintf(buf, size, "%s %u.%u", what, c, i);
	else
		snprintf(buf, size, "%s %u", what, i);
}

/* The pages of a range that are worth a look: all of a few, else the ends. */
static bool worth(unsigned int i)
{
	unsigned int n = lab->cfg.pages;

	return n <= LAB_FEW_PAGES || i == 0 || i == 1 || i == n - 1;
}

static void window_spot(unsigned int c, uint32_t gfn, const char *name)
{
	uint32_t vpn = window_vpn(c) + (gfn & 511);

	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].vpn == vpn)
			return;
	add_spot(vpn, gfn, SPOT_WINDOW, c, name);
}

static void page_spots(unsigned int c, uint32_t gfn, unsigned int i)
{
	bool twice = lab->cfg.overlap == LAB_OVERLAP_SAME && c > 0;
	uint32_t vm = vmalloc_vpn(c) + i;
	char name[40];

	name_page(name, sizeof(name), "page", c, i);
	if (lab->cfg.vmalloc && !twice) {
		map_4k(vm, gfn);
		add_spot(vm, gfn, SPOT_RANGE, c, name);
		name_page(name, sizeof(name), "alias", c, i);
		add_spot(gfn, gfn, SPOT_ALIAS, c, name);
	} else if (!twice) {
		add_spot(gfn, gfn, SPOT_RANGE, c, name);
	}
	if (lab->cfg.lazy && !twice) {
		name_page(name, sizeof(name), "old alias", c, i);
		add_spot(lazy_vpn(c) + i, gfn, SPOT_LAZY, c, name);
	}
	name_page(name, sizeof(name), "window", c, i);
	window_spot(c, gfn, name);
	for (unsigned int d = 0; lab->cfg.migrations && d < lab->cfg.cpus;
	     d++) {
		snprintf(name, sizeof(name), "window %u of CPU%u", i, d);
		window_spot(d, gfn, name);
	}
}

static void range_spots(unsigned int c)
{
	const struct lab_config *q = &lab->cfg;
	bool twice = q->overlap == LAB_OVERLAP_SAME && c > 0;

	for (unsigned int k = 0; k < q->ranges; k++) {
		uint32_t g = first_gfn(c, k);

		for (unsigned int i = 0; i < q->pages; i++)
			if (worth(i))
				page_spots(c, page_gfn(c, k, i),
					   k * q->pages + i);
		lab->range[c][k] = (struct airlock_range){
			vpn_va(q->vmalloc ? vmalloc_vpn(twice ? 0 : c) : g),
			q->pages,
		};
	}
	lab->nranges[c] = q->ranges;
}

/* Call f for every page that converter c converts. */
static void each_page(unsigned int c, void (*f)(uint32_t gfn, uint16_t arg),
		      uint16_t arg)
{
	for (unsigned int k = 0; k < lab->cfg.ranges; k++)
		for (unsigned int i = 0; i < lab->cfg.pages; i++)
			f(page_gfn(c, k, i), arg);
}

static void mark(uint32_t gfn, uint16_t flags)
{
	frame_change(gfn, 1, 0, flags);
}

static void bystander(uint32_t vpn, uint32_t gfn, const char *name)
{
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].vpn == vpn)
			return;
	if (!(frame_get(gfn) & F_RANGE))
		add_spot(vpn, gfn, SPOT_BYSTANDER, 0, name);
}

static void bystanders(void)
{
	const struct lab_config *q = &lab->cfg;
	uint32_t g0 = first_gfn(0, 0);
	unsigned int last = q->vmalloc && q->pages > 6 && !q->together ? 0 :
		q->pages - 1;
	uint32_t g1 = page_gfn(q->converters - 1, q->ranges - 1, last);
	uint32_t v = vmalloc_vpn(0);

	bystander(g0 - 1, g0 - 1, "before");
	bystander(g1 + 1, g1 + 1, "after");
	if (!q->vmalloc)
		return;
	if (q->pages > 1 && q->pages <= 6 && !q->together)
		bystander(g0 + 1, g0 + 1, "between");
	map_4k(v - 1, GFN_CHUNK + 1);
	bystander(v - 1, GFN_CHUNK + 1, "vm before");
	map_4k(v + q->pages, GFN_CHUNK + 2);
	bystander(v + q->pages, GFN_CHUNK + 2, "vm after");
}

/* Frames: all private; those of ranges marked. */
static void frames(void)
{
	const struct lab_config *q = &lab->cfg;
	struct mach *m = &lab->w.m;

	m->nruns = 1;
	m->run[0] = (struct frame_run){ 0, F_VALID | F_ACCEPTED };
	m->lock = -1;
	for (unsigned int c = 0; c < chunks(); c++)
		if (leaf_2m(c))
			frame_change(GFN_CHUNK + 512 * c, 512, 0, F_LARGE);
	for (unsigned int c = 0; c < q->converters; c++)
		each_page(c, mark, F_RANGE);
}

static bool share_first(void)
{
	const struct lab_config *q = &lab->cfg;
	unsigned int n = q->overlap == LAB_OVERLAP_SAME ? 1 : q->converters;

	for (unsigned int c = 0; c < n; c++) {
		lab->cpu = c;
		if (airlock_convert(engine.a, lab->range[c],
				    lab->nranges[c], AIRLOCK_TO_SHARED, NULL))
			return false;
	}
	return true;
}

/* What was shared by others than the engine is told to it, in any pieces. */
static void note_ranges(void)
{
	for (unsigned int k = 0; k < lab->nranges[0]; k++) {
		uint64_t left = lab->range[0][k].pages, n = 1;
		uint64_t gpa = lab->range[0][k].va - LAB_DIRECT;

		for (; left; left -= n, gpa += n << 12, n *= 3) {
			if (n > left)
				n = left;
			airlock_note(engine.a, gpa, n, AIRLOCK_TO_SHARED);
		}
	}
}

static bool sensible(const struct lab_config *q, const char **why)
{
	bool many = q->pages > (q->vmalloc ? LAB_FEW_PAGES : 6) && !has_row();

	*why = !q->cpus || q->cpus > LAB_MAX_CPUS ? "1 to 4 CPUs" :
		!q->converters || q->converters > q->cpus ?
		"at least one converter, and no more than CPUs" :
		many || q->pages > LAB_MAX_PAGES || q->first > 511 ?
		"1 to 6 pages, or 25 to 1024" :
		has_row() && (q->vmalloc || q->converters > 1) ?
		"more than 6 pages: direct map and one converter only" :
		!q->pages ? "at least one page" :
		q->ranges < 1 || q->ranges > 2 ? "1 or 2 ranges" :
		q->ranges > 1 && (q->vmalloc || has_row()) ?
		"2 ranges: direct map and a few pages only" :
		q->ranges * q->converters > 4 ||
		(!has_row() && q->pages > 6 && q->converters > 1) ||
		(q->pages <= 6 &&
		 q->ranges * q->converters * q->pages > 6) ? "at most 6 pages in 4 ranges in all" :
		q->vmalloc && q->overlap == LAB_OVERLAP_LEAF ?
		"pages of one leaf: direct map only" :
		q->store_buffer > LAB_SB ? "store buffer of 0 to 8" :
		q->rounds < 1 || q->rounds > 4 ? "1 to 4 rounds" :
		q->acts > 3 || q->fails > 3 ? "at most 3 acts" :
		q->migrations > 3 ? "at most 3 migrations" :
		q->migrations && q->cpus == q->converters ?
		"a thread that moves needs a CPU that does not convert" :
		q->migrations && q->leaf_2m && q->pages > 6 ?
		"a thread that moves: a few pages only" :
		q->reclaim && (q->cpus > 1 || q->to == AIRLOCK_TO_SHARED ||
			       q->rounds > 1 || q->vmalloc || q->lazy) ?
		"airlock_reclaim_all(): one CPU, to private, once, direct map" :
		q->host == LAB_HOST_HOSTILE && !q->acts ?
		"a hostile host that acts once at least" :
		q->platform >= AIRLOCK_PLATFORMS ? "no such platform" : NULL;
	return !*why;
}

static void settle(void)
{
	memset(lab->w.hw, 0, sizeof(lab->w.hw));
	lab->w.m.lock = -1;
	memset(lab->w.m.calls, 0, sizeof(lab->w.m.calls));
	lab->w.m.hook = lab->w.m.caught = lab->w.m.stuck = 0;
	lab->w.m.moves = (uint8_t)lab->cfg.migrations;
	for (unsigned int c = 0; lab->cfg.migrations && c < lab->cfg.cpus; c++)
		lab->w.hw[c].id = (uint8_t)c;
	if (lab->cfg.host == LAB_HOST_FAILING)
		lab->w.m.fails = (uint8_t)most_fails(&lab->cfg);
	if (lab->cfg.host == LAB_HOST_HOSTILE)
		lab->w.m.acts = (uint8_t)lab->cfg.acts;
}

/* vunmap() cleared the entries and left the flush for later. */
static void lazy_entries(void)
{
	for (unsigned int s = 0; s < lab->nspots; s++) {
		const struct spot *p = &lab->spot[s];
		struct translation t = {
			.gfn = p->gfn, .level = 1, .present = true,
			.view = lab->cfg.to == AIRLOCK_TO_SHARED ?
				VIEW_PRIVATE : VIEW_SHARED,
		};

		for (unsigned int c = 0; c < lab->cfg.cpus; c++)
			if (p->role == SPOT_LAZY)
				tlb_fill(c, &t, p->vpn);
	}
}

/*
 * Memory ends with the last range, or with the leaf that it lies in: of an odd
 * number of pages, and of many. Of others something lies behind.
 */
static uint64_t memory_end(void)
{
	const struct lab_config *q = &lab->cfg;
	uint32_t end = 0;

	if (!(q->pages & 1) && q->pages < 512)
		return (uint64_t)GFN_END << 12;
	if (q->leaf_2m)
		return (uint64_t)(GFN_CHUNK + 512 * chunks()) << 12;
	for (unsigned int c = 0; c < q->converters; c++)
		for (unsigned int k = 0; k < q->ranges; k++)
			for (unsigned int i = 0; i < q->pages; i++)
				if (page_gfn(c, k, i) >= end)
					end = page_gfn(c, k, i) + 1;
	return (uint64_t)end << 12;
}

bool setup(const char **why)
{
	const struct lab_config *q = &lab->cfg;

	full = false;
	if (!sensible(q, why))
		return false;
	frames();
	mmu_init();
	map_chunks();
	for (unsigned int c = 0; c < q->converters; c++)
		range_spots(c);
	bystanders();
	if (full) {
		*why = "more pages and mappings than the lab can watch";
		return false;
	}
	engine.cfg = (struct airlock_config){
		.platform = q->platform, .features = q->features,
		.enc_bit = LAB_ENC_BIT, .levels = 4, .root = table_gpa(0),
		.table_attr = table_attr(), .memory = memory_end(),
		.cpus = q->cpus, .window = LAB_WINDOW,
		.direct_map = LAB_DIRECT,
	};
	engine_init(request_now);
	if (q->to == AIRLOCK_TO_PRIVATE && q->platform != AIRLOCK_PLAIN &&
	    !share_first()) {
		*why = "the first state cannot be reached";
		return false;
	}
	if (q->reclaim)
		note_ranges();
	lab->setup = false;
	settle();
	lazy_entries();
	for (unsigned int c = 0; c < q->converters; c++) {
		owner_writes(c);
		engine_start(c);
	}
	return true;
}
