// SPDX-License-Identifier: GPL-2.0
/* `airlock check`: options, questions, answers. */
#include "cli.h"

#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define MAX_ORDERS	32

enum {
	OPT_FIELD = 256,	/* + enum field */
	OPT_NO_REDUCTION = OPT_FIELD + FIELD_COUNT,
	OPT_ORDER, OPT_ORDERS, OPT_STEPS, OPT_SHARD, OPT_LIMIT, OPT_JSON, OPT_SVG,
	OPT_TRACE, OPT_MATRIX, OPT_REFINE,
};

struct check {
	struct lab_config base;
	bool platform[AIRLOCK_PLATFORMS];
	bool some_platform, all_orders, matrix, verbose, quiet, headed;
	bool refine;
	bool to[2];
	const char *order[MAX_ORDERS];
	unsigned int norders;
	const char *orders;		/* a file of them */
	unsigned int steps;
	struct asked asked;
	struct sweep sweep;
	struct pool pool;
	const char *json, *svg, *trace;
	struct question *q;
	struct answer *a;
	size_t n;
	struct report report;
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The question:", 1 },
	{ "platform", OPT_FIELD + FIELD_PLATFORM, "NAME", 0,
	  "tdx, snp, vtom, tdp (TD partitioning), sev or all; may be given "
	  "again [all]", 1 },
	{ "order", OPT_ORDER, "ORDER", 0,
	  "a name that `airlock orders' lists, steps such as "
	  "'alias,np+flip,tlb,notify,present', or all; may be given again "
	  "[airlock]", 1 },
	{ "orders", OPT_ORDERS, "FILE", 0,
	  "every order of a file, steps in a line each; verdicts alone are "
	  "given, with -v one a line", 1 },
	{ "steps", OPT_STEPS, "N", 0,
	  "the same for every order of up to N steps, 1 to 8; alias is left "
	  "out", 1 },
	{ "shard", OPT_SHARD, "K/N", 0,
	  "only the K-th of N parts; `airlock report' joins them", 1 },
	{ "to", OPT_FIELD + FIELD_TO, "STATE", 0,
	  "shared, private or both [both]", 1 },
	{ NULL, 0, NULL, 0, "The machine:", 2 },
	{ "cpus", OPT_FIELD + FIELD_CPUS, "N", 0,
	  "CPUs; all of them do stray reads [2]", 2 },
	{ "converters", OPT_FIELD + FIELD_CONVERTERS, "N", 0,
	  "CPUs that convert [1]", 2 },
	{ "overlap", OPT_FIELD + FIELD_OVERLAP, "HOW", 0,
	  "what converters have in common: none, leaf (one large leaf) or "
	  "same (the same pages) [none]", 2 },
	{ "pages", OPT_FIELD + FIELD_PAGES, "N", 0,
	  "4K pages of each range, 1 to 6 or 25 to 1024 [2]", 2 },
	{ "ranges", OPT_FIELD + FIELD_RANGES, "N", 0,
	  "ranges of a call, 1 or 2, in chunks of 2M of their own [1]", 2 },
	{ "rounds", OPT_FIELD + FIELD_ROUNDS, "N", 0,
	  "calls of a converter in a row, there and back by the same order, "
	  "1 to 4 [1]", 2 },
	{ "leaf", OPT_FIELD + FIELD_LEAF, "SIZE", 0,
	  "4k or 2m: what maps the pages [4k]", 2 },
	{ "mapping", OPT_FIELD + FIELD_MAPPING, "WHERE", 0,
	  "direct (map), vmalloc (the direct map is an alias) or lazy (TLBs "
	  "hold aliases that were unmapped) [direct]", 2 },
	{ "host", OPT_FIELD + FIELD_HOST, "KIND", 0,
	  "benign, slow, failing or hostile [benign]", 2 },
	{ "acts", OPT_FIELD + FIELD_ACTS, "N", 0,
	  "unasked acts and lies of a hostile host [2]", 2 },
	{ "interrupts", OPT_FIELD + FIELD_INTERRUPTS, NULL, 0,
	  "interrupts come also where a CPU is pinned or holds the lock", 2 },
	{ "migrations", OPT_FIELD + FIELD_MIGRATIONS, "N", 0,
	  "times that a converting thread goes on on another CPU, where it "
	  "is not pinned, 0 to 3 [0]", 2 },
	{ "flush", OPT_FIELD + FIELD_FLUSH, "HOW", 0,
	  "a shootdown is done by ipi, broadcast (INVLPGB and TLBSYNC) or "
	  "unsynced (a TLBSYNC that does not wait) [ipi]", 2 },
	{ "reclaim", OPT_FIELD + FIELD_RECLAIM, NULL, 0,
	  "the call is airlock_reclaim_all(), before kexec: --cpus 1 --to "
	  "private", 2 },
	{ "store-buffer", OPT_FIELD + FIELD_STORE_BUFFER, "N", 0,
	  "entries of a CPU's store buffer [4]", 2 },
	{ "coherent", OPT_FIELD + FIELD_COHERENT, NULL, 0,
	  "AMD: caches are coherent across the C-bit", 2 },
	{ "no-evict", OPT_FIELD + FIELD_NO_EVICT, NULL, 0,
	  "AMD: no evict reads are needed after validation", 2 },
	{ "tdx-release", OPT_FIELD + FIELD_TDX_RELEASE, NULL, 0,
	  "TDX: the module has TDG.MEM.PAGE.RELEASE", 2 },
	{ NULL, 0, NULL, 0, "The search:", 3 },
	{ "no-reduction", OPT_NO_REDUCTION, NULL, 0,
	  "explore every state, also those that cannot be told apart", 3 },
	{ "refine", OPT_REFINE, NULL, 0,
	  "compare with the proof, too: every transition, without reduction, "
	  "must be a step of the proved system, and all its invariants hold",
	  3 },
	{ "limit", OPT_LIMIT, "LIST", 0,
	  "per question: states=N, seconds=S, memory=M (MiB, or with K, M, "
	  "G), any of them, separated by commas [memory: what is free]", 3 },
	{ "jobs", 'j', "N", 0, "worker processes [one per CPU]", 3 },
	{ NULL, 0, NULL, 0, "The answer:", 4 },
	{ "matrix", OPT_MATRIX, NULL, 0,
	  "a row per order and a column per platform; also without this when "
	  "all orders are asked on all platforms", 4 },
	{ "verbose", 'v', NULL, 0,
	  "print the table and every counterexample in full", 4 },
	{ "quiet", 'q', NULL, 0, "print nothing but errors", 4 },
	{ "json", OPT_JSON, "FILE", 0, "write all answers as JSON", 4 },
	{ "svg", OPT_SVG, "FILE", 0,
	  "draw the first counterexample as SVG", 4 },
	{ "trace", OPT_TRACE, "FILE", 0,
	  "write the first counterexample for `airlock replay'", 4 },
	{ NULL, 0, NULL, 0, NULL, -1 },
	{ 0 },
};

static const char doc[] =
	"Is an order of steps safe for private/shared conversions? Runs the "
	"engine's own code through every interleaving of a small machine and "
	"answers \"safe\", with what was explored, or with the shortest run "
	"that goes wrong.\v"
	"FILE may be - for the standard output.\n\n"
	"Exit: 0 all safe; 1 a counterexample was found, or with --refine "
	"what no run of the proved system does; 2 bad usage; 3 a "
	"limit was hit, or an interrupt, before the end, which is never called "
	"safe. Of several, 1 wins over 2, and 2 over 3.";

/* ---- options ---- */

static void add_platform(struct check *c, const char *arg,
			 struct argp_state *state)
{
	enum airlock_platform p;

	if (!strcmp(arg, "all")) {
		for (unsigned int i = 0; i < all_platform_count; i++)
			c->platform[all_platforms[i]] = true;
	} else if (platform_parse(arg, &p)) {
		c->platform[p] = true;
	} else {
		argp_error(state, "--platform '%s': not tdx, snp, vtom, tdp, "
			   "sev or all", arg);
	}
	c->some_platform = true;
}

static void set_to(struct check *c, const char *arg, struct argp_state *state)
{
	bool both = !strcmp(arg, "both");

	if (!both && strcmp(arg, "shared") && strcmp(arg, "private"))
		argp_error(state, "--to '%s': not shared, private or both",
			   arg);
	c->to[AIRLOCK_TO_SHARED] = both || arg[0] == 's';
	c->to[AIRLOCK_TO_PRIVATE] = both || arg[0] == 'p';
}

static void set_field(struct check *c, enum field f, const char *arg,
		      struct argp_state *state)
{
	char values[80];

	if (!field_parse(&c->base, f, arg ? arg : "yes"))
		argp_error(state, "--%s '%s': not %s", field_name(f), arg,
			   field_values(f, values, sizeof(values)));
}

static bool number(const char *text, unsigned int unit, uint64_t *value)
{
	static const char letters[] = "KMG";
	const char *letter;
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || !n)
		return false;
	letter = *end ? strchr(letters, *end) : NULL;
	if (letter) {
		unit = 10 * (unsigned int)(letter - letters + 1);
		end++;
	}
	if (*end || n >> (63 - unit))
		return false;
	*value = n << unit;
	return true;
}

static bool seconds(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end && *value > 0 && *value < 1e9;
}

static void set_limits(struct check *c, char *arg, struct argp_state *state)
{
	char *copy = strdup(arg), *save = NULL, *p;
	bool ok = copy && *copy;

	for (p = strtok_r(copy, ",", &save); p && ok;
	     p = strtok_r(NULL, ",", &save)) {
		if (!strncmp(p, "states=", 7))
			ok = number(p + 7, 0, &c->pool.states);
		else if (!strncmp(p, "seconds=", 8))
			ok = seconds(p + 8, &c->pool.seconds);
		else if (!strncmp(p, "memory=", 7))
			ok = number(p + 7, 20, &c->pool.memory);
		else
			ok = false;
	}
	free(copy);
	if (!ok)
		argp_error(state, "--limit '%s': not states=N, seconds=S or "
			   "memory=M", arg);
}

static void set_steps(struct check *c, const char *arg,
		      struct argp_state *state)
{
	uint64_t n;

	if (!number(arg, 0, &n) || n > SWEEP_STEPS)
		argp_error(state, "--steps '%s': not 1 to %d", arg,
			   SWEEP_STEPS);
	c->steps = (unsigned int)n;
}

static void set_shard(struct check *c, const char *arg,
		      struct argp_state *state)
{
	struct asked *q = &c->asked;
	int end = 0;

	if (sscanf(arg, "%u/%u%n", &q->part, &q->parts, &end) != 2 ||
	    arg[end] || arg[0] == '-' || !q->part || q->part > q->parts ||
	    q->parts > 1000000)
		argp_error(state, "--shard '%s': not K/N, such as 1/4", arg);
}

static void set_jobs(struct check *c, const char *arg,
		     struct argp_state *state)
{
	uint64_t n;

	if (!number(arg, 0, &n) || n > 256)
		argp_error(state, "--jobs '%s': not 1 to 256", arg);
	c->pool.jobs = (unsigned int)n;
}

static void add_order(struct check *c, const char *arg,
		      struct argp_state *state)
{
	struct airlock_order o;
	bool typed;

	if (!strcmp(arg, "all")) {
		c->all_orders = true;
		return;
	}
	if (c->norders == MAX_ORDERS)
		argp_error(state, "more than %d orders", MAX_ORDERS);
	if (!order_read(state->name, arg, &typed, &o))
		exit(CLI_USAGE);
	c->order[c->norders++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check *c = state->input;

	switch (key) {
	case OPT_FIELD + FIELD_PLATFORM: add_platform(c, arg, state); break;
	case OPT_FIELD + FIELD_TO:	set_to(c, arg, state);	break;
	case OPT_ORDER:		add_order(c, arg, state);	break;
	case OPT_ORDERS:	c->orders = arg;		break;
	case OPT_STEPS:		set_steps(c, arg, state);	break;
	case OPT_SHARD:		set_shard(c, arg, state);	break;
	case OPT_LIMIT:		set_limits(c, arg, state);	break;
	case OPT_NO_REDUCTION:	c->base.reduce = false;		break;
	case OPT_JSON:		c->json = arg;			break;
	case OPT_SVG:		c->svg = arg;			break;
	case OPT_TRACE:		c->trace = arg;			break;
	case OPT_MATRIX:	c->matrix = true;		break;
	case OPT_REFINE:	c->refine = true;		break;
	case 'j':		set_jobs(c, arg, state);	break;
	case 'v':		c->verbose = true;		break;
	case 'q':		c->quiet = true;		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not understood; options begin with "
			   "--", arg);
		break;
	default:
		if (key < OPT_FIELD || key >= OPT_FIELD + FIELD_COUNT)
			return ARGP_ERR_UNKNOWN;
		set_field(c, (enum field)(key - OPT_FIELD), arg, state);
	}
	return 0;
}

static const struct argp argp = { options, parse, NULL, doc, NULL, NULL, NULL };

/* ---- questions ---- */

static void add_question(struct check *c, const char *order,
			 unsigned int number, enum airlock_platform p,
			 enum airlock_to to)
{
	struct question *q = &c->q[c->n++];

	q->cfg = c->base;
	q->refine = c->refine;
	q->cfg.platform = p;
	q->cfg.to = to;
	if (!airlock_order_named(order, p, to, &q->cfg.order)) {
		snprintf(q->order, sizeof(q->order), "%s", order);
		return;
	}
	airlock_order_parse(order, &q->cfg.order, NULL);
	snprintf(q->order, sizeof(q->order), "typed-%u",
		 number);
}

static void add_questions(struct check *c, const char *order,
			  unsigned int number)
{
	for (unsigned int i = 0; i < all_platform_count; i++)
		for (unsigned int to = 2; to-- > 0; )
			if (c->platform[all_platforms[i]] && c->to[to])
				add_question(c, order, number,
					     all_platforms[i],
					     (enum airlock_to)to);
}

static void make_questions(struct check *c)
{
	size_t max = (MAX_ORDERS + airlock_named_order_count) *
		AIRLOCK_PLATFORMS * 2;

	c->q = calloc(max, sizeof(*c->q));
	c->a = calloc(max, sizeof(*c->a));
	if (!c->q || !c->a)
		err(CLI_LIMIT, "out of memory");
	for (unsigned int i = 0; c->all_orders &&
	     i < airlock_named_order_count; i++)
		add_questions(c, airlock_named_orders[i].name, 0);
	for (unsigned int i = 0; i < c->norders; i++)
		add_questions(c, c->order[i], i + 1);
}

/* The part that was asked for. */
static void take_shard(struct check *c)
{
	struct asked *q = &c->asked;
	size_t n = 0;

	q->all = c->n;
	for (size_t i = 0; i < c->n; i++) {
		char *s = question_command(&c->q[i]);

		q->hash = XXH3_64bits_withSeed(s, strlen(s), q->hash);
		free(s);
	}
	for (size_t i = q->part - 1; i < c->n; i += q->parts)
		c->q[n++] = c->q[i];
	c->n = n;
}

/* Return: whether it is all of them. */
static bool platforms_default(struct check *c)
{
	bool every = true;

	for (unsigned int i = 0; i < all_platform_count; i++) {
		bool *p = &c->platform[all_platforms[i]];

		*p = *p || !c->some_platform;
		every = every && *p;
	}
	return every;
}

static void defaults(struct check *c)
{
	bool every = platforms_default(c);

	if (!c->norders && !c->all_orders)
		c->order[c->norders++] = "airlock";
	if (c->all_orders && every && !c->verbose)
		c->matrix = true;
}

/* ---- answers ---- */

/* What the lab refuses is no row: it is said once, in the end. */
static void ready(void *ctx, size_t i)
{
	struct check *c = ctx;

	if (c->quiet || c->matrix || c->n == 1 ||
	    c->a[i].kind == ANSWER_REFUSED)
		return;
	if (!c->headed)
		report_head(&c->report);
	c->headed = true;
	report_row(&c->report, i);
}

static size_t first_unsafe(const struct check *c)
{
	size_t i = 0;

	while (i < c->n && c->a[i].kind != ANSWER_UNSAFE)
		i++;
	return i;
}

static void write_file(const struct check *c, const char *name,
		       void (*write)(FILE *, const struct question *,
				     const struct answer *))
{
	size_t i = first_unsafe(c);
	FILE *f;

	if (!name)
		return;
	if (i == c->n) {
		warnx("no counterexample: %s is not written", name);
		return;
	}
	f = output_open(name);
	write(f, &c->q[i], &c->a[i]);
	output_close(f, name);
}

static void write_json(const struct check *c)
{
	json_t *j;
	FILE *f;

	if (!c->json)
		return;
	j = c->sweep.v ? json_sweep(&c->sweep, &c->asked) :
		json_answers(c->q, c->a, c->n, &c->asked);
	f = output_open(c->json);
	json_dumpf(j, f, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	fputc('\n', f);
	output_close(f, c->json);
	json_decref(j);
}

/* Of many counterexamples the first one, unless all are asked for. */
static void print_counterexamples(const struct check *c)
{
	size_t left = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->a[i].kind != ANSWER_UNSAFE &&
		    c->a[i].kind != ANSWER_APART)
			continue;
		if (left++ && !c->verbose)
			continue;
		putchar('\n');
		report_one(&c->report, i);
	}
	if (left > 1 && !c->verbose)
		printf("\n%zu more: --verbose prints them all\n", left - 1);
}

static void print_refusal(const struct check *c)
{
	const char *why = NULL;
	size_t n = 0;

	for (size_t i = c->n; i-- > 0; )
		if (c->a[i].kind == ANSWER_REFUSED) {
			why = c->a[i].why;
			n++;
		}
	if (n && n == c->n)
		fprintf(stderr, "airlock check: the lab takes no such "
			"question:\n    %s\n", why);
	else if (n)
		fprintf(stderr, "airlock check: the lab takes %zu of the %zu "
			"questions not:\n    %s\n", n, c->n, why);
}

static void print_answers(const struct check *c, double time)
{
	char *bounds;

	if (c->n == 1) {
		report_one(&c->report, 0);
		return;
	}
	if (c->matrix)
		report_matrix(&c->report);
	report_sum(&c->report, time);
	bounds = question_bounds(&c->q[0]);
	print_wrapped(stdout, "explored", CLI_LABEL, bounds);
	print_wrapped(stdout, "", CLI_LABEL, "not modelled: see docs/lab.md");
	free(bounds);
	if (!c->matrix || c->verbose)
		print_counterexamples(c);
}

static void set_report(struct check *c)
{
	size_t width = strlen("to private");

	for (size_t i = 0; i < c->n; i++)
		if (strlen(c->q[i].order) > width)
			width = strlen(c->q[i].order);
	c->report = (struct report){
		.q = c->q, .a = c->a, .n = c->n, .order_width = width,
		.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	c->pool.progress = !c->quiet && isatty(STDERR_FILENO);
	c->pool.ready = ready;
	c->pool.ctx = c;
}

static bool all_refused(const struct check *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->a[i].kind != ANSWER_REFUSED)
			return false;
	return true;
}

static double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- sweeps ---- */

static void sweep_prepare(struct check *c)
{
	struct sweep *s = &c->sweep;

	*s = (struct sweep){
		.base = c->base, .jobs = c->pool.jobs,
		.states = c->pool.states, .memory = c->pool.memory,
		.seconds = c->pool.seconds, .progress = c->pool.progress,
	};
	s->base.count = false;
	s->base.brief = true;
	if (c->orders && !orders_read("airlock check", c->orders, &s->list))
		exit(CLI_USAGE);
	for (unsigned int n = 1; n <= c->steps; n++)
		orders_of_steps(&s->list, n);
	for (unsigned int i = 0; i < all_platform_count; i++)
		for (unsigned int to = 2; to-- > 0; )
			if (c->platform[all_platforms[i]] && c->to[to])
				sweep_ask(s, all_platforms[i],
					  (enum airlock_to)to);
	c->asked.all = s->list.n;
	c->asked.hash = sweep_hash(s);
	orders_shard(&s->list, c->asked.part, c->asked.parts);
}

static enum cli_exit sweep_check(struct check *c, double begin)
{
	struct question first = { .cfg = c->base };
	enum cli_exit rc;
	char *bounds;

	if (c->norders || c->all_orders || c->svg || c->trace)
		errx(CLI_USAGE, "--orders and --steps give verdicts alone: "
		     "not with --order, --svg or --trace");
	sweep_prepare(c);
	if (!c->sweep.list.n)
		errx(CLI_USAGE, "no order in that part");
	sweep_run(&c->sweep);
	if (c->verbose && !c->quiet)
		verdicts_lines(&c->sweep);
	if (!c->quiet) {
		verdicts_table(&c->sweep);
		printf("%.1f s\n", clock_now() - begin);
		bounds = question_bounds(&first);
		print_wrapped(stdout, "explored", CLI_LABEL, bounds);
		free(bounds);
	}
	write_json(c);
	rc = verdicts_exit(&c->sweep);
	sweep_free(&c->sweep);
	return rc;
}

int cli_check(int argc, char **argv)
{
	struct check c = {
		.to = { true, true }, .asked = { .part = 1, .parts = 1 },
	};
	enum cli_exit rc;
	double begin = clock_now();

	c.pool.jobs = pool_default_jobs();
	lab_config_default(&c.base);
	c.base.count = true;
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	if (c.orders || c.steps) {
		c.pool.progress = !c.quiet && isatty(STDERR_FILENO);
		platforms_default(&c);
		return (int)sweep_check(&c, begin);
	}
	defaults(&c);
	make_questions(&c);
	take_shard(&c);
	set_report(&c);
	pool_run(&c.pool, c.q, c.a, c.n);
	print_refusal(&c);
	if (!c.quiet && !all_refused(&c))
		print_answers(&c, clock_now() - begin);
	write_json(&c);
	write_file(&c, c.svg, svg_write);
	write_file(&c, c.trace, trace_write);
	rc = answers_exit(c.a, c.n);
	for (size_t i = 0; i < c.n; i++)
		answer_free(&c.a[i]);
	free(c.q);
	free(c.a);
	return (int)rc;
}
