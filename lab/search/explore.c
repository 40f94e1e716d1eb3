// SPDX-License-Identifier: GPL-2.0
/*
 * The explorer: breadth-first search over states a model can list.
 *
 * Vocabulary
 *   state	model.words words of 32 bits. Stored once, never moved, numbered
 *		in the order of discovery.
 *   chunk	where states lie: a power of two of them, side by side, and
 *		behind them the number of each one's parent.
 *   tag	32 bits of a state's hash.
 *   slot	what the table holds of a state: tag << 32 | number + 1; 0 is
 *		an empty slot.
 *   segment	a small open-addressing table. The high bits of a tag choose
 *		the segment, the low bits the place in it.
 *   door	an entry of the directory: which segment has these high bits.
 *   batch	successors that were emitted and not looked up yet.
 *
 *        tag   | door bits ...|             |... place |
 *                  |                             |
 *   directory    [door] -> segment A, depth 2    v
 *                [door] -> segment A    [slot][slot][slot][slot]
 *                [door] -> segment B, depth 3
 *                [door] -> segment C, depth 3
 *
 * The table grows by segments: a full one is divided by its next tag bit and
 * the doors of the upper half are pointed to the new one. So growth costs one
 * segment at a time, needs no second table beside the first, and never looks
 * at a state, because a slot holds the bits that decide.
 *
 * A lookup is a cache miss on the table and, for a known state, one on the
 * state. Successors are therefore gathered in a batch while the lines they
 * will need are on their way. The batch is worked off in the order in which
 * it was filled, so it changes the time a run takes and nothing else.
 */

#include "search/explore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The tests make these small or weak, to see every division and collision. */
#ifndef EXPLORE_SEGMENT_BITS
#define EXPLORE_SEGMENT_BITS	15
#endif
#ifndef EXPLORE_CHUNK_BYTES
#define EXPLORE_CHUNK_BYTES	(32UL << 20)
#endif
#ifndef EXPLORE_TAG_MASK
#define EXPLORE_TAG_MASK	0xffffffffu
#endif

#define SEGMENT_SLOTS	(1UL << EXPLORE_SEGMENT_BITS)
#define SEGMENT_BYTES	(SEGMENT_SLOTS * sizeof(uint64_t))
/* Longer runs of full slots cost more than the memory they save. */
#define SEGMENT_FULL	(SEGMENT_SLOTS / 4 * 3)
#define DEPTH_MAX	(32 - EXPLORE_SEGMENT_BITS)
#define HUGE_PAGE	(2UL << 20)
#define SLAB_BYTES	(SEGMENT_BYTES > HUGE_PAGE ? SEGMENT_BYTES : HUGE_PAGE)
#define BATCH		64
#define STATES_MAX	0xfffffffeu
/* Expansions between two looks at the clock. */
#define CLOCK_EVERY	64

struct segment {
	uint64_t *slots;
	uint32_t used;
	uint32_t depth;		/* how many high tag bits its slots share */
	struct segment *next;	/* all segments, to free them */
};

struct door {
	uint64_t *slots;	/* of the segment: saves a miss per lookup */
	struct segment *segment;
};

struct slab {
	struct slab *next;
	void *mem;
};

struct chunk {
	uint32_t *states;
	uint32_t *parents;
};

struct candidate {
	uint32_t tag;
	uint32_t parent;
};

struct explore {
	struct explore_model model;
	struct explore_limits limits;
	struct explore_stats st;
	enum explore_result result;
	bool halted;		/* result is final, take nothing more */
	double begun;
	double next_progress;

	struct chunk *chunks;
	size_t chunk_count;
	size_t chunk_room;	/* in @chunks */
	unsigned int chunk_shift;	/* 1 << this: states in a chunk */
	size_t chunk_bytes;
	uint64_t states_max;	/* what the limits leave room for */

	struct door *doors;
	unsigned int door_depth;	/* 1 << this: doors */
	struct segment *segments;
	uint64_t *scratch;	/* a segment that is being divided */
	struct slab *slabs;
	size_t slab_left;	/* bytes of the newest slab */

	unsigned int pending;
	struct candidate batch[BATCH];
	uint32_t *batch_states;

	uint32_t current;	/* the state in expand() */
	bool moved;		/* it has a transition */
	bool may_end;

	uint32_t last;		/* the state where the trace ends */
	explore_label bad_label;
	bool stuck;		/* a deadlock was seen */
	uint32_t stuck_at;

	const uint32_t *wanted;	/* explore_trace(): whose label? */
	bool found;
	explore_label found_label;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static size_t state_bytes(const struct explore *x)
{
	return x->model.words * sizeof(uint32_t);
}

/* -- memory ------------------------------------------------------------- */

/*
 * Zeroed memory that costs nothing until it is touched. Large pages matter:
 * lookups are random, and with 4K pages each is a TLB miss as well.
 */
static void *map(size_t bytes, bool huge)
{
	size_t whole = bytes + HUGE_PAGE;
	char *p, *start;
	size_t before;

	p = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p & (HUGE_PAGE - 1);
	start = p + before;
	if (before)
		munmap(p, before);
	if (before < HUGE_PAGE)
		munmap(start + bytes, HUGE_PAGE - before);
	/* Only advice: it may be refused. */
	madvise(start, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return start;
}

static size_t page_align(size_t n)
{
	return (n + 4095) & ~(size_t)4095;
}

/* All that is neither a state nor a slot; the directory is under 1 %. */
static uint64_t bytes_fixed(const struct explore *x)
{
	return sizeof(*x) + BATCH * state_bytes(x) + SEGMENT_BYTES;
}

/* The limits allow fewer states whenever the table has taken its part. */
static void budget(struct explore *x)
{
	uint64_t max = STATES_MAX, used, left;

	if (x->limits.states && x->limits.states < max)
		max = x->limits.states;
	if (x->limits.bytes) {
		used = bytes_fixed(x) + x->st.bytes_table;
		left = x->limits.bytes > used ? x->limits.bytes - used : 0;
		left /= state_bytes(x) + sizeof(uint32_t);
		if (left < max)
			max = left;
	}
	x->states_max = max;
}

static bool chunk_add(struct explore *x)
{
	struct chunk *c;
	uint32_t *mem;
	size_t room;

	if (x->chunk_count == x->chunk_room) {
		room = x->chunk_room ? 2 * x->chunk_room : 16;
		c = realloc(x->chunks, room * sizeof(*c));
		if (!c)
			return false;
		x->chunks = c;
		x->chunk_room = room;
	}
	/* Most runs are short: let their only chunk grow page by page. */
	mem = map(x->chunk_bytes, x->chunk_count > 0);
	if (!mem)
		return false;
	c = &x->chunks[x->chunk_count++];
	c->states = mem;
	c->parents = mem + ((size_t)x->model.words << x->chunk_shift);
	return true;
}

static uint32_t *state_at(const struct explore *x, uint64_t i)
{
	size_t in = i & ((1UL << x->chunk_shift) - 1);

	return x->chunks[i >> x->chunk_shift].states + in * x->model.words;
}

static uint32_t *parent_at(const struct explore *x, uint64_t i)
{
	size_t in = i & ((1UL << x->chunk_shift) - 1);

	return x->chunks[i >> x->chunk_shift].parents + in;
}

/* -- the table ---------------------------------------------------------- */

static uint64_t *slots_new(struct explore *x)
{
	struct slab *slab;

	if (x->slab_left < SEGMENT_BYTES) {
		slab = malloc(sizeof(*slab));
		if (!slab)
			return NULL;
		slab->mem = map(SLAB_BYTES, x->slabs != NULL);
		if (!slab->mem) {
			free(slab);
			return NULL;
		}
		slab->next = x->slabs;
		x->slabs = slab;
		x->slab_left = SLAB_BYTES;
	}
	x->slab_left -= SEGMENT_BYTES;
	return (uint64_t *)((char *)x->slabs->mem + x->slab_left);
}

static struct segment *segment_new(struct explore *x, uint32_t depth)
{
	struct segment *seg = malloc(sizeof(*seg));

	if (!seg)
		return NULL;
	seg->slots = slots_new(x);
	if (!seg->slots) {
		free(seg);
		return NULL;
	}
	seg->used = 0;
	seg->depth = depth;
	seg->next = x->segments;
	x->segments = seg;
	x->st.bytes_table += SEGMENT_BYTES;
	budget(x);
	return seg;
}

static size_t door_of(const struct explore *x, uint32_t tag)
{
	/* In 64 bits, where a shift by 32 is defined. */
	return (size_t)((uint64_t)tag >> (32 - x->door_depth));
}

static size_t place_of(uint32_t tag)
{
	return tag & (SEGMENT_SLOTS - 1);
}

static void segment_put(struct segment *seg, uint64_t slot)
{
	size_t i = place_of((uint32_t)(slot >> 32));

	while (seg->slots[i])
		i = (i + 1) & (SEGMENT_SLOTS - 1);
	seg->slots[i] = slot;
	seg->used++;
}

static bool doors_double(struct explore *x)
{
	size_t n = (size_t)1 << x->door_depth, i;
	struct door *d = malloc(2 * n * sizeof(*d));

	if (!d)
		return false;
	for (i = 0; i < n; i++)
		d[2 * i] = d[2 * i + 1] = x->doors[i];
	free(x->doors);
	x->doors = d;
	x->door_depth++;
	return true;
}

/* Divide the segment of @tag by its next bit. */
static bool segment_divide(struct explore *x, uint32_t tag)
{
	struct segment *low = x->doors[door_of(x, tag)].segment, *high;
	size_t first, n, i;
	uint32_t bit;

	if (x->limits.bytes && bytes_fixed(x) + x->st.bytes_table +
	    x->st.bytes_states + SEGMENT_BYTES > x->limits.bytes)
		return false;
	if (low->depth == x->door_depth && !doors_double(x))
		return false;
	high = segment_new(x, low->depth + 1);
	if (!high)
		return false;

	memcpy(x->scratch, low->slots, SEGMENT_BYTES);
	memset(low->slots, 0, SEGMENT_BYTES);
	low->used = 0;
	bit = 31 - low->depth;
	low->depth++;
	for (i = 0; i < SEGMENT_SLOTS; i++)
		if (x->scratch[i])
			segment_put(x->scratch[i] >> 32 >> bit & 1 ? high : low,
				    x->scratch[i]);

	/* The doors that led to the old one; the upper half changes. */
	n = (size_t)1 << (x->door_depth - low->depth);
	first = (size_t)((uint64_t)tag >> (bit + 1)) * 2 * n + n;
	for (i = first; i < first + n; i++)
		x->doors[i] = (struct door){ high->slots, high };
	return true;
}

/* Room for one more in the segment of @tag. */
static bool table_make_room(struct explore *x, uint32_t tag)
{
	struct segment *seg;

	for (;;) {
		seg = x->doors[door_of(x, tag)].segment;
		if (seg->used < SEGMENT_FULL)
			return true;
		/*
		 * No bit left to divide by: fill up. One slot stays empty,
		 * it is what ends a search.
		 */
		if (seg->depth == DEPTH_MAX)
			return seg->used < SEGMENT_SLOTS - 1;
		if (!segment_divide(x, tag))
			return false;
	}
}

/* -- states ------------------------------------------------------------- */

static void halt(struct explore *x, enum explore_result why)
{
	if (x->halted)
		return;
	x->result = why;
	x->halted = true;
}

/* Now and then, since it moves slowly. */
static bool others_leave_room(const struct explore *x)
{
	if (!x->limits.bytes || !x->limits.beside || x->st.states & 63)
		return true;
	return bytes_fixed(x) + x->st.bytes_table + x->st.bytes_states +
		x->limits.beside(x->limits.beside_ctx) <= x->limits.bytes;
}

static bool state_store(struct explore *x, const uint32_t *s, uint32_t parent)
{
	uint64_t i = x->st.states;

	if (i >= x->states_max || !others_leave_room(x))
		return false;
	if (i >> x->chunk_shift == x->chunk_count && !chunk_add(x))
		return false;
	memcpy(state_at(x, i), s, state_bytes(x));
	*parent_at(x, i) = parent;
	x->st.states++;
	x->st.bytes_states += state_bytes(x) + sizeof(uint32_t);
	return true;
}

static void tell_edge(const struct explore *x, uint32_t from, uint32_t to)
{
	if (x->limits.edge)
		x->limits.edge(x->limits.edge_ctx, from, to);
}

static void insert(struct explore *x, struct candidate c, const uint32_t *s)
{
	const uint64_t *slots = x->doors[door_of(x, c.tag)].slots;
	size_t i = place_of(c.tag);
	uint64_t slot;

	for (; (slot = slots[i]); i = (i + 1) & (SEGMENT_SLOTS - 1)) {
		if (slot >> 32 == c.tag &&
		    !memcmp(state_at(x, (uint32_t)slot - 1), s,
			    state_bytes(x))) {
			tell_edge(x, c.parent, (uint32_t)slot - 1);
			return;
		}
	}
	/* Store nothing that the table has no room for: it would come twice. */
	if (!table_make_room(x, c.tag) || !state_store(x, s, c.parent)) {
		halt(x, EXPLORE_LIMIT);
		return;
	}
	/* states is one more than the number of the new one, as in a slot. */
	segment_put(x->doors[door_of(x, c.tag)].segment,
		    (uint64_t)c.tag << 32 | x->st.states);
	if (x->st.states > 1)	/* the first state has no way to it */
		tell_edge(x, c.parent, (uint32_t)x->st.states - 1);
}

/* Fetch the state that a candidate will be compared with, if there is one. */
static void prefetch_state(const struct explore *x, uint32_t tag)
{
	const uint64_t *slots = x->doors[door_of(x, tag)].slots;
	size_t i = place_of(tag);
	const char *s;

	for (; slots[i]; i = (i + 1) & (SEGMENT_SLOTS - 1)) {
		if (slots[i] >> 32 != tag)
			continue;
		s = (const char *)state_at(x, (uint32_t)slots[i] - 1);
		__builtin_prefetch(s);
		__builtin_prefetch(s + state_bytes(x) - 1);
		return;
	}
}

static void batch_work_off(struct explore *x)
{
	unsigned int n = x->pending, i;

	x->pending = 0;
	for (i = 0; i < n; i++)
		prefetch_state(x, x->batch[i].tag);
	for (i = 0; i < n && x->result != EXPLORE_LIMIT; i++)
		insert(x, x->batch[i],
		       x->batch_states + (size_t)i * x->model.words);
}

static uint32_t tag_of(const struct explore *x, const uint32_t *s)
{
	return (uint32_t)(XXH3_64bits(s, state_bytes(x)) >> 32) &
		EXPLORE_TAG_MASK;
}

/* -- called by the model ------------------------------------------------ */

static void trace_look(struct explore *x, explore_label label,
		       const uint32_t *s)
{
	if (x->found || memcmp(s, x->wanted, state_bytes(x)))
		return;
	x->found = true;
	x->found_label = label;
}

void explore_emit(struct explore *x, explore_label label, const uint32_t *s)
{
	unsigned int n = x->pending;
	uint32_t tag;

	if (x->wanted) {
		trace_look(x, label, s);
		return;
	}
	if (x->halted)
		return;
	x->moved = true;
	x->st.transitions++;
	tag = tag_of(x, s);
	x->batch[n] = (struct candidate){ tag, x->current };
	memcpy(x->batch_states + (size_t)n * x->model.words, s, state_bytes(x));
	__builtin_prefetch(x->doors[door_of(x, tag)].slots + place_of(tag));
	if (++x->pending == BATCH)
		batch_work_off(x);
}

void explore_bad(struct explore *x, explore_label label, uint32_t code)
{
	if (x->wanted || x->halted)
		return;
	x->moved = true;
	x->st.transitions++;
	if (!x->st.bad++) {
		x->st.bad_code = code;
		x->bad_label = label;
		x->last = x->current;
	}
	if (!x->limits.keep_going)
		halt(x, EXPLORE_BAD);
}

void explore_end(struct explore *x)
{
	x->may_end = true;
}

/* -- the run ------------------------------------------------------------ */

static void refresh(struct explore *x)
{
	x->st.seconds = now() - x->begun;
}

static void look_around(struct explore *x)
{
	if (x->limits.stop && *x->limits.stop)
		halt(x, EXPLORE_STOPPED);
	if (x->st.expanded % CLOCK_EVERY)
		return;
	refresh(x);
	if (x->limits.seconds > 0 && x->st.seconds >= x->limits.seconds)
		halt(x, EXPLORE_LIMIT);
	if (x->limits.progress && x->st.seconds >= x->next_progress) {
		x->next_progress = x->st.seconds + 0.2;
		x->limits.progress(x->limits.progress_ctx, x);
	}
}

static void expand(struct explore *x, uint64_t i)
{
	x->current = (uint32_t)i;
	x->moved = false;
	x->may_end = false;
	x->st.expanded++;
	x->model.expand(x->model.ctx, state_at(x, i), x);
	if (x->moved || x->may_end || x->stuck || x->halted)
		return;
	x->stuck = true;
	x->stuck_at = (uint32_t)i;
	if (!x->limits.keep_going)
		halt(x, EXPLORE_DEADLOCK);
}

static void search(struct explore *x)
{
	uint64_t next = 0, level_end = 1;
	uint32_t depth = 0;

	while (!x->halted) {
		if (next == level_end) {
			batch_work_off(x);
			if (x->halted || x->st.states == level_end)
				break;
			level_end = x->st.states;
			x->st.depth = ++depth;
		}
		if (x->limits.depth && depth >= x->limits.depth) {
			halt(x, EXPLORE_LIMIT);
			break;
		}
		look_around(x);
		if (x->halted)
			break;
		expand(x, next++);
	}
	/* What was emitted before the end counts: the same on every run. */
	batch_work_off(x);
	x->st.depth = depth + (x->st.states > level_end);
}

static void clear(struct explore *x)
{
	struct segment *seg;
	struct slab *slab;

	while (x->chunk_count)
		munmap(x->chunks[--x->chunk_count].states, x->chunk_bytes);
	while ((seg = x->segments)) {
		x->segments = seg->next;
		free(seg);
	}
	while ((slab = x->slabs)) {
		x->slabs = slab->next;
		munmap(slab->mem, SLAB_BYTES);
		free(slab);
	}
	x->slab_left = 0;
	free(x->doors);
	x->doors = NULL;
	x->door_depth = 0;
	memset(&x->st, 0, sizeof(x->st));
	x->pending = 0;
	x->halted = false;
	x->stuck = false;
	x->result = EXPLORE_DONE;
}

static bool first_state(struct explore *x)
{
	struct segment *seg;
	uint32_t *s = x->batch_states;

	x->doors = malloc(sizeof(*x->doors));
	if (!x->doors)
		return false;
	seg = segment_new(x, 0);
	if (!seg)
		return false;
	x->doors[0] = (struct door){ seg->slots, seg };
	memset(s, 0, state_bytes(x));
	x->model.initial(x->model.ctx, s);
	insert(x, (struct candidate){ tag_of(x, s), 0 }, s);
	return !x->halted;
}

enum explore_result explore_run(struct explore *x,
				const struct explore_limits *l)
{
	static const struct explore_limits none;

	clear(x);
	x->limits = l ? *l : none;
	x->begun = now();
	x->next_progress = 0.2;
	budget(x);
	if (first_state(x))
		search(x);
	else
		x->result = EXPLORE_LIMIT;
	refresh(x);
	/*
	 * What was found is a fact, whatever ended the run after it. The trace
	 * belongs to the result: the first bad transition, or else the first
	 * deadlock.
	 */
	if (x->st.bad) {
		x->result = EXPLORE_BAD;
	} else if (x->stuck) {
		x->result = EXPLORE_DEADLOCK;
		x->last = x->stuck_at;
	}
	return x->result;
}

const struct explore_stats *explore_stats(const struct explore *x)
{
	return &x->st;
}

const uint32_t *explore_state(const struct explore *x, uint64_t i)
{
	return i < x->st.states ? state_at(x, i) : NULL;
}

/* The label that led from @parent to @child, when @child was found. */
static explore_label label_between(struct explore *x, uint32_t parent,
				   uint32_t child)
{
	x->wanted = state_at(x, child);
	x->found = false;
	x->found_label = 0;
	x->model.expand(x->model.ctx, state_at(x, parent), x);
	x->wanted = NULL;
	return x->found_label;
}

size_t explore_path(struct explore *x, uint64_t end, explore_label *labels,
		    size_t max)
{
	size_t n = 0, i;
	uint32_t at;

	for (at = (uint32_t)end; at; at = *parent_at(x, at))
		n++;
	for (at = (uint32_t)end, i = n; at; at = *parent_at(x, at)) {
		i--;
		if (i < max)
			labels[i] = label_between(x, *parent_at(x, at), at);
	}
	return n;
}

size_t explore_trace(struct explore *x, explore_label *labels, size_t max)
{
	size_t n;

	if (x->result != EXPLORE_BAD && x->result != EXPLORE_DEADLOCK)
		return 0;
	n = explore_path(x, x->last, labels, max);
	if (x->result == EXPLORE_BAD && n < max)
		labels[n] = x->bad_label;
	return n + (x->result == EXPLORE_BAD);
}

/* -- life --------------------------------------------------------------- */

struct explore *explore_new(const struct explore_model *m)
{
	struct explore *x;
	size_t n;

	if (!m->words)
		return NULL;
	x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->model = *m;
	while (state_bytes(x) << (x->chunk_shift + 1) <= EXPLORE_CHUNK_BYTES)
		x->chunk_shift++;
	n = (state_bytes(x) + sizeof(uint32_t)) << x->chunk_shift;
	x->chunk_bytes = page_align(n);
	x->batch_states = malloc(BATCH * state_bytes(x));
	x->scratch = malloc(SEGMENT_BYTES);
	if (!x->batch_states || !x->scratch) {
		explore_free(x);
		return NULL;
	}
	return x;
}

void explore_free(struct explore *x)
{
	if (!x)
		return;
	clear(x);
	free(x->chunks);
	free(x->batch_states);
	free(x->scratch);
	free(x);
}
