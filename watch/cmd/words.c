// SPDX-License-Identifier: GPL-2.0
/* words.h says what for. */
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

uint64_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? strtoull(json_string_value(v), NULL, 16) :
		(uint64_t)json_integer_value(v);
}

json_t *words_count(const json_t *lines, uint64_t id)
{
	size_t i;
	json_t *l;

	json_array_foreach(lines, i, l) {
		json_t *c = json_object_get(l, "count");

		if (c && number(c, "id") == id)
			return c;
	}
	return NULL;
}

uint64_t words_times(const json_t *lines, uint64_t id)
{
	const json_t *c = words_count(lines, id);

	return c ? number(c, "count") : 1;
}

enum watch_platform words_platform(const struct watch_run *r)
{
	return !strcmp(r->platform, "tdx") ? WATCH_TDX :
		!strcmp(r->platform, "snp") ? WATCH_SNP :
		!strcmp(r->platform, "vtom") ? WATCH_VTOM : WATCH_TDP;
}

const char *words_view(const struct watch_run *r, uint64_t entry)
{
	bool set = entry & WATCH_BIT;

	return set == (words_platform(r) == WATCH_SNP) ? "private" : "shared";
}

const char *words_state(const struct watch_run *r, uint64_t state)
{
	return watch_state_name(words_platform(r), (enum watch_state)state);
}

char *words_entry(const struct watch_run *r, const json_t *way, char *to,
		  size_t size)
{
	static const char *const sizes[] = { "4K", "2M", "1G" };
	uint64_t e = number(way, "entry");
	unsigned int level = (unsigned int)number(way, "level") % 3;

	if (!(e & ENTRY_P))
		snprintf(to, size, "%" PRIx64 ": not present", e);
	else
		snprintf(to, size, "%" PRIx64 ": present, %s, %s, of %" PRIx64
			 "%s%s", e, sizes[level], words_view(r, e),
			 e & WATCH_ADDR & ~((WATCH_PAGE << (9 * level)) - 1),
			 e & ENTRY_GLOBAL ? ", global" : "",
			 e >> 63 ? ", no-execute" : "");
	return to;
}

char *words_place(const json_t *o, const char *key, char *to, size_t size)
{
	char line_key[32];
	const char *line;

	snprintf(line_key, sizeof(line_key), "%s_line", key);
	line = text(o, line_key);
	snprintf(to, size, "%s%s%s%s", text(o, key), *line ? " (" : "", line,
		 *line ? ")" : "");
	return to;
}

/* "CPU 1", "CPU 0 and CPU 2", "any CPU". */
static const char *holders(const struct watch_run *r, const json_t *way,
			   char *to, size_t size)
{
	unsigned int cpus = r->linux_run.machine.launch.cpus, n = 0;
	uint64_t mask = number(way, "cpus");
	size_t at = 0;

	if (mask == (1u << cpus) - 1 && cpus > 1)
		return "any CPU";
	*to = 0;
	for (unsigned int c = 0; c < WATCH_CPUS; c++)
		if (mask >> c & 1 && at < size)
			at += (size_t)snprintf(to + at, size - at, "%sCPU %u",
					       n++ ? " and " : "", c);
	return to;
}

static bool is(const json_t *f, const char *kind)
{
	return !strcmp(text(f, "kind"), kind);
}

bool words_is_stray(const char *kind)
{
	return !strcmp(kind, "present") || !strcmp(kind, "stale") ||
		!strcmp(kind, "cached");
}

static const char *exception(const struct watch_run *r, const char *by)
{
	bool private = !strcmp(by, "private");

	switch (words_platform(r)) {
	case WATCH_SNP:
		return private ? "#VC" :
			"the host takes it, its contents are lost";
	case WATCH_TDX:
		return private ? "a TD exit that ends the guest" :
			"#VE, or the host takes it";
	default:
		return "an exception in the paravisor, which ends the guest";
	}
}

static const char *which_lines(const json_t *f)
{
	return number(f, "lines") == 6 ? "first and last line" :
		number(f, "lines") == 2 ? "first line" : "last line";
}

/* ---- what is wrong ---- */

char *words_headline(const struct watch_run *r, const json_t *f, char *to,
		     size_t size)
{
	const char *state = words_state(r, number(f, "state"));
	uint64_t page = number(f, "page");
	const char *by = words_view(r, number(json_object_get(f, "way"),
					      "entry"));

	if (words_is_stray(text(f, "kind")))
		snprintf(to, size, "a stray read of page %" PRIx64 " could come "
			 "through a %s mapping while it is %s: %s", page, by,
			 state, exception(r, by));
	else if (is(f, "outlives"))
		snprintf(to, size, "the conversion is over and a CPU can hold "
			 "page %" PRIx64 " as %s while it is %s: %s", page, by,
			 state, exception(r, by));
	else if (is(f, "owner"))
		snprintf(to, size, "%s may not find its own page",
			 text(f, "what"));
	else if (is(f, "line"))
		snprintf(to, size, "page %" PRIx64 " is %s with %" PRIu64 " of "
			 "64 lines that nobody flushed: a dirty one could be "
			 "written back over it", page, state,
			 number(f, "lines"));
	else if (is(f, "evict"))
		snprintf(to, size, "page %" PRIx64 " is private again and no "
			 "evict read took out its %s: a stale line can reach a "
			 "reader", page, which_lines(f));
	else if (is(f, "given"))
		snprintf(to, size, "page %" PRIx64 " is given to the host and "
			 "still validated", page);
	else
		snprintf(to, size, "page %" PRIx64 " is %s twice: it could be "
			 "shown old data", page, text(f, "what"));
	return to;
}

/* ---- why ---- */

/* The last event is the store that put the entry there, not a state's change. */
static bool by_entry(const json_t *f)
{
	const json_t *all = json_object_get(f, "events");
	size_t n = json_array_size(all);

	return n && !strcmp(text(json_array_get(all, n - 1), "what"), "entry");
}

/* Who put the entry there that still is there. */
static char *maker(const json_t *f, char *to, size_t size)
{
	uint64_t entry = number(json_object_get(f, "way"), "entry");
	const json_t *all = json_object_get(f, "events"), *e;
	size_t i;

	snprintf(to, size, "it was there before the watch began");
	json_array_foreach(all, i, e)
		if (!strcmp(text(e, "what"), "entry") &&
		    !((number(e, "new") ^ entry) &
		      (ENTRY_P | ENTRY_LARGE | WATCH_BIT)))
			snprintf(to, size, "%s put it there", text(e, "at"));
	return to;
}

char *words_because(const struct watch_run *r, const json_t *f, char *to,
		    size_t size)
{
	const json_t *way = json_object_get(f, "way");
	char mask[64], by[256], store[WORDS];
	const char *cpus = holders(r, way, mask, sizeof(mask));

	words_place(way, "left_by", store, sizeof(store));
	if (is(f, "present"))
		snprintf(to, size, "the entry is in the tables, for %s: %s",
			 cpus, maker(f, by, sizeof(by)));
	else if (json_object_get(way, "unseen_of"))
		snprintf(to, size, "%s replaced the entry, that store could be "
			 "in the store buffer of CPU %" PRIu64 " still when %s "
			 "flushed, and it may hold the entry again", store,
			 number(way, "unseen_of"), cpus);
	else if (is(f, "stale") || is(f, "outlives"))
		snprintf(to, size, "%s replaced the entry, and %s may still "
			 "hold it", store, cpus);
	else if (is(f, "cached"))
		snprintf(to, size, "%s took away the table with the entry, and "
			 "the paging-structure cache of %s may still lead there",
			 store, cpus);
	else if (is(f, "owner") && number(way, "cpus"))
		snprintf(to, size, "%s replaced what was there, and %s may "
			 "still hold it", store, cpus);
	else if (is(f, "owner"))
		snprintf(to, size, "the address is not mapped as it must be");
	else if (is(f, "line"))
		snprintf(to, size, "stores through the former mapping may be "
			 "in the cache of any CPU");
	else if (is(f, "evict"))
		snprintf(to, size, "any CPU may have cached a line of the page "
			 "while it was shared");
	else
		snprintf(to, size, "it is validated and accepted already, and "
			 "nothing took that back");
	return to;
}

char *words_missing(const struct watch_run *r, const json_t *f, char *to,
		    size_t size)
{
	const json_t *way = json_object_get(f, "way");
	char mask[64], at[WORDS];
	const char *cpus = !strcmp(holders(r, way, mask, sizeof(mask)),
				   "any CPU") ? "every CPU" : mask;
	uint64_t va = number(f, "va");

	words_place(f, "at", at, sizeof(at));
	if (is(f, "present") && by_entry(f))
		snprintf(to, size, "the change of the page's state, before %s "
			 "maps it so", at);
	else if (is(f, "present"))
		snprintf(to, size, "the entry taken away, and then a flush of "
			 "%" PRIx64 " on %s, before %s", va, cpus, at);
	else if (json_object_get(way, "unseen_of"))
		snprintf(to, size, "a fence or a locked instruction on CPU %"
			 PRIu64 " between that store and the IPI",
			 number(way, "unseen_of"));
	else if (is(f, "stale") || is(f, "cached"))
		snprintf(to, size, "a flush (INVLPG %" PRIx64 ", or all) on %s "
			 "after that, before %s", va, cpus, at);
	else if (is(f, "outlives"))
		snprintf(to, size, "a flush (INVLPG %" PRIx64 ", or all) on %s, "
			 "before the page is used again", va, cpus);
	else if (is(f, "owner"))
		snprintf(to, size, number(way, "cpus") ?
			 "INVLPG %" PRIx64 " on this CPU after that, before %s" :
			 "a present entry for %" PRIx64 ", before %s", va, at);
	else if (is(f, "line"))
		snprintf(to, size, "CLFLUSH of %" PRIu64 " lines through the "
			 "former mapping, before %s", number(f, "lines"), at);
	else if (is(f, "evict"))
		snprintf(to, size, "a read of its %s, when it is private and "
			 "before it is used", which_lines(f));
	else if (is(f, "given"))
		snprintf(to, size, "PVALIDATE that rescinds, before %s", at);
	else
		*to = 0;
	return to;
}
