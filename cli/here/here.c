// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock storm --here'. The module (linux/guest/storm) is loaded once for
 * each shape, and what is about to be done is on the disk before it is: if the
 * guest ends, the report says where.
 */
#include <argp.h>
#include <cpuid.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "here.h"
#include "linux.h"
#include "machine.h"

#define REPORT	"airlock-storm.txt"

static const char *const shapes[] = { "512", "1", "8", "at-once", "vmalloc" };
#define SHAPES	(sizeof(shapes) / sizeof(shapes[0]))

struct here {
	/* as asked */
	unsigned long conversions;
	const char *report, *modules;
	bool here, yes, patched;
	/* as heard */
	int log;
	char guest[64];
	bool heard;
	struct storm_shape last;
};

static void hear(void *context, const char *line)
{
	struct here *h = context;

	if (!strncmp(line, "storm: guest ", 13))
		snprintf(h->guest, sizeof(h->guest), "%.60s", line + 13);
	else if (!strncmp(line, "storm: shape ", 13))
		h->heard = storm_shape_heard(line + 13, &h->last);
}

/* @conversions 0: it looks where it is, and does nothing. */
static bool load(struct here *h, unsigned long conversions, const char *shape)
{
	char n[40], only[40];
	const char *words[] = { "here=1", n, only, NULL };
	bool ok;

	snprintf(n, sizeof(n), "conversions=%lu", conversions);
	snprintf(only, sizeof(only), "only=%s", shape);
	module_unload("storm");
	ok = module_load(h->modules, "storm", words);
	log_hear(h->log, hear, h);
	module_unload("storm");
	return ok;
}

/* ---- where this is ---- */

static void tell_cpu(void)
{
	unsigned int r[13] = { 0 }, most;

	__cpuid(0x80000000, most, r[1], r[2], r[3]);
	for (unsigned int i = 0; i < 3 && most >= 0x80000004; i++)
		__cpuid(0x80000002 + i, r[4 * i], r[4 * i + 1], r[4 * i + 2],
			r[4 * i + 3]);
	told("cpu         %.48s, %ld here\n", (char *)r,
	     sysconf(_SC_NPROCESSORS_ONLN));
	memset(r, 0, sizeof(r));
	__cpuid(0x40000000, most, r[0], r[1], r[2]);
	told("hypervisor  %.12s\n", (char *)r);
}

static bool live_patched(const char *file, char want)
{
	char name[80];
	FILE *f;
	int c;

	snprintf(name, sizeof(name), "/sys/kernel/livepatch/airlock/%s", file);
	f = fopen(name, "re");
	if (!f)
		return false;
	c = getc(f);
	fclose(f);
	return c == want;
}

static void tell_where(const struct here *h)
{
	char now[40] = "";
	time_t t = time(NULL);
	struct utsname u;

	uname(&u);
	strftime(now, sizeof(now), "%Y-%m-%d %H:%M UTC", gmtime(&t));
	told("airlock storm --here, version " AIRLOCK_VERSION ", %s\n", now);
	told("kernel      %s, %s\n", u.release, u.version);
	told("guest       %s\n", h->guest);
	tell_cpu();
	told("live patch  %s\n", live_patched("enabled", '1') ?
	     "Airlock's" : "none");
}

/* ---- before it ---- */

/* It stays when this program has ended. */
static bool patch(const struct here *h)
{
	static const char *const none[] = { NULL };

	if (!live_patched("enabled", '1') &&
	    !module_load(h->modules, "airlock", none))
		return false;
	/* The kernel wakes tasks that sleep in the way after 15 s. */
	for (unsigned int i = 0; i < 1200; i++) {
		if (live_patched("transition", '0'))
			return true;
		usleep(50000);
	}
	warnx("the live patch is not in force after a minute: some task is in "
	      "the old function still");
	return false;
}

static bool confirmed(const struct here *h)
{
	char answer[16] = "";

	printf("Pages of this guest (%s) will be converted between private "
	       "and shared, %lu\ntimes for each of %zu shapes, while its "
	       "other CPUs read next to them.\n", h->guest, h->conversions,
	       SHAPES);
	if (!h->patched)
		puts("A kernel without a cure may end there, and everything "
		     "that runs in this guest\nwith it, at once and without a "
		     "word.");
	if (h->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		warnx("nobody to ask: standard input is no terminal; --yes "
		      "says it beforehand");
		return false;
	}
	printf("Type yes to begin: ");
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n"))
		return true;
	warnx("not begun");
	return false;
}

/* ---- it ---- */

/* 0 right, 1 not, 3 no read fell into a conversion: that shows nothing. */
static int judge(const struct storm_shape *s)
{
	if (!s->conversions || s->wrong || s->mangled || s->refused ||
	    s->given_up)
		return 1;
	return s->fixups ? 0 : 3;
}

static int one_shape(struct here *h, const char *shape)
{
	const struct storm_shape *s = &h->last;

	told("now         %s\n", shape);
	h->heard = false;
	if (!load(h, h->conversions, shape) || !h->heard) {
		told("%-11s nothing was heard of it\n", shape);
		return 1;
	}
	told("%-11s conversions %lu, loads %lu, names %lu, mended %lu, refused "
	     "%lu, given up %lu, wrong %lu, misread %lu, global lost %lu\n",
	     shape, s->conversions, s->loads, s->names, s->fixups, s->refused,
	     s->given_up, s->wrong, s->mangled, s->global);
	return judge(s);
}

static int storm(struct here *h)
{
	static const char *const ends[] = {
		[0] = "every page was right, and every stray read was mended",
		[1] = "NOT SAFE",
		[3] = "no verdict: in some shape no stray read fell into a "
		      "conversion; try more --conversions",
	};
	int code = 0;

	if (!report_open(h->report))
		return LINUX_USAGE;
	tell_where(h);
	for (unsigned int i = 0; i < SHAPES; i++) {
		int one = one_shape(h, shapes[i]);

		code = one == 1 || !code ? one : code;
	}
	told("result      %s\n", ends[code]);
	if (!report_close())
		return LINUX_USAGE;
	printf("The report is in %s; docs/hardware.md says where to send it.\n",
	       h->report);
	return code;
}

/* ---- options ---- */

enum {
	OPT_HERE = 256, OPT_CONVERSIONS, OPT_REPORT, OPT_MODULES, OPT_YES,
	OPT_PATCHED,
};

static const struct argp_option options[] = {
	{ "here", OPT_HERE, NULL, 0, "in this guest; it must be said", 0 },
	{ "conversions", OPT_CONVERSIONS, "N", 0, "of each shape [2000]", 0 },
	{ "patched", OPT_PATCHED, NULL, 0,
	  "with Airlock's live patch, which stays", 0 },
	{ "report", OPT_REPORT, "FILE", 0,
	  "what to send [" REPORT "]", 0 },
	{ "modules", OPT_MODULES, "DIR", 0,
	  "storm.ko and airlock.ko lie there [those that dkms built]", 0 },
	{ "yes", OPT_YES, NULL, 0, "do not ask", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct here *h = state->input;

	switch (key) {
	case OPT_HERE:
		h->here = true;
		break;
	case OPT_CONVERSIONS:
		h->conversions = option_number(state, "conversions", arg, 2,
					       1000000);
		break;
	case OPT_PATCHED:
		h->patched = true;
		break;
	case OPT_REPORT:
		h->report = arg;
		break;
	case OPT_MODULES:
		h->modules = arg;
		break;
	case OPT_YES:
		h->yes = true;
		break;
	case ARGP_KEY_END:
		if (!h->here)
			argp_error(state, "it needs --here; for the emulated "
				   "machine: airlock linux storm");
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	options, parse, NULL,
	"Convert pages of the confidential guest that this is typed in, while "
	"its other CPUs read next to them, and write a report. A kernel "
	"without a cure may end there. The modules are those of the package "
	"airlock-dkms.\v"
	"Exit: 0 every page was right; 1 not so; 2 bad usage, or it could not "
	"begin; 3 nothing was shown, for no stray read fell into a conversion.",
	NULL, NULL, NULL,
};

int cli_storm(int argc, char **argv)
{
	static struct here h = { .conversions = 2000, .report = REPORT };

	argp_parse(&argp, argc, argv, 0, NULL, &h);
	if (geteuid()) {
		warnx("it loads a module, which takes root's rights: sudo "
		      "airlock storm --here");
		return LINUX_USAGE;
	}
	h.log = log_open();
	if (h.log < 0 || !load(&h, 0, shapes[0]) ||
	    (h.patched && !patch(&h)) || !confirmed(&h))
		return LINUX_USAGE;
	return storm(&h);
}
