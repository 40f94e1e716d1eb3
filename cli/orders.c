// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock orders`: the named orders, step by step; and which of all orders
 * do with the fewest steps.
 */
#include "cli.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct orders {
	bool platform[AIRLOCK_PLATFORMS];
	bool to[2];
	bool any_platform;
	bool minimal;
	unsigned int jobs;
};

static const struct argp_option options[] = {
	{ "platform", 'p', "NAME", 0,
	  "tdx, snp, vtom, tdp, sev or all [all]", 0 },
	{ "to", 't', "STATE", 0, "shared, private or both [both]", 0 },
	{ "minimal", 'm', NULL, 0,
	  "ask the lab which orders are safe on all of these platforms with "
	  "the fewest steps", 0 },
	{ "jobs", 'j', "N", 0, "worker processes [one per CPU]", 0 },
	{ 0 },
};

static void set_platform(struct orders *o, const char *arg,
			 struct argp_state *state)
{
	enum airlock_platform p;

	if (!strcmp(arg, "all"))
		return;
	if (!platform_parse(arg, &p))
		argp_error(state, "--platform '%s': not tdx, snp, vtom, tdp, "
			   "sev or all", arg);
	o->any_platform = true;
	o->platform[p] = true;
}

static void set_to(struct orders *o, const char *arg, struct argp_state *state)
{
	if (!strcmp(arg, "both"))
		return;
	if (strcmp(arg, "shared") && strcmp(arg, "private"))
		argp_error(state, "--to '%s': not shared, private or both",
			   arg);
	o->to[arg[0] == 's' ? AIRLOCK_TO_PRIVATE : AIRLOCK_TO_SHARED] = false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct orders *o = state->input;

	switch (key) {
	case 'p':
		set_platform(o, arg, state);
		return 0;
	case 't':
		set_to(o, arg, state);
		return 0;
	case 'm':
		o->minimal = true;
		return 0;
	case 'j':
		o->jobs = (unsigned int)atoi(arg);
		if (!o->jobs || o->jobs > 256)
			argp_error(state, "--jobs '%s': not 1 to 256", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not understood", arg);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse, NULL,
	"List the named orders, step by step, and where they come from.\v"
	"Where an order differs by platform or direction, each form is listed "
	"with the platforms and directions that it belongs to.\n\n"
	"--minimal explores: every order of one step, of two, and so on, "
	"until some are safe. alias is left out: no safety comes of it.",
	NULL, NULL, NULL,
};

/* One form of an order, and where it is the form. */
struct form {
	char *text;
	bool at[AIRLOCK_PLATFORMS][2];
};

static bool wanted(const struct orders *o, enum airlock_platform p,
		   unsigned int to)
{
	return o->to[to] && (!o->any_platform || o->platform[p]);
}

static unsigned int forms(const struct orders *o, const char *name,
			  struct form *form)
{
	unsigned int n = 0, k;

	for (unsigned int i = 0; i < all_platform_count * 2; i++) {
		enum airlock_platform p = all_platforms[i / 2];
		unsigned int to = 1 - i % 2;
		struct airlock_order order;
		char *text;

		if (!wanted(o, p, to) ||
		    airlock_order_named(name, p, (enum airlock_to)to, &order))
			continue;
		text = order_text(&order, true);
		for (k = 0; k < n && strcmp(form[k].text, text); k++)
			;
		if (k == n)
			form[n++] = (struct form){ .text = text };
		else
			free(text);
		form[k].at[p][to] = true;
	}
	return n;
}

/* "snp, sev, tdx to shared": a direction is named where the other differs. */
static void print_places(const struct orders *o, const struct form *f)
{
	const char *comma = "";

	printf("    ");
	for (unsigned int i = 0; i < all_platform_count; i++) {
		enum airlock_platform p = all_platforms[i];
		bool s = f->at[p][AIRLOCK_TO_SHARED];
		bool v = f->at[p][AIRLOCK_TO_PRIVATE];

		if (!s && !v)
			continue;
		printf("%s%s%s", comma, platform_name(p),
		       (s && v) || (s && !o->to[AIRLOCK_TO_PRIVATE]) ||
		       (v && !o->to[AIRLOCK_TO_SHARED]) ? "" :
		       s ? " to shared" : " to private");
		comma = ", ";
	}
	printf(":\n");
}

static void print_order(const struct orders *o,
			const struct airlock_named_order *named)
{
	struct form form[AIRLOCK_PLATFORMS * 2];
	unsigned int n = forms(o, named->name, form);

	printf("%-16s  %s\n", named->name, named->what);
	for (unsigned int k = 0; k < n; k++) {
		if (n > 1)
			print_places(o, &form[k]);
		print_wrapped(stdout, "", n > 1 ? 6 : 4, form[k].text);
		free(form[k].text);
	}
}

/* ---- the fewest steps ---- */

static void ask_all(const struct orders *o, struct sweep *s)
{
	for (unsigned int i = 0; i < all_platform_count; i++)
		for (unsigned int to = 2; to-- > 0; )
			if (wanted(o, all_platforms[i], to))
				sweep_ask(s, all_platforms[i],
					  (enum airlock_to)to);
}

/* Orders of so many steps. Return: how many are safe wherever asked. */
static unsigned int minimal(const struct orders *o, unsigned int steps,
			    bool *unfinished)
{
	struct sweep s = { .jobs = o->jobs, .first_only = true,
			   .progress = isatty(STDERR_FILENO) };
	unsigned int n = 0;

	lab_config_default(&s.base);
	s.base.brief = true;
	orders_of_steps(&s.list, steps);
	ask_all(o, &s);
	sweep_run(&s);
	for (size_t i = 0; i < s.list.n; i++) {
		n += sweep_safe(&s, i);
		*unfinished |= sweep_unfinished(&s, i);
	}
	printf("%zu orders of %u step%s: %u safe\n", s.list.n, steps,
	       steps == 1 ? "" : "s", n);
	for (size_t i = 0; i < s.list.n; i++) {
		char *text = order_text(&s.list.order[i], true);

		if (sweep_safe(&s, i))
			printf("    %s\n", text);
		free(text);
	}
	sweep_free(&s);
	return n;
}

static int print_minimal(const struct orders *o)
{
	struct question q = { 0 };
	bool unfinished = false;
	unsigned int n = 1;
	char *bounds;

	while (n <= SWEEP_STEPS && !unfinished && !minimal(o, n, &unfinished))
		n++;
	lab_config_default(&q.cfg);
	bounds = question_bounds(&q);
	print_wrapped(stdout, "explored", CLI_LABEL, bounds);
	free(bounds);
	return unfinished || n > SWEEP_STEPS ? CLI_LIMIT : CLI_SAFE;
}

int cli_orders(int argc, char **argv)
{
	struct orders o = {
		.to = { true, true }, .jobs = pool_default_jobs(),
	};

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.minimal)
		return print_minimal(&o);
	for (unsigned int i = 0; i < airlock_named_order_count; i++)
		print_order(&o, &airlock_named_orders[i]);
	return CLI_SAFE;
}
