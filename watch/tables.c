// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's page tables, as shadow copies, and who maps a frame.
 *
 *    root[slot] -> table, level 2 -> table, level 1 -> table, level 0
 *                     |                |                 |
 *                  1G leaf          2M leaf           4K leaf
 *
 * A table is copied when it is linked. From then on a store into it is
 * compared with the copy, word by word. A table that is taken away stays, by a
 * cached link, for as long as some CPU may still hold the entry that led to
 * it.
 */
#include "inside.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/*
 * KASAN's early shadow is one table of each level, which stands at millions of
 * places and maps one page of zeros. What is beyond these is counted.
 */
#define PLACES_MAX	64u

/* Accessed and dirty, and bits that only software reads, change nothing. */
#define SAME_BITS	(ENTRY_P | ENTRY_LARGE | ENTRY_GLOBAL | WATCH_ADDR | \
			 WATCH_BIT)

static void *room(void *p, uint32_t used, uint32_t *have, size_t size)
{
	if (used < *have)
		return p;
	*have = *have ? 2 * *have : 1024;
	p = realloc(p, *have * size);
	if (!p)
		err(1, "watch");
	return p;
}

void tables_init(struct watch *w)
{
	size_t n = w->frames + 1;

	w->table_of = malloc(n * sizeof(*w->table_of));
	w->leaf4 = malloc(n * sizeof(*w->leaf4));
	w->leaf2 = malloc((n / 512 + 1) * sizeof(*w->leaf2));
	w->pgd = calloc(n, 1);
	if (!w->table_of || !w->leaf4 || !w->leaf2 || !w->pgd)
		err(1, "watch");
	memset(w->table_of, 0xff, n * sizeof(*w->table_of));
	memset(w->leaf4, 0xff, n * sizeof(*w->leaf4));
	memset(w->leaf2, 0xff, (n / 512 + 1) * sizeof(*w->leaf2));
	memset(w->leaf1, 0xff, sizeof(w->leaf1));
	w->free_link = NONE;
	w->free_table = NONE;
}

void tables_free(struct watch *w)
{
	for (uint32_t i = 0; i < w->tables; i++)
		free(w->table[i]);
	free(w->table);
	free(w->link);
	free(w->table_of);
	free(w->leaf4);
	free(w->leaf2);
	free(w->pgd);
}

static struct table *table_at(const struct watch *w, uint64_t gpa)
{
	uint32_t t = gpa / WATCH_PAGE < w->frames ?
		w->table_of[gpa / WATCH_PAGE] : NONE;

	return t == NONE ? NULL : w->table[t];
}

/* The table that an entry leads to, 0 if it does not. */
static uint64_t leads_to(uint64_t e, unsigned int level)
{
	return level && (e & ENTRY_P) && !(e & ENTRY_LARGE) ?
		e & WATCH_ADDR : 0;
}

/* ---- nodes: who maps a frame ---- */

static uint32_t *node_list(struct watch *w, uint64_t e, unsigned int level)
{
	uint64_t pa = entry_pa(e, level);

	if (pa >= w->cfg.ram_size)
		return NULL;
	return level == 0 ? &w->leaf4[pa >> 12] :
		level == 1 ? &w->leaf2[pa >> 21] : &w->leaf1[pa >> 30];
}

static void node_add(struct watch *w, uint32_t t, unsigned int i, uint64_t e)
{
	uint32_t *list = node_list(w, e, w->table[t]->level);

	if (!list)
		return;
	w->table[t]->next[i] = *list;
	*list = t * 512 + i;
}

static void node_remove(struct watch *w, uint32_t t, unsigned int i,
			uint64_t e)
{
	uint32_t *at = node_list(w, e, w->table[t]->level);

	for (; at && *at != NONE; at = &w->table[*at / 512]->next[*at % 512])
		if (*at == t * 512 + i) {
			*at = w->table[t]->next[i];
			return;
		}
}

/* ---- links ---- */

uint64_t link_held(const struct watch *w, const struct link *l)
{
	uint32_t may = flush_counts(l->cpus, l->seen, l->writer);

	/* A load of CR3 drops paging-structure caches, global or not. */
	return l->live ? w->on_mask : held(w, may, l->since, false) |
		(l->cpus & ~may & w->on_mask);
}

static uint32_t link_new(struct watch *w, struct table *t, uint64_t va)
{
	uint32_t n = w->free_link;

	if (n != NONE) {
		w->free_link = w->link[n].next;
	} else {
		w->link = room(w->link, w->links, &w->links_room,
			       sizeof(*w->link));
		n = w->links++;
	}
	w->link[n] = (struct link){ .va = va, .next = t->links };
	t->links = n;
	t->places++;
	return n;
}

static uint32_t table_slot(struct watch *w)
{
	uint32_t n = w->free_table;

	if (n != NONE) {
		w->free_table = w->table[n]->next[0];
		return n;
	}
	w->table = room(w->table, w->tables, &w->tables_room,
			sizeof(*w->table));
	w->table[w->tables] = calloc(1, sizeof(**w->table));
	if (!w->table[w->tables])
		err(1, "watch");
	return w->tables++;
}

static struct table *table_new(struct watch *w, uint64_t gpa,
			       unsigned int level)
{
	uint32_t n = table_slot(w);
	struct table *t = w->table[n];

	w->table_of[gpa / WATCH_PAGE] = n;
	w->counts.tables++;
	t->gpa = gpa;
	t->level = level;
	t->links = NONE;
	t->places = 0;
	for (unsigned int i = 0; i < 512; i++) {
		t->shadow[i] = entry_read(w, gpa + 8 * i);
		if (is_leaf(t->shadow[i], level))
			node_add(w, n, i, t->shadow[i]);
	}
	return t;
}

/* Nobody can come to it any more. */
static void table_drop(struct watch *w, uint32_t n)
{
	struct table *t = w->table[n];

	for (unsigned int i = 0; i < 512; i++)
		if (is_leaf(t->shadow[i], t->level))
			node_remove(w, n, i, t->shadow[i]);
	memset(t->shadow, 0, sizeof(t->shadow));
	w->table_of[t->gpa / WATCH_PAGE] = NONE;
	w->counts.tables--;
	t->gpa = UINT64_MAX;
	t->next[0] = w->free_table;
	w->free_table = n;
}

/* A cached link: out of the list at @at. */
static void link_drop(struct watch *w, struct table *t, uint32_t *at)
{
	uint32_t l = *at;

	w->cached--;
	t->places--;
	buffer_dropped(w, true, l);
	*at = w->link[l].next;
	w->link[l].next = w->free_link;
	w->free_link = l;
}

/*
 * A page that was a table of another level, and is in the tables anew: what it
 * was is over. Its leaves were noted when it was taken away. What a CPU that
 * still holds the entry that led to it makes of its new words is not followed.
 */
static bool table_over(struct watch *w, uint64_t gpa, const struct link *above)
{
	uint32_t n = w->table_of[gpa / WATCH_PAGE];
	uint32_t *at = &w->table[n]->links;

	if (above && !above->live)
		return false;
	for (uint32_t l = *at; l != NONE; l = w->link[l].next)
		if (w->link[l].live)
			return false;
	while (*at != NONE)
		link_drop(w, w->table[n], at);
	table_drop(w, n);
	return true;
}

static void table_link(struct watch *w, uint64_t gpa, unsigned int level,
		       uint64_t va, const struct link *above)
{
	struct table *t = table_at(w, gpa);
	uint32_t n;

	if (gpa / WATCH_PAGE >= w->frames)
		return;
	if (t && t->level != level && !table_over(w, gpa, above))
		return;
	t = table_at(w, gpa);
	if (!t)
		t = table_new(w, gpa, level);
	for (n = t->links; n != NONE; n = w->link[n].next)
		if (w->link[n].va == va)
			break;
	if (n != NONE && w->link[n].live)
		return;
	if (n == NONE && t->places == PLACES_MAX) {
		w->counts.places_left_out++;
		return;
	}
	if (n == NONE)
		n = link_new(w, t, va);
	else
		w->cached--;
	w->link[n].live = !above || above->live;
	if (!w->link[n].live) {
		w->cached++;
		w->link[n].cpus = above->cpus;
		w->link[n].since = above->since;
		w->link[n].rip = above->rip;
		if (above->seen != SEEN)
			buffer_store(w, above->writer, true, n);
	}
	for (unsigned int i = 0; i < 512; i++) {
		struct link copy = w->link[n];
		uint64_t next = leads_to(t->shadow[i], level);

		if (next)
			table_link(w, next, level - 1, va + i * span(level),
				   &copy);
	}
}

/* Taken out of the tables: by a link that CPUs may still have cached. */
static void table_unlink(struct watch *w, unsigned int cpu, uint64_t gpa,
			 uint64_t va, uint32_t cpus, uint64_t rip)
{
	struct table *t = table_at(w, gpa);
	uint32_t n;

	for (n = t ? t->links : NONE; n != NONE; n = w->link[n].next)
		if (w->link[n].va == va && w->link[n].live)
			break;
	if (n == NONE)
		return;
	w->cached++;
	w->link[n].live = false;
	w->link[n].cpus = cpus;
	w->link[n].since = w->time;
	w->link[n].rip = rip;
	buffer_store(w, cpu, true, n);
	for (unsigned int i = 0; i < 512; i++) {
		uint64_t e = t->shadow[i], at = va + i * span(t->level);

		if (is_leaf(e, t->level))
			tlb_left(w, cpu, at, e, t->level, cpus, rip);
		else if (leads_to(e, t->level))
			table_unlink(w, cpu, leads_to(e, t->level), at, cpus,
				     rip);
	}
}

/* Forget links that no CPU holds; false: the table went with its last one. */
static bool table_prune(struct watch *w, uint32_t n)
{
	struct table *t = w->table[n];
	uint32_t *at = &t->links;

	while (*at != NONE) {
		if (link_held(w, &w->link[*at]))
			at = &w->link[*at].next;
		else
			link_drop(w, t, at);
	}
	if (t->links != NONE)
		return true;
	table_drop(w, n);
	return false;
}

void tables_prune(struct watch *w)
{
	for (uint32_t n = 0; w->cached && n < w->tables; n++)
		if (w->table[n]->links != NONE)
			table_prune(w, n);
}

/* ---- the root ---- */

static void root_set(struct watch *w, unsigned int slot, uint64_t gpa,
		     bool alone)
{
	uint64_t va = (uint64_t)slot << 39;

	if (slot >= ROOT_SLOTS / 2)
		va |= UINT64_C(0xffff) << 48;
	if (w->root[slot] == gpa || (!gpa && !alone))
		return;
	/* Loading CR3 drops what hung on the former root. */
	if (w->root[slot] && alone)
		table_unlink(w, 0, w->root[slot], va, 0, 0);
	w->root[slot] = gpa;
	if (gpa)
		table_link(w, gpa, 2, va, NULL);
}

void tables_root(struct watch *w, unsigned int cpu, uint64_t cr3)
{
	bool alone = !(w->on_mask & ~(1u << cpu));

	cr3 &= WATCH_ADDR;
	if (cr3 / WATCH_PAGE >= w->frames)
		return;
	if (w->cpu[cpu].cr3 != cr3) {
		uint64_t old = w->cpu[cpu].cr3;

		w->cpu[cpu].cr3 = cr3;
		if (old) {
			w->pgd[old / WATCH_PAGE] = 0;
			for (unsigned int c = 0; c < WATCH_CPUS; c++)
				if (w->cpu[c].cr3 == old)
					w->pgd[old / WATCH_PAGE] = 1;
		}
		w->pgd[cr3 / WATCH_PAGE] = 1;
	}
	for (unsigned int i = w->cfg.low ? 0 : ROOT_SLOTS / 2; i < ROOT_SLOTS;
	     i++) {
		uint64_t e = entry_read(w, cr3 + 8 * i);

		root_set(w, i, e & ENTRY_P ? e & WATCH_ADDR : 0, alone);
	}
}

/* ---- stores ---- */

static void note(struct watch *w, unsigned int cpu, const struct table *t,
		 uint64_t va, uint64_t old, uint64_t new, uint64_t rip)
{
	uint64_t e = is_leaf(new, t->level) ? new : old;

	history_add(w, &(struct watch_event){
		.kind = EVENT_ENTRY, .cpu = cpu, .level = t->level, .va = va,
		.frame = is_leaf(e, t->level) || e & WATCH_ADDR ?
			entry_pa(e, t->level) / WATCH_PAGE : EVENT_NOWHERE,
		.pages = span(t->level) / WATCH_PAGE,
		.old = old, .new = new, .rip = rip,
	});
}

static void changed_at(struct watch *w, unsigned int cpu, struct table *t,
		       unsigned int i, uint64_t old, uint64_t new,
		       const struct link *l, uint64_t rip)
{
	uint64_t va = l->va + i * span(t->level);
	uint32_t cpus = (uint32_t)link_held(w, l);
	unsigned int level = t->level;
	struct link copy = *l;

	if (l->live) {
		order_entry(w, cpu, va, old, new, level);
		note(w, cpu, t, va, old, new, rip);
	}
	if (is_leaf(old, level))
		tlb_left(w, cpu, va, old, level, cpus, rip);
	if (leads_to(old, level))
		table_unlink(w, cpu, leads_to(old, level), va, cpus, rip);
	if (leads_to(new, level))
		table_link(w, leads_to(new, level), level - 1, va, &copy);
}

static void entry_changed(struct watch *w, unsigned int cpu, uint32_t n,
			  unsigned int i, uint64_t new, uint64_t rip)
{
	struct table *t = w->table[n];
	uint64_t old = t->shadow[i];
	bool same = !((old ^ new) & SAME_BITS);

	t->shadow[i] = new;
	if (same)
		return;
	if (!(old & ENTRY_P) && !(new & ENTRY_P)) {
		for (uint32_t l = t->links; l != NONE; l = w->link[l].next) {
			uint64_t va = w->link[l].va + i * span(t->level);

			if (!w->link[l].live)
				continue;
			order_entry(w, cpu, va, old, new, t->level);
			note(w, cpu, t, va, old, new, rip);
			if (old && new && (old ^ new) & WATCH_BIT)
				trails_entry(w, cpu, va, span(t->level), rip,
					     true);
		}
		return;
	}
	w->time++;
	w->counts.table_writes++;
	if (is_leaf(old, t->level))
		node_remove(w, n, i, old);
	if (is_leaf(new, t->level))
		node_add(w, n, i, new);
	for (uint32_t l = t->links; l != NONE; l = w->link[l].next)
		changed_at(w, cpu, t, i, old, new, &w->link[l], rip);
	for (uint32_t l = t->links; w->trails && l != NONE; l = w->link[l].next)
		if (w->link[l].live)
			trails_entry(w, cpu, w->link[l].va + i * span(t->level),
				   span(t->level), rip, false);
	if (is_leaf(new, t->level))
		judge_leaf(w, new, t->level, cpu, rip);
}

void tables_store(struct watch *w, unsigned int cpu, uint64_t pa,
		  unsigned int size, uint64_t rip)
{
	uint32_t n = w->table_of[pa / WATCH_PAGE];

	if (w->pgd[pa / WATCH_PAGE] && w->cpu[cpu].on)
		tables_root(w, cpu, pa & ~(WATCH_PAGE - 1));
	if (n == NONE || !table_prune(w, n))
		return;
	for (uint64_t q = pa & ~UINT64_C(7); q < pa + size; q += 8) {
		unsigned int i = q / 8 % 512;
		uint64_t new = entry_read(w, q);

		if (new != w->table[n]->shadow[i])
			entry_changed(w, cpu, n, i, new, rip);
	}
}

/* ---- questions ---- */

uint64_t watch_lookup(const struct watch *w, uint64_t va, unsigned int *level)
{
	const struct table *t;
	uint64_t e = 0;

	t = table_at(w, w->root[va >> 39 & 511]);
	for (*level = 2; t; (*level)--) {
		e = t->shadow[va >> (12 + 9 * *level) & 511];
		if (is_leaf(e, *level))
			return e;
		t = leads_to(e, *level) ? table_at(w, leads_to(e, *level)) :
			NULL;
		if (t && t->level + 1 != *level)
			return 0;
	}
	return 0;
}

static void node_ways(struct watch *w, uint32_t node, uint64_t frame,
		      way_fn fn, void *arg)
{
	struct table *t = w->table[node / 512];
	unsigned int i = node % 512;
	uint64_t e = t->shadow[i];
	uint64_t in = frame * WATCH_PAGE - entry_pa(e, t->level);

	for (uint32_t l = t->links; l != NONE; l = w->link[l].next) {
		const struct link *k = &w->link[l];
		struct watch_way way = {
			.va = k->va + i * span(t->level) + in, .entry = e,
			.level = t->level, .cpus = (uint32_t)link_held(w, k),
			.kind = k->live ? FOUND_PRESENT : FOUND_CACHED,
			.rip = k->live ? 0 : k->rip,
		};

		if (way.cpus)
			fn(w, &way, frame, arg);
	}
}

void tables_ways(struct watch *w, uint64_t frame, way_fn fn, void *arg)
{
	const uint32_t list[3] = {
		w->leaf4[frame], w->leaf2[frame / 512],
		w->leaf1[frame >> 18],
	};

	for (unsigned int i = 0; i < 3; i++)
		for (uint32_t n = list[i]; n != NONE;
		     n = w->table[n / 512]->next[n % 512])
			node_ways(w, n, frame, fn, arg);
}

/* From a table down. */
static void walk_from(struct watch *w, const struct table *t, uint64_t va,
		      struct watch_way *way, way_fn fn, void *arg)
{
	uint64_t e = 0, frame = 0;
	unsigned int level = t->level;

	for (; t; level--) {
		e = t->shadow[va >> (12 + 9 * level) & 511];
		if (is_leaf(e, level) || !leads_to(e, level))
			break;
		t = table_at(w, leads_to(e, level));
		if (t && t->level + 1 != level)
			return;
	}
	if (t && is_leaf(e, level)) {
		frame = (entry_pa(e, level) + (va & (span(level) - 1))) /
			WATCH_PAGE;
		way->entry = e;
	}
	way->level = level;
	fn(w, way, frame, arg);
}

void tables_walks(struct watch *w, unsigned int cpu, uint64_t va, way_fn fn,
		  void *arg)
{
	for (uint32_t n = 0; w->cached && n < w->tables; n++) {
		const struct table *t = w->table[n];
		uint64_t size = 512 * span(t->level);

		for (uint32_t l = t->links; l != NONE; l = w->link[l].next) {
			const struct link *k = &w->link[l];
			struct watch_way way = {
				.va = va, .cpus = 1u << cpu,
				.kind = FOUND_CACHED, .rip = k->rip,
			};

			if (!k->live && va - k->va < size &&
			    link_held(w, k) >> cpu & 1)
				walk_from(w, t, va, &way, fn, arg);
		}
	}
}

/* ---- the direct map: where most memory is mapped at one distance ---- */

#define CANDIDATES	64

struct votes {
	uint64_t distance[CANDIDATES], bytes[CANDIDATES];
	unsigned int n;
};

static void vote(struct votes *v, uint64_t distance, uint64_t bytes)
{
	unsigned int i = 0;

	while (i < v->n && v->distance[i] != distance)
		i++;
	if (i == CANDIDATES)
		return;
	if (i == v->n) {
		v->distance[v->n++] = distance;
		v->bytes[i] = 0;
	}
	v->bytes[i] += bytes;
}

static void vote_table(const struct watch *w, const struct table *t,
		       uint64_t va, struct votes *v)
{
	if (!t->level) {
		uint64_t a = t->shadow[0], b = t->shadow[511];

		if (is_leaf(a, 0) && is_leaf(b, 0) &&
		    entry_pa(b, 0) - entry_pa(a, 0) == 511 * WATCH_PAGE)
			vote(v, va - entry_pa(a, 0), span(1));
		return;
	}
	for (unsigned int i = 0; i < 512; i++) {
		uint64_t e = t->shadow[i];

		if (is_leaf(e, t->level) &&
		    entry_pa(e, t->level) < w->cfg.ram_size)
			vote(v, va + i * span(t->level) -
			     entry_pa(e, t->level), span(t->level));
	}
}

void tables_find_direct(struct watch *w)
{
	struct votes v = { .n = 0 };
	unsigned int best = 0;

	for (uint32_t n = 0; n < w->tables; n++)
		for (uint32_t l = w->table[n]->links; l != NONE;
		     l = w->link[l].next)
			if (w->link[l].live)
				vote_table(w, w->table[n], w->link[l].va, &v);
	for (unsigned int i = 1; i < v.n; i++)
		if (v.bytes[i] > v.bytes[best])
			best = i;
	w->has_direct = v.n && v.bytes[best] >= w->cfg.ram_size / 2;
	if (w->has_direct)
		w->direct = v.distance[best];
}
