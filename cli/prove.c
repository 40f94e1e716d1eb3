// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock prove`: an order of steps, for any number of CPUs, pages, mappings
 * and calls. prove/ has the proof; here are options, answers and what the lab
 * has to show where there is none.
 */
#include "kernel.h"
#include "proof.h"
#include "tell.h"
#include "window.h"

#include <argp.h>
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_PLATFORM = 256, OPT_TO, OPT_ORDER, OPT_SOLVER, OPT_JSON, OPT_DROP,
	OPT_COHERENT, OPT_NO_EVICT, OPT_RELEASE, OPT_NO_LAB, OPT_HOST,
	OPT_WATCHED,
};

struct ask {
	struct proof_question q;
	char order[24];
	enum lab_host host;
	struct system sys;
	struct small small;
	struct invariants inv;
	struct proof proof;
	struct answers a[SOLVERS];
	enum verdict verdict;
	bool disagree;
	bool window;		/* the window's own theory */
};

struct prove {
	bool platform[AIRLOCK_PLATFORMS], some_platform;
	bool to[2], both;
	const char *order, *json, *drop, *watched;
	bool some_order;
	bool solver[SOLVERS];
	uint32_t features;
	bool verbose, no_lab, nobody;
	enum lab_host host;
	struct ask *ask;
	size_t n;
};

static const struct argp_option options[] = {
	{ "platform", OPT_PLATFORM, "NAME", 0,
	  "tdx, snp, vtom, tdp (TD partitioning), sev, plain or all; may be "
	  "given again [all]", 0 },
	{ "order", OPT_ORDER, "ORDER", 0,
	  "a name that `airlock orders' lists, or steps such as "
	  "'alias,np+flip,tlb,notify,present' [airlock]", 0 },
	{ "to", OPT_TO, "STATE", 0,
	  "shared, private, or both: calls to either at once [both]", 0 },
	{ "solver", OPT_SOLVER, "NAME", 0,
	  "z3, cvc5, both, or none: only count what there is to prove [both]",
	  0 },
	{ "host", OPT_HOST, "KIND", 0,
	  "benign; slow: it is as awkward as it may be; failing: it may refuse "
	  "at any point, and says so; hostile: it lies, and takes pages "
	  "[benign]", 0 },
	{ "drop", OPT_DROP, "GUARD", 0,
	  "leave one thing out that the engine relies on; `help' lists them",
	  0 },
	{ "coherent", OPT_COHERENT, NULL, 0,
	  "AMD: caches are coherent across the C-bit", 0 },
	{ "no-evict", OPT_NO_EVICT, NULL, 0,
	  "AMD: no evict reads are needed after validation", 0 },
	{ "tdx-release", OPT_RELEASE, NULL, 0,
	  "TDX: the module has TDG.MEM.PAGE.RELEASE", 0 },
	{ "no-lab", OPT_NO_LAB, NULL, 0,
	  "do not ask the lab for a run that goes wrong", 0 },
	{ "watched", OPT_WATCHED, "FILE", 0,
	  "is what a kernel did a run of the proved system? FILE is what "
	  "`airlock watch --json FILE' wrote; the order is the one that it "
	  "names, unless --order is given", 0 },
	{ "json", OPT_JSON, "FILE", 0, "write all answers as JSON", 0 },
	{ "verbose", 'v', NULL, 0, "print the invariants, too", 0 },
	{ 0 },
};

static const char doc[] =
	"Is an order of steps safe for any number of CPUs, pages, mappings of "
	"a page and calls at once? Derives its transition system and "
	"invariants and has z3 and cvc5 check that they hold at the start, "
	"that every transition keeps them and that they imply the lab's "
	"properties.\v"
	"FILE may be - for the standard output. docs/proof.md says what is "
	"proved.\n\n"
	"Exit: 0 all proved; 1 an obligation is open, or a kernel left the "
	"proved system; 2 bad usage, or no solver; 3 a solver gave up, two "
	"disagree, none was asked, or there was nothing to compare.";

/* ---- options ---- */

static void list_guards(void)
{
	for (unsigned int i = 0; i < guard_count; i++)
		printf("%-14s  %s\n", guard_names[i].name,
		       guard_names[i].what);
	for (unsigned int i = 0; i < window_guard_count; i++)
		printf("%-14s  window: %s\n", window_guards[i].name,
		       window_guards[i].what);
	exit(CLI_SAFE);
}

static void set_drop(struct prove *p, const char *arg,
		     struct argp_state *state)
{
	if (!strcmp(arg, "help"))
		list_guards();
	for (unsigned int i = 0; i < guard_count; i++)
		if (!strcmp(arg, guard_names[i].name))
			p->drop = arg;
	for (unsigned int i = 0; i < window_guard_count; i++)
		if (!strcmp(arg, window_guards[i].name))
			p->drop = arg;
	if (!p->drop)
		argp_error(state, "--drop '%s': no such guard; `--drop help' "
			   "lists them", arg);
}

static void set_platform(struct prove *p, const char *arg,
			 struct argp_state *state)
{
	enum airlock_platform one;

	p->some_platform = true;
	if (!strcmp(arg, "plain"))
		p->platform[AIRLOCK_PLAIN] = true;
	else if (!strcmp(arg, "all"))
		memset(p->platform, 1, sizeof(p->platform));
	else if (platform_parse(arg, &one))
		p->platform[one] = true;
	else
		argp_error(state, "--platform '%s': not tdx, snp, vtom, tdp, "
			   "sev, plain or all", arg);
}

static void set_to(struct prove *p, const char *arg, struct argp_state *state)
{
	p->both = !strcmp(arg, "both");
	if (!p->both && strcmp(arg, "shared") && strcmp(arg, "private"))
		argp_error(state, "--to '%s': not shared, private or both",
			   arg);
	p->to[AIRLOCK_TO_SHARED] = p->both || arg[0] == 's';
	p->to[AIRLOCK_TO_PRIVATE] = p->both || arg[0] == 'p';
}

static void set_solver(struct prove *p, const char *arg,
		       struct argp_state *state)
{
	bool both = !strcmp(arg, "both");

	for (unsigned int i = 0; i < SOLVERS; i++)
		p->solver[i] = both || !strcmp(arg, solver_names[i]);
	p->nobody = !strcmp(arg, "none");
	if (!p->nobody && !p->solver[SOLVER_Z3] && !p->solver[SOLVER_CVC5])
		argp_error(state, "--solver '%s': not z3, cvc5, both or none",
			   arg);
}

/* By enum lab_host. */
static const struct {
	const char *name, *said;
} hosts[] = {
	{ "benign", "a benign host" },
	{ "failing", "a host that may refuse at any point" },
	{ "hostile", "a host that may refuse, lie and take pages at any point, "
	  "of which it can get no more than refusal, quarantine and the "
	  "guest's end" },
	{ "slow", "a host that does nothing, or a part, as often as it likes" },
};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))

static void set_host(struct prove *p, const char *arg,
		     struct argp_state *state)
{
	for (size_t i = 0; i < HOSTS; i++)
		if (!strcmp(arg, hosts[i].name)) {
			p->host = (enum lab_host)i;
			return;
		}
	argp_error(state, "--host '%s': not benign, slow, failing or hostile",
		   arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct prove *p = state->input;
	struct airlock_order o;
	bool typed;

	switch (key) {
	case OPT_PLATFORM:	set_platform(p, arg, state);	break;
	case OPT_TO:		set_to(p, arg, state);		break;
	case OPT_SOLVER:	set_solver(p, arg, state);	break;
	case OPT_DROP:		set_drop(p, arg, state);	break;
	case OPT_HOST:		set_host(p, arg, state);	break;
	case OPT_JSON:		p->json = arg;			break;
	case OPT_WATCHED:	p->watched = arg;		break;
	case OPT_NO_LAB:	p->no_lab = true;		break;
	case 'v':		p->verbose = true;		break;
	case OPT_COHERENT:	p->features |= AIRLOCK_F_COHERENT;	break;
	case OPT_NO_EVICT:	p->features |= AIRLOCK_F_NO_EVICT;	break;
	case OPT_RELEASE:	p->features |= AIRLOCK_F_TDX_RELEASE;	break;
	case OPT_ORDER:
		if (!order_read(state->name, arg, &typed, &o))
			exit(CLI_USAGE);
		p->order = arg;
		p->some_order = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not understood; options begin with "
			   "--", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = { options, parse, NULL, doc, NULL, NULL, NULL };

/* ---- one question ---- */

struct job {
	struct ask *k;
	enum solver_name name;
	pthread_t thread;
};

static void *ask_solver(void *arg)
{
	struct job *j = arg;

	proof_ask(&j->k->proof, j->name, &j->k->sys, &j->k->a[j->name]);
	return NULL;
}

/* One obligation, two answers: neither may say that the other is wrong. */
static bool contradict(const struct ask *k, unsigned int i)
{
	bool sat = false, unsat = false;

	for (unsigned int n = 0; n < SOLVERS; n++) {
		if (!k->a[n].of)
			continue;
		sat = sat || k->a[n].of[i] == SOLVER_SAT;
		unsat = unsat || k->a[n].of[i] == SOLVER_UNSAT;
	}
	return sat && unsat;
}

static void judge(struct ask *k)
{
	k->verdict = PROOF_PROVED;
	for (unsigned int i = 0; i < k->proof.nob; i++)
		k->disagree = k->disagree || contradict(k, i);
	for (unsigned int n = 0; n < SOLVERS; n++) {
		enum verdict v = k->a[n].verdict;

		if (!k->a[n].of)
			continue;
		if (v == PROOF_OPEN || (v != PROOF_PROVED &&
					k->verdict == PROOF_PROVED))
			k->verdict = v;
	}
	if (k->disagree)
		k->verdict = PROOF_GAVE_UP;
}

static void run(struct prove *p, struct ask *k)
{
	struct job job[SOLVERS];

	if (k->window) {
		window_make(&k->sys, &k->inv, k->q.drop);
	} else {
		system_make(&k->sys, &k->q);
		small_run(&k->small, &k->sys, false);
		invariants_make(&k->inv, &k->sys, &k->small);
	}
	proof_make(&k->proof, &k->sys, &k->inv);
	for (unsigned int i = 0; i < SOLVERS; i++) {
		job[i] = (struct job){ .k = k, .name = (enum solver_name)i };
		if (p->solver[i] && pthread_create(&job[i].thread, NULL,
						   ask_solver, &job[i]))
			errx(CLI_LIMIT, "no thread to be had");
	}
	for (unsigned int i = 0; i < SOLVERS; i++)
		if (p->solver[i])
			pthread_join(job[i].thread, NULL);
	judge(k);
	if (p->nobody)
		k->verdict = PROOF_NOT_ASKED;
}

static void ask_free(struct ask *k)
{
	proof_free(&k->proof);
	invariants_free(&k->inv);
	small_free(&k->small);
	system_free(&k->sys);
	for (unsigned int i = 0; i < SOLVERS; i++)
		answers_free(&k->a[i]);
}

static struct ask *ask_new(struct prove *p, enum airlock_platform platform,
			   bool shared, bool private)
{
	struct ask *k = &p->ask[p->n++];

	k->q.platform = platform;
	k->q.features = p->features;
	k->q.drop = p->drop;
	k->host = p->host;
	k->q.hostile = p->host == LAB_HOST_HOSTILE;
	k->q.failing = p->host == LAB_HOST_FAILING || k->q.hostile;
	k->q.to[AIRLOCK_TO_SHARED] = shared;
	k->q.to[AIRLOCK_TO_PRIVATE] = private;
	for (unsigned int to = 0; to < 2; to++)
		if (airlock_order_named(p->order, platform,
					(enum airlock_to)to, &k->q.order[to]))
			airlock_order_parse(p->order, &k->q.order[to], NULL);
	snprintf(k->order, sizeof(k->order), "%s",
		 strchr(p->order, ',') ? "typed" : p->order);
	return k;
}

/* ---- what is said of it ---- */

static const char *place_name(const struct ask *k)
{
	return k->window ? "any" : platform_name(k->q.platform);
}

static const char *direction_name(const struct ask *k)
{
	return !k->q.to[AIRLOCK_TO_SHARED] ? "private" :
		!k->q.to[AIRLOCK_TO_PRIVATE] ? "shared" : "both";
}

static const char *verdict_word(const struct ask *k)
{
	static const char *const word[] = {
		[PROOF_PROVED] = "proved", [PROOF_OPEN] = "NOT PROVED",
		[PROOF_GAVE_UP] = "a solver gave up",
		[PROOF_DIED] = "a solver died",
		[PROOF_NOT_ASKED] = "not asked",
	};

	return k->disagree ? "the solvers disagree" : word[k->verdict];
}

static void print_head(void)
{
	printf("%-5s %-16s %-8s %11s %11s %9s %9s  %s\n", "on", "order", "to",
	       "transitions", "obligations", "z3", "cvc5", "verdict");
}

static void print_row(const struct ask *k)
{
	printf("%-5s %-16s %-8s %11u %11u", place_name(k),
	       k->order, direction_name(k), k->sys.nrules, k->proof.nob);
	for (unsigned int i = 0; i < SOLVERS; i++)
		if (k->a[i].of)
			printf(" %7.1f s", k->a[i].seconds);
		else
			printf(" %9s", "-");
	printf("  %s\n", verdict_word(k));
	fflush(stdout);
}

static bool is_open(const struct ask *k, unsigned int i)
{
	for (unsigned int n = 0; n < SOLVERS; n++)
		if (k->a[n].of && k->a[n].of[i] != SOLVER_UNSAT)
			return true;
	return false;
}

static void print_open(const struct ask *k)
{
	enum { MOST = 12 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < k->proof.nob; i++)
		if (is_open(k, i) && n++ < MOST)
			print_wrapped(stdout, n == 1 ? "open" : "", CLI_LABEL,
				      k->proof.ob[i].name);
	if (n > MOST)
		printf("%*sand %u more\n", CLI_LABEL, "", n - MOST);
}

static const char *in_words(const struct model_value *v)
{
	return term_words(v->term, !strcmp(v->value, "true"));
}

/* A value of a page that nobody owns does not have an owner's meaning. */
static bool means_something(const struct model_value *v, bool owned)
{
	return owned || !strstr(v->term, "owner");
}

static void print_model(const struct ask *k, const struct answers *a)
{
	bool owned = !strcmp(a->value[0].value, "true");
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	unsigned int pc, n;

	if (!f)
		err(CLI_LIMIT, "out of memory");
	fputs(in_words(&a->value[0]), f);
	if (owned && sscanf(a->value[1].value, "s%u", &pc) == 1 &&
	    pc < k->sys.nsteps)
		fprintf(f, ", at step \"%s\"", k->sys.step[pc]);
	for (unsigned int i = 2; i < a->nvalues; i++) {
		const char *w = in_words(&a->value[i]);

		if (!w || !means_something(&a->value[i], owned))
			continue;
		fprintf(f, "; %s", w);
		if (sscanf(a->value[i].term, "(sb%u ", &n) == 1)
			fprintf(f, ", pass %u", n);
	}
	fclose(f);
	print_wrapped(stdout, "state", CLI_LABEL, text);
	free(text);
}

static void print_trail(const struct ask *k)
{
	if (!k->small.bad)
		return;
	print_wrapped(stdout, "with 1 page", CLI_LABEL + 2, k->small.bad);
	for (unsigned int i = 0; i < k->small.ntrail; i++)
		printf("%*s%2u. %s\n", CLI_LABEL, "", i + 1,
		       k->small.trail[i]);
}

static void print_invariants(struct ask *k)
{
	for (unsigned int i = 0; i < k->inv.n; i++) {
		printf("\n; %s\n", k->inv.inv[i].name);
		term_print(stdout, &k->sys.w, k->inv.inv[i].term);
		putchar('\n');
	}
}

/* ---- the lab: a run of the real engine ---- */

/* The fewest CPUs and pages with which something goes wrong. */
static bool lab_run(const struct ask *k, struct question *q, struct answer *a)
{
	static const unsigned int bounds[][2] = {
		{ 1, 1 }, { 2, 1 }, { 1, 2 }, { 2, 2 },
	};
	struct pool pool = { .jobs = 1, .states = 4000000 };

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		memset(a, 0, sizeof(*a));
		lab_config_default(&q->cfg);
		q->cfg.platform = k->q.platform;
		q->cfg.to = k->q.to[AIRLOCK_TO_SHARED] ? AIRLOCK_TO_SHARED :
			AIRLOCK_TO_PRIVATE;
		q->cfg.order = k->q.order[q->cfg.to];
		q->cfg.features = k->q.features;
		q->cfg.host = k->host;
		q->cfg.cpus = bounds[i][0];
		q->cfg.pages = bounds[i][1];
		snprintf(q->order, sizeof(q->order), "%s", k->order);
		pool_run(&pool, q, a, 1);
		if (a->kind == ANSWER_UNSAFE)
			return true;
		answer_free(a);
	}
	return false;
}

static void ask_lab(const struct ask *k)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct question q = { 0 };
	struct answer a;
	struct report r = { .q = &q, .a = &a, .n = 1, .colour = colour };

	if (!lab_run(k, &q, &a)) {
		print_wrapped(stdout, "lab", CLI_LABEL, "the lab finds no run "
			      "of the engine that goes wrong, with up to 2 "
			      "CPUs and 2 pages");
		return;
	}
	printf("\nThe lab, with %u CPU%s and %u page%s, the smallest bounds "
	       "that show one:\n\n", q.cfg.cpus, q.cfg.cpus > 1 ? "s" : "",
	       q.cfg.pages, q.cfg.pages > 1 ? "s" : "");
	report_one(&r, 0);
	answer_free(&a);
}

static void explain(const struct prove *p, const struct ask *k)
{
	printf("\n%s to %s: %s\n", k->window ? "window" :
	       platform_name(k->q.platform),
	       direction_name(k), verdict_word(k));
	print_open(k);
	for (unsigned int i = 0; i < SOLVERS; i++)
		if (k->a[i].nvalues) {
			print_wrapped(stdout, "fails", CLI_LABEL,
				      k->proof.ob[k->a[i].model_of].name);
			print_model(k, &k->a[i]);
			break;
		}
	for (unsigned int i = 0; i < SOLVERS; i++)
		if (k->a[i].of && k->a[i].verdict == PROOF_DIED)
			printf("%s: %s\n", solver_names[i], k->a[i].said);
	print_trail(k);
	if (!p->no_lab && !p->drop && !k->window)
		ask_lab(k);
}

/* ---- JSON ---- */

static json_t *json_open(const struct ask *k, const struct answers *a)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < k->proof.nob; i++)
		if (a->of[i] != SOLVER_UNSAT)
			json_array_append_new(list, json_string(
						k->proof.ob[i].name));
	return list;
}

static json_t *json_ask(const struct ask *k)
{
	json_t *solvers = json_object(), *j;

	for (unsigned int i = 0; i < SOLVERS; i++)
		if (k->a[i].of)
			json_object_set_new(solvers, solver_names[i],
				json_pack("{s:b, s:f, s:o}", "proved",
					  k->a[i].verdict == PROOF_PROVED,
					  "seconds", k->a[i].seconds, "open",
					  json_open(k, &k->a[i])));
	j = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:o}",
		      "platform", place_name(k),
		      "to", direction_name(k), "order", k->order,
		      "verdict", verdict_word(k),
		      "transitions", (int)k->sys.nrules,
		      "invariants", (int)k->inv.n,
		      "obligations", (int)k->proof.nob, "solvers", solvers);
	json_object_set_new(j, "host", json_string(hosts[k->host].name));
	if (k->q.drop)
		json_object_set_new(j, "dropped", json_string(k->q.drop));
	return j;
}

static void write_json(const struct prove *p)
{
	json_t *list = json_array();
	FILE *f;

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, json_ask(&p->ask[i]));
	f = output_open(p->json);
	json_dumpf(list, f, JSON_INDENT(1));
	fputc('\n', f);
	output_close(f, p->json);
	json_decref(list);
}

/* ---- all of it ---- */

static void one(struct prove *p, struct ask *k)
{
	run(p, k);
	print_row(k);
	if (p->verbose)
		print_invariants(k);
}

/* Both at once; where that is open, each by itself, to say which it is. */
static void on_platform(struct prove *p, enum airlock_platform platform)
{
	struct ask *k = ask_new(p, platform, p->to[AIRLOCK_TO_SHARED],
				p->to[AIRLOCK_TO_PRIVATE]);

	one(p, k);
	if (!p->both || k->verdict == PROOF_PROVED || p->nobody)
		return;
	one(p, ask_new(p, platform, true, false));
	one(p, ask_new(p, platform, false, true));
}

static bool by_window(const struct airlock_order *o)
{
	for (unsigned int i = 0; i < o->nsteps; i++)
		if (o->step[i] & AIRLOCK_STEP_WINDOW)
			return true;
	return false;
}

/* Once for all platforms: it is the same on each. */
static void the_window(struct prove *p)
{
	bool used = false;
	struct ask *k;

	for (size_t i = 0; i < p->n; i++)
		for (unsigned int to = 0; to < 2; to++)
			used = used || (p->ask[i].q.to[to] &&
					by_window(&p->ask[i].q.order[to]));
	if (!used)
		return;
	k = ask_new(p, AIRLOCK_PLAIN, true, true);
	k->window = true;
	snprintf(k->order, sizeof(k->order), "@window");
	one(p, k);
}

static enum cli_exit exit_code(const struct prove *p)
{
	enum cli_exit code = CLI_SAFE;

	for (size_t i = 0; i < p->n; i++) {
		if (p->ask[i].verdict == PROOF_OPEN)
			return CLI_UNSAFE;
		if (p->ask[i].verdict != PROOF_PROVED)
			code = CLI_LIMIT;
	}
	return code;
}

static void need_solvers(struct prove *p)
{
	for (unsigned int i = 0; i < SOLVERS; i++)
		if (p->solver[i] && !solver_exists((enum solver_name)i)) {
			fprintf(stderr, "airlock prove: no %s on this machine;"
				" it is Debian's package %s: apt-get install "
				"z3 cvc5\n", solver_names[i], solver_names[i]);
			exit(CLI_USAGE);
		}
	signal(SIGPIPE, SIG_IGN);
}

/* A single direction that is proved says nothing of what is open. */
static bool worth_explaining(const struct prove *p, const struct ask *k)
{
	bool single = k->q.to[0] != k->q.to[1];

	return !p->nobody && k->verdict != PROOF_PROVED &&
		(single || k->window || p->n == 1 ||
					      k->disagree);
}

static void print_sum(const struct prove *p, enum cli_exit code)
{
	char text[320];

	snprintf(text, sizeof(text), "for any number of CPUs, pages, mappings "
		 "of a page and calls at once, %s; docs/proof.md says what is "
		 "in it", hosts[p->host].said);
	if (code == CLI_SAFE)
		print_wrapped(stdout, "proved", CLI_LABEL, text);
	for (size_t i = 0; i < p->n; i++)
		if (worth_explaining(p, &p->ask[i]))
			explain(p, &p->ask[i]);
}

static void plain(void)
{
	print_wrapped(stdout, "plain", CLI_LABEL, "proved: no platform, no "
		      "transition; every call returns without a write");
}

static enum cli_exit on_platforms(struct prove *p)
{
	enum cli_exit code;

	print_head();
	for (unsigned int i = 0; i < all_platform_count; i++)
		if (p->platform[all_platforms[i]])
			on_platform(p, all_platforms[i]);
	the_window(p);
	if (p->platform[AIRLOCK_PLAIN] && !p->nobody)
		plain();
	code = exit_code(p);
	print_sum(p, code);
	return code;
}

/* ---- what a kernel did ---- */

/* Of the order of @a and, side by side, of @b, which may be NULL. */
static struct ask *ask_watched(struct prove *p, const struct watched_file *f,
			       const struct watched_order *a,
			       const struct watched_order *b)
{
	struct ask *k = ask_new(p, f->platform,
				a->to == AIRLOCK_TO_SHARED || b,
				a->to == AIRLOCK_TO_PRIVATE || b);

	k->q.order[a->to] = a->order;
	if (b)
		k->q.order[b->to] = b->order;
	if (a->named)
		snprintf(k->order, sizeof(k->order), "as watched");
	return k;
}

/* The pages are compared first: solvers take longer. */
static bool compare(const struct watched_file *f, const struct ask *k,
		    const struct watched_order *o)
{
	static struct system s;
	bool ok;

	system_make(&s, &k->q);
	ok = watched_compare(f, o, &s);
	system_free(&s);
	return ok;
}

/* One order to each direction: their calls run side by side in the proof. */
static bool side_by_side(const struct watched_file *f)
{
	return f->orders == 2 && f->order[0].to != f->order[1].to &&
		f->order[0].whole && f->order[1].whole;
}

static bool compare_all(struct prove *p, const struct watched_file *f)
{
	bool ok = true;

	for (unsigned int i = 0; i < f->orders; i++) {
		bool both = side_by_side(f);
		struct ask *k = both && i ? &p->ask[0] :
			ask_watched(p, f, &f->order[i], both ? &f->order[1] :
				    NULL);

		ok = compare(f, k, &f->order[i]) && ok;
		/* What did not come to its end is no order to be proved. */
		p->n -= !f->order[i].whole;
	}
	return ok;
}

static enum cli_exit prove_all(struct prove *p)
{
	enum cli_exit code;

	print_head();
	for (size_t i = 0; i < p->n; i++)
		one(p, &p->ask[i]);
	the_window(p);
	code = exit_code(p);
	print_sum(p, code);
	return code;
}

static enum cli_exit watched(struct prove *p)
{
	enum cli_exit code = CLI_UNSAFE;
	struct watched_file f;
	bool rest;

	if (!watched_read(p->watched, p->order, p->some_order, &f))
		exit(CLI_USAGE);
	if (compare_all(p, &f)) {
		rest = watched_rest(&f);
		code = p->n ? prove_all(p) : CLI_LIMIT;
		if (code == CLI_SAFE && rest)
			code = CLI_LIMIT;
	} else {
		watched_rest(&f);
		printf("NOT a run of the proved system\n");
		p->n = 0;	/* nobody was asked */
	}
	watched_free(&f);
	return code;
}

int cli_prove(int argc, char **argv)
{
	struct prove p = { .to = { true, true }, .both = true,
			   .order = "airlock", .solver = { true, true } };
	enum cli_exit code;

	argp_parse(&argp, argc, argv, 0, NULL, &p);
	if (!p.some_platform)
		memset(p.platform, 1, sizeof(p.platform));
	p.ask = calloc(3 * AIRLOCK_PLATFORMS + WATCHED_ORDERS + 1,
		       sizeof(*p.ask));
	if (!p.ask)
		err(CLI_LIMIT, "out of memory");
	need_solvers(&p);
	code = p.watched ? watched(&p) : on_platforms(&p);
	if (p.json)
		write_json(&p);
	for (size_t i = 0; i < p.n; i++)
		ask_free(&p.ask[i]);
	free(p.ask);
	return (int)code;
}
