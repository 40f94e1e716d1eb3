// SPDX-License-Identifier: GPL-2.0
/*
 * The reduced transition of tests/twins/README, for lab/search/explore.h.
 *
 *   twin CPUS PAGES BUFFER FENCE ORDER count|check|trace
 *
 * One line: result, states, transitions, length of the trace, seconds, bytes
 * of a state, bytes of hash table for it. TWIN_BROKEN makes one of the faults
 * that the comparison with the other two has to notice.
 */

#include "search/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TWIN_BROKEN
#define TWIN_BROKEN	0
#endif

enum broken {
	BROKEN_EVICT = 1,	/* the last CPU never evicts its last page */
	BROKEN_RETRY,		/* the host never says RETRY */
	BROKEN_LOAD,		/* a load into a stale translation is silent */
	BROKEN_ORDER,		/* the buffer drains its newest store first */
	BROKEN_IPI,		/* the flush forgets one page of two */
};

enum { CPUS_MAX = 4, PAGES_MAX = 2, BUFFER_MAX = 2, STEPS_MAX = 8 };

enum { PTE_PRESENT = 1, PTE_SHARED = 2 };
enum tlb { TLB_NONE, TLB_PRIVATE, TLB_SHARED };
enum call { CALL_NONE, CALL_ASKED, CALL_ANSWERED };
enum op { OP_DONE, OP_NP, OP_FLIP, OP_NPFLIP, OP_TLB, OP_NOTIFY, OP_PRESENT };

/* One byte each is small enough. The comparison is of bytes: no padding. */
struct state {
	uint8_t step, item, call, buffered;
	uint8_t store[BUFFER_MAX];	/* page << 2 | PTE bits */
	uint8_t pte[PAGES_MAX];
	uint8_t shared[PAGES_MAX];	/* what the host made of the page */
	uint8_t tlb[CPUS_MAX][PAGES_MAX];
	uint8_t load[CPUS_MAX];		/* 0, or 1 + (page << 1 | shared) */
	uint8_t ipis;			/* one bit a CPU */
	uint8_t zero;
};

enum { WORDS = sizeof(struct state) / sizeof(uint32_t) };
_Static_assert(WORDS * sizeof(uint32_t) == sizeof(struct state), "padding");

struct twin {
	uint8_t cpus, pages, buffer;
	bool fence, check;
	enum op order[STEPS_MAX + 1];
};

enum event {
	EV_FILL, EV_EVICT, EV_LOAD, EV_FINISH, EV_FLUSH, EV_DRAIN, EV_CONVERT,
	EV_RETRY, EV_STORE, EV_SHOOT, EV_ASK, EV_RESUME,
};

static const char *const event_name[] = {
	"fill", "evict", "load", "finish", "flush", "drain", "host converts",
	"host retries", "store", "shoot", "ask", "resume",
};

static explore_label label(enum event e, unsigned int cpu, unsigned int item)
{
	return (explore_label)e << 16 | cpu << 8 | item;
}

static void emit(struct explore *x, explore_label l, const struct state *s)
{
	uint32_t words[WORDS];

	memcpy(words, s, sizeof(words));
	explore_emit(x, l, words);
}

static bool misses(const struct state *s, unsigned int cpu)
{
	unsigned int load = s->load[cpu] - 1u;

	return (load & 1) != s->shared[load >> 1];
}

/* What a TLB does by itself, and loads through it. */
static void page_events(const struct twin *t, struct explore *x,
			const struct state *s, unsigned int c, unsigned int p)
{
	struct state n = *s;

	if (s->tlb[c][p] == TLB_NONE) {
		if (!(s->pte[p] & PTE_PRESENT))
			return;
		n.tlb[c][p] = s->pte[p] & PTE_SHARED ? TLB_SHARED : TLB_PRIVATE;
		emit(x, label(EV_FILL, c, p), &n);
		return;
	}
	if (TWIN_BROKEN != BROKEN_EVICT || c + 1 < t->cpus ||
	    p + 1 < t->pages) {
		n.tlb[c][p] = TLB_NONE;
		emit(x, label(EV_EVICT, c, p), &n);
	}
	/* CPU 0 is not in the guest while it waits for the host. */
	if (s->load[c] || (c == 0 && s->call != CALL_NONE))
		return;
	n = *s;
	n.load[c] = (uint8_t)(1 + (p << 1 | (s->tlb[c][p] == TLB_SHARED)));
	if (TWIN_BROKEN == BROKEN_LOAD && misses(&n, c))
		return;
	emit(x, label(EV_LOAD, c, p), &n);
}

static void flush(struct state *s, unsigned int c)
{
	memset(s->tlb[c], TLB_NONE, sizeof(s->tlb[c]));
}

static void cpu_events(const struct twin *t, struct explore *x,
		       const struct state *s, unsigned int c)
{
	struct state n;
	unsigned int p;

	for (p = 0; p < t->pages; p++)
		page_events(t, x, s, c, p);
	n = *s;
	if (s->load[c]) {
		n.load[c] = 0;
		if (t->check && misses(s, c))
			explore_bad(x, label(EV_FINISH, c, 0), 1);
		else
			emit(x, label(EV_FINISH, c, 0), &n);
	} else if (s->ipis & 1u << c) {
		n.ipis = (uint8_t)(s->ipis & ~(1u << c));
		flush(&n, c);
		if (TWIN_BROKEN == BROKEN_IPI)
			n.tlb[c][0] = s->tlb[c][0];
		emit(x, label(EV_FLUSH, c, 0), &n);
	}
}

static void drain(struct explore *x, const struct state *s)
{
	struct state n = *s;
	uint8_t first = s->store[0];

	if (!s->buffered)
		return;
	n.buffered--;
	if (TWIN_BROKEN == BROKEN_ORDER)
		first = s->store[n.buffered];
	else
		memmove(n.store, n.store + 1, BUFFER_MAX - 1);
	n.store[n.buffered] = 0;
	n.pte[first >> 2] = first & 3;
	emit(x, label(EV_DRAIN, 0, first >> 2), &n);
}

static void host_events(struct explore *x, const struct state *s)
{
	struct state n = *s;

	if (s->call != CALL_ASKED)
		return;
	n.call = CALL_ANSWERED;
	n.shared[s->item] = 1;
	emit(x, label(EV_CONVERT, 0, s->item), &n);
	if (TWIN_BROKEN == BROKEN_RETRY)
		return;
	n = *s;
	n.call = CALL_NONE;
	emit(x, label(EV_RETRY, 0, s->item), &n);
}

static void advance(struct state *s, unsigned int items)
{
	if (++s->item < items)
		return;
	s->item = 0;
	s->step++;
}

/* The newest value of a PTE as its writer sees it. */
static uint8_t newest(const struct state *s, unsigned int page)
{
	unsigned int i = s->buffered;

	while (i--)
		if (s->store[i] >> 2 == page)
			return s->store[i] & 3;
	return s->pte[page];
}

static void store(const struct twin *t, struct explore *x,
		  const struct state *s, uint8_t set, uint8_t clear)
{
	struct state n = *s;
	uint8_t pte;

	if (s->buffered == t->buffer)
		return;
	pte = (uint8_t)((newest(s, s->item) | set) & ~clear);
	n.store[n.buffered++] = (uint8_t)(s->item << 2 | pte);
	advance(&n, t->pages);
	emit(x, label(EV_STORE, 0, s->item), &n);
}

/* Flush here, interrupt the others one by one, wait for all. */
static void shootdown(const struct twin *t, struct explore *x,
		      const struct state *s)
{
	struct state n = *s;

	if (s->item == 0) {
		if (t->fence && s->buffered)
			return;
		flush(&n, 0);
	} else if (s->item < t->cpus) {
		n.ipis |= (uint8_t)(1u << s->item);
	} else if (s->ipis) {
		return;
	}
	advance(&n, t->cpus + 1u);
	emit(x, label(EV_SHOOT, 0, s->item), &n);
}

static void notify(const struct twin *t, struct explore *x,
		   const struct state *s)
{
	struct state n = *s;

	if (s->call == CALL_NONE && !s->buffered) {
		n.call = CALL_ASKED;
		emit(x, label(EV_ASK, 0, s->item), &n);
	} else if (s->call == CALL_ANSWERED) {
		n.call = CALL_NONE;
		advance(&n, t->pages);
		emit(x, label(EV_RESUME, 0, s->item), &n);
	}
}

static void converter(const struct twin *t, struct explore *x,
		      const struct state *s)
{
	if (s->load[0])
		return;
	switch (t->order[s->step]) {
	case OP_NP:
		store(t, x, s, 0, PTE_PRESENT);
		break;
	case OP_FLIP:
		store(t, x, s, PTE_SHARED, 0);
		break;
	case OP_NPFLIP:
		store(t, x, s, PTE_SHARED, PTE_PRESENT);
		break;
	case OP_PRESENT:
		store(t, x, s, PTE_PRESENT, 0);
		break;
	case OP_TLB:
		shootdown(t, x, s);
		break;
	case OP_NOTIFY:
		notify(t, x, s);
		break;
	case OP_DONE:
		break;
	}
}

static void initial(void *ctx, uint32_t *words)
{
	const struct twin *t = ctx;
	struct state s = { 0 };

	memset(s.pte, PTE_PRESENT, t->pages);
	memcpy(words, &s, sizeof(s));
}

static void expand(void *ctx, const uint32_t *words, struct explore *x)
{
	const struct twin *t = ctx;
	struct state s;
	unsigned int c;

	memcpy(&s, words, sizeof(s));
	for (c = 0; c < t->cpus; c++)
		cpu_events(t, x, &s, c);
	drain(x, &s);
	host_events(x, &s);
	converter(t, x, &s);
}

static bool parse_order(struct twin *t, char *text)
{
	static const char *const name[] = {
		[OP_NP] = "np", [OP_FLIP] = "flip", [OP_NPFLIP] = "np+flip",
		[OP_TLB] = "tlb", [OP_NOTIFY] = "notify",
		[OP_PRESENT] = "present",
	};
	unsigned int n = 0, op;
	char *word;

	for (word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		for (op = OP_NP; op <= OP_PRESENT; op++)
			if (!strcmp(word, name[op]))
				break;
		if (op > OP_PRESENT || n == STEPS_MAX)
			return false;
		t->order[n++] = (enum op)op;
	}
	return true;
}

static size_t trace(struct explore *x, bool print)
{
	explore_label l[256];
	size_t n = explore_trace(x, l, 256), i;

	for (i = 0; print && i < n && i < 256; i++)
		printf("%2zu  cpu %u  %s %u\n", i + 1,
		       (unsigned int)(l[i] >> 8 & 0xff),
		       event_name[l[i] >> 16], (unsigned int)(l[i] & 0xff));
	return n;
}

int main(int argc, char **argv)
{
	static const char *const result[] = {
		"done", "bad", "deadlock", "limit", "stopped"
	};
	struct twin t = { 0 };
	struct explore_model m = { WORDS, initial, expand, &t };
	const struct explore_stats *st;
	struct explore *x;
	enum explore_result r;

	if (argc != 7 || !parse_order(&t, argv[5]))
		return 2;
	t.cpus = (uint8_t)atoi(argv[1]);
	t.pages = (uint8_t)atoi(argv[2]);
	t.buffer = (uint8_t)atoi(argv[3]);
	t.fence = atoi(argv[4]);
	t.check = strcmp(argv[6], "count") != 0;
	if (!t.cpus || t.cpus > CPUS_MAX || !t.pages || t.pages > PAGES_MAX ||
	    !t.buffer || t.buffer > BUFFER_MAX)
		return 2;
	x = explore_new(&m);
	if (!x)
		return 2;
	r = explore_run(x, NULL);
	st = explore_stats(x);
	printf("%s %llu %llu %zu %.3f %.1f %.1f\n", result[r],
	       (unsigned long long)st->states,
	       (unsigned long long)st->transitions,
	       trace(x, !strcmp(argv[6], "trace")), st->seconds,
	       (double)st->bytes_states / (double)st->states,
	       (double)st->bytes_table / (double)st->states);
	explore_free(x);
	return 0;
}
