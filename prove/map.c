// SPDX-License-Identifier: GPL-2.0
/*
 * The map from a state of the lab to one of the proof. Call k is that of CPU k;
 * pages are those of all ranges, mappings their leaf entries, aliases too.
 */
#include "map.h"
#include "engine.h"

#include <string.h>

const char *const map_seen[] = {
	"owned", "led", "mp", "ms", "tp", "ts", "wait", "hs", "hv", "hi", "ha",
	"dp", "ds", "st", "qu", "ta", NULL,
};

/* ---- which pages, which mappings ---- */

static unsigned int page_of(struct map *m, uint32_t gfn)
{
	unsigned int p = 0;

	while (p < m->pages && m->gfn[p] != gfn)
		p++;
	if (p == m->pages && p < MAX_MAPS)
		m->gfn[m->pages++] = gfn;
	return p;
}

bool map_make(struct map *m)
{
	memset(m, 0, sizeof(*m));
	for (unsigned int i = 0; i < lab->nspots; i++) {
		const struct spot *s = &lab->spot[i];

		/* The proved system has no alias without an entry. */
		if (s->role == SPOT_LAZY)
			return false;
		if (s->role != SPOT_RANGE && s->role != SPOT_ALIAS)
			continue;
		if (m->maps == MAX_MAPS)
			return false;
		m->vpn[m->maps] = s->vpn;
		m->page_of[m->maps] = (uint8_t)page_of(m, s->gfn);
		snprintf(m->name[m->maps++], sizeof(m->name[0]), "%.23s",
			 s->name);
	}
	return true;
}

/* ---- entries ---- */

/* An entry once the oldest @k stores of CPU @c are in memory. */
static uint64_t entry(uint64_t pa, unsigned int c, unsigned int k)
{
	const struct hw *h = &lab->w.hw[c];
	uint64_t e = table_page((unsigned int)(pa >> 12) -
				GFN_TABLES)[(pa & 0xfff) / 8];

	for (unsigned int i = 0; i < k; i++)
		if (h->sb[i].pa == pa)
			e = h->sb[i].val;
	return e;
}

/* The leaf entry that maps a page, whatever its size; 0: there is none. */
static uint64_t leaf(uint32_t vpn, unsigned int c, unsigned int k)
{
	uint64_t table = table_gpa(0), e = 0;

	for (unsigned int level = 4; level; level--) {
		unsigned int i = (unsigned int)(vpn_va(vpn) >>
			(12 + 9 * (level - 1))) & 511;

		e = entry(table + i * 8, c, k);
		if (level == 1 || (level < 4 && (e & PTE_PS)))
			return e;
		if (!(e & PTE_P))
			return 0;
		table = e & PTE_ADDR & ~(UINT64_C(1) << LAB_ENC_BIT);
	}
	return e;
}

static uint8_t entry_bits(uint64_t e)
{
	bool set = e >> LAB_ENC_BIT & 1;
	bool shared = set != pte_private_set(lab->cfg.platform);

	return (uint8_t)((e & PTE_P ? 1 : 0) | (shared ? 2 : 0));
}

unsigned int map_pending(const struct map *m, unsigned int c, unsigned int i,
			 uint8_t value[MAP_PENDING])
{
	uint8_t was = entry_bits(leaf(m->vpn[i], c, 0));
	unsigned int n = 0;

	for (unsigned int k = 1; k <= lab->w.hw[c].nsb; k++) {
		uint8_t is = entry_bits(leaf(m->vpn[i], c, k));

		if (is != was)
			value[n++] = is;
		was = is;
	}
	return n;
}

/* ---- the state ---- */

static void set(const struct instance *x, uint8_t *st, const char *name,
		unsigned int i, bool value)
{
	uint8_t *at = instance_at(x, st, name, i);

	if (at)
		*at = value;
}

/* A hostile host lied about it, failed, or took it: see protocol.c, taken(). */
static bool is_taken(uint16_t f)
{
	return (f & (F_TAMPERED | F_DOUBT)) || lab->w.m.muddled;
}

static void map_page(const struct map *m, const struct instance *x,
		     uint8_t *st, unsigned int p)
{
	enum airlock_page state = airlock_page(engine.a,
					       (uint64_t)m->gfn[p] << 12);
	uint16_t f = frame_get(m->gfn[p]);
	bool taken = instance_at(x, st, "ta", p) && is_taken(f);

	set(x, st, "owned", p, state == AIRLOCK_PAGE_TRANSITION);
	set(x, st, "qu", p, state == AIRLOCK_PAGE_QUARANTINE);
	set(x, st, "led", p, state == AIRLOCK_PAGE_SHARED);
	set(x, st, "ta", p, taken);
	set(x, st, "ha", p, f & F_ACCEPTED);
	if (taken)
		return;
	set(x, st, "hs", p, f & F_SHARED);
	set(x, st, "hv", p, f & F_VALID);
	set(x, st, "hi", p, f & F_IMPLICIT);
	set(x, st, "dp", p, f & F_DIRTY_P);
	set(x, st, "ds", p, f & F_DIRTY_S);
	set(x, st, "st", p, f & F_STALE_LINE);
}

static void map_entry(const struct map *m, const struct instance *x,
		      uint8_t *st, unsigned int i)
{
	uint8_t e = entry_bits(leaf(m->vpn[i], 0, 0));

	set(x, st, "mp", i, e & 1);
	set(x, st, "ms", i, e & 2);
}

static bool covers(const struct tlbe *t, uint32_t vpn)
{
	return vpn - t->vpn < UINT32_C(1) << (9 * (t->level - 1));
}

static void map_tlb(const struct map *m, const struct instance *x,
		    uint8_t *st, unsigned int c)
{
	const struct hw *h = &lab->w.hw[c];

	for (unsigned int i = 0; i < h->ntlb; i++)
		for (unsigned int k = 0; k < m->maps; k++)
			if (covers(&h->tlb[i], m->vpn[k]))
				set(x, st, h->tlb[i].view ? "ts" : "tp",
				    c * m->maps + k, true);
}

/* Call k waits for CPU c. */
static void map_waits(const struct instance *x, uint8_t *st, unsigned int k)
{
	const struct hw *h = &lab->w.hw[k];

	for (unsigned int c = 0; c < x->cpus; c++)
		set(x, st, "wait", k * x->cpus + c, h->sent &&
		    (h->waiting >> c & 1));
}

void map_state(const struct map *m, const struct instance *x, uint8_t *st)
{
	memset(st, 0, x->values);
	ctx_load();
	for (unsigned int p = 0; p < m->pages; p++)
		map_page(m, x, st, p);
	for (unsigned int i = 0; i < m->maps; i++)
		map_entry(m, x, st, i);
	for (unsigned int c = 0; c < x->cpus; c++)
		map_tlb(m, x, st, c);
	for (unsigned int k = 0; k < x->calls; k++)
		map_waits(x, st, k);
}
