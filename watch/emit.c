// SPDX-License-Identifier: GPL-2.0
/*
 * A line when something is found, so that nothing is lost with a guest that
 * does not end; what only the end knows, at the end.
 */
#include "emit.h"
#include "modsyms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct emit {
	FILE *f;
	const uint8_t *ram;
	uint64_t size;
	const struct watch *w;
	const struct ksyms *k;
	uint64_t modules;	/* the kernel's list of them */
};

static const char *const kinds[FOUND_KINDS] = {
	"present", "stale", "cached", "outlives", "owner", "line", "evict",
	"twice", "given",
};

struct emit *emit_open(const char *path, const uint8_t *ram, uint64_t size)
{
	struct emit *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->f = fopen(path, "w");
	e->ram = ram;
	e->size = size;
	if (e->f)
		return e;
	free(e);
	return NULL;
}

void emit_watch(struct emit *e, const struct watch *w)
{
	e->w = w;
}

void emit_symbols(struct emit *e, const struct ksyms *k)
{
	e->k = k;
	e->modules = ksyms_address(k, "modules");
}

static uint64_t guest_memory(void *ctx, uint64_t va)
{
	const struct emit *e = ctx;
	unsigned int level;
	uint64_t entry = watch_lookup(e->w, va, &level), in, pa, v = 0;

	if (!entry)
		return 0;
	in = (WATCH_PAGE << (9 * level)) - 1;
	pa = (entry & WATCH_ADDR & ~in) | (va & in);
	if (pa + 8 <= e->size)
		memcpy(&v, e->ram + pa, 8);
	return v;
}

static bool name_of(struct emit *e, uint64_t at, char *name, size_t size,
		    uint64_t *offset)
{
	return ksyms_name(e->k, at, name, size, offset) ||
		modsyms_name(guest_memory, e, e->modules, at, name, size,
			     offset);
}

static void put_place(struct emit *e, const char *key, uint64_t at)
{
	char name[256];
	uint64_t offset;

	if (!at)
		return;
	if (name_of(e, at, name, sizeof(name), &offset))
		fprintf(e->f, ", \"%s\": \"%s+0x%" PRIx64 "\"", key, name,
			offset);
	else
		fprintf(e->f, ", \"%s\": \"0x%" PRIx64 "\"", key, at);
}

static void put_way(struct emit *e, const char *key,
		    const struct watch_way *w)
{
	fprintf(e->f, ", \"%s\": {\"va\": \"0x%" PRIx64 "\", \"entry\": "
		"\"0x%" PRIx64 "\", \"level\": %u, \"cpus\": %u", key, w->va,
		w->entry, w->level, w->cpus);
	if (w->unseen)
		fprintf(e->f, ", \"unseen_of\": %u", w->writer);
	put_place(e, "left_by", w->rip);
	fprintf(e->f, "}");
}

static const char *const events[EVENT_KINDS] = {
	"convert", "return", "alias", "entry", "invlpg", "flush", "cr3",
	"clflush", "read", "pvalidate", "accept", "state",
};

static void put_event(struct emit *e, const struct watch_event *v)
{
	fprintf(e->f, "{\"what\": \"%s\", \"cpu\": %u, \"pages\": %" PRIu64
		", \"times\": %" PRIu64 ", \"level\": %u, \"old\": \"0x%" PRIx64
		"\", \"new\": \"0x%" PRIx64 "\"", events[v->kind], v->cpu,
		v->pages, v->times, v->level, v->old, v->new);
	if (v->va != EVENT_NOWHERE)
		fprintf(e->f, ", \"va\": \"0x%" PRIx64 "\"", v->va);
	if (v->frame < EVENT_NOWHERE)
		fprintf(e->f, ", \"page\": \"0x%" PRIx64 "\"",
			v->frame * WATCH_PAGE);
	put_place(e, "at", v->rip);
	fprintf(e->f, "}");
}

static void put_events(struct emit *e, const struct watch_finding *f)
{
	struct watch_event all[EVENTS_SHOWN];
	unsigned int n = watch_history(e->w, f, all, EVENTS_SHOWN);

	fprintf(e->f, ", \"events\": [");
	for (unsigned int i = 0; i < n; i++) {
		fprintf(e->f, "%s", i ? ", " : "");
		put_event(e, &all[i]);
	}
	fprintf(e->f, "]");
}

void emit_begin(struct emit *e, unsigned int symbols)
{
	fprintf(e->f, "{\"begin\": {\"symbols\": %u}}\n", symbols);
	fflush(e->f);
}

void emit_finding(struct emit *e, const struct watch_finding *f)
{
	fprintf(e->f, "{\"finding\": {\"id\": %u, \"kind\": \"%s\", "
		"\"page\": \"0x%" PRIx64 "\", \"state\": %u, \"va\": \"0x%"
		PRIx64 "\", \"cpu\": %u, \"lines\": %u", f->id,
		kinds[f->kind], f->frame * WATCH_PAGE, f->state, f->va,
		f->cpu, f->lines);
	put_place(e, "at", f->rip);
	put_place(e, "caller", f->caller);
	if (*f->what)
		fprintf(e->f, ", \"what\": \"%s\"", f->what);
	put_way(e, "way", &f->way);
	if (f->mapped.va)
		put_way(e, "mapped", &f->mapped);
	put_events(e, f);
	fprintf(e->f, "}}\n");
	fflush(e->f);
}

static void put_conversion(struct emit *e, const struct watch_conversion *c)
{
	char order[512];

	watch_order(c, order, sizeof(order));
	fprintf(e->f, "{\"conversion\": {\"to\": \"%s\", \"pages\": %" PRIu64
		", \"count\": %" PRIu64 ", \"failed\": %" PRIu64
		", \"flushes_inside\": %" PRIu64 ", \"order\": \"%s\"",
		c->to_shared ? "shared" : "private", c->pages, c->count,
		c->failed, c->inside, order);
	put_place(e, "caller", c->caller);
	fprintf(e->f, "}}\n");
}

static const char *const trail_events[TRAIL_KINDS] = {
	"entry", "drain", "flush", "cache", "state", "evict", "return",
};

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static void put_trail_event(struct emit *e, const struct watch_trail_event *v)
{
	fprintf(e->f, "{\"what\": \"%s\", \"cpu\": %u", trail_events[v->kind],
		v->cpu);
	if (v->kind == TRAIL_ENTRY)
		fprintf(e->f, ", \"map\": %u, \"present\": %s, \"shared\": %s",
			v->map, yes(v->value & TRAIL_PRESENT),
			yes(v->value & TRAIL_SHARED));
	if (v->kind == TRAIL_FLUSH)
		fprintf(e->f, ", \"maps\": %u", v->value);
	if (v->kind == TRAIL_CACHE)
		fprintf(e->f, ", \"shared\": %s", yes(v->value & TRAIL_SHARED));
	if (v->kind == TRAIL_STATE)
		fprintf(e->f, ", \"old\": %u, \"new\": %u", v->old, v->value);
	if (v->kind == TRAIL_CACHE || v->kind == TRAIL_STATE ||
	    v->kind == TRAIL_EVICT)
		fprintf(e->f, ", \"window\": %s", yes(v->window));
	put_place(e, "at", v->rip);
	fprintf(e->f, "}");
}

static void put_trail(struct emit *e, const struct watch_trail *r)
{
	char order[512];

	watch_order(&r->how, order, sizeof(order));
	fprintf(e->f, "{\"trail\": {\"to\": \"%s\", \"pages\": %" PRIu64
		", \"cpus\": %u, \"order\": \"%s\", \"va\": \"0x%" PRIx64
		"\", \"begin\": [", r->to_shared ? "shared" : "private",
		r->pages, r->cpus, order, r->va);
	for (unsigned int i = 0; i < r->maps; i++)
		fprintf(e->f, "%s%u", i ? ", " : "", r->begin[i]);
	fprintf(e->f, "], \"events\": [");
	for (unsigned int i = 0; i < r->n; i++) {
		fprintf(e->f, "%s", i ? ", " : "");
		put_trail_event(e, &r->ev[i]);
	}
	fprintf(e->f, "]");
	put_place(e, "caller", r->caller);
	fprintf(e->f, "}}\n");
}

static void put_trails(struct emit *e, const struct watch *w)
{
	const struct watch_trail_counts *c = watch_trail_counted(w);

	if (!c)
		return;
	for (unsigned int i = 0; i < watch_trails(w); i++)
		put_trail(e, watch_trail(w, i));
	fprintf(e->f, "{\"trails\": {\"pages\": %" PRIu64 ", \"refused\": %"
		PRIu64 ", \"moved\": %" PRIu64 ", \"unfit\": %" PRIu64
		", \"too_many\": %" PRIu64 "}}\n", c->kept, c->refused,
		c->moved, c->unfit, c->too_many);
}

void emit_end(struct emit *e, const struct watch *w, bool begun)
{
	const struct watch_counts *c = watch_counted(w);

	for (unsigned int i = 0; i < watch_findings(w); i++)
		fprintf(e->f, "{\"count\": {\"id\": %u, \"count\": %" PRIu64
			"}}\n", i, watch_finding(w, i)->count);
	for (unsigned int i = 0; i < watch_conversions(w); i++)
		put_conversion(e, watch_conversion(w, i));
	put_trails(e, w);
	fprintf(e->f, "{\"end\": {\"begun\": %s, \"stores\": %" PRIu64
		", \"table_writes\": %" PRIu64 ", \"state_changes\": %" PRIu64
		", \"judged\": %" PRIu64 ", \"flushes\": %" PRIu64
		", \"full_flushes\": %" PRIu64 ", \"clflushes\": %" PRIu64
		", \"evict_reads\": %" PRIu64 ", \"tables\": %" PRIu64
		", \"stale_most\": %" PRIu64 ", \"places_left_out\": %"
		PRIu64 "}}\n",
		begun ? "true" : "false", c->stores, c->table_writes,
		c->state_changes, c->judged, c->flushes, c->full_flushes,
		c->clflushes, c->evict_reads, c->tables, c->stale_most,
		c->places_left_out);
	fclose(e->f);
}
