// SPDX-License-Identifier: GPL-2.0
/* What was found, in words, 80 columns wide; and for programs. */
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "draw.h"
#include "words.h"

#define COLUMNS	80
#define TEXT	1024
#define ORDERS	32
#define FEW	3			/* findings in full */

/* An order that was seen, once for each direction, and the lab's word on it. */
struct order {
	const char *to, *text;
	int lab;			/* exit of `airlock check' */
};

struct show {
	const struct watch_run *r;
	unsigned int findings, conversions;
	const json_t *begin, *end;
	struct order order[ORDERS];
	unsigned int orders;
	uint64_t inside;		/* flushes in the middle of a step */
};

/* ---- little helpers ---- */

/* "native_set_pte" of "native_set_pte+0x4". */
static const char *function(const json_t *o, const char *key)
{
	static char name[4][128];
	static unsigned int next;
	char *to = name[next++ % 4];
	const char *from = text(o, key);

	snprintf(to, 128, "%.*s", (int)strcspn(from, "+"), from);
	return to;
}

/*
 * "  because    text", wrapped. The first line has the label, the others are
 * indented as far.
 */
__attribute__((format(printf, 2, 3)))
static void tell(const char *label, const char *fmt, ...)
{
	char all[TEXT], *at = all;
	size_t max = COLUMNS - 13;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(all, sizeof(all), fmt, ap);
	va_end(ap);
	for (;;) {
		size_t n = strlen(at);

		if (n > max) {
			for (n = max; n && at[n] != ' '; n--)
				;
			n = n ? n : max;
		}
		printf("  %-10s %.*s\n", label, (int)n, at);
		at += n;
		at += strspn(at, " ");
		if (!*at)
			return;
		label = "";
	}
}

/* ---- one finding ---- */

static void where(const json_t *f)
{
	char at[WORDS], by[WORDS];

	words_place(f, "at", at, sizeof(at));
	words_place(f, "caller", by, sizeof(by));
	tell("while", "%s%s%s", at, *by ? ", for " : "", by);
}

static void entries(const struct show *s, const json_t *f)
{
	const json_t *way = json_object_get(f, "way");
	const json_t *mapped = json_object_get(f, "mapped");
	char line[WORDS];

	if (number(f, "va"))
		tell("address", "%" PRIx64 "%s", number(f, "va"),
		     words_is_stray(text(f, "kind")) ?
		     ", behind a page that is in use" : "");
	if (mapped)
		tell("entry", "%s", words_entry(s->r, mapped, line,
						sizeof(line)));
	if (number(way, "entry"))
		tell(mapped ? "may hold" : "entry", "%s",
		     words_entry(s->r, way, line, sizeof(line)));
}

static void show_finding(struct show *s, const json_t *f)
{
	uint64_t n = words_times(s->r->lines, number(f, "id"));
	char line[WORDS], label[32];

	if (++s->findings > FEW && !s->r->all)
		return;
	printf("\n");
	snprintf(label, sizeof(label), "FOUND %u: ", s->findings);
	print_wrapped(stdout, label, (int)strlen(label),
		      words_headline(s->r, f, line, sizeof(line)));
	where(f);
	printf("\n");
	draw_text(stdout, s->r, f);
	printf("\n");
	entries(s, f);
	tell("because", "%s", words_because(s->r, f, line, sizeof(line)));
	if (*words_missing(s->r, f, line, sizeof(line)))
		tell("missing", "%s", line);
	if (n > 1)
		tell("times", "%" PRIu64, n);
	if (s->r->schedules) {
		const json_t *seeds = json_object_get(f, "seeds");

		tell("seen", "in %zu of %u runs; again: --schedules 1 --seed %"
		     PRIu64, json_array_size(seeds), s->r->ran, (uint64_t)
		     json_integer_value(json_array_get(seeds, 0)));
	}
}

/* ---- conversions ---- */

/* Same caller, direction and size: a line together, whatever their orders. */
static bool same_row(const json_t *a, const json_t *b)
{
	return !strcmp(text(a, "caller"), text(b, "caller")) &&
		!strcmp(text(a, "to"), text(b, "to")) &&
		number(a, "pages") == number(b, "pages");
}

static void show_conversion(struct show *s, size_t at, const json_t *c)
{
	uint64_t count = 0, failed = 0;
	size_t i;
	json_t *l;

	json_array_foreach(s->r->lines, i, l) {
		const json_t *o = json_object_get(l, "conversion");

		if (!o || !same_row(o, c))
			continue;
		if (i < at)
			return;
		count += number(o, "count");
		failed += number(o, "failed");
	}
	if (!s->conversions++)
		printf("\n  %-32s %-8s %6s %7s\n", "conversions", "to",
		       "pages", "times");
	printf("  %-32.32s %-8s %6" PRIu64 " %7" PRIu64, function(c, "caller"),
	       text(c, "to"), number(c, "pages"), count);
	if (failed)
		printf("  %" PRIu64 " refused", failed);
	printf("\n");
}

extern char **environ;

static int ask_lab(const struct watch_run *r, const struct order *o)
{
	char *v[] = {
		(char *)(uintptr_t)"airlock", (char *)(uintptr_t)"check",
		(char *)(uintptr_t)"--platform",
		(char *)(uintptr_t)r->platform,
		(char *)(uintptr_t)"--to", (char *)(uintptr_t)o->to,
		(char *)(uintptr_t)"--order", (char *)(uintptr_t)o->text,
		(char *)(uintptr_t)(r->coherent ? "--coherent" : NULL), NULL,
	};
	posix_spawn_file_actions_t a;
	int status = 0;
	pid_t pid;

	fflush(NULL);
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 1, "/dev/null", 1, 0);
	posix_spawn_file_actions_addopen(&a, 2, "/dev/null", 1, 0);
	if (posix_spawn(&pid, "/proc/self/exe", &a, NULL, v, environ))
		return -1;
	posix_spawn_file_actions_destroy(&a);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void note_order(struct show *s, const json_t *c)
{
	const char *to = text(c, "to"), *order = text(c, "order");
	unsigned int i = 0;

	s->inside += number(c, "flushes_inside");
	/* One that was refused went back, too. */
	if (number(c, "failed"))
		return;
	while (i < s->orders && (strcmp(s->order[i].to, to) ||
				 strcmp(s->order[i].text, order)))
		i++;
	if (i < s->orders || i == ORDERS || !strstr(order, "notify"))
		return;
	s->order[i] = (struct order){ .to = to, .text = order };
	s->order[i].lab = s->r->no_lab ? -1 : ask_lab(s->r, &s->order[i]);
	s->orders++;
}

static void show_orders(struct show *s)
{
	for (unsigned int i = 0; i < s->orders; i++) {
		const struct order *o = &s->order[i];

		if (!i)
			printf("\n  the order that it really was%s\n",
			       s->r->no_lab ? "" :
			       ", and the lab's verdict on it");
		tell(o->to, "%s%s", o->text, s->r->no_lab ? "" :
		     o->lab == 0 ? ": safe" : o->lab == 1 ? ": UNSAFE" :
		     ": not an order that it knows");
	}
	if (s->orders && s->inside)
		tell("", "%" PRIu64 " flush%s in the middle of a step: that of "
		     "a split leaf, or for another CPU's shootdown; no step "
		     "of the order", s->inside, s->inside > 1 ? "es" : "");
}

/* ---- all of it ---- */

static const char *kernel_name(const struct watch_run *r)
{
	static char name[sizeof(r->release) + 8];
	const char *file = r->linux_run.machine.launch.kernel, *slash;

	if (r->reference)
		return "The reference kernel";
	slash = strrchr(file, '/');
	if (!*r->release)
		return slash ? slash + 1 : file;
	snprintf(name, sizeof(name), "Linux %s", r->release);
	return name;
}

static void head(const struct watch_run *r)
{
	const struct launch *l = &r->linux_run.machine.launch;

	printf("%s on %s, %u CPU%s, host %s%s\n", kernel_name(r), r->platform, l->cpus,
	       l->cpus > 1 ? "s" : "", r->host,
	       r->linux_run.patched ? "\nwith Airlock as a live patch" : "");
	if (r->schedules)
		printf("%u run%s, in which CPUs take turns by the seeds %"
		       PRIu64 " to %" PRIu64 "\n", r->ran,
		       r->ran > 1 ? "s" : "", l->seed, l->seed + r->ran - 1);
}

static void collect(struct show *s)
{
	size_t i;
	json_t *l;

	json_array_foreach(s->r->lines, i, l) {
		if (json_object_get(l, "begin"))
			s->begin = json_object_get(l, "begin");
		if (json_object_get(l, "end"))
			s->end = json_object_get(l, "end");
		if (json_object_get(l, "conversion"))
			note_order(s, json_object_get(l, "conversion"));
	}
}

static void show_lines(struct show *s)
{
	size_t i;
	json_t *l;

	json_array_foreach(s->r->lines, i, l)
		if (json_object_get(l, "conversion"))
			show_conversion(s, i,
					json_object_get(l, "conversion"));
	show_orders(s);
	json_array_foreach(s->r->lines, i, l)
		if (json_object_get(l, "finding"))
			show_finding(s, json_object_get(l, "finding"));
}

/*
 * What the lab calls UNSAFE has a run that goes wrong; watch sees everything
 * around what a kernel did, so it must have found something. The other way
 * round says nothing: an order may be right and its code wrong.
 */
static bool contradiction(const struct show *s)
{
	for (unsigned int i = 0; i < s->orders && !s->r->no_lab; i++)
		if (s->order[i].lab == 1)
			return true;
	return false;
}

/* A run without what was asked for says nothing. */
static const char *not_whole(const struct show *s)
{
	return !s->begin ? "nothing to be watched came" :
	       launch_exit(s->r->result.end) || !s->end ?
	       "it ended before the end" :
	       s->r->idle ? "disk and network did not do their work" : NULL;
}

static void show_traffic(const struct watch_run *r)
{
	const struct traffic *d = &r->busy.disk, *n = &r->busy.net;

	if (r->traffic)
		tell("devices", "disk %.1f MiB and network %.1f MiB, written "
		     "and read", (double)(d->written + d->read) / (1 << 20),
		     (double)(n->written + n->read) / (1 << 20));
}

static int verdict(const struct show *s)
{
	const struct watch_run *r = s->r;
	const char *not = not_whole(s);

	if (s->findings > FEW && !r->all)
		printf("\n%u more kinds of finding: --all shows them\n",
		       s->findings - FEW);
	printf("\n");
	if (s->end)
		printf("judged: %" PRIu64 " frames' ways at %" PRIu64
		       " changes of state and %" PRIu64 " of entries\n",
		       number(s->end, "judged"),
		       number(s->end, "state_changes"),
		       number(s->end, "table_writes"));
	if (s->end && number(s->end, "places_left_out"))
		printf("not judged: %" PRIu64 " further places of page tables "
		       "that stand at 64 or more\n",
		       number(s->end, "places_left_out"));
	show_traffic(r);
	tell("machine", "%s: %s", launch_verdict(r->result.end),
	     r->result.why);
	if (s->findings) {
		printf("NOT SAFE: %u kinds of finding\n", s->findings);
		return WATCH_FOUND;
	}
	/* Some read was there first. */
	if (r->result.end == LAUNCH_VIOLATED) {
		printf("NOT SAFE: an access met a page of the wrong kind\n");
		return WATCH_FOUND;
	}
	if (not) {
		printf("no verdict: %s\n", not);
		return WATCH_ENDED;
	}
	if (r->schedules)
		printf("nothing found: in these %u runs, whatever reads, TLBs, "
		       "caches and\ninterrupts might have done\n", r->ran);
	else
		printf("nothing found: in this run, whatever reads, TLBs, "
		       "caches and interrupts might\nhave done\n");
	if (contradiction(s))
		printf("A contradiction: the lab calls an order of this run "
		       "UNSAFE. One of the two is\nwrong, which is a bug of "
		       "Airlock: please report it.\n");
	return WATCH_SAFE;
}

static bool write_report(const struct show *s, int code)
{
	const struct watch_run *r = s->r;
	const struct machine *m = &r->linux_run.machine;
	json_t *orders = json_array(), *o;

	for (unsigned int i = 0; i < s->orders; i++)
		json_array_append_new(orders, json_pack("{s:s, s:s, s:i}",
			"to", s->order[i].to, "order", s->order[i].text,
			"lab", s->order[i].lab));
	o = json_pack("{s:s, s:i, s:i, s:i, s:s, s:b, s:b, s:O, s:o, s:o}",
		      "platform", r->platform, "cpus", (int)m->launch.cpus,
		      "exit", code, "schedules", (int)r->ran, "host", r->host,
		      "contradiction", code == WATCH_SAFE && contradiction(s),
		      "patched", r->linux_run.patched, "lines", r->lines,
		      "orders", orders,
		      "machine", machine_json(m, &r->result,
					      launch_exit(r->result.end)));
	return json_write(m->json, o);
}

int watch_show(const struct watch_run *r)
{
	struct show s = { .r = r };
	int code;

	lines_add(r);
	head(r);
	collect(&s);
	show_lines(&s);
	code = verdict(&s);
	write_files(r, kernel_name(r));
	if (r->linux_run.machine.json && !write_report(&s, code))
		code = WATCH_USAGE;
	return code;
}
