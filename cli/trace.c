// SPDX-License-Identifier: GPL-2.0
/* Trace files, as docs/trace.md describes them. */
#include "cli.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT	"airlock-trace 1"
#define WATCHED	"airlock-watch-trace"
#define MAX_EVENTS 100000	/* no counterexample is that long */

static void write_lines(FILE *to, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(to, "+ %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void write_event(FILE *to, size_t number, const struct lab_event *e)
{
	if (e->actor < 0)
		fprintf(to, "%zu host", number);
	else
		fprintf(to, "%zu CPU%d", number, e->actor);
	fprintf(to, " 0x%016lx %s\n", (unsigned long)e->label, e->text);
	if (e->file)
		fprintf(to, "@ %s:%d\n", e->file, e->line);
	write_lines(to, e->change);
}

void trace_write(FILE *to, const struct question *q, const struct answer *a)
{
	char *steps = order_text(&q->cfg.order, true), text[FIELD_TEXT];
	struct lab_config cfg = q->cfg;

	/* A shortest counterexample is found, and replays, without. */
	if (a->v.shortest)
		cfg.reduce = false;
	fprintf(to, "%s\nversion %s\norder %s\nsteps %s\n", FORMAT,
		AIRLOCK_VERSION, q->order, steps);
	for (enum field f = 0; f < FIELD_COUNT; f++)
		fprintf(to, "%s %s\n", field_name(f),
			field_text(&cfg, f, text));
	fprintf(to, "breaks %u %s\nevents %zu\n", a->v.bad,
		lab_bad_name(a->v.bad), a->v.nevents);
	for (size_t i = 0; i < a->v.nevents; i++)
		write_event(to, i + 1, &a->v.event[i]);
	fprintf(to, "end %s\n", answer_sentence(a));
	free(steps);
}

/* ---- reading: a file from anywhere may hold anything ---- */

struct reader {
	FILE *f;
	const char *file;
	unsigned int number;	/* of the line */
	char line[1024];
	unsigned int seen;	/* fields, mask */
	bool steps, breaks;
};

static bool wrong(const struct reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool wrong(const struct reader *r, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "airlock replay: %s:%u: ", r->file, r->number);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return false;
}

static bool next(struct reader *r)
{
	size_t n;

	r->number++;
	if (!fgets(r->line, sizeof(r->line), r->f))
		return wrong(r, "the trace ends early");
	n = strlen(r->line);
	if (!n || r->line[n - 1] != '\n')
		return wrong(r, "line too long, or its end is missing");
	r->line[--n] = '\0';
	/* What is read may be printed: nothing that moves a cursor. */
	for (size_t i = 0; i < n; i++)
		if (r->line[i] < ' ' || r->line[i] > '~')
			return wrong(r, "not ASCII");
	return true;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

/*
 * The name goes into the command that is printed for pasting: it stands only
 * if it still names these steps.
 */
static void check_name(struct question *q)
{
	struct airlock_order o = { 0 };

	if (!airlock_order_named(q->order, q->cfg.platform, q->cfg.to, &o) &&
	    o.nsteps == q->cfg.order.nsteps &&
	    !memcmp(o.step, q->cfg.order.step, o.nsteps))
		return;
	copy(q->order, sizeof(q->order), "typed-1");
}

/* "key value": the value, or NULL for another key. */
static char *value_of(struct reader *r, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(r->line, key, n) && r->line[n] == ' ' ?
		r->line + n + 1 : NULL;
}

static bool read_breaks(struct reader *r, const char *v, struct trace *t)
{
	char *end;
	unsigned long n = strtoul(v, &end, 10);

	if (end == v || *end != ' ' || n >= LAB_BAD_COUNT ||
	    strcmp(end + 1, lab_bad_name((unsigned int)n)))
		return wrong(r, "'%s' is no property", v);
	t->bad = (uint32_t)n;
	r->breaks = true;
	return true;
}

static bool read_steps(struct reader *r, const char *v, struct trace *t)
{
	size_t where = 0;

	if (airlock_order_parse(v, &t->q.cfg.order, &where))
		return wrong(r, "not an order, from '%s' on", v + where);
	r->steps = true;
	return true;
}

static bool read_field(struct reader *r, struct trace *t)
{
	char *space = strchr(r->line, ' ');
	enum field f;

	if (!space)
		return wrong(r, "not understood: '%s'", r->line);
	*space = '\0';
	f = field_find(r->line);
	if (f == FIELD_COUNT)
		return wrong(r, "not understood: '%s'", r->line);
	if (!field_parse(&t->q.cfg, f, space + 1))
		return wrong(r, "%s cannot be '%s'", r->line, space + 1);
	r->seen |= 1u << f;
	return true;
}

/* What older traces lack, and mean by it what the defaults are. */
#define LATER (1u << FIELD_INTERRUPTS | 1u << FIELD_MIGRATIONS | \
	       1u << FIELD_FLUSH | 1u << FIELD_RECLAIM)

/* Up to the line "events N". */
static bool read_header(struct reader *r, struct trace *t, size_t *events)
{
	char *v;

	if (!next(r))
		return false;
	if (!strncmp(r->line, WATCHED, strlen(WATCHED)))
		return wrong(r, "a trace of `airlock watch': a kernel's run is "
			     "not replayed, its line `command' runs it again");
	if (strcmp(r->line, FORMAT))
		return wrong(r, "not a trace: its first line is not '%s'",
			     FORMAT);
	for (;;) {
		bool ok = true;

		if (!next(r))
			return false;
		if ((v = value_of(r, "events")))
			break;
		if ((v = value_of(r, "version")))
			copy(t->version, sizeof(t->version), v);
		else if ((v = value_of(r, "order")))
			copy(t->q.order, sizeof(t->q.order), v);
		else if ((v = value_of(r, "steps")))
			ok = read_steps(r, v, t);
		else if ((v = value_of(r, "breaks")))
			ok = read_breaks(r, v, t);
		else
			ok = read_field(r, t);
		if (!ok)
			return false;
	}
	*events = strtoul(v, NULL, 10);
	if (!*events || *events > MAX_EVENTS)
		return wrong(r, "a trace has 1 to %d events", MAX_EVENTS);
	if ((r->seen | LATER) + 1 != 1u << FIELD_COUNT || !r->steps ||
	    !r->breaks)
		return wrong(r, "the header lacks a line");
	check_name(&t->q);
	return true;
}

static bool read_event(struct reader *r, size_t number, struct trace_event *e)
{
	unsigned long label;
	size_t n;
	int at = 0;
	char who[8];

	if (sscanf(r->line, "%zu %7s 0x%16lx %n", &n, who, &label, &at) != 3 ||
	    !at || n != number)
		return wrong(r, "event %zu expected", number);
	if (strcmp(who, "host") && (strncmp(who, "CPU", 3) || who[4] ||
				    who[3] < '0' || who[3] > '9'))
		return wrong(r, "'%s' is neither a CPU nor the host", who);
	e->actor = who[0] == 'h' ? LAB_HOST_ACTOR : who[3] - '0';
	e->label = label;
	if (strlen(r->line + at) >= sizeof(e->text))
		return wrong(r, "the description is too long");
	strcpy(e->text, r->line + at);
	return true;
}

/* Lines that begin with + or @ are for readers, not for the replay. */
static bool read_events(struct reader *r, struct trace *t, size_t events)
{
	t->event = calloc(events, sizeof(*t->event));
	if (!t->event)
		err(CLI_LIMIT, "out of memory");
	while (next(r)) {
		if (r->line[0] == '+' || r->line[0] == '@')
			continue;
		if (value_of(r, "end")) {
			if (t->nevents == events)
				return true;
			return wrong(r, "%zu events announced, %zu found",
				     events, t->nevents);
		}
		if (t->nevents == events)
			return wrong(r, "more events than announced");
		if (!read_event(r, t->nevents + 1, &t->event[t->nevents]))
			return false;
		t->nevents++;
	}
	return false;
}

bool trace_read(const char *file, struct trace *t)
{
	struct reader r = { .file = file };
	size_t events = 0;
	bool ok;

	memset(t, 0, sizeof(*t));
	lab_config_default(&t->q.cfg);
	r.f = strcmp(file, "-") ? fopen(file, "r") : stdin;
	if (!r.f) {
		fprintf(stderr, "airlock replay: %s: %s\n", file,
			strerror(errno));
		return false;
	}
	ok = read_header(&r, t, &events) && read_events(&r, t, events);
	if (r.f != stdin)
		fclose(r.f);
	return ok;
}

void trace_free(struct trace *t)
{
	free(t->event);
	t->event = NULL;
}
