// SPDX-License-Identifier: GPL-2.0
/* States of the proof, in words. */
#include "tell.h"

#include <string.h>

static const struct {
	const char *name, *yes, *no;
} words[] = {
	{ "owned", "a call owns the page", "nobody owns the page" },
	{ "led", "the ledger calls it shared", "the ledger calls it private" },
	{ "mp", "its entry in memory is present", "its entry is not present" },
	{ "ms", "and says shared", "and says private" },
	{ "hs", "the host holds it shared", "the host holds it private" },
	{ "hv", "validated or accepted", "not validated or accepted" },
	{ "ha", "the guest made it its own, once", "it is given up" },
	{ "hi", "the host shared it by itself", NULL },
	{ "tp", "a CPU's TLB may have it as private", NULL },
	{ "ts", "a CPU's TLB may have it as shared", NULL },
	{ "dp", "a dirty line filled as private may be cached", NULL },
	{ "ds", "a dirty line filled as shared may be cached", NULL },
	{ "st", "stale lines of it may be cached", NULL },
	{ "dm", "this step has written its entry", NULL },
	{ "dn", "this step has done the page", NULL },
	{ "qu", "in quarantine", NULL },
	{ "un", "the host took it back, or need not", NULL },
	{ "dv", "the guest has made it its own again", NULL },
	{ "ta", "the host lied about it, or took it", NULL },
	{ "be", "the guest has made it its own", "the guest gave it away" },
	{ "de", "evict reads of it are done", NULL },
	{ "wait", "that CPU has not answered the shootdown", NULL },
	{ "sb", "a store to its entry waits in the call's CPU", NULL },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < WORDS && strncmp(name, words[i].name,
				    strlen(words[i].name)))
		i++;
	return i;
}

const char *term_words(const char *term, bool value)
{
	size_t i = find(term + (*term == '('));

	return i == WORDS ? NULL : value ? words[i].yes : words[i].no;
}

/* "page 1", "CPU 0, mapping 1", "call 0". */
static void place_words(FILE *to, const struct instance *x,
			const struct symbol *s, unsigned int i)
{
	static const char *const what[] = {
		['c'] = "CPU", ['m'] = "mapping", ['p'] = "page",
		['k'] = "call",
	};
	unsigned int second = !s->args[0] || !s->args[1] ? 1 :
		s->args[1] == 'c' ? x->cpus : x->maps;

	fprintf(to, "%s %u", what[(unsigned char)s->args[0]], i / second);
	if (s->args[1])
		fprintf(to, ", %s %u", what[(unsigned char)s->args[1]],
			i % second);
}

static void value_words(FILE *to, const struct instance *x, unsigned int s,
			unsigned int i, uint8_t value, bool all)
{
	const struct symbol *sym = &x->s->w.symbol[s];
	const char *w;

	if (!strcmp(sym->name, "pc")) {
		place_words(to, x, sym, i);
		fprintf(to, ": at step \"%s\"; ", x->s->step[value]);
		return;
	}
	if (sym->sort != 'b')
		return;
	w = term_words(sym->name, value);
	if (!w && !all)		/* no longer so */
		w = term_words(sym->name, true);
	if (!w)
		return;
	place_words(to, x, sym, i);
	fprintf(to, ": %s%s; ", value || term_words(sym->name, false) ? "" :
		"no longer: ", w);
}

void state_words(FILE *to, const struct instance *x, const uint8_t *st,
		 const uint8_t *than)
{
	for (unsigned int s = 0; s < x->s->w.nsymbols; s++) {
		unsigned int end = s + 1 < x->s->w.nsymbols ? x->at[s + 1] :
			x->values;

		for (unsigned int i = x->at[s]; i < end; i++)
			if (!than || than[i] != st[i])
				value_words(to, x, s, i - x->at[s], st[i],
					    !than);
	}
}
