// SPDX-License-Identifier: GPL-2.0
/*
 * Events: everything that can happen next in a state.
 *
 *   step   a converting CPU carries out its request
 *   ipi    a CPU answers a shootdown (never while it is pinned)
 *   read   a stray read, or a bystander's access
 *   act    a hostile host does what nobody asked for
 *   move   a converting thread goes on on another CPU
 * and, without reduction, since with it they are part of what an access may
 * meet (machine/mmu.c):
 *   drain  a store leaves the store buffer
 *   fill   a TLB takes an entry
 *   drop   a TLB loses one
 *   line   a dirty cache line is written back
 *
 * An event that can turn out in several ways asks choose() on its way and is
 * run once for each way.
 */
#include "engine.h"
#include "events.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static struct world base;	/* the state being expanded */

/* ---- labels: event 4 bits, cpu 4, argument 12, choices 44 ---- */

static explore_label label_of(enum event ev, unsigned int cpu, unsigned int a)
{
	return (uint64_t)ev | cpu << 4 | a << 8 | choice_digits(44) << 20;
}

/* ---- states ---- */

static uint32_t hw_size(const struct hw *h)
{
	return (uint32_t)(offsetof(struct hw, tlb) +
			  h->ntlb * sizeof(h->tlb[0]));
}

static void load_hw(struct hw *h, uint32_t id)
{
	uint32_t n = intern_size(lab->blobs, id);

	memcpy(h, intern_get(lab->blobs, id), n);
	memset((uint8_t *)h + n, 0, sizeof(*h) - n);
}

void world_load(const uint32_t *s)
{
	struct world *w = &lab->w;
	const uint32_t *p = s + 3;

	w->bad = 0;
	w->exception = LAB_EXCEPTION_NONE;
	w->ctx_id = s[0];
	w->mach_id = s[1];
	w->tables_id = s[2];
	memcpy(&w->m, intern_get(lab->blobs, s[1]), sizeof(w->m));
	memcpy(&w->t, intern_get(lab->blobs, s[2]), sizeof(w->t));
	w->mach_dirty = w->tables_dirty = false;
	for (unsigned int c = 0; c < lab->cfg.cpus; c++) {
		w->hw_id[c] = *p++;
		w->hw_dirty[c] = false;
		load_hw(&w->hw[c], w->hw_id[c]);
	}
	for (unsigned int c = 0; c < lab->cfg.converters; c++)
		w->local_id[c] = *p++;
}

/* Readers that hold the same are one reader: their order says nothing. */
static bool swap_needed(unsigned int a, unsigned int b)
{
	const struct world *w = &lab->w;
	int d = memcmp(&w->hw[a], &w->hw[b], sizeof(w->hw[a]));

	for (unsigned int c = 0; !d && c < lab->cfg.converters; c++)
		d = (w->hw[c].waiting >> a & 1) - (w->hw[c].waiting >> b & 1);
	return d > 0;
}

static void swap_cpus(unsigned int a, unsigned int b)
{
	struct world *w = &lab->w;
	struct hw h = w->hw[a];

	w->hw[a] = w->hw[b];
	w->hw[b] = h;
	w->hw_dirty[a] = w->hw_dirty[b] = true;
	for (unsigned int c = 0; c < lab->cfg.converters; c++) {
		uint8_t *m = &w->hw[c].waiting;
		uint8_t x = ((*m >> a) ^ (*m >> b)) & 1;

		if (!x)
			continue;
		*m = (uint8_t)(*m ^ (1u << a | 1u << b));
		w->hw_dirty[c] = true;
	}
}

static void sort_readers(void)
{
	for (unsigned int a = lab->cfg.converters; a < lab->cfg.cpus; a++)
		for (unsigned int b = a + 1; b < lab->cfg.cpus; b++)
			if (swap_needed(a, b))
				swap_cpus(a, b);
}

void world_save(uint32_t *s)
{
	struct world *w = &lab->w;
	uint32_t *p = s + 3;

	if (lab->cfg.reduce)
		sort_readers();
	if (w->mach_dirty)
		w->mach_id = intern(lab->blobs, &w->m, sizeof(w->m));
	if (w->tables_dirty)
		w->tables_id = intern(lab->blobs, &w->t, sizeof(w->t));
	s[0] = w->ctx_id;
	s[1] = w->mach_id;
	s[2] = w->tables_id;
	for (unsigned int c = 0; c < lab->cfg.cpus; c++) {
		if (w->hw_dirty[c])
			w->hw_id[c] = intern(lab->blobs, &w->hw[c],
					     hw_size(&w->hw[c]));
		*p++ = w->hw_id[c];
	}
	for (unsigned int c = 0; c < lab->cfg.converters; c++)
		*p++ = w->local_id[c];
}

/* ---- events ---- */

/* Where may a thread be taken off its CPU? Not where the kernel forbids it. */
bool movable(const struct world *w, unsigned int cpu)
{
	return w->m.moves && !w->hw[cpu].pinned && !w->hw[cpu].sent &&
		w->m.lock != (int8_t)cpu && !(w->m.finished >> cpu & 1);
}

/*
 * The thread goes on on CPU @to, which has none: a switch drains the stores of
 * both. What it was about to flush goes with it.
 */
static void move(unsigned int cpu, unsigned int to)
{
	struct hw *a = &lab->w.hw[cpu], *b = &lab->w.hw[to];

	sb_drain(cpu);
	sb_drain(to);
	swap_cpus(cpu, to);
	memcpy(a->flush, b->flush, sizeof(a->flush));
	memset(b->flush, 0, sizeof(b->flush));
	a->nflush = b->nflush;
	a->flush_all = b->flush_all;
	b->nflush = b->flush_all = 0;
	lab->w.m.moves--;
	lab->w.mach_dirty = true;
}

static void access_spot(unsigned int cpu, unsigned int s)
{
	struct translation t[24];
	unsigned int n = translations(cpu, spot_number(s)->vpn, t, 24);

	check_spot(cpu, spot_number(s), &t[choose(n)]);
	check_state();
}

static void fill(unsigned int cpu, unsigned int s)
{
	uint32_t vpn = lab->spot[s].vpn;
	struct translation t[24];
	unsigned int i = choose(fillable(cpu, vpn, t, 24));

	if (t[i].present)
		tlb_fill(cpu, &t[i], vpn);
	if (lab->cfg.leaf_2m)
		tlb_check_sizes(cpu);
}

static void drop(unsigned int cpu, unsigned int i)
{
	struct hw *h = &lab->w.hw[cpu];

	memmove(&h->tlb[i], &h->tlb[i + 1],
		(h->ntlb - i - 1u) * sizeof(h->tlb[0]));
	h->ntlb--;
	memset(&h->tlb[h->ntlb], 0, sizeof(h->tlb[0]));
	lab->w.hw_dirty[cpu] = true;
}

static void happen(enum event ev, unsigned int cpu, unsigned int a)
{
	switch (ev) {
	case EV_STEP:
		step(cpu);
		if (!lab->w.bad)
			check_state();
		break;
	case EV_IPI:
		take_ipi(cpu, a);
		break;
	case EV_READ:
		access_spot(cpu, a);
		break;
	case EV_ACT:
		host_act(a);
		break;
	case EV_DRAIN:
		sb_drain_one(cpu);
		check_state();
		break;
	case EV_FILL:
		fill(cpu, a);
		break;
	case EV_DROP:
		drop(cpu, a);
		break;
	case EV_LINE:
		frame_change(lab->spot[a].gfn, 1, F_DIRTY_P | F_DIRTY_S, 0);
		break;
	case EV_MOVE:
		move(cpu, a);
		break;
	}
}

bool follow(explore_label label)
{
	choice_follow(label >> 20);
	happen((enum event)(label & 15), label >> 4 & 15, label >> 8 & 0xfff);
	return choice_followed();
}

static void emit(struct explore *x, enum event ev, unsigned int cpu,
		 unsigned int a)
{
	explore_label l = label_of(ev, cpu, a);
	uint32_t s[3 + 2 * LAB_MAX_CPUS];

	if (lab->w.bad) {
		explore_bad(x, l, lab->w.bad);
		return;
	}
	world_save(s);
	explore_emit(x, l, s);
}

static void copy_world(struct world *to, const struct world *from)
{
	size_t head = offsetof(struct world, hw);

	memcpy(to, from, head);
	memcpy(to->hw, from->hw, lab->cfg.cpus * sizeof(from->hw[0]));
	to->bad = 0;
}

static void every_way(struct explore *x, enum event ev, unsigned int cpu,
		      unsigned int a)
{
	choice_begin();
	do {
		choice_again();
		copy_world(&lab->w, &base);
		happen(ev, cpu, a);
		emit(x, ev, cpu, a);
	} while (choice_next());
}

static bool may_interrupt(unsigned int cpu)
{
	if (lab->cfg.interrupts)
		return true;
	return !base.hw[cpu].pinned && base.m.lock != (int8_t)cpu;
}

/*
 * A property state: what the host holds of every frame, and one translation
 * that a CPU can use for one spot. Leaves out what reduction changes: where
 * exactly an engine stands, and what waits in a store buffer or a TLB.
 */
struct observation {
	struct frame_run run[LAB_RUNS];
	uint32_t spot;
	uint32_t gfn;
	uint8_t converter, level, view, present;
};

static void observe(unsigned int cpu, unsigned int s)
{
	struct translation t[24];
	unsigned int n = translations(cpu, lab->spot[s].vpn, t, 24);
	struct observation o = { .spot = s };

	for (unsigned int i = 0, k = 0; i < base.m.nruns; i++) {
		o.run[k] = base.m.run[i];
		o.run[k].flags &= (uint16_t)~(F_DIRTY_P | F_DIRTY_S);
		k += !k || o.run[k].flags != o.run[k - 1].flags;
		if (k < LAB_RUNS)
			o.run[k] = (struct frame_run){ 0, 0 };
	}
	o.converter = cpu < lab->cfg.converters;
	for (unsigned int i = 0; i < n; i++) {
		uint32_t before = intern_count(lab->seen);

		o.gfn = t[i].present ? t[i].gfn : 0;
		o.level = t[i].present ? t[i].level : 0;
		o.view = t[i].present ? t[i].view : 0;
		o.present = t[i].present;
		if (intern(lab->seen, &o, sizeof(o)) == before)
			lab->seen_hash += XXH3_64bits(&o, sizeof(o));
	}
}

static void reads(struct explore *x)
{
	/* Others first: who converts is the last to read where it can be. */
	for (unsigned int c = lab->cfg.cpus; c-- > 0; ) {
		if (!may_interrupt(c))
			continue;
		for (unsigned int s = 0; s < lab->nspots; s++) {
			if (lab->spot[s].role == SPOT_WINDOW)
				continue;
			copy_world(&lab->w, &base);
			if (lab->observe)
				observe(c, s);
			if (lab->cfg.reduce && spot_quiet(c, &lab->spot[s]))
				continue;
			every_way(x, EV_READ, c, s);
		}
	}
}

/* Stray reads into a long range, at every page that differs from the last. */
static void row_reads(struct explore *x)
{
	uint64_t heads[ROW_WORDS];

	copy_world(&lab->w, &base);
	row_heads(heads);
	for (unsigned int c = lab->cfg.cpus; c-- > 0; ) {
		unsigned int i = row_next(heads, 0);

		if (!may_interrupt(c))
			continue;
		for (; i < lab->cfg.pages; i = row_next(heads, i + 1)) {
			copy_world(&lab->w, &base);
			if (!lab->cfg.reduce ||
			    !spot_quiet(c, spot_number(ROW + i)))
				every_way(x, EV_READ, c, ROW + i);
		}
	}
}

static bool moves(struct explore *x)
{
	bool any = false;

	for (unsigned int c = 0; c < lab->cfg.converters; c++) {
		copy_world(&lab->w, &base);
		if (step_enabled(c)) {
			every_way(x, EV_STEP, c, 0);
			any = true;
		}
	}
	for (unsigned int c = 0; c < lab->cfg.cpus; c++)
		for (unsigned int i = 0; i < lab->cfg.converters; i++)
			if ((base.hw[i].waiting >> c & 1) &&
			    (may_interrupt(c) ||
			     lab->cfg.flush != LAB_FLUSH_IPI)) {
				every_way(x, EV_IPI, c, i);
				any = true;
			}
	for (unsigned int c = 0; c < lab->cfg.converters; c++)
		for (unsigned int to = lab->cfg.converters;
		     to < lab->cfg.cpus && movable(&base, c); to++)
			every_way(x, EV_MOVE, c, to);
	return any;
}

static void hardware(struct explore *x)
{
	for (unsigned int c = lab->cfg.cpus; c-- > 0; ) {
		if (base.hw[c].nsb)
			every_way(x, EV_DRAIN, c, 0);
		for (unsigned int i = 0; i < base.hw[c].ntlb; i++)
			every_way(x, EV_DROP, c, i);
		for (unsigned int s = 0; s < lab->nspots; s++)
			if (lab->spot[s].role != SPOT_WINDOW ||
			    lab->spot[s].owner == cpu_id(c))
				every_way(x, EV_FILL, c, s);
	}
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].role == SPOT_RANGE) {
			copy_world(&lab->w, &base);
			if (frame_get(lab->spot[s].gfn) &
			    (F_DIRTY_P | F_DIRTY_S))
				every_way(x, EV_LINE, 0, s);
		}
}

static void expand(void *ctx, const uint32_t *s, struct explore *x)
{
	(void)ctx;
	world_load(s);
	copy_world(&base, &lab->w);
	if (!moves(x)) {
		if (base.m.finished + 1u == 1u << lab->cfg.converters) {
			explore_end(x);
		} else {
			choice_begin();
			explore_bad(x, label_of(EV_STEP, 15, 0),
				    LAB_BAD_ENDLESS);
		}
	}
	reads(x);
	if (has_row())
		row_reads(x);
	if (!lab->cfg.reduce)
		hardware(x);
	copy_world(&lab->w, &base);
	for (unsigned int i = host_acts(); i-- > 0; )
		every_way(x, EV_ACT, 0, i);
}

static void initial(void *ctx, uint32_t *s)
{
	(void)ctx;
	memcpy(s, lab->initial, lab->words * sizeof(*s));
}

/* ---- the public face ---- */

struct lab *lab_new(const struct lab_config *cfg, const char **why)
{
	lab = calloc(1, sizeof(*lab));
	if (!lab)
		err(3, "out of memory");
	lab->cfg = *cfg;
	lab->blobs = intern_new();
	lab->pages = intern_new();
	lab->seen = intern_new();
	lab->setup = true;
	if (!setup(why)) {
		lab_free(lab);
		return NULL;
	}
	lab->words = 3 + cfg->cpus + cfg->converters;
	lab->w.mach_dirty = lab->w.tables_dirty = true;
	memset(lab->w.hw_dirty, 1, sizeof(lab->w.hw_dirty));
	engine.ctx_loaded = UINT32_MAX;
	ctx_keep();
	world_save(lab->initial);
	lab->model = (struct explore_model){
		.words = lab->words, .initial = initial, .expand = expand,
	};
	return lab;
}

void lab_free(struct lab *l)
{
	intern_free(l->blobs);
	intern_free(l->pages);
	intern_free(l->seen);
	free(l);
	if (l == lab)
		lab = NULL;
}

const struct explore_model *lab_model(const struct lab *l)
{
	return &l->model;
}

uint64_t lab_accesses(const struct lab *l)
{
	return l->accesses;
}

uint64_t lab_intern_bytes(const struct lab *l)
{
	return intern_bytes(l->blobs) + intern_bytes(l->pages);
}

void lab_observe(struct lab *l, bool on)
{
	l->observe = on;
}

void lab_observations(const struct lab *l, uint64_t *count, uint64_t *hash)
{
	*count = intern_count(l->seen);
	*hash = l->seen_hash;
}
