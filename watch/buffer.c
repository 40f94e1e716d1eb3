// SPDX-License-Identifier: GPL-2.0
/*
 * Store buffers. A CPU's store may be unseen by others until the CPU executes
 * something that drains its buffer: a locked or serialising instruction, an
 * exit. Until then another CPU may load the old entry again, so that its flush
 * counts for nothing.
 *
 *            store              drain
 *    SEEN ---------> BUFFERED ---------> SEEN
 *                       | IPI              ^ IPI
 *                       v       drain      |
 *                   OVERTAKEN --------> LATE
 *
 * An IPI that is sent by a plain store comes after it, stores being in order.
 * One sent by WRMSR to an x2APIC, which Intel's CPUs do not order, may overtake
 * it. The flush that it asks for may then be over before the store is seen, on
 * whatever day it was in this run: only a later IPI is sure to help. The CPU's
 * own flushes always count: INVLPG and the like drain first.
 */
#include "inside.h"

#include <err.h>
#include <stdlib.h>

static enum seen *seen_of(struct watch *w, const struct unseen *u,
			  uint64_t **since)
{
	*since = u->is_link ? &w->link[u->index].since :
		&w->stale[u->index].since;
	return u->is_link ? &w->link[u->index].seen : &w->stale[u->index].seen;
}

/* The @i-th of CPU @p's waits no more. */
static void take_out(struct watch *w, struct cpu *p, unsigned int i)
{
	p->unseen[i] = p->unseen[--p->n_unseen];
	w->unseen--;
}

void buffer_dropped(struct watch *w, bool is_link, uint32_t index)
{
	struct unseen u = { is_link, index };
	struct cpu *p = &w->cpu[is_link ? w->link[index].writer :
				w->stale[index].writer];
	uint64_t *since;
	enum seen *seen = seen_of(w, &u, &since);
	unsigned int i = 0;

	if (*seen == SEEN)
		return;
	*seen = SEEN;
	while (i < p->n_unseen && (p->unseen[i].is_link != is_link ||
				   p->unseen[i].index != index))
		i++;
	if (i < p->n_unseen)
		take_out(w, p, i);
}

static void add(struct watch *w, struct cpu *p, struct unseen u)
{
	if (p->n_unseen == p->unseen_room) {
		p->unseen_room = p->unseen_room ? 2 * p->unseen_room : 64;
		p->unseen = realloc(p->unseen, p->unseen_room *
				    sizeof(*p->unseen));
		if (!p->unseen)
			err(1, "watch");
	}
	p->unseen[p->n_unseen++] = u;
	w->unseen++;
}

void buffer_store(struct watch *w, unsigned int cpu, bool is_link,
		  uint32_t index)
{
	buffer_dropped(w, is_link, index);
	if (!w->on)
		return;
	if (is_link) {
		w->link[index].seen = BUFFERED;
		w->link[index].writer = (uint8_t)cpu;
	} else {
		w->stale[index].seen = BUFFERED;
		w->stale[index].writer = (uint8_t)cpu;
	}
	add(w, &w->cpu[cpu], (struct unseen){ is_link, index });
}

void buffer_free(struct watch *w)
{
	for (unsigned int c = 0; c < WATCH_CPUS; c++)
		free(w->cpu[c].unseen);
}

void buffer_moved(struct watch *w, uint8_t writer, uint32_t from, uint32_t to)
{
	struct cpu *p = &w->cpu[writer];

	for (unsigned int i = 0; i < p->n_unseen; i++)
		if (!p->unseen[i].is_link && p->unseen[i].index == from) {
			p->unseen[i].index = to;
			return;
		}
}

/* Is @u an entry on the way to the one of @va at @level, or that one? */
static bool on_the_way(const struct watch *w, struct unseen u, uint64_t va,
		       unsigned int level)
{
	const struct stale *s = &w->stale[u.index];

	if (!u.is_link)
		return s->level >= level &&
		       !((s->va ^ va) >> (12 + 9 * s->level));
	for (level = 1; level < 4; level++)
		if (w->link[u.index].va == va >> (12 + 9 * level) <<
		    (12 + 9 * level))
			return true;
	return false;
}

/*
 * Who changes an entry found it by those above, and knows what it was. So what
 * others wrote there has left their buffers: a lock was given back in between,
 * which is a plain store, and stores are in order.
 */
void buffer_way(struct watch *w, unsigned int cpu, uint64_t va,
		unsigned int level)
{
	for (unsigned int c = 0; w->unseen && c < WATCH_CPUS; c++) {
		struct cpu *p = &w->cpu[c];
		unsigned int i = c == cpu ? p->n_unseen : 0;

		while (i < p->n_unseen) {
			struct unseen u = p->unseen[i];
			uint64_t *since;

			if (!on_the_way(w, u, va, level)) {
				i++;
				continue;
			}
			*seen_of(w, &u, &since) = SEEN;
			*since = ++w->time;
			take_out(w, p, i);
		}
	}
}

bool watch_wants_drains(const struct watch *w)
{
	return w->unseen || trails_want_drains(w);
}

/* Each that is @from becomes @to; what is seen then leaves the list. */
static void become(struct watch *w, struct cpu *p, enum seen from,
		   enum seen to)
{
	unsigned int i = 0;

	while (i < p->n_unseen) {
		uint64_t *since;
		enum seen *seen = seen_of(w, &p->unseen[i], &since);

		if (*seen == from) {
			*seen = to;
			*since = w->time;
		}
		if (*seen == SEEN)
			take_out(w, p, i);
		else
			i++;
	}
}

void watch_drain(struct watch *w, unsigned int cpu)
{
	struct cpu *p = &w->cpu[cpu];

	trails_drain(w, cpu);
	if (!p->n_unseen)
		return;
	w->time++;
	become(w, p, BUFFERED, SEEN);
	become(w, p, OVERTAKEN, LATE);
}

void watch_ipi(struct watch *w, unsigned int cpu)
{
	struct cpu *p = &w->cpu[cpu];

	trails_ipi(w, cpu);
	if (!p->n_unseen)
		return;
	w->time++;
	become(w, p, LATE, SEEN);
	become(w, p, BUFFERED, OVERTAKEN);
}
