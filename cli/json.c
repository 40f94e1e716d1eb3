// SPDX-License-Identifier: GPL-2.0
/* Answers as JSON; docs/airlock.1 describes the members. */
#include "cli.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* Without memory there is nothing sensible left to write. */
static json_t *need(json_t *j)
{
	if (!j)
		errx(CLI_LIMIT, "out of memory");
	return j;
}

static void set(json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new(o, key, need(value)))
		errx(CLI_LIMIT, "out of memory");
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* A time has no more digits than it deserves. */
static json_t *milliseconds(double seconds)
{
	return json_real((double)(long)(seconds * 1000 + 0.5) / 1000);
}

/* A file and a label may hold anything: JSON strings are UTF-8 only. */
static json_t *string(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("?");
}

static json_t *take_string(char *s)
{
	json_t *j = string(s);

	free(s);
	return j;
}

static json_t *config(const struct lab_config *cfg)
{
	json_t *o = need(json_object());
	char text[FIELD_TEXT];

	for (enum field f = FIELD_CPUS; f < FIELD_COUNT; f++) {
		const char *s = field_text(cfg, f, text);

		if (!strcmp(s, "yes") || !strcmp(s, "no"))
			set(o, field_name(f), json_boolean(s[0] == 'y'));
		else if (s[strspn(s, "0123456789")])
			set(o, field_name(f), string(s));
		else
			set(o, field_name(f), integer(field_get(cfg, f)));
	}
	return o;
}

static json_t *stats(const struct answer *a)
{
	const struct explore_stats *s = &a->v.stats;
	json_t *o = need(json_object());

	set(o, "states", integer(s->states));
	set(o, "expanded", integer(s->expanded));
	set(o, "transitions", integer(s->transitions));
	set(o, "depth", integer(s->depth));
	set(o, "accesses", integer(a->v.accesses));
	if (a->v.plain_states)
		set(o, "states_without_reduction",
		    integer(a->v.plain_states));
	if (a->v.plain_more)
		set(o, "states_without_reduction_more", json_true());
	set(o, "bytes_per_state", integer(a->v.bytes_per_state));
	set(o, "explore_seconds", milliseconds(s->seconds));
	set(o, "seconds", milliseconds(a->seconds));
	return o;
}

static json_t *lines(const char *text)
{
	json_t *list = need(json_array());

	while (*text) {
		size_t n = strcspn(text, "\n");
		json_t *s = json_stringn(text, n);

		json_array_append_new(list, need(s));
		text += n + (text[n] == '\n');
	}
	return list;
}

static json_t *event(const struct lab_event *e, size_t number)
{
	json_t *o = need(json_object());
	char text[96];

	set(o, "number", integer(number));
	snprintf(text, sizeof(text), "CPU%d", e->actor);
	set(o, "actor", string(e->actor < 0 ? "host" : text));
	snprintf(text, sizeof(text), "0x%016lx", (unsigned long)e->label);
	set(o, "label", string(text));
	set(o, "text", string(e->text));
	if (e->file) {
		set(o, "file", string(e->file));
		set(o, "line", integer((uint64_t)e->line));
	}
	set(o, "changes", lines(e->change));
	return o;
}

static json_t *counterexample(const struct answer *a)
{
	json_t *o = need(json_object()), *list = need(json_array());

	for (size_t i = 0; i < a->v.nevents; i++)
		json_array_append_new(list, event(&a->v.event[i], i + 1));
	set(o, "shortest", json_boolean(a->v.shortest));
	set(o, "property", string(lab_bad_name(a->v.bad)));
	set(o, "why", string(answer_why(a)));
	set(o, "sentence", string(answer_sentence(a)));
	if (a->v.nevents && a->v.event[a->v.nevents - 1].because[0])
		set(o, "because",
		    string(a->v.event[a->v.nevents - 1].because));
	set(o, "events", list);
	return o;
}

/* Beside the proof. */
static json_t *compared(const struct seam *s)
{
	json_t *o = need(json_object());

	set(o, "holds", json_boolean(s->result == SEAM_HOLDS));
	set(o, "states", integer(s->states));
	set(o, "transitions", integer(s->transitions));
	if (s->result == SEAM_HOLDS)
		return o;
	set(o, "why", string(s->why));
	set(o, "event", string(s->event));
	set(o, "before", string(s->before));
	set(o, "after", string(s->after));
	return o;
}

static json_t *one(const struct question *q, const struct answer *a)
{
	json_t *o = need(json_object());

	set(o, "platform", string(platform_name(q->cfg.platform)));
	set(o, "order", string(q->order));
	set(o, "steps", take_string(order_text(&q->cfg.order, true)));
	set(o, "to", string(to_name(q->cfg.to)));
	set(o, "config", config(&q->cfg));
	set(o, "command", take_string(question_command(q)));
	set(o, "verdict", string(answer_word(a)));
	set(o, "text", take_string(answer_text(a)));
	set(o, "stats", stats(a));
	if (a->seam.result != SEAM_NONE)
		set(o, "compared", compared(&a->seam));
	if (a->kind == ANSWER_UNSAFE)
		set(o, "counterexample", counterexample(a));
	return o;
}

/* A hash has more bits than JSON's integers are sure to have. */
json_t *json_asked(const struct asked *q)
{
	json_t *o = need(json_object());
	char text[20];

	snprintf(text, sizeof(text), "%016lx", (unsigned long)q->hash);
	set(o, "all", integer(q->all));
	set(o, "hash", string(text));
	set(o, "part", integer(q->part));
	set(o, "parts", integer(q->parts));
	return o;
}

static bool read_count(const json_t *o, const char *key, size_t most,
		       size_t *n)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	*n = (size_t)v;
	return v > 0 && (size_t)v <= most;
}

bool asked_read(const json_t *file, struct asked *q)
{
	const json_t *o = json_object_get(file, "asked");
	const char *hash = json_string_value(json_object_get(o, "hash"));
	size_t part, parts;

	if (!hash || !read_count(o, "all", 1u << 30, &q->all) ||
	    !read_count(o, "parts", 1000000, &parts) ||
	    !read_count(o, "part", parts, &part))
		return false;
	q->hash = strtoul(hash, NULL, 16);
	q->part = (unsigned int)part;
	q->parts = (unsigned int)parts;
	return true;
}

json_t *json_answers(const struct question *q, const struct answer *a,
		     size_t n, const struct asked *asked)
{
	json_t *o = need(json_object()), *list = need(json_array());

	for (size_t i = 0; i < n; i++) {
		json_t *answer = one(&q[i], &a[i]);

		set(answer, "number", integer(asked->part + i * asked->parts));
		json_array_append_new(list, answer);
	}
	set(o, "airlock", string(AIRLOCK_VERSION));
	set(o, "asked", json_asked(asked));
	set(o, "questions", list);
	return o;
}
