// SPDX-License-Identifier: GPL-2.0
/*
 * What several runs showed, as if one had: findings alike are one, which says
 * in how many runs it was; conversions alike, and all counts, are summed up.
 * Runs differ in where things are, so addresses do not count: places do.
 */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#include "words.h"

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
	const char *x = json_string_value(json_object_get(a, key));
	const char *y = json_string_value(json_object_get(b, key));

	return x && y ? !strcmp(x, y) : x == y;
}

/*
 * "f+0x12" is one place in every run. A bare address is of an ELF guest, or in
 * a module, which may lie elsewhere, but at a page's begin.
 */
static bool same_place(const json_t *a, const json_t *b, const char *key)
{
	const char *x = json_string_value(json_object_get(a, key));
	const char *y = json_string_value(json_object_get(b, key));

	if (same_text(a, b, key))
		return true;
	return x && y && !strchr(x, '+') && !strchr(y, '+') &&
		strtoull(x, NULL, 16) >= WATCH_KERNEL &&
		!((strtoull(x, NULL, 16) ^ strtoull(y, NULL, 16)) %
		  WATCH_PAGE);
}

static bool same_number(const json_t *a, const json_t *b, const char *key)
{
	return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* Present or not, private or shared. */
static uint64_t view(const json_t *way)
{
	const char *e = json_string_value(json_object_get(way, "entry"));

	return e ? strtoull(e, NULL, 16) & (WATCH_BIT | ENTRY_P) : 0;
}

static bool same_finding(const json_t *a, const json_t *b)
{
	const json_t *x = json_object_get(a, "way");
	const json_t *y = json_object_get(b, "way");

	return same_text(a, b, "kind") && same_text(a, b, "what") &&
		same_place(a, b, "at") && same_place(a, b, "caller") &&
		same_number(a, b, "state") && view(x) == view(y) &&
		same_place(x, y, "left_by");
}

static bool same_conversion(const json_t *a, const json_t *b)
{
	return same_place(a, b, "caller") && same_text(a, b, "to") &&
		same_text(a, b, "order") && same_number(a, b, "pages");
}

/* The one in @all of this kind that is alike, or NULL. */
static json_t *find(const json_t *all, const char *kind, const json_t *o,
		    bool (*same)(const json_t *, const json_t *))
{
	size_t i;
	json_t *l;

	json_array_foreach(all, i, l) {
		json_t *have = json_object_get(l, kind);

		if (have && same(have, o))
			return have;
	}
	return NULL;
}

static void add(json_t *to, const char *key, uint64_t n)
{
	json_object_set_new(to, key, json_integer((json_int_t)
						  (number(to, key) + n)));
}

static void append(json_t *all, const char *kind, json_t *o)
{
	json_array_append_new(all, json_pack("{s:o}", kind, o));
}

/* Two findings of one run may be one here: that is one run still. */
static void note_seed(json_t *seeds, uint64_t seed)
{
	size_t n = json_array_size(seeds);

	if (!n || (uint64_t)json_integer_value(json_array_get(seeds, n - 1)) !=
	    seed)
		json_array_append_new(seeds, json_integer((json_int_t)seed));
}

static void join_finding(json_t *all, const json_t *lines, const json_t *f,
			 uint64_t seed)
{
	json_t *have = find(all, "finding", f, same_finding);
	uint64_t n = words_times(lines, number(f, "id"));
	json_int_t id;

	if (!have) {
		have = json_deep_copy(f);
		id = (json_int_t)json_array_size(all);
		json_object_set_new(have, "id", json_integer(id));
		json_object_set_new(have, "seeds", json_array());
		append(all, "finding", have);
		append(all, "count", json_pack("{s:I, s:i}", "id", id,
					       "count", 0));
	}
	note_seed(json_object_get(have, "seeds"), seed);
	add(words_count(all, number(have, "id")), "count", n);
}

static void join_conversion(json_t *all, const json_t *c)
{
	json_t *have = find(all, "conversion", c, same_conversion);

	if (!have) {
		append(all, "conversion", json_deep_copy(c));
		return;
	}
	add(have, "count", number(c, "count"));
	add(have, "failed", number(c, "failed"));
	add(have, "flushes_inside", number(c, "flushes_inside"));
}

static bool same_trail(const json_t *a, const json_t *b)
{
	return same_text(a, b, "to") && same_text(a, b, "order") &&
		same_number(a, b, "cpus") && same_number(a, b, "begin") &&
		same_number(a, b, "events");
}

static void join_trail(json_t *all, const json_t *o)
{
	json_t *have = find(all, "trail", o, same_trail);

	if (have)
		add(have, "pages", number(o, "pages"));
	else
		append(all, "trail", json_deep_copy(o));
}

static bool any(const json_t *a, const json_t *b)
{
	(void)a;
	(void)b;
	return true;
}

static void join_sum(json_t *all, const char *kind, json_t *e)
{
	json_t *have = find(all, kind, e, any), *v;
	const char *key;

	if (!have) {
		append(all, kind, json_deep_copy(e));
		return;
	}
	json_object_foreach(e, key, v)
		if (json_is_integer(v))
			add(have, key, (uint64_t)json_integer_value(v));
}

void join_run(json_t *all, const json_t *lines, uint64_t seed)
{
	size_t i;
	json_t *l, *o;

	json_array_foreach(lines, i, l) {
		if ((o = json_object_get(l, "finding")))
			join_finding(all, lines, o, seed);
		else if ((o = json_object_get(l, "conversion")))
			join_conversion(all, o);
		else if ((o = json_object_get(l, "end")))
			join_sum(all, "end", o);
		else if ((o = json_object_get(l, "trails")))
			join_sum(all, "trails", o);
		else if ((o = json_object_get(l, "trail")))
			join_trail(all, o);
		else if ((o = json_object_get(l, "begin")) &&
			 !find(all, "begin", o, any))
			append(all, "begin", json_deep_copy(o));
	}
}
