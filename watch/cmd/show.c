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

#include "watch.h"

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
};

/* ---- little helpers ---- */

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static uint64_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? strtoull(json_string_value(v), NULL, 16) :
		(uint64_t)json_integer_value(v);
}

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

/* ---- words ---- */

static enum watch_platform platform(const struct watch_run *r)
{
	return !strcmp(r->platform, "tdx") ? WATCH_TDX :
		!strcmp(r->platform, "snp") ? WATCH_SNP :
		!strcmp(r->platform, "vtom") ? WATCH_VTOM : WATCH_TDP;
}

static const char *view(const struct watch_run *r, uint64_t entry)
{
	bool set = entry & WATCH_BIT;

	return set == (platform(r) == WATCH_SNP) ? "private" : "shared";
}

static void entry_words(const struct watch_run *r, const json_t *way,
			char *to, size_t size)
{
	static const char *const sizes[] = { "4K", "2M", "1G" };
	uint64_t e = number(way, "entry");
	unsigned int level = (unsigned int)number(way, "level") % 3;

	if (!(e & ENTRY_P))
		snprintf(to, size, "%" PRIx64 ": not present", e);
	else
		snprintf(to, size, "%" PRIx64 ": present, %s, %s, of %" PRIx64
			 "%s%s", e, sizes[level], view(r, e),
			 e & WATCH_ADDR & ~((WATCH_PAGE << (9 * level)) - 1),
			 e & ENTRY_GLOBAL ? ", global" : "",
			 e >> 63 ? ", no-execute" : "");
}

static void cpu_words(const json_t *way, unsigned int cpus, char *to,
		      size_t size)
{
	uint64_t mask = number(way, "cpus");
	unsigned int n = 0;
	size_t at = 0;

	if (mask == (1u << cpus) - 1 && cpus > 1) {
		snprintf(to, size, "any CPU");
		return;
	}
	for (unsigned int c = 0; c < WATCH_CPUS; c++)
		if (mask >> c & 1 && at < size)
			at += (size_t)snprintf(to + at, size - at, "%s%u",
					       n++ ? ", " : "CPU ", c);
}

static const char *exception(const struct watch_run *r, const json_t *f)
{
	bool private = !strcmp(view(r, number(json_object_get(f, "way"),
					      "entry")), "private");

	switch (platform(r)) {
	case WATCH_SNP:
		return private ? "#VC" :
			"the host takes it, its contents are lost";
	case WATCH_TDX:
		return private ? "a TD exit that ends the guest" :
			"#VE, or the host takes it";
	default:
		return "an exception in the paravisor, which ends the guest";
	}
}

static const char *state(const struct watch_run *r, const json_t *f)
{
	return watch_state_name(platform(r), (enum watch_state)
				number(f, "state"));
}

/* ---- one finding ---- */

static void headline(const struct show *s, const json_t *f)
{
	const char *kind = text(f, "kind"), *by;
	uint64_t page = number(f, "page");

	by = view(s->r, number(json_object_get(f, "way"), "entry"));
	if (!strcmp(kind, "present") || !strcmp(kind, "stale") ||
	    !strcmp(kind, "cached"))
		printf("a stray read of page %" PRIx64 " could come through a "
		       "%s mapping\n  while it is %s: %s\n", page, by,
		       state(s->r, f), exception(s->r, f));
	else if (!strcmp(kind, "outlives"))
		printf("the conversion is over and a CPU can hold page %" PRIx64
		       " as %s\n  while it is %s: %s\n", page, by,
		       state(s->r, f), exception(s->r, f));
	else if (!strcmp(kind, "owner"))
		printf("%s may not find its own page\n", text(f, "what"));
	else if (!strcmp(kind, "line"))
		printf("page %" PRIx64 " is %s with %" PRIu64 " of 64 lines "
		       "that nobody flushed:\n  a dirty one could be written "
		       "back over it\n", page, state(s->r, f),
		       number(f, "lines"));
	else if (!strcmp(kind, "evict"))
		printf("page %" PRIx64 " is private again and no evict read "
		       "took out its %s:\n  a stale line can reach a reader\n",
		       page, number(f, "lines") == 6 ? "first and last line" :
		       number(f, "lines") == 2 ? "first line" : "last line");
	else if (!strcmp(kind, "given"))
		printf("page %" PRIx64 " is given to the host and still "
		       "validated\n", page);
	else
		printf("page %" PRIx64 " is %s twice: it could be shown old "
		       "data\n", page, text(f, "what"));
}

static void where(const json_t *f)
{
	if (*text(f, "caller"))
		tell("while", "%s, for %s", text(f, "at"), text(f, "caller"));
	else
		tell("while", "%s", text(f, "at"));
}

static void stray(const struct show *s, const json_t *f)
{
	const json_t *way = json_object_get(f, "way");
	const char *kind = text(f, "kind");
	char entry[TEXT], cpus[64];

	entry_words(s->r, way, entry, sizeof(entry));
	cpu_words(way, s->r->linux_run.machine.launch.cpus, cpus, sizeof(cpus));
	tell("reached", "at %" PRIx64 ", behind a page that is in use",
	     number(f, "va"));
	tell("entry", "%s", entry);
	if (!strcmp(kind, "present"))
		tell("because", "the entry is in the tables, and nothing had "
		     "taken it away when the state changed; it is there for "
		     "%s", cpus);
	else if (!strcmp(kind, "stale"))
		tell("because", "%s replaced the entry, and %s may still hold "
		     "it: INVLPG or a full flush there has not come",
		     function(way, "left_by"), cpus);
	else
		tell("because", "%s took away the table with the entry, and "
		     "the paging-structure cache of %s may still lead there: "
		     "INVLPG or a full flush has not come",
		     function(way, "left_by"), cpus);
}

static void outlives(const struct show *s, const json_t *f)
{
	const json_t *way = json_object_get(f, "way");
	char entry[TEXT], now[TEXT], cpus[64];

	entry_words(s->r, way, entry, sizeof(entry));
	entry_words(s->r, json_object_get(f, "mapped"), now, sizeof(now));
	cpu_words(way, s->r->linux_run.machine.launch.cpus, cpus, sizeof(cpus));
	tell("at", "%" PRIx64, number(f, "va"));
	tell("entry", "%s", now);
	tell("may hold", "%s", entry);
	tell("because", "%s replaced it, and %s has not flushed that address "
	     "since", function(way, "left_by"), cpus);
}

static void owner(const struct show *s, const json_t *f)
{
	const json_t *way = json_object_get(f, "way");
	char entry[TEXT], now[TEXT];

	entry_words(s->r, way, entry, sizeof(entry));
	entry_words(s->r, json_object_get(f, "mapped"), now, sizeof(now));
	tell("at", "%" PRIx64 ", on CPU %" PRIu64, number(f, "va"),
	     number(f, "cpu"));
	tell("entry", "%s", now);
	if (!number(way, "cpus")) {
		tell("because", "the address is not mapped as it must be");
		return;
	}
	tell("may meet", "%s", number(way, "entry") ? entry : "nothing");
	tell("because", "%s replaced what was there, and this CPU has not "
	     "flushed that address since", function(way, "left_by"));
}

static uint64_t times(const struct watch_run *r, uint64_t id)
{
	size_t i;
	json_t *l;

	json_array_foreach(r->lines, i, l) {
		const json_t *c = json_object_get(l, "count");

		if (c && number(c, "id") == id)
			return number(c, "count");
	}
	return 1;
}

static void show_finding(struct show *s, const json_t *f)
{
	const char *kind = text(f, "kind");
	uint64_t n = times(s->r, number(f, "id"));

	if (++s->findings > FEW && !s->r->all)
		return;
	printf("\nFOUND %u: ", s->findings);
	headline(s, f);
	where(f);
	if (!strcmp(kind, "present") || !strcmp(kind, "stale") ||
	    !strcmp(kind, "cached"))
		stray(s, f);
	else if (!strcmp(kind, "outlives"))
		outlives(s, f);
	else if (!strcmp(kind, "owner"))
		owner(s, f);
	if (n > 1)
		tell("times", "%" PRIu64, n);
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
}

/* ---- all of it ---- */

static void head(const struct watch_run *r)
{
	const struct launch *l = &r->linux_run.machine.launch;
	const char *name = strrchr(l->kernel, '/');

	if (r->reference)
		printf("The reference kernel");
	else if (*r->release)
		printf("Linux %s", r->release);
	else
		printf("%s", name ? name + 1 : l->kernel);
	printf(" on %s, %u CPU%s, host %s%s\n", r->platform, l->cpus,
	       l->cpus > 1 ? "s" : "", r->host,
	       r->linux_run.patched ? "\nwith Airlock as a live patch" : "");
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

static int verdict(const struct show *s)
{
	const struct watch_run *r = s->r;
	bool ended = !launch_exit(r->result.end);

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
	if (!s->begin || !ended || !s->end) {
		printf("no verdict: %s\n", !s->begin ?
		       "nothing to be watched came" :
		       "it ended before the end");
		return WATCH_ENDED;
	}
	printf("nothing found: in this run, whatever reads, TLBs, caches and "
	       "interrupts might\nhave done\n");
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
	bool ok;

	for (unsigned int i = 0; i < s->orders; i++)
		json_array_append_new(orders, json_pack("{s:s, s:s, s:i}",
			"to", s->order[i].to, "order", s->order[i].text,
			"lab", s->order[i].lab));
	o = json_pack("{s:s, s:i, s:i, s:s, s:b, s:b, s:O, s:o, s:o}",
		      "platform", r->platform, "cpus", (int)m->launch.cpus,
		      "exit", code, "host", r->host,
		      "contradiction", code == WATCH_SAFE && contradiction(s),
		      "patched", r->linux_run.patched, "lines", r->lines,
		      "orders", orders,
		      "machine", machine_json(m, &r->result,
					      launch_exit(r->result.end)));
	ok = json_write(m->json, o);
	json_decref(o);
	return ok;
}

int watch_show(const struct watch_run *r)
{
	struct show s = { .r = r };
	int code;

	head(r);
	collect(&s);
	show_lines(&s);
	code = verdict(&s);
	if (r->linux_run.machine.json && !write_report(&s, code))
		code = WATCH_USAGE;
	return code;
}
