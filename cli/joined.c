// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock report`: the parts of one sweep, put together again. Each file is
 * what `airlock check --shard K/N --json FILE` wrote; a number says which of
 * all questions, or orders, an answer belongs to.
 */
#include "cli.h"

#include <argp.h>
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct joined {
	const char **file;
	unsigned int nfiles;
	const char *json;
	bool quiet;

	json_t *head;		/* the first file, without its answers */
	const char *list;	/* "orders" or "questions" */
	struct asked asked;
	size_t all;
	json_t **answer;	/* by number - 1; NULL: missing */
	size_t safe, bad, rest, differ;
};

static const struct argp_option options[] = {
	{ "json", 'o', "FILE", 0, "write all answers as one file", 0 },
	{ "quiet", 'q', NULL, 0, "print nothing but errors", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct joined *j = state->input;

	switch (key) {
	case 'o':
		j->json = arg;
		return 0;
	case 'q':
		j->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		j->file[j->nfiles++] = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no file: what `airlock check --json' wrote");
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse, "FILE...",
	"Join the answers of `airlock check --shard K/N --json FILE', and say "
	"what is missing.\v"
	"Exit: 0 all safe; 1 none is missing and there is a counterexample; 2 "
	"files that disagree, or are not parts of one whole; 3 answers are "
	"missing, or ended before the end.",
	NULL, NULL, NULL,
};

/* ---- reading ---- */

static json_t *load(const char *name)
{
	json_error_t e;
	json_t *o = strcmp(name, "-") ? json_load_file(name, 0, &e) :
		json_loadf(stdin, 0, &e);

	if (!o)
		errx(CLI_USAGE, "%s: %s", name, e.text);
	return o;
}

static void begin(struct joined *j, const char *name, json_t *o)
{
	j->list = json_object_get(o, "orders") ? "orders" : "questions";
	if (!asked_read(o, &j->asked))
		errx(CLI_USAGE, "%s: does not say of what it is a part",
		     name);
	j->all = j->asked.all;
	j->answer = calloc(j->all + 1, sizeof(*j->answer));
	if (!j->answer)
		err(CLI_LIMIT, "out of memory");
	j->head = json_copy(o);
	json_object_del(j->head, j->list);
}

static const char *words(const json_t *a)
{
	const json_t *v = json_object_get(a, "verdicts");

	return json_string_value(v ? v : json_object_get(a, "verdict"));
}

static void place(struct joined *j, const char *name, json_t *a)
{
	json_int_t n = json_integer_value(json_object_get(a, "number"));
	json_t **at;

	if (n < 1 || (uint64_t)n > j->all || !words(a))
		errx(CLI_USAGE, "%s: an answer without number or verdict",
		     name);
	at = &j->answer[n - 1];
	if (*at && strcmp(words(*at), words(a))) {
		fprintf(stderr, "airlock report: number %" JSON_INTEGER_FORMAT
			": '%s', and in %s '%s'\n", n, words(*at), name,
			words(a));
		j->differ++;
	}
	if (!*at)
		*at = json_incref(a);
}

static void join(struct joined *j, const char *name)
{
	json_t *o = load(name), *a;
	struct asked q;
	size_t i;

	if (!j->head)
		begin(j, name, o);
	if (!asked_read(o, &q) || q.all != j->asked.all ||
	    q.hash != j->asked.hash)
		errx(CLI_USAGE, "%s: not of the same questions as %s", name,
		     j->file[0]);
	json_array_foreach(json_object_get(o, j->list), i, a)
		place(j, name, a);
	json_decref(o);
}

/* ---- what it says ---- */

static void judge(struct joined *j, const char *word, size_t n)
{
	static const char *const rest[] = {
		"-", "not", "started", "limit", "stopped", "refused", "died",
	};

	if (n == 4 && !strncmp(word, "safe", n)) {
		j->safe++;
		return;
	}
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		if (strlen(rest[i]) == n && !strncmp(word, rest[i], n)) {
			j->rest++;
			return;
		}
	j->bad++;
}

static void judge_all(struct joined *j)
{
	for (size_t i = 0; i < j->all; i++) {
		const char *w = j->answer[i] ? words(j->answer[i]) : "";

		if (!strcmp(w, "not started")) {
			j->rest++;
			continue;
		}
		while (*w) {
			size_t n = strcspn(w, " ");

			judge(j, w, n);
			w += n + (w[n] == ' ');
		}
	}
}

/* Runs of numbers, or the parts that they are, if there are parts. */
static size_t missing(const struct joined *j, FILE *f)
{
	unsigned int parts = j->asked.parts;
	size_t lacks = 0;

	for (unsigned int p = 0; p < parts; p++) {
		size_t n = 0, of = 0;

		for (size_t i = p; i < j->all; i += parts, of++)
			n += !j->answer[i];
		lacks += n;
		if (n && f)
			fprintf(f, "missing: part %u/%u%s (%zu of %zu)\n",
				p + 1, parts, n == of ? "" : ", in part", n,
				of);
	}
	return lacks;
}

static void tell(const struct joined *j)
{
	size_t lacks = missing(j, stdout);

	printf("%zu %s: %zu answered by %u file%s, %zu missing\n", j->all,
	       j->list, j->all - lacks, j->nfiles, j->nfiles == 1 ? "" : "s",
	       lacks);
	printf("%zu safe, %zu UNSAFE", j->safe, j->bad);
	if (j->rest)
		printf(", %zu not finished", j->rest);
	putchar('\n');
}

static void write_json(const struct joined *j)
{
	struct asked whole = j->asked;
	json_t *list = json_array();
	FILE *f;

	if (!j->json)
		return;
	whole.part = whole.parts = 1;
	for (size_t i = 0; i < j->all; i++)
		if (j->answer[i])
			json_array_append(list, j->answer[i]);
	json_object_set_new(j->head, "asked", json_asked(&whole));
	json_object_set_new(j->head, j->list, list);
	f = output_open(j->json);
	json_dumpf(j->head, f, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	fputc('\n', f);
	output_close(f, j->json);
}

int cli_report(int argc, char **argv)
{
	struct joined j = { .file = calloc((size_t)argc, sizeof(*j.file)) };
	size_t lacks;

	if (!j.file)
		err(CLI_LIMIT, "out of memory");
	argp_parse(&argp, argc, argv, 0, NULL, &j);
	for (unsigned int i = 0; i < j.nfiles; i++)
		join(&j, j.file[i]);
	judge_all(&j);
	lacks = missing(&j, NULL);
	if (!j.quiet)
		tell(&j);
	write_json(&j);
	for (size_t i = 0; i < j.all; i++)
		json_decref(j.answer[i]);
	json_decref(j.head);
	free(j.answer);
	free(j.file);
	return j.differ ? CLI_USAGE : lacks ? CLI_LIMIT :
		j.bad ? CLI_UNSAFE : j.rest ? CLI_LIMIT : CLI_SAFE;
}
