// SPDX-License-Identifier: GPL-2.0
/* Spots: what a linear page maps, and what a trace calls it. */
#include "machine.h"

#include <stdio.h>
#include <string.h>

bool spot_gfn(uint32_t vpn, uint32_t *gfn)
{
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].vpn == vpn) {
			*gfn = lab->spot[s].gfn;
			return true;
		}
	if (vpn >= GFN_END)
		return false;
	*gfn = vpn;	/* the direct map */
	return true;
}

const char *va_name(uint64_t va)
{
	static char buf[40];
	uint32_t vpn = va_vpn(va);

	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].vpn == vpn)
			return lab->spot[s].name;
	if (has_row() && vpn - row_gfn() < lab->cfg.pages)
		return spot_number(ROW + vpn - row_gfn())->name;
	snprintf(buf, sizeof(buf), "%#llx", (unsigned long long)va);
	return buf;
}

const char *page_name(uint32_t gfn)
{
	static char buf[2][32];
	static unsigned int turn;
	char *b = buf[turn++ & 1];

	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].gfn == gfn &&
		    (lab->spot[s].role == SPOT_RANGE ||
		     lab->spot[s].role == SPOT_BYSTANDER))
			return lab->spot[s].name;
	if (has_row() && gfn - row_gfn() < lab->cfg.pages)
		snprintf(b, sizeof(buf[0]), "page %u", gfn - row_gfn());
	else
		snprintf(b, sizeof(buf[0]), "frame %#x", gfn);
	return b;
}

/* The owner has written to its pages: their lines may be dirty. */
void owner_writes(unsigned int c)
{
	const struct lab_config *q = &lab->cfg;
	bool amd = q->platform == AIRLOCK_SNP || q->platform == AIRLOCK_SEV;
	bool share = direction(lab, c) == AIRLOCK_TO_SHARED;
	uint32_t gfn = 0;

	if (amd && (q->features & AIRLOCK_F_COHERENT))
		return;
	if (!amd && (q->platform != AIRLOCK_TDX || !share))
		return;
	for (unsigned int k = 0; k < lab->nranges[c]; k++)
		for (uint32_t i = 0; i < lab->range[c][k].pages; i++)
			if (spot_gfn(va_vpn(lab->range[c][k].va) + i, &gfn))
				frame_change(gfn, 1, 0, share ? F_DIRTY_P :
					     F_DIRTY_S);
}

unsigned int chunks(void)
{
	const struct lab_config *q = &lab->cfg;

	if (has_row())
		return (q->first + q->pages + 511) / 512;
	return q->ranges *
		(q->overlap == LAB_OVERLAP_NONE ? q->converters : 1);
}

bool was_large(uint32_t vpn)
{
	const struct lab_config *q = &lab->cfg;

	return q->leaf_2m && vpn >= GFN_CHUNK &&
		vpn < GFN_CHUNK + 512 * chunks() &&
		!(q->mixed && vpn < GFN_CHUNK + 512);
}

/*
 * The bit that is PAT in a small entry says in a large one that it is a leaf.
 * Both values are seen: every second leaf has PAT, and which is the first
 * depends on the direction.
 */
bool has_pat(uint32_t vpn)
{
	return was_large(vpn) && ((vpn - GFN_CHUNK) / 512 +
				  (lab->cfg.to == AIRLOCK_TO_SHARED)) % 2;
}

/* ---- a long range: every page of it ---- */

bool has_row(void)
{
	return lab->cfg.pages > LAB_FEW_PAGES;
}

uint32_t row_gfn(void)
{
	return va_vpn(lab->range[0][0].va);	/* the direct map */
}

uint32_t window_vpn(unsigned int cpu)
{
	return va_vpn(LAB_WINDOW + cpu * AIRLOCK_WINDOW_STRIDE +
		      AIRLOCK_WINDOW_STRIDE / 2);
}

unsigned int windows(void)
{
	return lab->cfg.migrations ? lab->cfg.cpus : lab->cfg.converters;
}

const struct spot *spot_number(unsigned int s)
{
	static struct spot p;
	uint32_t gfn;

	if (s < ROW)
		return &lab->spot[s];
	gfn = row_gfn() + s - ROW;
	p = (struct spot){ .vpn = gfn, .gfn = gfn, .role = SPOT_RANGE };
	snprintf(p.name, sizeof(p.name), "page %u", s - ROW);
	return &p;
}

static void head(uint64_t *heads, unsigned int i)
{
	if (i < lab->cfg.pages)
		heads[i / 64] |= UINT64_C(1) << (i % 64);
}

/* Entries follow one from the other: the next frame, or none. */
static void entry_heads(uint32_t id, uint64_t *heads)
{
	const uint64_t *e = intern_get(lab->pages, id);

	memset(heads, 0, HEAD_WORDS * sizeof(*heads));
	for (unsigned int i = 1; i < 512; i++)
		if (e[i] != e[i - 1] + 4096 && (e[i] || e[i - 1]))
			heads[i / 64] |= UINT64_C(1) << (i % 64);
}

static const uint64_t *table_heads(uint32_t id)
{
	unsigned int k = id % 64;

	if (lab->row[k].page != id + 1) {
		lab->row[k].page = id + 1;
		entry_heads(id, lab->row[k].heads);
	}
	return lab->row[k].heads;
}

/* The pages of the row whose entry, in whatever table, is the i-th. */
static void entry_head(uint64_t *heads, unsigned int i)
{
	for (i = (i - row_gfn()) & 511; i < lab->cfg.pages; i += 512)
		head(heads, i);
}

static void tables_heads(uint64_t *heads)
{
	for (unsigned int t = 0; t < LAB_TABLES; t++) {
		const uint64_t *h;

		if (!(lab->w.m.used >> t & 1))
			continue;
		h = table_heads(lab->w.t.id[t]);
		for (unsigned int i = 0; i < HEAD_WORDS; i++)
			for (uint64_t w = h[i]; w; w &= w - 1)
				entry_head(heads, i * 64 + (unsigned int)
					   __builtin_ctzll(w));
	}
}

static void hw_heads(uint64_t *heads, const struct hw *h)
{
	for (unsigned int i = 0; i < h->nsb; i++) {
		unsigned int at = h->sb[i].pa / 8 & 511;

		entry_head(heads, at);
		entry_head(heads, at + 1);
	}
	for (unsigned int i = 0; i < h->ntlb; i++) {
		const struct tlbe *e = &h->tlb[i];

		head(heads, e->vpn - row_gfn());
		head(heads, e->vpn + (e->level > 1 ? 512u : e->many) -
		     row_gfn());
	}
}

/*
 * Between two heads the pages are alike: frames in the same state, entries
 * that follow one from the other in every table, the same in every TLB, and no
 * store under way. So what an access meets at the first of them it meets at
 * each.
 */
void row_heads(uint64_t heads[ROW_WORDS])
{
	const struct mach *m = &lab->w.m;

	memset(heads, 0, ROW_WORDS * sizeof(*heads));
	head(heads, 0);
	entry_head(heads, 0);
	for (unsigned int i = 0; i < m->nruns; i++)
		head(heads, m->run[i].gfn - row_gfn());
	tables_heads(heads);
	for (unsigned int c = 0; c < lab->cfg.cpus; c++)
		hw_heads(heads, &lab->w.hw[c]);
}

unsigned int row_next(const uint64_t heads[ROW_WORDS], unsigned int i)
{
	while (i < lab->cfg.pages) {
		uint64_t w = heads[i / 64] >> (i % 64);

		if (w)
			return i + (unsigned int)__builtin_ctzll(w);
		i = (i | 63) + 1;
	}
	return lab->cfg.pages;
}
