// SPDX-License-Identifier: GPL-2.0
/* `airlock replay`: does the code still do what a trace says? */
#include "cli.h"

#include <argp.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct replay {
	const char *file;
	bool quiet;
};

static const struct argp_option options[] = {
	{ "quiet", 'q', NULL, 0, "Print one sentence, not the drawing", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct replay *r = state->input;

	switch (key) {
	case 'q':
		r->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (r->file)
			argp_error(state, "one FILE at a time");
		r->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "FILE is missing");
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse, "FILE",
	"Run a trace again, event by event, on the code as it is now. "
	"FILE was written by `airlock check --trace'; - is the standard input."
	"\v"
	"Exit: 1 it replays and breaks the same property; 0 it replays and "
	"nothing is broken; 2 bad usage or no trace; 3 the code no longer "
	"matches the trace.",
	NULL, NULL, NULL,
};

static const char *actor_name(int actor, char buf[16])
{
	if (actor < 0)
		return "the host";
	snprintf(buf, 16, "CPU%d", actor);
	return buf;
}

static int differs(size_t i, const struct trace_event *t,
		   const struct lab_event *e)
{
	char buf[16];

	printf("no longer matches, from event %zu on\n", i + 1);
	printf("  trace: %s %s\n", actor_name(t->actor, buf), t->text);
	if (e)
		printf("  now:   %s %s\n", actor_name(e->actor, buf), e->text);
	else
		printf("  now:   this cannot happen\n");
	return CLI_LIMIT;
}

static int differs_in_end(const struct trace *t, size_t i, uint32_t bad)
{
	printf("no longer matches, at event %zu\n", i + 1);
	printf("  trace: event %zu, %s\n", t->nevents,
	       lab_bad_sentence(t->bad));
	printf("  now:   event %zu, %s\n", i + 1, lab_bad_sentence(bad));
	return CLI_LIMIT;
}

static int verdict(const struct trace *t, struct answer *a, bool quiet)
{
	if (!a->v.bad) {
		printf("replays: all %zu events happen, and nothing is broken"
		       " any more\n", t->nevents);
		return CLI_SAFE;
	}
	lab_because(a->v.event, a->v.nevents);
	if (!quiet) {
		a->kind = ANSWER_UNSAFE;
		/* The command would search afresh: with reduction. */
		render(stdout, &t->q, a, isatty(STDOUT_FILENO));
		putchar('\n');
	}
	printf("replays: after %zu events %s\n", t->nevents,
	       lab_bad_sentence(a->v.bad));
	return CLI_UNSAFE;
}

static int run(const struct trace *t, struct lab *l, struct answer *a,
	       bool quiet)
{
	lab_replay_begin(l);
	for (size_t i = 0; i < t->nevents; i++) {
		const struct trace_event *want = &t->event[i];
		struct lab_event *e = &a->v.event[i];

		if (!lab_replay_step(l, want->label, e))
			return differs(i, want, NULL);
		if (e->actor != want->actor || strcmp(e->text, want->text))
			return differs(i, want, e);
		a->v.nevents++;
		a->v.bad = e->bad;
		if (e->bad && (i + 1 < t->nevents || e->bad != t->bad))
			return differs_in_end(t, i, e->bad);
	}
	return verdict(t, a, quiet);
}

int cli_replay(int argc, char **argv)
{
	struct replay r = { .file = NULL };
	struct answer a = { .kind = ANSWER_NONE };
	const char *why = NULL;
	struct trace t;
	struct lab *l;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &r);
	if (!trace_read(r.file, &t)) {
		trace_free(&t);
		return CLI_USAGE;
	}
	l = lab_new(&t.q.cfg, &why);
	if (!l)
		errx(CLI_USAGE, "%s: the lab takes no such question: %s",
		     r.file, why);
	a.v.event = calloc(t.nevents, sizeof(*a.v.event));
	if (!a.v.event)
		err(CLI_LIMIT, "out of memory");
	/* Only what was searched without reduction is known to be shortest. */
	a.v.shortest = !t.q.cfg.reduce;
	t.q.cfg.reduce = true;
	rc = run(&t, l, &a, r.quiet);
	lab_free(l);
	answer_free(&a);
	trace_free(&t);
	return rc;
}
