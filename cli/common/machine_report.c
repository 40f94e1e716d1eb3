// SPDX-License-Identifier: GPL-2.0
/* What came of a guest, for people and for programs. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

void machine_print(const struct launch *l, const struct launch_result *r,
		   bool counters)
{
	fprintf(stderr, "%s: %s: %s\n", l->name, launch_verdict(r->end),
		r->why);
	for (unsigned int i = 0; counters && i < r->counters; i++)
		if (r->counter[i].value)
			fprintf(stderr, "  %-34s %12lu\n", r->counter[i].name,
				r->counter[i].value);
}

static json_t *hex(uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%lx", v);
	return json_string(text);
}

/* Text of a guest's may be anything. */
static json_t *any_text(const char *s)
{
	json_t *j = json_string(s);
	char ascii[512];
	size_t n;

	if (j)
		return j;
	n = strnlen(s, sizeof(ascii) - 1);
	for (size_t i = 0; i < n; i++)
		ascii[i] = s[i] & 0x80 ? '?' : s[i];
	ascii[n] = 0;
	return json_string(ascii);
}

static json_t *violation_json(const struct launch_violation *v)
{
	char state[LAUNCH_STATE_TEXT], text[400];

	if (v->cpu < 0)
		return json_pack("{s:s, s:o, s:s, s:s}", "by", "device",
				 "gpa", hex(v->gpa), "what", v->what, "text",
				 launch_violation_text(v, text, sizeof(text)));
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:s, s:s, s:s}",
			 "by", "cpu", "cpu", v->cpu, "rip", hex(v->rip),
			 "cr3", hex(v->cr3), "gpa", hex(v->gpa), "state",
			 launch_state_text(v->state, state), "what", v->what,
			 "text", launch_violation_text(v, text, sizeof(text)));
}

static void add_result(json_t *j, const struct launch_result *r)
{
	json_t *violations = json_array(), *stats = json_object();

	for (unsigned int i = 0; i < r->violations &&
	     i < LAUNCH_MAX_VIOLATIONS; i++)
		json_array_append_new(violations,
				      violation_json(&r->violation[i]));
	for (unsigned int i = 0; i < r->counters; i++)
		json_object_set_new(stats, r->counter[i].name,
				    json_integer((json_int_t)
						 r->counter[i].value));
	json_object_set_new(j, "violations", violations);
	json_object_set_new(j, "stats", stats);
}

json_t *machine_json(const struct machine *m, const struct launch_result *r,
		     int code)
{
	const struct launch *l = &m->launch;
	char host[HOST_TEXT];
	json_t *j;

	j = json_pack("{s:s, s:i, s:i, s:s, s:b, s:I, s:i, s:s, s:s, s:o}",
		      "platform", launch_platform_name(l->platform),
		      "cpus", l->cpus, "memory", l->memory,
		      "host", host_text(&l->host, host),
		      "deterministic", l->deterministic,
		      "seed", (json_int_t)l->seed, "exit", code,
		      "result", launch_verdict(r->end),
		      "end", launch_end_word(r->end), "why", any_text(r->why));
	if (!j)
		errx(2, "out of memory");
	add_result(j, r);
	return j;
}

bool json_write(const char *name, json_t *j)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "w") : stdout;
	bool ok;

	if (!f) {
		warn("cannot write '%s'", name);
		json_decref(j);
		return false;
	}
	ok = !json_dumpf(j, f, JSON_INDENT(1));
	ok = fputc('\n', f) != EOF && ok;
	ok = !fflush(f) && !ferror(f) && ok;
	if (!ok)
		warn("cannot write '%s'", name);
	if (f != stdout && fclose(f) && ok) {
		warn("cannot write '%s'", name);
		ok = false;
	}
	json_decref(j);
	return ok;
}

int machine_run(const struct machine *m, bool counters)
{
	static struct launch_result r;
	int code = launch(&m->launch, &r);

	machine_print(&m->launch, &r, counters);
	if (r.console_error) {
		errno = r.console_error;
		warn("cannot write to stdout");
		code = 2;
	}
	if (m->json && !json_write(m->json, machine_json(m, &r, code)))
		code = 2;
	return code;
}
