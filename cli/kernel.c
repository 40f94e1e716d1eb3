// SPDX-License-Identifier: GPL-2.0
/* `airlock prove --watched': a file of watch's, and where a kernel left the proof. */
#include "kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT 600

/* ---- members; what is missing is "" and 0 ---- */

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static bool is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static const json_t *trail_at(const struct watched_file *f, size_t i)
{
	const json_t *lines = json_object_get(f->json, "lines");

	return json_object_get(json_array_get(lines, i), "trail");
}

static size_t lines(const struct watched_file *f)
{
	return json_array_size(json_object_get(f->json, "lines"));
}

/* ---- the file ---- */

static enum airlock_to direction(const json_t *t)
{
	return strcmp(text(t, "to"), "shared") ? AIRLOCK_TO_PRIVATE :
		AIRLOCK_TO_SHARED;
}

/* As watch named it, or else the one to be taken; false: it is none. */
static bool named(const struct watched_file *f, const json_t *t,
		  struct watched_order *o)
{
	const char *name = f->forced ? "" : text(t, "order");
	unsigned int n = 0;

	memset(o, 0, sizeof(*o));
	o->to = direction(t);
	o->named = *name;
	if (!*name)
		name = f->other;
	if (airlock_order_named(name, f->platform, o->to, &o->order) &&
	    airlock_order_parse(name, &o->order, NULL)) {
		fprintf(stderr, "airlock prove: '%s' is no order of steps\n",
			name);
		return false;
	}
	for (unsigned int i = 0; i < o->order.nsteps; i++)
		if (o->order.step[i] != AIRLOCK_STEP_ALIAS)
			o->order.step[n++] = o->order.step[i];
	o->order.nsteps = (uint8_t)n;
	return true;
}

static bool same_order(const struct watched_order *a,
		       const struct watched_order *b)
{
	return a->to == b->to && a->order.nsteps == b->order.nsteps &&
		!memcmp(a->order.step, b->order.step, a->order.nsteps);
}

static bool returned(const json_t *t)
{
	const json_t *e = json_object_get(t, "events");
	size_t n = json_array_size(e);

	return n && !strcmp(text(json_array_get(e, n - 1), "what"), "return");
}

static bool add_trail(struct watched_file *f, const json_t *t)
{
	struct watched_order o;
	unsigned int i = 0;

	if (!named(f, t, &o))
		return false;
	while (i < f->orders && !same_order(&f->order[i], &o))
		i++;
	if (i == WATCHED_ORDERS) {
		fprintf(stderr, "airlock prove: more than %d orders\n",
			WATCHED_ORDERS);
		return false;
	}
	if (i == f->orders)
		f->order[f->orders++] = o;
	f->order[i].pages += number(t, "pages");
	f->order[i].trails++;
	f->order[i].whole |= returned(t);
	return true;
}

bool watched_read(const char *name, const char *order, bool forced,
		  struct watched_file *f)
{
	json_error_t e;

	memset(f, 0, sizeof(*f));
	f->forced = forced;
	f->other = order;
	f->json = json_load_file(name, 0, &e);
	if (!f->json) {
		fprintf(stderr, "airlock prove: %s: %s\n", name, e.text);
		return false;
	}
	if (!platform_parse(text(f->json, "platform"), &f->platform) ||
	    !json_is_array(json_object_get(f->json, "lines"))) {
		fprintf(stderr, "airlock prove: %s: not a file of `airlock "
			"watch --json'\n", name);
		return false;
	}
	for (size_t i = 0; i < lines(f); i++)
		if (trail_at(f, i) && !add_trail(f, trail_at(f, i)))
			return false;
	return true;
}

void watched_free(struct watched_file *f)
{
	json_decref(f->json);
}

/* ---- a trail ---- */

static const char *const kinds[WATCHED_KINDS] = {
	"entry", "drain", "flush", "cache", "state", "evict", "return",
};

static bool read_event(const json_t *j, struct watched_event *e)
{
	unsigned int k = 0;

	while (k < WATCHED_KINDS && strcmp(kinds[k], text(j, "what")))
		k++;
	if (k == WATCHED_KINDS)
		return false;
	e->kind = (enum watched_kind)k;
	e->cpu = (unsigned int)number(j, "cpu");
	e->map = (unsigned int)number(j, "map");
	e->maps = (unsigned int)number(j, "maps");
	e->present = is_true(j, "present");
	e->shared = is_true(j, "shared");
	e->window = is_true(j, "window");
	e->old = (enum watched_state)number(j, "old");
	e->new = (enum watched_state)number(j, "new");
	return true;
}

static bool read_trail(const json_t *t, struct watched *w)
{
	const json_t *events = json_object_get(t, "events");
	const json_t *begin = json_object_get(t, "begin");

	memset(w, 0, sizeof(*w));
	w->to = direction(t);
	w->cpus = (unsigned int)number(t, "cpus");
	w->maps = (unsigned int)json_array_size(begin);
	w->n = (unsigned int)json_array_size(events);
	w->ev = calloc(w->n + 1, sizeof(*w->ev));
	if (!w->ev || !w->cpus || w->cpus > 16 || !w->maps ||
	    w->maps > WATCHED_MAPS)
		return false;
	for (unsigned int m = 0; m < w->maps; m++) {
		json_int_t v = json_integer_value(json_array_get(begin, m));

		w->present[m] = v & 1;
		w->shared[m] = v & 2;
	}
	for (unsigned int i = 0; i < w->n; i++) {
		struct watched_event *e = &w->ev[i];

		if (!read_event(json_array_get(events, i), e) ||
		    e->cpu >= w->cpus || e->map >= w->maps)
			return false;
		e->number = i;
	}
	return true;
}

/* ---- in words ---- */

static const char *state_name(uint64_t s)
{
	static const char *const names[] = {
		"none", "shared", "private, not valid", "private"
	};

	return names[s & 3];
}

static void event_words(char *to, const json_t *e)
{
	static const char *const plain[WATCHED_KINDS] = {
		"", "its stores reach memory", "flushes", "all its lines are "
		"flushed", "", "evict reads", "the call returns",
	};
	const char *what = text(e, "what");
	unsigned int k = 0;
	int n;

	while (k < WATCHED_KINDS - 1 && strcmp(kinds[k], what))
		k++;
	n = snprintf(to, TEXT, "CPU %u: ", (unsigned int)number(e, "cpu"));
	to += n;
	if (k == WATCHED_ENTRY)
		snprintf(to, 300, "mapping %u becomes %s", (unsigned int)
			 number(e, "map"), !is_true(e, "present") ?
			 "not present" : is_true(e, "shared") ?
			 "present, shared" : "present, private");
	else if (k == WATCHED_STATE)
		snprintf(to, 300, "the machine holds it %s, no longer %s%s",
			 state_name(number(e, "new")),
			 state_name(number(e, "old")),
			 is_true(e, "window") ? ", by a window" : "");
	else
		snprintf(to, 300, "%s%s", plain[k],
			 is_true(e, "window") ? ", by a window" : "");
	if (*text(e, "at"))
		snprintf(to + strlen(to), 200, ", at %.120s", text(e, "at"));
	if (*text(e, "at_line"))
		snprintf(to + strlen(to), 90, " (%.80s)", text(e, "at_line"));
}

static void say_left(const json_t *t, const struct watched_left *l)
{
	const json_t *events = json_object_get(t, "events");
	char line[TEXT] = "at its very beginning", words[TEXT];

	if (l->at != WATCHED_NOWHERE) {
		event_words(words, json_array_get(events, l->at));
		snprintf(line, sizeof(line), "at event %u of %zu: %.500s",
			 l->at + 1, json_array_size(events), words);
	}
	print_wrapped(stdout, "left", CLI_LABEL, line);
	print_wrapped(stdout, "because", CLI_LABEL, l->why);
	print_wrapped(stdout, "before it", CLI_LABEL, l->before);
	snprintf(line, sizeof(line), "%" PRIu64 " pages, the first at %s, for "
		 "%.200s", number(t, "pages"), text(t, "va"),
		 text(t, "caller"));
	print_wrapped(stdout, "of", CLI_LABEL, line);
	for (size_t i = 0; i < json_array_size(events); i++) {
		event_words(words, json_array_get(events, i));
		snprintf(line, sizeof(line), "%s%3zu", i == l->at ? "=>" : "  ",
			 i + 1);
		print_wrapped(stdout, line, CLI_LABEL, words);
	}
}

/* ---- all of an order ---- */

static void head(const struct watched_order *o, uint64_t pages,
		 unsigned int trails)
{
	char *steps = order_text(&o->order, true), line[TEXT];

	snprintf(line, sizeof(line), "%s: %" PRIu64 " pages by %u trails, %"
		 PRIu64 " of them %s", steps, o->pages, o->trails, pages,
		 trails == o->trails ? "runs of its system" :
		 "by runs of its system");
	print_wrapped(stdout, o->to == AIRLOCK_TO_SHARED ? "shared" :
		      "private", CLI_LABEL, line);
	free(steps);
}

bool watched_compare(const struct watched_file *f,
		     const struct watched_order *o, const struct system *s)
{
	unsigned int good = 0;
	const json_t *first = NULL;
	struct watched_left l, why = { .at = 0 };
	uint64_t pages = 0;

	for (size_t i = 0; i < lines(f); i++) {
		const json_t *t = trail_at(f, i);
		struct watched_order its;
		struct watched w;

		if (!t || !named(f, t, &its) || !same_order(&its, o))
			continue;
		if (!read_trail(t, &w)) {
			l = (struct watched_left){ .at = WATCHED_NOWHERE,
						   .why = "not a trail" };
		} else if (watched_run(s, &w, &l)) {
			good++;
			pages += number(t, "pages");
			free(w.ev);
			continue;
		}
		free(w.ev);
		if (!first) {
			first = t;
			why = l;
		}
	}
	head(o, pages, good);
	if (first)
		say_left(first, &why);
	return !first;
}

bool watched_rest(const struct watched_file *f)
{
	const json_t *c = NULL;
	char line[TEXT];

	for (size_t i = 0; i < lines(f); i++) {
		const json_t *l = json_array_get(json_object_get(f->json,
								 "lines"), i);

		if (json_object_get(l, "trails"))
			c = json_object_get(l, "trails");
	}
	if (!c || !f->orders) {
		printf("no conversion's pages are in it\n");
		return true;
	}
	snprintf(line, sizeof(line), "%" PRIu64 " pages of calls that were "
		 "refused, %" PRIu64 " of threads that went to another CPU, %"
		 PRIu64 " that were so before, in two calls at once or "
		 "while a CPU went off, %" PRIu64 " because trails were too many",
		 number(c, "refused"), number(c, "moved"), number(c, "unfit"),
		 number(c, "too_many"));
	print_wrapped(stdout, "not", CLI_LABEL, line);
	return number(c, "too_many");
}
