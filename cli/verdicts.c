// SPDX-License-Identifier: GPL-2.0
/* What a sweep found: lines, a table, JSON; which orders are the shortest. */
#include "cli.h"

#include <err.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- one line a question ---- */

void verdicts_lines(const struct sweep *s)
{
	for (size_t i = 0; i < s->list.n; i++) {
		char *text = order_text(&s->list.order[i], true);

		for (unsigned int k = 0; k < sweep_columns(s); k++)
			printf("%-5s to %-7s  %-9s  %s\n",
			       platform_name(s->column[k].platform),
			       to_name(s->column[k].to),
			       sweep_word(sweep_get(s, i, k)), text);
		free(text);
	}
}

/* ---- the table ---- */

struct tally {
	size_t safe, bad, rest;
};

static void count(struct tally *t, const struct sweep_verdict *v)
{
	t->safe += v->kind == ANSWER_SAFE;
	t->bad += v->kind == ANSWER_UNSAFE;
	t->rest += v->kind != ANSWER_SAFE && v->kind != ANSWER_UNSAFE;
}

static struct tally of_order(const struct sweep *s, size_t order)
{
	struct tally t = { 0, 0, 0 };

	for (unsigned int k = 0; k < sweep_columns(s); k++)
		count(&t, sweep_get(s, order, k));
	return t;
}

bool sweep_safe(const struct sweep *s, size_t order)
{
	return of_order(s, order).safe == sweep_columns(s);
}

/* What was not asked, because the order was not safe before, is not that. */
bool sweep_unfinished(const struct sweep *s, size_t order)
{
	struct tally t = of_order(s, order);

	return t.rest && !(s->first_only && t.bad);
}

static struct tally column(const struct sweep *s, unsigned int k)
{
	struct tally t = { 0, 0, 0 };

	for (size_t i = 0; i < s->list.n; i++)
		count(&t, sweep_get(s, i, k));
	return t;
}

static void print_tally(const struct tally *t)
{
	printf("%9zu safe %9zu UNSAFE", t->safe, t->bad);
	if (t->rest)
		printf(" %9zu not finished", t->rest);
	putchar('\n');
}

/* The least that any safe order has of tlb, and of passes. */
static void print_least(const struct sweep *s)
{
	unsigned int tlb = UINT_MAX, passes = UINT_MAX;

	for (size_t i = 0; i < s->list.n; i++) {
		const struct airlock_order *o = &s->list.order[i];
		unsigned int t = 0, p = 0;

		if (!of_order(s, i).safe)
			continue;
		for (unsigned int n = 0; n < o->nsteps; n++) {
			t += o->step[n] == AIRLOCK_STEP_TLB;
			p += o->step[n] >= AIRLOCK_STEP_NP &&
				o->step[n] <= AIRLOCK_STEP_FLIP_PRESENT;
		}
		if (t < tlb)
			tlb = t;
		if (p < passes)
			passes = p;
	}
	if (tlb != UINT_MAX)
		printf("none is safe anywhere with fewer tlb than %u, or "
		       "fewer passes than %u\n", tlb, passes);
}

void verdicts_table(const struct sweep *s)
{
	struct tally sum = { 0, 0, 0 };
	size_t everywhere = 0;

	for (unsigned int k = 0; k < sweep_columns(s); k++) {
		struct tally t = column(s, k);

		printf("%-5s to %-7s", platform_name(s->column[k].platform),
		       to_name(s->column[k].to));
		print_tally(&t);
		sum.safe += t.safe;
		sum.bad += t.bad;
		sum.rest += t.rest;
	}
	printf("%-16s", "all");
	print_tally(&sum);
	for (size_t i = 0; i < s->list.n; i++)
		everywhere += sweep_safe(s, i);
	printf("%zu orders; %zu of them are safe everywhere here\n",
	       s->list.n, everywhere);
	print_least(s);
}

enum cli_exit verdicts_exit(const struct sweep *s)
{
	enum cli_exit code = CLI_SAFE;

	for (size_t i = 0; i < s->list.n; i++)
		for (unsigned int k = 0; k < sweep_columns(s); k++)
			switch (sweep_get(s, i, k)->kind) {
			case ANSWER_SAFE:
				break;
			case ANSWER_UNSAFE:
				return CLI_UNSAFE;
			case ANSWER_REFUSED:
				code = CLI_USAGE;
				break;
			default:
				if (code == CLI_SAFE)
					code = CLI_LIMIT;
			}
	return code;
}

/* ---- JSON ---- */

static json_t *row(const struct sweep *s, size_t i, size_t number)
{
	char words[SWEEP_COLUMNS * 16] = "";
	char *text = order_text(&s->list.order[i], true);
	json_t *o;

	for (unsigned int k = 0; k < sweep_columns(s); k++) {
		const struct sweep_verdict *v = sweep_get(s, i, k);
		size_t at = strlen(words);

		snprintf(words + at, sizeof(words) - at, "%s%s", k ? " " : "",
			 v->kind == ANSWER_NONE ? "-" : sweep_word(v));
	}
	o = json_pack("{s:I, s:s, s:s}", "number", (json_int_t)number,
		      "steps", text, "verdicts", words);
	free(text);
	return o;
}

json_t *json_sweep(const struct sweep *s, const struct asked *q)
{
	struct question first = { .cfg = s->base };
	json_t *list = json_array(), *columns = json_array();
	char *bounds = question_bounds(&first);
	char text[40];
	json_t *o;

	for (unsigned int k = 0; k < sweep_columns(s); k++) {
		snprintf(text, sizeof(text), "%s to %s",
			 platform_name(s->column[k].platform),
			 to_name(s->column[k].to));
		json_array_append_new(columns, json_string(text));
	}
	for (size_t i = 0; i < s->list.n; i++)
		json_array_append_new(list, row(s, i, q->part + i * q->parts));
	o = json_pack("{s:s, s:o, s:s, s:o, s:o}", "airlock", AIRLOCK_VERSION,
		      "asked", json_asked(q), "bounds", bounds,
		      "columns", columns, "orders", list);
	free(bounds);
	if (!o)
		errx(CLI_LIMIT, "out of memory");
	return o;
}

/* Parts of one whole have the same. */
uint64_t sweep_hash(const struct sweep *s)
{
	XXH64_hash_t h = XXH3_64bits(s->column, sizeof(s->column));
	char text[FIELD_TEXT];

	for (enum field f = FIELD_CPUS; f < FIELD_COUNT; f++) {
		field_text(&s->base, f, text);
		h = XXH3_64bits_withSeed(text, strlen(text), h);
	}
	for (size_t i = 0; i < s->list.n; i++)
		h = XXH3_64bits_withSeed(s->list.order[i].step,
					 s->list.order[i].nsteps, h);
	return h;
}
