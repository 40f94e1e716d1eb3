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
	put_place(e, "left_by", w->rip);
	fprintf(e->f, "}");
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
	fprintf(e->f, "}}\n");
	fflush(e->f);
}

static void put_conversion(struct emit *e, const struct watch_conversion *c)
{
	char order[512];

	watch_order(c, order, sizeof(order));
	fprintf(e->f, "{\"conversion\": {\"to\": \"%s\", \"pages\": %" PRIu64
		", \"count\": %" PRIu64 ", \"failed\": %" PRIu64
		", \"order\": \"%s\"", c->to_shared ? "shared" : "private",
		c->pages, c->count, c->failed, order);
	put_place(e, "caller", c->caller);
	fprintf(e->f, "}}\n");
}

void emit_end(struct emit *e, const struct watch *w, bool begun)
{
	const struct watch_counts *c = watch_counted(w);

	for (unsigned int i = 0; i < watch_findings(w); i++)
		fprintf(e->f, "{\"count\": {\"id\": %u, \"count\": %" PRIu64
			"}}\n", i, watch_finding(w, i)->count);
	for (unsigned int i = 0; i < watch_conversions(w); i++)
		put_conversion(e, watch_conversion(w, i));
	fprintf(e->f, "{\"end\": {\"begun\": %s, \"stores\": %" PRIu64
		", \"table_writes\": %" PRIu64 ", \"state_changes\": %" PRIu64
		", \"judged\": %" PRIu64 ", \"flushes\": %" PRIu64
		", \"full_flushes\": %" PRIu64 ", \"clflushes\": %" PRIu64
		", \"evict_reads\": %" PRIu64 ", \"tables\": %" PRIu64
		", \"stale_most\": %" PRIu64 "}}\n",
		begun ? "true" : "false", c->stores, c->table_writes,
		c->state_changes, c->judged, c->flushes, c->full_flushes,
		c->clflushes, c->evict_reads, c->tables, c->stale_most);
	fclose(e->f);
}
