// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock linux storm`: boot, listen to the guest and to the machine, and say
 * what happened. The guest speaks in lines of its console, "storm: ...".
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux.h"

#define STORM_SHAPES	8

struct storm {
	struct linux_run guest;
	unsigned long conversions;
	const char *only;
	bool devices, verbose;
	/* The one that was asked for; until the storm begins it is honest. */
	struct launch_host host;
	struct launch_disk scratch;
	char words[256];
};

struct report {
	const struct storm *s;
	struct said said;
	/* what the guest said */
	char release[64], now[16];
	struct storm_shape shape[STORM_SHAPES];
	unsigned int shapes;
	bool patched, ended;
	struct devices devices;
	struct launch_result result;
};

/* ---- what the guest says ---- */

bool storm_shape_heard(const char *text, struct storm_shape *s)
{
	return sscanf(text, "%15s conversions %lu loads %lu names %lu fixups "
		      "%lu refused %lu given_up %lu wrong %lu mangled %lu "
		      "global %lu", s->name, &s->conversions, &s->loads,
		      &s->names, &s->fixups, &s->refused, &s->given_up,
		      &s->wrong, &s->mangled, &s->global) == 10;
}

static void heard_shape(struct report *r, const char *text)
{
	if (r->shapes < STORM_SHAPES &&
	    storm_shape_heard(text, &r->shape[r->shapes]))
		r->shapes++;
	r->now[0] = 0;
}

static void console_line(void *context, const char *line)
{
	struct report *r = context;
	const char *at = strstr(line, "storm: ");

	if (at && !strncmp(at + 7, "shape ", 6))
		heard_shape(r, at + 13);
	else if (at && !strncmp(at + 7, "symbol ", 7))
		said_symbol(&r->said, at + 14);
	else if (at && !strncmp(at + 7, "now ", 4))
		sscanf(at + 11, "%15s", r->now);
	else if (at && !strncmp(at + 7, "end", 3))
		r->ended = true;
	else if (!strncmp(line, "traffic: ", 9))
		devices_heard(&r->devices, line + 9);
	else if (!strncmp(line, "init: Airlock", 13))
		r->patched = true;
	else if (!strncmp(line, "init: ", 6) && !r->release[0])
		sscanf(line + 6, "%63[^,]", r->release);
}

/* ---- the verdict ---- */

static enum launch_end end_of(const struct report *r)
{
	return r->result.end;
}

static bool may_refuse(const struct report *r)
{
	return r->s->host.kind == CVM_HOST_FAILING ||
	       r->s->host.kind == CVM_HOST_FAILING_HALF ||
	       r->s->host.kind == CVM_HOST_HOSTILE;
}

/* A host that refuses is no fault of the guest's; anything else is. */
static bool nothing_wrong(const struct report *r, const struct storm_shape *s)
{
	return !s->wrong && !s->mangled &&
	       (may_refuse(r) || (!s->refused && !s->given_up));
}

static bool shape_right(const struct report *r, const struct storm_shape *s)
{
	return s->conversions && nothing_wrong(r, s);
}

/*
 * The guest did nothing wrong up to where it ended, and yet has not passed:
 * the host's doing alone. No other failed run is spared the word unsafe.
 */
static const char *host_ended_it(const struct report *r)
{
	static char why[96];

	if (!may_refuse(r) || r->result.violations ||
	    r->patched != r->s->guest.patched || r->s->devices)
		return NULL;
	for (unsigned int i = 0; i < r->shapes; i++)
		if (!nothing_wrong(r, &r->shape[i]))
			return NULL;
	if (end_of(r) == LAUNCH_FORCED)
		return "the host took a page away, or lied about it";
	if (linux_gave_in(&r->result))
		return "the guest ended itself when the host refused";
	if (!r->ended || launch_exit(end_of(r)))
		return NULL;
	for (unsigned int i = 0; i < r->shapes; i++)
		if (!r->shape[i].conversions) {
			snprintf(why, sizeof(why),
				 "the host let no conversion of '%s' pass",
				 r->shape[i].name);
			return why;
		}
	return NULL;
}

static int judge(const struct report *r)
{
	int code = launch_exit(end_of(r));

	if (code)
		return code;
	if (r->s->devices && devices_absent(&r->devices))
		return LINUX_USAGE;
	if (!r->ended || !r->shapes || r->result.violations ||
	    r->patched != r->s->guest.patched)
		return 1;
	if (r->s->devices && !devices_right(&r->devices))
		return 1;
	for (unsigned int i = 0; i < r->shapes; i++)
		if (!shape_right(r, &r->shape[i]))
			return 1;
	return 0;
}

static void print_shapes(const struct report *r)
{
	if (!r->shapes)
		return;
	printf("  %-8s %11s %12s %12s %10s\n", "pages", "conversions",
	       "stray loads", "names hashed", "mended");
	for (unsigned int i = 0; i < r->shapes; i++) {
		const struct storm_shape *s = &r->shape[i];

		printf("  %-8s %11lu %12lu %12lu %10lu", s->name,
		       s->conversions, s->loads, s->names, s->fixups);
		if (s->refused)
			printf("  %lu refused", s->refused);
		if (s->given_up)
			printf("  %lu pages given up", s->given_up);
		if (s->wrong)
			printf("  %lu PAGES WRONG", s->wrong);
		if (s->mangled)
			printf("  %lu READS WRONG", s->mangled);
		putchar('\n');
	}
}

static void print(const struct report *r, int verdict)
{
	const struct launch *l = &r->s->guest.machine.launch;
	const char *by_host = verdict == 1 ? host_ended_it(r) : NULL;
	char host[HOST_TEXT];

	printf("Linux %s on %s, %u CPUs, host %s, %s\n",
	       r->release[0] ? r->release : r->s->guest.version,
	       launch_platform_name(l->platform), l->cpus,
	       host_text(&r->s->host, host), linux_origin(&r->s->guest));
	print_shapes(r);
	if (r->s->devices)
		devices_print(&r->devices, r->ended);
	said_print_bads(&r->said, &r->result,
			(unsigned int)r->devices.blocked);
	if (r->now[0])
		printf("  it ended while '%s' was being converted\n", r->now);
	if (r->s->guest.patched && !r->patched)
		printf("  the live patch did not load\n");
	printf("  %s: %s\n", launch_verdict(end_of(r)), r->result.why);
	if (verdict == 0)
		puts("every page was right, and no confidential exception came");
	else if (by_host)
		printf("no verdict: %s\n", by_host);
	else
		puts(verdict == 1 ? "NOT SAFE" : "no verdict");
}

static json_t *shape_json(const struct storm_shape *s)
{
#define N(value) (json_int_t)s->value
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "name", s->name, "conversions", N(conversions),
			 "loads", N(loads), "names", N(names),
			 "fixups", N(fixups), "refused", N(refused),
			 "given_up", N(given_up), "wrong", N(wrong),
			 "mangled", N(mangled), "global_lost", N(global));
#undef N
}

static json_t *storm_json(const struct report *r, int verdict)
{
	static const char *const accesses[] = {
		"private_access_to_shared", "private_access_to_pending",
		"shared_access_to_private", "shared_access_to_pending",
	};
	json_t *j, *shapes = json_array();
	char host[HOST_TEXT];
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		n += launch_counter(&r->result, accesses[i]);
	for (unsigned int i = 0; i < r->shapes; i++)
		json_array_append_new(shapes, shape_json(&r->shape[i]));
	j = json_pack("{s:s, s:s, s:b, s:i, s:I, s:o}", "kernel", r->release,
		      "host", host_text(&r->s->host, host), "patched",
		      r->patched, "exit", verdict, "accesses", (json_int_t)n,
		      "shapes", shapes);
	if (!j)
		errx(LINUX_USAGE, "out of memory");
	if (r->s->devices)
		json_object_set_new(j, "devices", devices_json(&r->devices));
	json_object_set_new(j, "machine", machine_json(&r->s->guest.machine,
						       &r->result, verdict));
	return j;
}

/* ---- options ---- */

enum {
	OPT_CONVERSIONS = 256, OPT_ONLY, OPT_DEVICES,
};

static const struct argp_option options[] = {
	{ "conversions", OPT_CONVERSIONS, "N", 0,
	  "of each shape [2000; 400 with --devices]", 0 },
	{ "only", OPT_ONLY, "SHAPE", 0, "512, 1, 8, at-once or vmalloc", 0 },
	{ "devices", OPT_DEVICES, NULL, 0,
	  "a disk and a network meanwhile, with data that is checked, behind "
	  "an IOMMU that lets them reach shared pages only", 0 },
	{ "verbose", 'v', NULL, 0, "the guest's console too", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct storm *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &s->guest;
		break;
	case OPT_CONVERSIONS:
		s->conversions = option_number(state, "conversions", arg, 2,
					       1000000);
		break;
	case OPT_ONLY:
		s->only = arg;
		break;
	case OPT_DEVICES:
		s->devices = true;
		break;
	case 'v':
		s->verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &linux_argp, 0, "The kernel:", 1 }, { 0 },
};

static const struct argp argp = {
	options, parse, NULL,
	"Convert pages of Debian's kernel between private and shared, while "
	"every other CPU does what the kernel does at any time: path look-ups "
	"and load_unaligned_zeropad() at the last bytes before those pages.\v"
	"A host that fails or lies is honest until the storm begins.\n\n"
	"Exit: 0 every page was right and no confidential exception came; 1 "
	"not so; 2 bad usage, or nothing to boot; 3 time limit.",
	children, NULL, NULL,
};

/* ---- */

/* What linux/guest/init shall do. */
static bool set_words(struct storm *s)
{
	const struct launch *l = &s->guest.machine.launch;
	char host[LINUX_HOST_WORD];
	int n;

	s->host = linux_host_later(&s->guest, host);
	n = snprintf(s->words, sizeof(s->words),
		     "%s airlock.storm=%lu%s%s%s%s",
		     s->devices ? " airlock.traffic" : "", s->conversions,
		     l->platform != CVM_NONE ? " airlock.ask" : "",
		     s->only ? " airlock.only=" : "", s->only ? s->only : "",
		     host);
	if (n > 0 && (size_t)n < sizeof(s->words))
		return true;
	warnx("--only '%s': no such shape", s->only);
	return false;
}

static bool prepare(struct storm *s)
{
	struct launch *l = &s->guest.machine.launch;

	if (!s->conversions)
		s->conversions = s->devices ? 400 : 2000;
	if (!l->time_limit)
		l->time_limit = s->devices ? 900 : 300;
	if (s->devices) {
		s->scratch = (struct launch_disk){ .keep = true };
		l->disk = &s->scratch;
		l->disks = 1;
		l->network = l->iommu = true;
	}
	if (!set_words(s) || !linux_prepare(&s->guest, !s->verbose, s->words))
		return false;
	if (s->devices)
		s->scratch.fd = devices_scratch();
	return s->scratch.fd >= 0;
}

static void run(struct report *r)
{
	const struct storm *s = r->s;
	const struct launch *l = &s->guest.machine.launch;

	if (s->devices)
		devices_begin(&r->devices, s->scratch.fd);
	said_launch(&r->said, l, &r->result);
	if (s->devices)
		devices_end(&r->devices, s->scratch.fd,
			    launch_counter(&r->result, "dma_blocked"));
}

int linux_storm(int argc, char **argv)
{
	static struct storm s;
	static struct report r = {
		.s = &s, .said = { .hear = console_line, .context = &r },
	};
	int verdict;

	linux_default(&s.guest);
	s.guest.machine.launch.time_limit = 0;
	s.guest.machine.time_text = "300; 900 with --devices";
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (!prepare(&s))
		return LINUX_USAGE;
	r.said.verbose = s.verbose;
	run(&r);
	verdict = judge(&r);
	print(&r, verdict);
	if (s.guest.machine.json &&
	    !json_write(s.guest.machine.json, storm_json(&r, verdict)))
		verdict = LINUX_USAGE;
	return verdict;
}
