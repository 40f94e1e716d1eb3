// SPDX-License-Identifier: GPL-2.0
/*
 * Why a run goes wrong: which step filled the translation that is used, which
 * changed the entry, and which flush is missing between the two. All of it is
 * read from the events as they are told; steps are numbered from 1.
 */
#include "engine.h"
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does @text speak of @name, and not of "page 10" where it is "page 1"? */
static bool speaks_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; (text = strstr(text, name)); text += n)
		if (text[n] < '0' || text[n] > '9')
			return true;
	return false;
}

/* The page that @text speaks of: the longest of the names in it. */
static const char *page_in(const char *text)
{
	static char name[40];

	name[0] = 0;
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].role != SPOT_WINDOW &&
		    speaks_of(text, lab->spot[s].name) &&
		    strlen(lab->spot[s].name) > strlen(name))
			snprintf(name, sizeof(name), "%s", lab->spot[s].name);
	return name;
}

/* The last step before @n whose store changed the entry of @page; 0: none. */
static size_t changed_at(const struct lab_event *e, size_t n, const char *page)
{
	char small[64], large[64];

	snprintf(small, sizeof(small), "PTE of %s:", page);
	snprintf(large, sizeof(large), "PDE of %s:", page);
	while (--n > 0)
		if ((e[n - 1].label & 15) == EV_STEP &&
		    (strstr(e[n - 1].text, small) ||
		     strstr(e[n - 1].text, large)))
			return n;
	return 0;
}

/* The last step before @n in which this CPU's TLB took @page; 0: none. */
static size_t filled_at(const struct lab_event *e, size_t n, unsigned int cpu,
			const char *page)
{
	char gain[64];

	snprintf(gain, sizeof(gain), "CPU%u TLB + %s:", cpu, page);
	while (--n > 0)
		if (strstr(e[n - 1].change, gain))
			return n;
	return 0;
}

/* The step in which that store came to memory; 0: it has not. */
static size_t seen_at(const struct lab_event *e, size_t n, size_t change,
		      const char *page)
{
	char small[64], large[64];

	snprintf(small, sizeof(small), "memory: PTE of %s:", page);
	snprintf(large, sizeof(large), "memory: PDE of %s:", page);
	for (size_t i = change; i < n; i++)
		if (strstr(e[i].change, small) || strstr(e[i].change, large))
			return i + 1;
	return 0;
}

/* The lie that came last before @n; 0: none. */
static size_t lied_at(const struct lab_event *e, size_t n)
{
	while (--n > 0)
		if (e[n - 1].lie)
			return n;
	return 0;
}

/* A CPU uses, or can still hold, a translation of @page that it must not. */
static void of_translation(const struct lab_event *e, size_t n,
			   unsigned int cpu, const char *page, char *buf,
			   size_t size)
{
	size_t change = changed_at(e, n, page);
	size_t fill = filled_at(e, n, cpu, page);

	size_t seen = change ? seen_at(e, n, change, page) : 0;

	if (fill > change && change && (!seen || fill < seen))
		snprintf(buf, size, "the store of step %zu was still in a store buffer when CPU%u's TLB took %s at step %zu, and no flush of it followed",
			 change, cpu, page, fill);
	else if (fill > change && change)
		snprintf(buf, size, "step %zu wrote the entry of %s, CPU%u's TLB took it at step %zu, and no flush of it followed",
			 change, page, cpu, fill);
	else if (fill && change)
		snprintf(buf, size, "CPU%u's TLB took %s at step %zu, step %zu changed the entry, and no flush of it on CPU%u followed",
			 cpu, page, fill, change, cpu);
	else if (fill)
		snprintf(buf, size, "CPU%u's TLB took %s at step %zu, and no step before this one changed the entry and flushed it",
			 cpu, page, fill);
	else if (change && e[n - 1].walked)
		snprintf(buf, size, "step %zu left the entry of %s present, as this access found it",
			 change, page);
	else if (change)
		snprintf(buf, size, "CPU%u's TLB may have taken %s before step %zu changed the entry, and no flush of it on CPU%u followed",
			 cpu, page, change, cpu);
	else
		snprintf(buf, size, "the entry of %s is present still: no step before this one took that away",
			 page);
}

/* An instruction of the order finds no mapping, or a wrong one. */
static void of_fault(const struct lab_event *e, size_t n, const char *page,
		     char *buf, size_t size)
{
	size_t change = changed_at(e, n, page);

	if (change)
		snprintf(buf, size, "step %zu changed the entry of %s, and the order does this step through the range's own mapping",
			 change, page);
}

static void of_cache(const struct lab_event *e, size_t n, const char *page,
		     char *buf, size_t size)
{
	for (size_t i = n; --i > 0; )
		if (!strncmp(e[i - 1].text, "CLFLUSH", 7)) {
			snprintf(buf, size, "the CLFLUSH of step %zu did not reach the line of %s: it went through a mapping of the other kind",
				 i, page);
			return;
		}
	snprintf(buf, size, "no CLFLUSH of %s came before", page);
}

void lab_because(struct lab_event *e, size_t n)
{
	struct lab_event *last = n ? &e[n - 1] : NULL;
	unsigned int cpu = 0;
	size_t lie, size = sizeof(last->because);
	const char *page, *at;

	if (!last || !last->bad)
		return;
	page = page_in(last->why);
	at = strstr(last->why, "CPU");
	if (page[0] && at && sscanf(at, "CPU%u", &cpu) == 1)
		of_translation(e, n, cpu, page, last->because, size);
	else if (page[0] && last->bad == LAB_BAD_ENGINE_FAULT)
		of_fault(e, n, page, last->because, size);
	else if (page[0] && last->bad == LAB_BAD_CACHE)
		of_cache(e, n, page, last->because, size);
	lie = lied_at(e, n);
	if (lie)
		snprintf(last->because + strlen(last->because),
			 size - strlen(last->because),
			 "%sthe host lied at step %zu",
			 last->because[0] ? "; " : "", lie);
}
