// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock linux storm`: boot, listen to the guest and to the machine, and say
 * what happened.
 *
 *   child: linux_boot()  --stdout--> the guest's console: lines "storm: ..."
 *                        --stderr--> the machine: violations, and the end
 *                        --JSON----> its counters
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux_cmd.h"

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

struct bad {
	unsigned int cpu;
	unsigned long rip, gpa;
	char state[48], what[80];
};

struct stream {
	int fd;
	char line[1024];
	size_t used;
	void (*heard)(struct stream *s, char *line);
	struct report *report;
};

struct report {
	const struct linux_run *l;
	char release[64], now[16], why[256];
	struct shape shape[MAX_SHAPES];
	unsigned int shapes;
	struct symbol symbol[MAX_SYMBOLS];
	unsigned int symbols;
	struct bad bad[MAX_BAD];
	unsigned int bads, violations;
	bool patched, ended;
	struct devices devices;
	char *machine;			/* its JSON */
	int code;
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

static void console_line(struct stream *s, char *line)
{
	struct report *r = s->report;
	char *at;

	if (r->l->verbose)
		printf("%s\n", line);
	at = strstr(line, "storm: ");
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

/* ---- what the machine says ---- */

static void heard_violation(struct report *r, const char *text)
{
	struct bad *b = &r->bad[r->bads];

	r->violations++;
	if (r->bads < MAX_BAD &&
	    sscanf(text, "cpu %u rip %lx cr3 %*x gpa %lx (%47[^)]): %79[^\n]",
		   &b->cpu, &b->rip, &b->gpa, b->state, b->what) == 5)
		r->bads++;
}

static void machine_line(struct stream *s, char *line)
{
	static const char begin[] = "airlock boot: ";
	struct report *r = s->report;

	if (r->l->verbose)
		fprintf(stderr, "%s\n", line);
	if (strncmp(line, begin, sizeof(begin) - 1))
		return;
	line += sizeof(begin) - 1;
	if (!strncmp(line, "violation: ", 11))
		heard_violation(r, line + 11);
	else if (strncmp(line, "stopped on", 10))
		snprintf(r->why, sizeof(r->why), "%s", line);
}

/* False at the end. */
static bool hear(struct stream *s)
{
	char buf[4096];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\r')
			continue;
		if (buf[i] != '\n') {
			if (s->used + 1 < sizeof(s->line))
				s->line[s->used++] = buf[i];
			continue;
		}
		s->line[s->used] = 0;
		s->used = 0;
		s->heard(s, s->line);
	}
	return true;
}

static void listen_to(struct stream *s, unsigned int n)
{
	unsigned int open_streams = n;

	while (open_streams) {
		struct pollfd p[2];

		for (unsigned int i = 0; i < n; i++)
			p[i] = (struct pollfd){ s[i].fd, POLLIN, 0 };
		if (poll(p, n, -1) < 0 && errno != EINTR)
			return;
		for (unsigned int i = 0; i < n; i++)
			if (p[i].revents && !hear(&s[i])) {
				close(s[i].fd);
				s[i].fd = -1;
				open_streams--;
			}
	}
}

static char *read_all(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static unsigned long counter(const struct report *r, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	at = r->machine ? strstr(r->machine, key) : NULL;
	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

/* ---- the machine, in a child ---- */

static int run_machine(struct report *r)
{
	char json[] = "/tmp/airlock-storm-XXXXXX";
	struct stream s[2] = {
		{ .heard = console_line, .report = r },
		{ .heard = machine_line, .report = r },
	};
	int out[2], err[2], status = 0, fd = mkstemp(json);
	pid_t pid;

	if (fd < 0 || pipe(out) || pipe(err))
		return linux_error("no pipe: %s", strerror(errno));
	close(fd);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(out[1], 1);
		dup2(err[1], 2);
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
		status = linux_boot(r->l, json);
		fflush(NULL);
		_exit(status);
	}
	close(out[1]);
	close(err[1]);
	s[0].fd = out[0];
	s[1].fd = err[0];
	if (pid > 0)
		listen_to(s, 2);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	r->machine = read_all(json);
	unlink(json);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* ---- the verdict ---- */

static bool may_refuse(const struct report *r)
{
	return !strncmp(r->l->host, "failing", 7) ||
	       !strncmp(r->l->host, "hostile", 7);
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
 * The guest did nothing wrong up to where it ended, and yet has not passed:
 * the host's doing alone. No other failed run is spared the word unsafe.
 */
static const char *host_ended_it(const struct report *r)
{
	static char why[96];

	if (!may_refuse(r) || r->violations || r->patched != r->l->patched ||
	    r->l->devices)
		return NULL;
	for (unsigned int i = 0; i < r->shapes; i++)
		if (!nothing_wrong(r, &r->shape[i]))
			return NULL;
	if (!strncmp(r->why, "failed: forced by the host", 26))
		return "the host took a page away, or lied about it";
	if (!r->ended || r->code)
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
	if (r->code)
		return r->code;
	if (r->l->devices && devices_absent(&r->devices))
		return LINUX_USAGE;
	if (!r->ended || !r->shapes || r->violations ||
	    r->patched != r->l->patched)
		return 1;
	if (r->l->devices && !devices_right(&r->devices))
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

static void print_bad(const struct report *r, const struct bad *b)
{
	const struct symbol *s = who(r, b->rip);

	printf("  CPU %u met a page that was %s: %s, page %lx\n", b->cpu,
	       b->state, b->what, b->gpa >> 12);
	if (s)
		printf("    at %s+0x%lx: %s\n", s->name, b->rip - s->at,
		       s->what);
	else
		printf("    at %lx\n", b->rip);
}

static void print_shapes(const struct report *r)
{
	if (!r->shapes)
		return;
	printf("  %-8s %11s %12s %12s %10s\n", "pages", "conversions",
	       "stray loads", "names hashed", "fixups");
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
	const char *host = verdict == 1 ? host_ended_it(r) : NULL;

	printf("Linux %s on %s, %s CPUs, host %s, %s\n",
	       r->release[0] ? r->release : r->l->version, r->l->platform,
	       r->l->cpus, r->l->host, origin(r->l));
	print_shapes(r);
	if (r->l->devices)
		devices_print(&r->devices, r->ended);
	for (unsigned int i = 0; i < r->bads; i++)
		print_bad(r, &r->bad[i]);
	if (r->violations > r->bads + r->devices.blocked)
		printf("  and %u more such accesses\n", r->violations -
		       r->bads - (unsigned int)r->devices.blocked);
	if (r->now[0])
		printf("  it ended while '%s' was being converted\n", r->now);
	if (r->l->patched && !r->patched)
		printf("  the live patch did not load\n");
	printf("  %s\n", r->why);
	if (verdict == 0)
		puts("every page was right, and no confidential exception came");
	else if (host)
		printf("no verdict: %s\n", host);
	else
		puts(verdict == 1 ? "NOT SAFE" : "no verdict");
}

static bool write_json(const struct report *r, int verdict)
{
	FILE *f = fopen(r->l->json, "w");

	if (!f)
		return false;
	fprintf(f, "{\n\"kernel\": \"%s\",\n\"host\": \"%s\",\n\"patched\": %s,\n"
		"\"exit\": %d,\n"
		"\"accesses\": %lu,\n\"shapes\": [", r->release,
		r->l->host, r->patched ? "true" : "false", verdict,
		counter(r, "private_access_to_shared") +
		counter(r, "private_access_to_pending") +
		counter(r, "shared_access_to_private") +
		counter(r, "shared_access_to_pending"));
	for (unsigned int i = 0; i < r->shapes; i++) {
		const struct shape *s = &r->shape[i];

		fprintf(f, "%s\n {\"name\": \"%s\", \"conversions\": %lu, "
			"\"loads\": %lu, \"names\": %lu, \"fixups\": %lu, "
			"\"refused\": %lu, \"given_up\": %lu, \"wrong\": %lu, "
			"\"mangled\": %lu, \"global_lost\": %lu}",
			i ? "," : "", s->name, s->conversions, s->loads,
			s->names, s->fixups, s->refused, s->given_up, s->wrong,
			s->mangled, s->global);
	}
	fprintf(f, "],\n");
	if (r->l->devices)
		devices_json(&r->devices, f);
	fprintf(f, "\"machine\": %s}\n", r->machine ? r->machine : "null");
	return !fclose(f);
}

int linux_storm(const struct linux_run *l)
{
	struct report r = { .l = l };
	int verdict;

	if (l->devices)
		devices_begin(&r.devices, l->scratch);
	r.code = run_machine(&r);
	if (l->devices)
		devices_end(&r.devices, l->scratch, counter(&r, "dma_blocked"));
	verdict = judge(&r);
	print(&r, verdict);
	if (l->json && !write_json(&r, verdict))
		verdict = linux_error("cannot write '%s'", l->json);
	free(r.machine);
	return verdict;
}
