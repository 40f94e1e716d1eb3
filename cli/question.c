// SPDX-License-Identifier: GPL-2.0
/* Questions and answers, in words. */
#include "cli.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define TYPED "typed"

/* A string under construction; the caller gets it from text_end(). */
struct text {
	char *p;
	size_t size;
	FILE *f;
};

static void text_begin(struct text *t)
{
	t->f = open_memstream(&t->p, &t->size);
	if (!t->f)
		err(CLI_LIMIT, "out of memory");
}

static char *text_end(struct text *t)
{
	if (fclose(t->f))
		err(CLI_LIMIT, "out of memory");
	return t->p;
}

/* ---- orders ---- */

char *order_text(const struct airlock_order *o, bool spaces)
{
	size_t n = airlock_order_print(o, NULL, 0) + 1, k = 0;
	char *s = malloc(n);

	if (!s)
		err(CLI_LIMIT, "out of memory");
	airlock_order_print(o, s, n);
	if (spaces)
		return s;
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ')
			s[k++] = s[i];
	return s;
}

bool order_is_typed(const struct question *q)
{
	return !strncmp(q->order, TYPED, strlen(TYPED));
}

static bool is_named(const char *text)
{
	for (unsigned int i = 0; i < airlock_named_order_count; i++)
		if (!strcmp(airlock_named_orders[i].name, text))
			return true;
	return false;
}

/* A word that is no step was more likely meant as a name. */
static bool looks_like_name(const char *text, size_t where)
{
	return where == 0 && !strpbrk(text, ", @+");
}

/* What an order does, as far as the rules for all orders go. */
struct outline {
	unsigned int steps, flips, prepares, notifies;
	bool late;		/* prepare after notify */
	bool gone;		/* not present in the end */
};

static uint8_t kind_at(const char *step)
{
	size_t n = strcspn(step, ",@ ");
	const char *name;
	uint8_t kind = 1;

	while ((name = airlock_step_name(kind)) &&
	       (strlen(name) != n || strncmp(step, name, n)))
		kind++;
	return kind;
}

/* Every step of @text is understood. */
static struct outline outline_of(const char *text)
{
	struct outline o = { .steps = 0 };
	const char *at = text;

	for (; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		uint8_t s = kind_at(at + strspn(at, " "));

		o.steps++;
		o.late |= s == AIRLOCK_STEP_PREPARE && o.notifies;
		o.prepares += s == AIRLOCK_STEP_PREPARE;
		o.notifies += s == AIRLOCK_STEP_NOTIFY;
		o.flips += s == AIRLOCK_STEP_FLIP ||
			s == AIRLOCK_STEP_NP_FLIP ||
			s == AIRLOCK_STEP_FLIP_PRESENT;
		if (s == AIRLOCK_STEP_NP || s == AIRLOCK_STEP_NP_FLIP)
			o.gone = true;
		if (s == AIRLOCK_STEP_PRESENT ||
		    s == AIRLOCK_STEP_FLIP_PRESENT)
			o.gone = false;
	}
	return o;
}

static void explain_times(const char *who, const char *rule, unsigned int n)
{
	static const char *const times[] = { "never", "once", "twice" };
	char number[24];

	snprintf(number, sizeof(number), "%u times", n);
	fprintf(stderr, "%s: an order %s;\n    this one: %s\n", who, rule,
		n < 3 ? times[n] : number);
}

/* The rules that it breaks, and no other. */
static void explain_whole(const char *who, const char *text)
{
	struct outline o = outline_of(text);

	if (o.steps > AIRLOCK_ORDER_STEPS) {
		fprintf(stderr, "%s: an order has at most %d steps; this one "
			"has %u\n", who, AIRLOCK_ORDER_STEPS, o.steps);
		return;
	}
	if (o.flips != 1)
		explain_times(who, "flips once (flip, np+flip or flip+present)", o.flips);
	if (o.notifies != 1)
		explain_times(who, "tells the host once (notify)", o.notifies);
	if (o.prepares > 1)
		explain_times(who, "has prepare once at most", o.prepares);
	if (o.late)
		fprintf(stderr, "%s: prepare comes before notify, and here it "
			"comes after\n", who);
	if (o.gone)
		fprintf(stderr, "%s: an order ends with the range present; "
			"after this one it is not:\n    present or "
			"flip+present is missing\n", who);
}

static void explain_step(const char *who)
{
	const char *name;

	fprintf(stderr, "%s: a step is one of\n   ", who);
	for (uint8_t s = 1; (name = airlock_step_name(s)); s++)
		fprintf(stderr, " %s", name);
	fprintf(stderr, "\nseparated by commas; cache, prepare and notify "
		"take @map or @window\n");
}

static bool counts_wrong(const char *text, size_t where)
{
	unsigned int commas = 0;

	if (!text[where]) {
		while (where && text[where - 1] == ' ')
			where--;
		return where && text[where - 1] != ',';
	}
	for (size_t i = 0; i < where; i++)
		commas += text[i] == ',';
	return commas >= AIRLOCK_ORDER_STEPS;
}

/* The text with a caret under the place; of a long one only what is near. */
static void point_at(const char *text, size_t where)
{
	enum { ROOM = CLI_COLUMNS - 12, BEFORE = 50 };
	size_t skip = where > BEFORE ? where - BEFORE : 0;
	size_t left = strlen(text + skip);

	fprintf(stderr, "    %s", skip ? "..." : "");
	for (size_t i = 0; i < left && i < ROOM; i++) {
		char c = text[skip + i];

		fputc(c < ' ' || c > '~' ? '?' : c, stderr);
	}
	fprintf(stderr, "%s\n    %*s^\n", left > ROOM ? "..." : "",
		(int)(where - skip + (skip ? 3 : 0)), "");
}

static void explain_order(const char *who, const char *text, size_t where)
{
	if (looks_like_name(text, where)) {
		fprintf(stderr, "%s: no order is named '%s'; `airlock orders'"
			" lists them\n", who, text);
		return;
	}
	fprintf(stderr, "%s: not an order:\n", who);
	point_at(text, where);
	if (counts_wrong(text, where))
		explain_whole(who, text);
	else
		explain_step(who);
}

bool order_read(const char *who, const char *text, bool *typed,
		struct airlock_order *o)
{
	size_t where = 0;

	*typed = !is_named(text);
	if (!*typed || !airlock_order_parse(text, o, &where))
		return true;
	explain_order(who, text, where);
	return false;
}

/* ---- questions ---- */

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

static void bounds_host(FILE *f, const struct lab_config *c)
{
	char text[FIELD_TEXT];

	fprintf(f, ", %s host", field_text(c, FIELD_HOST, text));
	if (c->host == LAB_HOST_HOSTILE)
		fprintf(f, " (%u act%s)", c->acts, plural(c->acts));
	fprintf(f, ", store buffer %u", c->store_buffer);
}

static void bounds_kernel(FILE *f, const struct lab_config *c)
{
	if (c->interrupts)
		fprintf(f, ", interrupts on where pinned");
	if (c->migrations)
		fprintf(f, ", %u migration%s", c->migrations,
			plural(c->migrations));
	if (c->flush)
		fprintf(f, ", INVLPGB%s", c->flush == LAB_FLUSH_UNSYNCED ?
			" with a TLBSYNC that does not wait" : "");
	if (c->reclaim)
		fprintf(f, ", airlock_reclaim_all()");
}

static void bounds_features(FILE *f, const struct lab_config *c)
{
	bool amd = c->platform == AIRLOCK_SNP || c->platform == AIRLOCK_SEV;

	if (amd)
		fprintf(f, ", caches %scoherent", c->features &
			AIRLOCK_F_COHERENT ? "" : "not ");
	if (c->platform == AIRLOCK_SNP)
		fprintf(f, ", evict reads %sneeded", c->features &
			AIRLOCK_F_NO_EVICT ? "not " : "");
	if (c->platform == AIRLOCK_TDX && c->features & AIRLOCK_F_TDX_RELEASE)
		fprintf(f, ", page release");
}

char *question_bounds(const struct question *q)
{
	const struct lab_config *c = &q->cfg;
	struct text t;

	text_begin(&t);
	fprintf(t.f, "%u CPU%s (%u convert%s%s), %u page%s, %s leaves, %s",
		c->cpus, plural(c->cpus), c->converters,
		c->converters == 1 ? "s" : "",
		c->converters == 1 || c->overlap == LAB_OVERLAP_NONE ? "" :
		c->overlap == LAB_OVERLAP_LEAF ? ", one leaf" : ", same pages",
		c->pages, plural(c->pages), c->leaf_2m ? "2M" : "4K",
		c->vmalloc ? "vmalloc" : c->lazy ?
		"direct map and unmapped aliases" : "direct map");
	if (c->ranges > 1)
		fprintf(t.f, ", %u ranges", c->ranges);
	if (c->rounds > 1)
		fprintf(t.f, ", %u rounds", c->rounds);
	bounds_host(t.f, c);
	bounds_kernel(t.f, c);
	bounds_features(t.f, c);
	if (!c->reduce)
		fprintf(t.f, ", no reduction");
	return text_end(&t);
}

char *question_command(const struct question *q)
{
	struct lab_config base;
	struct text t;
	char *steps = NULL;

	lab_config_default(&base);
	text_begin(&t);
	if (order_is_typed(q))
		steps = order_text(&q->cfg.order, false);
	fprintf(t.f, "airlock check --platform %s --order %s --to %s",
		platform_name(q->cfg.platform), steps ? steps : q->order,
		to_name(q->cfg.to));
	free(steps);
	field_options(t.f, &q->cfg, &base);
	return text_end(&t);
}

/* ---- answers ---- */

const char *answer_why(const struct answer *a)
{
	return lab_bad_word(a->v.bad, a->v.exception);
}

const char *answer_word(const struct answer *a)
{
	static const char *const word[] = {
		[ANSWER_NONE] = "not started", [ANSWER_SAFE] = "safe",
		[ANSWER_UNSAFE] = "UNSAFE", [ANSWER_LIMIT] = "limit",
		[ANSWER_STOPPED] = "stopped", [ANSWER_REFUSED] = "refused",
		[ANSWER_DIED] = "died", [ANSWER_APART] = "APART",
	};

	return word[a->kind];
}

char *answer_text(const struct answer *a)
{
	unsigned long n = a->v.stats.states;
	struct text t;

	text_begin(&t);
	fputs(answer_word(a), t.f);
	switch (a->kind) {
	case ANSWER_SAFE:
		fprintf(t.f, ": all %lu states", n);
		if (a->v.plain_states)
			fprintf(t.f, ", which stand for %s%lu",
				a->v.plain_more ? "more than " : "",
				(unsigned long)a->v.plain_states);
		if (a->seam.result == SEAM_HOLDS)
			fprintf(t.f, "; %lu compared", (unsigned long)
				a->seam.transitions);
		break;
	case ANSWER_APART:
		fprintf(t.f, ": %s", a->seam.why);
		break;
	case ANSWER_UNSAFE:
		fprintf(t.f, ": %s: %s", answer_why(a),
			lab_bad_sentence(a->v.bad));
		break;
	case ANSWER_LIMIT:
	case ANSWER_STOPPED:
		fprintf(t.f, ": %lu states, not finished",
			a->seam.result == SEAM_LIMIT ?
			(unsigned long)a->seam.states : n);
		break;
	case ANSWER_REFUSED:
	case ANSWER_DIED:
		fprintf(t.f, ": %s", a->why);
		break;
	case ANSWER_NONE:
		break;
	}
	return text_end(&t);
}

const char *answer_sentence(const struct answer *a)
{
	size_t n = a->v.nevents;

	return n && a->v.event[n - 1].why[0] ? a->v.event[n - 1].why :
		lab_bad_sentence(a->v.bad);
}

void answer_free(struct answer *a)
{
	lab_verdict_free(&a->v);
	free(a->file);
	a->file = NULL;
}

enum cli_exit answers_exit(const struct answer *a, size_t n)
{
	enum cli_exit code = CLI_SAFE;

	for (size_t i = 0; i < n; i++)
		if (a[i].kind == ANSWER_UNSAFE || a[i].kind == ANSWER_APART)
			return CLI_UNSAFE;
		else if (a[i].kind == ANSWER_REFUSED)
			code = CLI_USAGE;
		else if (a[i].kind != ANSWER_SAFE && code == CLI_SAFE)
			code = CLI_LIMIT;
	return code;
}
