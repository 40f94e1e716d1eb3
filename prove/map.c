// SPDX-License-Identifier: GPL-2.0
/*
 * The map from a state of the lab to one of the proof. Mapping m and page m
 * are the m-th page of the range; call 0 is that of CPU 0.
 */
#include "map.h"
#include "engine.h"

#include <string.h>

const char *const map_seen[] = {
	"owned", "led", "mp", "ms", "tp", "ts", "wait", "hs", "hv", "hi", "ha",
	"dp", "ds", "st", NULL,
};

static const struct spot *spot(unsigned int m)
{
	for (unsigned int i = 0; i < lab->nspots; i++)
		if (lab->spot[i].role == SPOT_RANGE && !m--)
			return &lab->spot[i];
	return NULL;
}

unsigned int map_pages(void)
{
	unsigned int n = 0;

	while (spot(n))
		n++;
	return n;
}

/* Where the 4K entry of a page lies. */
static uint64_t leaf_pa(uint32_t vpn)
{
	uint64_t table = table_gpa(0), e;

	for (unsigned int level = 4; level > 1; level--) {
		unsigned int i = (unsigned int)(vpn_va(vpn) >>
			(12 + 9 * (level - 1))) & 511;
		e = table_page((unsigned int)(table >> 12) - GFN_TABLES)[i];
		table = e & PTE_ADDR & ~(UINT64_C(1) << LAB_ENC_BIT);
	}
	return table + (vpn_va(vpn) >> 12 & 511) * 8;
}

static uint8_t entry_bits(uint64_t e)
{
	bool set = e >> LAB_ENC_BIT & 1;
	bool shared = set != pte_private_set(lab->cfg.platform);

	return (uint8_t)((e & PTE_P ? 1 : 0) | (shared ? 2 : 0));
}

unsigned int map_pending(unsigned int c, unsigned int m, uint8_t *value)
{
	const struct hw *h = &lab->w.hw[c];
	uint64_t pa = leaf_pa(spot(m)->vpn);
	unsigned int n = 0;

	for (unsigned int i = 0; i < h->nsb; i++)
		if (h->sb[i].pa == pa)
			value[n++] = entry_bits(h->sb[i].val);
	return n;
}

static void set(const struct instance *x, uint8_t *st, const char *name,
		unsigned int i, bool value)
{
	uint8_t *at = instance_at(x, st, name, i);

	if (at)
		*at = value;
}

static void map_page(const struct instance *x, uint8_t *st, unsigned int m)
{
	const struct spot *p = spot(m);
	uint64_t pa = leaf_pa(p->vpn);
	uint8_t e = entry_bits(table_page((unsigned int)(pa >> 12) -
					  GFN_TABLES)[(pa & 0xfff) / 8]);
	enum airlock_page state = airlock_page(engine.a,
					       (uint64_t)p->gfn << 12);
	uint16_t f = frame_get(p->gfn);
	bool owned = state == AIRLOCK_PAGE_TRANSITION;

	set(x, st, "owned", m, owned);
	set(x, st, "led", m, owned ? lab->cfg.to == AIRLOCK_TO_PRIVATE :
	    state == AIRLOCK_PAGE_SHARED);
	set(x, st, "mp", m, e & 1);
	set(x, st, "ms", m, e & 2);
	set(x, st, "hs", m, f & F_SHARED);
	set(x, st, "hv", m, f & F_VALID);
	set(x, st, "hi", m, f & F_IMPLICIT);
	set(x, st, "ha", m, f & F_ACCEPTED);
	set(x, st, "dp", m, f & F_DIRTY_P);
	set(x, st, "ds", m, f & F_DIRTY_S);
	set(x, st, "st", m, f & F_STALE_LINE);
}

static void map_tlb(const struct instance *x, uint8_t *st, unsigned int c)
{
	const struct hw *h = &lab->w.hw[c];

	for (unsigned int m = 0; m < x->pages; m++)
		for (unsigned int i = 0; i < h->ntlb; i++)
			if (h->tlb[i].vpn == spot(m)->vpn)
				set(x, st, h->tlb[i].view ? "ts" : "tp",
				    c * x->pages + m, true);
	set(x, st, "wait", c, lab->w.hw[0].sent &&
	    (lab->w.hw[0].waiting >> c & 1));
}

void map_state(const struct instance *x, uint8_t *st)
{
	memset(st, 0, MAX_VALUES);
	ctx_load();
	for (unsigned int m = 0; m < x->pages; m++)
		map_page(x, st, m);
	for (unsigned int c = 0; c < x->cpus; c++)
		map_tlb(x, st, c);
}
