// SPDX-License-Identifier: GPL-2.0
/* `airlock orders`: the named orders, step by step. */
#include "cli.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

struct orders {
	bool platform[AIRLOCK_PLATFORMS];
	bool to[2];
	bool any_platform;
};

static const struct argp_option options[] = {
	{ "platform", 'p', "NAME", 0,
	  "tdx, snp, vtom, tdp, sev or all [all]", 0 },
	{ "to", 't', "STATE", 0, "shared, private or both [both]", 0 },
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
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not understood", arg);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse, NULL,
	"List the named orders, step by step, and where they come from.\v"
	"Where an order differs by platform or direction, each form is listed "
	"with the platforms and directions that it belongs to.",
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

int cli_orders(int argc, char **argv)
{
	struct orders o = { .to = { true, true } };

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (unsigned int i = 0; i < airlock_named_order_count; i++)
		print_order(&o, &airlock_named_orders[i]);
	return CLI_SAFE;
}
