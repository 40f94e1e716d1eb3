// SPDX-License-Identifier: GPL-2.0
/* Tables of answers. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const char *colour_of(const struct answer *a, bool on)
{
	return a->kind == ANSWER_SAFE ? GREEN(on) :
		a->kind == ANSWER_UNSAFE || a->kind == ANSWER_APART ?
		RED(on) : YELLOW(on);
}

/* The verdict comes last: it alone has no fixed width. */
void report_head(const struct report *r)
{
	printf("%-5s %-*s %-7s %10s %11s %7s  %s\n", "on", (int)r->order_width,
	       "order", "to", "states", "transitions", "time", "verdict");
}

void report_row(const struct report *r, size_t i)
{
	const struct question *q = &r->q[i];
	const struct answer *a = &r->a[i];
	char *text = answer_text(a);
	size_t word = strlen(answer_word(a));

	printf("%-5s %-*s %-7s %10lu %11lu %5.1f s  %s%.*s%s%s\n",
	       platform_name(q->cfg.platform), (int)r->order_width, q->order,
	       to_name(q->cfg.to), (unsigned long)a->v.stats.states,
	       (unsigned long)a->v.stats.transitions, a->seconds,
	       colour_of(a, r->colour), (int)word, text, PLAIN(r->colour),
	       text + word);
	free(text);
}

static size_t count(const struct report *r, enum answer_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->a[i].kind == kind;
	return n;
}

void report_sum(const struct report *r, double seconds)
{
	size_t safe = count(r, ANSWER_SAFE), bad = count(r, ANSWER_UNSAFE);
	size_t apart = count(r, ANSWER_APART);
	uint64_t states = 0, transitions = 0, compared = 0;

	for (size_t i = 0; i < r->n; i++) {
		states += r->a[i].v.stats.states;
		transitions += r->a[i].v.stats.transitions;
		compared += r->a[i].seam.transitions;
	}
	printf("%zu questions: %zu safe, %zu UNSAFE", r->n, safe, bad);
	if (apart)
		printf(", %zu APART from the proof", apart);
	if (r->n - safe - bad - apart)
		printf(", %zu not finished", r->n - safe - bad - apart);
	printf("\n%lu states, %lu transitions, %.1f s\n",
	       (unsigned long)states, (unsigned long)transitions, seconds);
	if (compared)
		printf("%lu transitions, without reduction, compared with the "
		       "proof\n", (unsigned long)compared);
}

/* ---- the matrix ---- */

#define MARK	12	/* "not started" and a space */

static const struct answer *find(const struct report *r, const char *order,
				 enum airlock_platform p, enum airlock_to to)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->q[i].order, order) &&
		    r->q[i].cfg.platform == p && r->q[i].cfg.to == to)
			return &r->a[i];
	return NULL;
}

static bool asked_platform(const struct report *r, enum airlock_platform p)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->q[i].cfg.platform == p)
			return true;
	return false;
}

static bool asked_to(const struct report *r, enum airlock_to to)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->q[i].cfg.to == to)
			return true;
	return false;
}

static void matrix_row(const struct report *r, const char *order,
		       enum airlock_to to)
{
	int gap = (int)r->order_width + 2 - (int)strlen(order);

	fputs(order, stdout);
	for (unsigned int i = 0; i < all_platform_count; i++) {
		const struct answer *a = find(r, order, all_platforms[i], to);
		const char *word = !a ? "-" : a->kind == ANSWER_UNSAFE ?
			answer_why(a) : answer_word(a);

		if (!asked_platform(r, all_platforms[i]))
			continue;
		/* Room is left before a mark, not after the last one. */
		printf("%*s%s%s%s", gap, "", a ? colour_of(a, r->colour) : "",
		       word, a ? PLAIN(r->colour) : "");
		gap = MARK - (int)strlen(word);
	}
	putchar('\n');
}

static void matrix_of(const struct report *r, enum airlock_to to)
{
	const char *what = to == AIRLOCK_TO_SHARED ? "to shared" : "to private";
	int gap = (int)r->order_width + 2 - (int)strlen(what);

	fputs(what, stdout);
	for (unsigned int i = 0; i < all_platform_count; i++) {
		const char *name = platform_name(all_platforms[i]);

		if (!asked_platform(r, all_platforms[i]))
			continue;
		printf("%*s%s", gap, "", name);
		gap = MARK - (int)strlen(name);
	}
	putchar('\n');
	for (size_t i = 0; i < r->n; i++) {
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = strcmp(r->q[k].order, r->q[i].order) != 0;
		if (first)
			matrix_row(r, r->q[i].order, to);
	}
	putchar('\n');
}

static bool said_before(const struct report *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r->a[k].kind == ANSWER_UNSAFE &&
		    !strcmp(answer_why(&r->a[k]), answer_why(&r->a[i])))
			return true;
	return false;
}

/* What the words of the matrix mean, those that stand in it. */
static void matrix_legend(const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n; i++) {
		const struct answer *a = &r->a[i];

		if (a->kind != ANSWER_UNSAFE || said_before(r, i))
			continue;
		if (!any)
			puts("Every other word than safe is UNSAFE, and says "
			     "what goes wrong first:");
		any = true;
		printf("  %s%-9s%s  %s\n", RED(r->colour), answer_why(a),
		       PLAIN(r->colour),
		       lab_bad_meaning(a->v.bad, a->v.exception));
	}
	if (any)
		putchar('\n');
}

/* Ten columns of marks are wider than a page: one block per direction. */
void report_matrix(const struct report *r)
{
	if (asked_to(r, AIRLOCK_TO_SHARED))
		matrix_of(r, AIRLOCK_TO_SHARED);
	if (asked_to(r, AIRLOCK_TO_PRIVATE))
		matrix_of(r, AIRLOCK_TO_PRIVATE);
	matrix_legend(r);
}

/* ---- one question ---- */

/* Where the engine and the proof came apart. */
static void print_apart(const struct answer *a)
{
	const struct seam *s = &a->seam;

	if (s->event[0])
		print_wrapped(stdout, "event", CLI_LABEL, s->event);
	if (s->before[0])
		print_wrapped(stdout, s->event[0] ? "before it" : "state",
			      CLI_LABEL, s->before);
	if (s->event[0])
		print_wrapped(stdout, "after it", CLI_LABEL,
			      s->after[0] ? s->after : "the same");
}

static void print_compared(const struct answer *a)
{
	char text[300];

	if (a->seam.result != SEAM_HOLDS)
		return;
	snprintf(text, sizeof(text), "%lu transitions of %lu states without "
		 "reduction, by the engine's own code: each is a step of the "
		 "proved system, or none, and all its invariants hold",
		 (unsigned long)a->seam.transitions,
		 (unsigned long)a->seam.states);
	print_wrapped(stdout, "compared", CLI_LABEL, text);
}

void report_one(const struct report *r, size_t i)
{
	const struct answer *a = &r->a[i];
	char *text;

	if (a->kind == ANSWER_UNSAFE) {
		render(stdout, &r->q[i], a, r->colour);
		return;
	}
	text = answer_text(a);
	printf("%s%s%s\n\n", colour_of(a, r->colour), text, PLAIN(r->colour));
	render_heading(stdout, &r->q[i], a);
	print_compared(a);
	if (a->kind == ANSWER_APART)
		print_apart(a);
	if (a->kind == ANSWER_LIMIT || a->kind == ANSWER_STOPPED)
		print_wrapped(stdout, "", CLI_LABEL, "nothing wrong was found "
			      "as far as this went; that is not \"safe\"");
	free(text);
}
