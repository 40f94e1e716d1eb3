// SPDX-License-Identifier: GPL-2.0
/*
 * struct module begins with its state, its place in the list and its name;
 * where in it the symbols are differs by version. So they are found by what
 * they are: a pointer to { symtab, number, strtab }, whose first symbol is
 * empty, as ELF has it, and whose first name is, too.
 */
#include "modsyms.h"

#include <stdio.h>
#include <string.h>

#define KERNEL		UINT64_C(0xffff800000000000)
#define LIST		8u		/* offset of the list in a module */
#define NAME		24u
#define NAME_LENGTH	56u
#define MODULE_SIZE	2048u		/* at most, to where symbols are known */
#define SYMBOL_SIZE	24u		/* Elf64_Sym: name, info, shndx; value */
#define MOST_MODULES	512u
#define MOST_SYMBOLS	100000u
#define NO_NAMES	256u		/* empty ones, before the first text */
#define FAR		0x10000u

struct table {
	uint64_t symbols, strings;
	uint32_t n;
};

struct reader {
	modsyms_read rd;
	void *ctx;
};

static uint64_t get(const struct reader *r, uint64_t va)
{
	return r->rd(r->ctx, va);
}

/* A live patch keeps the symbols of its sections, too, which have no names. */
static bool any_text(const struct reader *r, uint64_t at)
{
	for (unsigned int i = 0; i < NO_NAMES; i += 8)
		if (get(r, at + i))
			return true;
	return false;
}

static bool is_table(const struct reader *r, uint64_t at, struct table *t)
{
	if (at < KERNEL || at & 7)
		return false;
	t->symbols = get(r, at);
	t->n = (uint32_t)get(r, at + 8);
	t->strings = get(r, at + 16);
	return t->symbols >= KERNEL && t->strings >= KERNEL && t->n > 1 &&
		t->n < MOST_SYMBOLS && !get(r, t->symbols) &&
		!get(r, t->symbols + 8) && !get(r, t->symbols + 16) &&
		!(get(r, t->strings) & 0xff) && any_text(r, t->strings);
}

static bool find_table(const struct reader *r, uint64_t module,
		       struct table *t)
{
	for (unsigned int o = NAME + NAME_LENGTH; o < MODULE_SIZE; o += 8)
		if (is_table(r, get(r, module + o), t))
			return true;
	return false;
}

static void text(const struct reader *r, uint64_t at, char *to, size_t size)
{
	for (; size > 1; size--, at++, to++) {
		*to = (char)get(r, at);
		if (!*to)
			return;
	}
	*to = 0;
}

/* The last symbol of the module at or before @at; its name's address, or 0. */
static uint64_t nearest(const struct reader *r, const struct table *t,
			uint64_t at, uint64_t *offset)
{
	uint64_t name = 0;

	*offset = FAR;
	for (uint32_t i = 1; i < t->n; i++) {
		uint64_t s = t->symbols + (uint64_t)i * SYMBOL_SIZE;
		uint64_t head = get(r, s), value = get(r, s + 8);

		if (head >> 48 && value && value <= at &&
		    at - value < *offset) {
			*offset = at - value;
			name = t->strings + (uint32_t)head;
		}
	}
	return name;
}

bool modsyms_name(modsyms_read rd, void *ctx, uint64_t modules, uint64_t at,
		  char *name, size_t size, uint64_t *offset)
{
	const struct reader r = { rd, ctx };
	uint64_t best = FAR, entry = modules ? get(&r, modules) : 0;

	for (unsigned int i = 0; i < MOST_MODULES && entry >= KERNEL &&
	     entry != modules; i++, entry = get(&r, entry)) {
		char function[128], module[NAME_LENGTH];
		uint64_t found, o;
		struct table t;

		if (!find_table(&r, entry - LIST, &t))
			continue;
		found = nearest(&r, &t, at, &o);
		if (!found || o >= best)
			continue;
		best = o;
		text(&r, found, function, sizeof(function));
		text(&r, entry - LIST + NAME, module, sizeof(module));
		snprintf(name, size, "%s:%s", module, function);
	}
	*offset = best;
	return best < FAR;
}
