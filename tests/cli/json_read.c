// SPDX-License-Identifier: GPL-2.0
/*
 * json_read FILE: read what `airlock check --json` wrote, hold it against
 * airlock(1), and print one line per question:
 *
 *     VERDICT<TAB>WHY<TAB>EVENTS<TAB>COMMAND
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *key)
{
	fprintf(stderr, "json_read: %s: %s\n", what, key);
	exit(1);
}

static json_t *get(json_t *o, const char *key, json_type type)
{
	json_t *v = json_object_get(o, key);

	if (!v)
		fail("missing", key);
	if (json_typeof(v) != type)
		fail("of the wrong type", key);
	return v;
}

static const char *text(json_t *o, const char *key)
{
	return json_string_value(get(o, key, JSON_STRING));
}

static void read_event(json_t *e, size_t number)
{
	const char *label = text(e, "label");

	if (json_integer_value(get(e, "number", JSON_INTEGER)) !=
	    (json_int_t)number)
		fail("out of order", "number");
	if (strlen(label) != 18 || strncmp(label, "0x", 2))
		fail("no label", label);
	if (strncmp(text(e, "actor"), "CPU", 3) &&
	    strcmp(text(e, "actor"), "host"))
		fail("no actor", text(e, "actor"));
	if (!*text(e, "text"))
		fail("empty", "text");
	get(e, "changes", JSON_ARRAY);
	if (json_object_get(e, "file"))
		get(e, "line", JSON_INTEGER);
}

static size_t read_events(json_t *q)
{
	json_t *c = get(q, "counterexample", JSON_OBJECT);
	json_t *list = get(c, "events", JSON_ARRAY);

	if (!json_is_boolean(json_object_get(c, "shortest")))
		fail("no boolean", "shortest");
	if (!*text(c, "property") || !*text(c, "sentence") ||
	    !*text(c, "why"))
		fail("empty", "property, sentence or why");
	if (!json_array_size(list))
		fail("empty", "events");
	for (size_t i = 0; i < json_array_size(list); i++)
		read_event(json_array_get(list, i), i + 1);
	return json_array_size(list);
}

/* Few states that are safe stand for at least as many. */
static void read_plain(json_t *q, json_t *stats)
{
	json_t *plain = json_object_get(stats, "states_without_reduction");

	if (!plain)
		return;
	if (strcmp(text(q, "verdict"), "safe") ||
	    json_integer_value(plain) <
	    json_integer_value(json_object_get(stats, "states")))
		fail("no sense", "states_without_reduction");
}

static void read_question(json_t *q)
{
	bool bad = !strcmp(text(q, "verdict"), "UNSAFE");
	json_t *stats = get(q, "stats", JSON_OBJECT);
	size_t events = 0;

	text(q, "platform");
	text(q, "order");
	text(q, "steps");
	text(q, "to");
	text(q, "text");
	get(get(q, "config", JSON_OBJECT), "cpus", JSON_INTEGER);
	get(stats, "states", JSON_INTEGER);
	get(stats, "transitions", JSON_INTEGER);
	get(stats, "accesses", JSON_INTEGER);
	get(stats, "bytes_per_state", JSON_INTEGER);
	get(stats, "seconds", JSON_REAL);
	read_plain(q, stats);
	if (bad)
		events = read_events(q);
	else if (json_object_get(q, "counterexample"))
		fail("a counterexample to what is not unsafe",
		     text(q, "command"));
	printf("%s\t%s\t%zu\t%s\n", text(q, "verdict"), bad ?
	       text(json_object_get(q, "counterexample"), "why") : "safe",
	       events, text(q, "command"));
}

int main(int argc, char **argv)
{
	json_error_t e;
	json_t *j, *list;

	if (argc != 2)
		return 2;
	j = json_load_file(argv[1], JSON_REJECT_DUPLICATES, &e);
	if (!j) {
		fprintf(stderr, "%s:%d: %s\n", argv[1], e.line, e.text);
		return 1;
	}
	text(j, "airlock");
	list = get(j, "questions", JSON_ARRAY);
	for (size_t i = 0; i < json_array_size(list); i++)
		read_question(json_array_get(list, i));
	json_decref(j);
	return 0;
}
