// SPDX-License-Identifier: GPL-2.0
/* What the machine says (abi/report.h), and words for it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

static const char *const end_words[LAUNCH_END_COUNT] = {
#define E(name, word) [LAUNCH_##name] = word,
	CVM_ENDS(E)
#undef E
	[LAUNCH_PANICKED] = "panicked",
	[LAUNCH_TIME_LIMIT] = "time-limit",
	[LAUNCH_INTERRUPTED] = "interrupted",
	[LAUNCH_QEMU_LOST] = "qemu-lost",
	[LAUNCH_CANNOT] = "cannot",
};

const char *launch_end_word(enum launch_end end)
{
	return end < LAUNCH_END_COUNT ? end_words[end] : "unknown";
}

const char *launch_verdict(enum launch_end end)
{
	switch (end) {
	case LAUNCH_PASSED:
	case LAUNCH_POWERED_OFF:
		return "passed";
	case LAUNCH_PANICKED:
		return "panicked";
	case LAUNCH_TIME_LIMIT:
		return "time limit";
	case LAUNCH_INTERRUPTED:
		return "interrupted";
	case LAUNCH_QEMU_LOST:
	case LAUNCH_CANNOT:
		return "cannot run";
	default:
		return "failed";
	}
}

int launch_exit(enum launch_end end)
{
	switch (end) {
	case LAUNCH_PASSED:
	case LAUNCH_POWERED_OFF:
		return 0;
	case LAUNCH_QEMU_LOST:
	case LAUNCH_CANNOT:
		return 2;
	case LAUNCH_TIME_LIMIT:
	case LAUNCH_INTERRUPTED:
		return 3;
	default:
		return 1;
	}
}

int launch_cannot(struct launch_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	r->end = LAUNCH_CANNOT;
	return -1;
}

const char *launch_state_text(unsigned int state, char buf[LAUNCH_STATE_TEXT])
{
	static const char *const names[] = {
		"none", "shared", "pending", "private",
	};

	snprintf(buf, LAUNCH_STATE_TEXT, "%s%s%s",
		 names[state & CVM_STATE_MASK],
		 state & CVM_STATE_LARGE ? ", 2M" : "",
		 state & CVM_STATE_BY_HOST ? ", changed by the host" : "");
	return buf;
}

const char *launch_violation_text(const struct launch_violation *v, char *buf,
				  size_t size)
{
	char state[LAUNCH_STATE_TEXT];

	if (v->cpu < 0)
		snprintf(buf, size, "device: %s", v->what);
	else
		snprintf(buf, size, "cpu %d rip %lx cr3 %lx gpa %lx (%s): %s",
			 v->cpu, v->rip, v->cr3, v->gpa,
			 launch_state_text(v->state, state), v->what);
	return buf;
}

uint64_t launch_counter(const struct launch_result *r, const char *name)
{
	for (unsigned int i = 0; i < r->counters; i++)
		if (!strcmp(r->counter[i].name, name))
			return r->counter[i].value;
	return 0;
}

static const char *const platforms[] = { PLATFORMS_MACHINE(PLATFORM_NAME) };
#define PLATFORMS (sizeof(platforms) / sizeof(platforms[0]))

const char *launch_platform_name(enum cvm_platform p)
{
	return p < PLATFORMS ? platforms[p] : "unknown";
}

bool launch_platform_parse(const char *text, enum cvm_platform *p)
{
	for (unsigned int i = 0; i < PLATFORMS; i++)
		if (!strcmp(text, platforms[i])) {
			*p = (enum cvm_platform)i;
			return true;
		}
	return false;
}

/* ---- lines ---- */

static enum report_line violation(struct launch_result *r, const char *text,
				  struct launch_violation *v)
{
	*v = (struct launch_violation){ .cpu = -1 };
	if (sscanf(text, "%d %lx %lx %lx %x %159[^\n]", &v->cpu, &v->rip,
		   &v->cr3, &v->gpa, &v->state, v->what) != 6)
		return REPORT_OTHER;
	if (r->violations < LAUNCH_MAX_VIOLATIONS)
		r->violation[r->violations] = *v;
	r->violations++;
	return REPORT_VIOLATION;
}

static enum report_line counter(struct launch_result *r, const char *text)
{
	struct launch_counter *c = &r->counter[r->counters];

	if (r->counters < LAUNCH_MAX_COUNTERS &&
	    sscanf(text, "%47s %lu", c->name, &c->value) == 2)
		r->counters++;
	return REPORT_COUNTER;
}

static enum report_line end(struct launch_result *r, const char *text)
{
	size_t n = strcspn(text, " ");

	for (unsigned int i = 0; i < CVM_END_COUNT; i++)
		if (strlen(end_words[i]) == n && !memcmp(text, end_words[i], n))
			r->end = (enum launch_end)i;
	snprintf(r->why, sizeof(r->why), "%.200s", text + n + (text[n] == ' '));
	return REPORT_END;
}

/* The text behind @word and a space, or NULL. */
static const char *after(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) ? NULL : line + n;
}

enum report_line report_line(struct launch_result *r, const char *line,
			     struct launch_violation *v)
{
	const char *text;

	if ((text = after(line, "@stat ")))
		return counter(r, text);
	if ((text = after(line, "@violation ")))
		return violation(r, text, v);
	if ((text = after(line, "@end ")))
		return end(r, text);
	if ((text = after(line, "@cannot "))) {
		launch_cannot(r, "%.200s", text);
		return REPORT_CANNOT;
	}
	return after(line, "@running") ? REPORT_RUNNING : REPORT_OTHER;
}
