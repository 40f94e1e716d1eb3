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

#define MAX_SHAPES	8
#define MAX_SYMBOLS	16
#define MAX_BAD		4		/* violations that are shown */
#define FAR		0x400		/* no function of these is longer */

struct shape {
	char name[16];
	unsigned long conversions, loads, names, fixups, refused, given_up,
		      wrong, mangled, global;
};

struct symbol {
	unsigned long at;
	char name[64];
	char what[80];
};

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
	char line[1024];		/* of the console, so far */
	size_t used;
	/* what the guest said */
	char release[64], now[16];
	struct shape shape[MAX_SHAPES];
	unsigned int shapes;
	struct symbol symbol[MAX_SYMBOLS];
	unsigned int symbols;
	bool patched, ended;
	struct devices devices;
	struct launch_result result;
};

/* ---- what the guest says ---- */

static void heard_shape(struct report *r, const char *text)
{
	struct shape s = { .conversions = 0 };

	if (sscanf(text, "%15s conversions %lu loads %lu names %lu fixups %lu "
		   "refused %lu given_up %lu wrong %lu mangled %lu global %lu",
		   s.name, &s.conversions, &s.loads, &s.names, &s.fixups,
		   &s.refused, &s.given_up, &s.wrong, &s.mangled,
		   &s.global) == 10 && r->shapes < MAX_SHAPES)
		r->shape[r->shapes++] = s;
	r->now[0] = 0;
}

static void heard_symbol(struct report *r, const char *text)
{
	struct symbol *s = &r->symbol[r->symbols];

	if (r->symbols < MAX_SYMBOLS &&
	    sscanf(text, "%lx %63s %79[^\n]", &s->at, s->name, s->what) == 3)
		r->symbols++;
}

static void console_line(struct report *r, const char *line)
{
	const char *at = strstr(line, "storm: ");

	if (r->s->verbose)
		printf("%s\n", line);
	if (at && !strncmp(at + 7, "shape ", 6))
		heard_shape(r, at + 13);
	else if (at && !strncmp(at + 7, "symbol ", 7))
		heard_symbol(r, at + 14);
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

static void hear_console(void *context, const char *bytes, size_t n)
{
	struct report *r = context;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\r')
			continue;
		if (bytes[i] != '\n') {
			if (r->used + 1 < sizeof(r->line))
				r->line[r->used++] = bytes[i];
			continue;
		}
		r->line[r->used] = 0;
		r->used = 0;
		console_line(r, r->line);
	}
}

static void hear_machine(void *context, const char *line)
{
	struct report *r = context;

	if (r->s->verbose)
		warnx("%s", line);
}

static void hear_violation(void *context, const struct launch_violation *v)
{
	char text[400];

	hear_machine(context, launch_violation_text(v, text, sizeof(text)));
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
static bool nothing_wrong(const struct report *r, const struct shape *s)
{
	return !s->wrong && !s->mangled &&
	       (may_refuse(r) || (!s->refused && !s->given_up));
}

static bool shape_right(const struct report *r, const struct shape *s)
{
	return s->conversions && nothing_wrong(r, s);
}

/*
 * Linux on SNP asks for its end where a page-state change is refused (reason
 * 1) or PVALIDATE finds one that the host only claimed (2). A stray read that
 * it has no fixup for is set 0.
 */
static bool gave_in(const struct report *r)
{
	const char *set = strstr(r->result.why, "set 1, reason ");

	return end_of(r) == LAUNCH_TERMINATED && set &&
	       (!strcmp(set, "set 1, reason 1") ||
		!strcmp(set, "set 1, reason 2"));
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
	if (gave_in(r))
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

static const struct symbol *who(const struct report *r, unsigned long rip)
{
	const struct symbol *best = NULL;

	for (unsigned int i = 0; i < r->symbols; i++) {
		const struct symbol *s = &r->symbol[i];

		if (rip >= s->at && rip - s->at < FAR &&
		    (!best || s->at > best->at))
			best = s;
	}
	return best;
}

static void print_bad(const struct report *r, const struct launch_violation *v)
{
	const struct symbol *s = who(r, v->rip);
	char state[LAUNCH_STATE_TEXT];

	printf("  CPU %d met a page that was %s: %s, page %lx\n", v->cpu,
	       launch_state_text(v->state, state), v->what, v->gpa >> 12);
	if (s)
		printf("    at %s+0x%lx: %s\n", s->name, v->rip - s->at,
		       s->what);
	else
		printf("    at %lx\n", v->rip);
}

/* Those of CPUs, the first few in full. What devices did stands elsewhere. */
static void print_bads(const struct report *r)
{
	const struct launch_result *m = &r->result;
	unsigned int shown = 0, devices = (unsigned int)r->devices.blocked;

	for (unsigned int i = 0; i < m->violations &&
	     i < LAUNCH_MAX_VIOLATIONS && shown < MAX_BAD; i++)
		if (m->violation[i].cpu >= 0) {
			print_bad(r, &m->violation[i]);
			shown++;
		}
	if (m->violations > shown + devices)
		printf("  and %u more such accesses\n",
		       m->violations - shown - devices);
}

static void print_shapes(const struct report *r)
{
	if (!r->shapes)
		return;
	printf("  %-8s %11s %12s %12s %10s\n", "pages", "conversions",
	       "stray loads", "names hashed", "mended");
	for (unsigned int i = 0; i < r->shapes; i++) {
		const struct shape *s = &r->shape[i];

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

/* What linux/tools/kernel built has its kind in the name. */
static const char *origin(const struct linux_run *l)
{
	if (l->patched)
		return "with Airlock";
	if (!strncmp(l->version, "airlock-", 8))
		return "built with Airlock";
	if (!strncmp(l->version, "stock-", 6))
		return "built without Airlock";
	return "as Debian built it";
}

static void print(const struct report *r, int verdict)
{
	const struct launch *l = &r->s->guest.machine.launch;
	const char *by_host = verdict == 1 ? host_ended_it(r) : NULL;
	char host[HOST_TEXT];

	printf("Linux %s on %s, %u CPUs, host %s, %s\n",
	       r->release[0] ? r->release : r->s->guest.version,
	       launch_platform_name(l->platform), l->cpus,
	       host_text(&r->s->host, host), origin(&r->s->guest));
	print_shapes(r);
	if (r->s->devices)
		devices_print(&r->devices, r->ended);
	print_bads(r);
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

static json_t *shape_json(const struct shape *s)
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

/*
 * A host that fails or lies does so from the storm on: before it, a stock
 * kernel boots, whose answer to any of that is to end the guest.
 */
static void set_host(struct storm *s, char *text, size_t size)
{
	struct launch_host *h = &s->guest.machine.launch.host;

	s->host = *h;
	*text = 0;
	if (h->kind < CVM_HOST_FAILING)
		return;
	snprintf(text, size, " airlock.host=%u,%lu", h->kind, h->argument);
	*h = (struct launch_host){ .kind = CVM_HOST_KVM };
}

/* What linux/guest/init shall do. */
static bool set_words(struct storm *s)
{
	const struct launch *l = &s->guest.machine.launch;
	char host[64];
	int n;

	set_host(s, host, sizeof(host));
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
	struct launch_listener listener = {
		.context = r, .console = hear_console,
		.violation = hear_violation, .line = hear_machine,
	};
	struct launch l = s->guest.machine.launch;

	l.listener = &listener;
	if (s->devices)
		devices_begin(&r->devices, s->scratch.fd);
	launch(&l, &r->result);
	if (s->devices)
		devices_end(&r->devices, s->scratch.fd,
			    launch_counter(&r->result, "dma_blocked"));
}

int linux_storm(int argc, char **argv)
{
	static struct storm s;
	static struct report r = { .s = &s };
	int verdict;
	json_t *j;

	linux_default(&s.guest);
	s.guest.machine.launch.time_limit = 0;
	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (!prepare(&s))
		return LINUX_USAGE;
	run(&r);
	verdict = judge(&r);
	print(&r, verdict);
	if (s.guest.machine.json) {
		j = storm_json(&r, verdict);
		if (!json_write(s.guest.machine.json, j))
			verdict = LINUX_USAGE;
		json_decref(j);
	}
	return verdict;
}
