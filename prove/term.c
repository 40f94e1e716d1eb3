// SPDX-License-Identifier: GPL-2.0
/* Terms: reading, writing, replacing. See term.h for the words. */
#include "term.h"

#include <ctype.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory: all of it is given back at once ---- */

#define CHUNK_BYTES	(64u << 10)

struct chunk {
	struct chunk *next;
	_Alignas(16) char bytes[CHUNK_BYTES];
};

void *words_alloc(struct words *w, size_t n)
{
	void *p;

	n = (n + 15) & ~(size_t)15;
	if (n > CHUNK_BYTES)
		errx(3, "prove: a term of %zu bytes", n);
	if (!w->memory || w->used + n > CHUNK_BYTES) {
		struct chunk *c = malloc(sizeof(*c));

		if (!c)
			err(3, "out of memory");
		c->next = w->memory;
		w->memory = c;
		w->used = 0;
	}
	p = w->memory->bytes + w->used;
	w->used += n;
	return p;
}

void words_free(struct words *w)
{
	while (w->memory) {
		struct chunk *c = w->memory;

		w->memory = c->next;
		free(c);
	}
	memset(w, 0, sizeof(*w));
}

/* ---- words ---- */

int symbol_find(const struct words *w, const char *name)
{
	for (unsigned int i = 0; i < w->nsymbols; i++)
		if (!strcmp(w->symbol[i].name, name))
			return (int)i;
	return -1;
}

void symbol_add(struct words *w, const char *name, const char *args, char sort)
{
	struct symbol *s = &w->symbol[w->nsymbols++];

	if (w->nsymbols > MAX_SYMBOLS || strlen(name) >= sizeof(s->name))
		errx(3, "prove: no room for symbol %s", name);
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->args, sizeof(s->args), "%s", args);
	s->sort = sort;
}

void macro_add(struct words *w, const char *name, const char *params,
	       const char *body)
{
	const struct term *t = term_parse(w, body);

	if (w->nmacros == MAX_MACROS)
		errx(3, "prove: no room for macro %s", name);
	w->macro[w->nmacros++] = (struct macro){ name, params, t };
}

const char *sort_name(char letter)
{
	switch (letter) {
	case 'c': case 'd': case 'C': return "Cpu";
	case 'm': case 'M': return "Map";
	case 'p': case 'P': return "Page";
	case 'j': case 'k': case 'K': return "Call";
	case 's': return "Step";
	default: return "Bool";
	}
}

/* ---- making ---- */

static const struct term *make(struct words *w, enum term_kind kind, int id,
			       unsigned int n, const struct term *const *arg)
{
	struct term *t = words_alloc(w, sizeof(*t) + n * sizeof(t->arg[0]));

	t->kind = kind;
	t->id = id;
	t->n = n;
	for (unsigned int i = 0; i < n; i++)
		t->arg[i] = arg[i];
	return t;
}

static const struct term *truth(struct words *w, bool b)
{
	return make(w, b ? T_TRUE : T_FALSE, 0, 0, NULL);
}

static bool same(const struct term *a, const struct term *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->id != b->id || a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (!same(a->arg[i], b->arg[i]))
			return false;
	return true;
}

const struct term *term_not(struct words *w, const struct term *a)
{
	if (a->kind == T_TRUE || a->kind == T_FALSE)
		return truth(w, a->kind == T_FALSE);
	if (a->kind == T_NOT)
		return a->arg[0];
	return make(w, T_NOT, 0, 1, &a);
}

/* And, or: without what says nothing, and flat. */
static const struct term *junction(struct words *w, enum term_kind kind,
				   unsigned int n,
				   const struct term *const *arg)
{
	enum term_kind idle = kind == T_AND ? T_TRUE : T_FALSE;
	enum term_kind end = kind == T_AND ? T_FALSE : T_TRUE;
	const struct term **keep;
	unsigned int k = 0, room = 0;

	for (unsigned int i = 0; i < n; i++)
		room += arg[i]->kind == kind ? arg[i]->n : 1;
	keep = words_alloc(w, (room + 1) * sizeof(*keep));
	for (unsigned int i = 0; i < n; i++) {
		if (arg[i]->kind == end)
			return arg[i];
		for (unsigned int j = 0; arg[i]->kind == kind &&
		     j < arg[i]->n; j++)
			keep[k++] = arg[i]->arg[j];
		if (arg[i]->kind != kind && arg[i]->kind != idle)
			keep[k++] = arg[i];
	}
	if (!k)
		return truth(w, kind == T_AND);
	return k == 1 ? keep[0] : make(w, kind, 0, k, keep);
}

static const struct term *equal(struct words *w,
				const struct term *const *arg)
{
	if (same(arg[0], arg[1]))
		return truth(w, true);
	if (arg[0]->kind == T_STEP && arg[1]->kind == T_STEP)
		return truth(w, false);
	for (unsigned int i = 0; i < 2; i++) {
		if (arg[i]->kind == T_TRUE)
			return arg[1 - i];
		if (arg[i]->kind == T_FALSE)
			return term_not(w, arg[1 - i]);
	}
	return make(w, T_EQ, 0, 2, arg);
}

static const struct term *choice(struct words *w,
				 const struct term *const *arg)
{
	const struct term *part[2];

	if (arg[0]->kind == T_TRUE || same(arg[1], arg[2]))
		return arg[1];
	if (arg[0]->kind == T_FALSE)
		return arg[2];
	if (arg[1]->kind == T_TRUE)
		return term_pair(w, T_OR, arg[0], arg[2]);
	if (arg[1]->kind == T_FALSE) {
		part[0] = term_not(w, arg[0]);
		part[1] = arg[2];
		return junction(w, T_AND, 2, part);
	}
	return make(w, T_ITE, 0, 3, arg);
}

const struct term *term_new(struct words *w, enum term_kind kind, int id,
			    unsigned int n, const struct term *const *arg)
{
	const struct term *part[2];

	switch (kind) {
	case T_NOT:
		return term_not(w, arg[0]);
	case T_AND:
	case T_OR:
		return junction(w, kind, n, arg);
	case T_IMPLIES:
		part[0] = term_not(w, arg[0]);
		part[1] = arg[1];
		return junction(w, T_OR, 2, part);
	case T_EQ:
		return equal(w, arg);
	case T_ITE:
		return choice(w, arg);
	case T_ALL:
		if (arg[0]->kind == T_TRUE)
			return arg[0];
		return make(w, kind, id, n, arg);
	default:
		return make(w, kind, id, n, arg);
	}
}

const struct term *term_pair(struct words *w, enum term_kind kind,
			     const struct term *a, const struct term *b)
{
	const struct term *arg[] = { a, b };

	return term_new(w, kind, 0, 2, arg);
}

/* ---- reading ---- */

struct reader {
	struct words *w;
	const char *text, *at;
};

static const char *const op_names[] = {
	[T_NOT] = "not", [T_AND] = "and", [T_OR] = "or", [T_IMPLIES] = "=>",
	[T_EQ] = "=", [T_ITE] = "ite",
};
#define OPS (sizeof(op_names) / sizeof(op_names[0]))
#define MOST 32

__attribute__((noreturn))
static void broken(const struct reader *r, const char *what)
{
	errx(3, "prove: %s at '%.20s' in '%s'", what, r->at, r->text);
}

static void word(struct reader *r, char *buf, size_t size)
{
	size_t n = 0;

	while (*r->at && !strchr(" ()\n\t", *r->at)) {
		if (n + 1 == size)
			broken(r, "a word too long");
		buf[n++] = *r->at++;
	}
	buf[n] = '\0';
	if (!n)
		broken(r, "a word is missing");
}

static void skip(struct reader *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

static const struct term *atom(struct reader *r, const char *name)
{
	if (!strcmp(name, "true") || !strcmp(name, "false"))
		return truth(r->w, name[0] == 't');
	if (!name[1] && strchr("cdmpjkCMPK", name[0]))
		return make(r->w, T_VAR, name[0], 0, NULL);
	if (name[0] == 's' && isdigit((unsigned char)name[1]))
		return make(r->w, T_STEP, atoi(name + 1), 0, NULL);
	broken(r, "no such word");
}

static const struct term *apply(struct reader *r, const char *name,
				unsigned int n, const struct term *const *arg)
{
	const struct term *to[128] = { NULL };
	int s = symbol_find(r->w, name);

	for (size_t i = T_NOT; i < OPS; i++)
		if (!strcmp(op_names[i], name))
			return term_new(r->w, (enum term_kind)i, 0, n, arg);
	if (s >= 0) {
		if (strlen(r->w->symbol[s].args) != n)
			broken(r, name);
		return make(r->w, T_APP, s, n, arg);
	}
	for (unsigned int i = 0; i < r->w->nmacros; i++) {
		const struct macro *m = &r->w->macro[i];

		if (strcmp(m->name, name) || strlen(m->params) != n)
			continue;
		for (unsigned int k = 0; k < n; k++)
			to[(unsigned char)m->params[k]] = arg[k];
		return term_subst(r->w, m->body, to);
	}
	broken(r, name);
}

static const struct term *read_term(struct reader *r)
{
	const struct term *arg[MOST];
	unsigned int n = 0;
	char name[24];
	int letter = 0;

	skip(r);
	if (*r->at != '(') {
		word(r, name, sizeof(name));
		return atom(r, name);
	}
	r->at++;
	skip(r);
	word(r, name, sizeof(name));
	skip(r);
	if (!strcmp(name, "all"))
		letter = *r->at++;
	for (skip(r); *r->at != ')'; skip(r)) {
		if (n == MOST || !*r->at)
			broken(r, "no end");
		arg[n++] = read_term(r);
	}
	r->at++;
	return letter ? term_new(r->w, T_ALL, letter, n, arg) :
		apply(r, name, n, arg);
}

const struct term *term_parse(struct words *w, const char *text)
{
	struct reader r = { w, text, text };
	const struct term *t = read_term(&r);

	skip(&r);
	if (*r.at)
		broken(&r, "more than one term");
	return t;
}

/* ---- replacing ---- */

const struct term *term_subst(struct words *w, const struct term *t,
			      const struct term *const to[128])
{
	const struct term *arg[MOST], **many = arg;

	if (t->kind == T_VAR)
		return to[t->id] ? to[t->id] : t;
	if (!t->n)
		return t;
	if (t->n > MOST)
		many = words_alloc(w, t->n * sizeof(*many));
	if (t->kind == T_ALL && to[t->id]) {
		const struct term *less[128];

		memcpy(less, to, sizeof(less));
		less[t->id] = NULL;
		arg[0] = term_subst(w, t->arg[0], less);
		return term_new(w, T_ALL, t->id, 1, arg);
	}
	for (unsigned int i = 0; i < t->n; i++)
		many[i] = term_subst(w, t->arg[i], to);
	return term_new(w, t->kind, t->id, t->n, many);
}

const struct term *term_before(struct words *w, const struct term *t,
			       const struct update *u, unsigned int n)
{
	const struct term *arg[MOST], **many = arg, *to[128] = { NULL };
	bool changed = false;

	if (!t->n && t->kind != T_APP)
		return t;
	if (t->n > MOST)
		many = words_alloc(w, t->n * sizeof(*many));
	for (unsigned int i = 0; i < t->n; i++) {
		many[i] = term_before(w, t->arg[i], u, n);
		changed |= many[i] != t->arg[i];
	}
	for (unsigned int i = 0; t->kind == T_APP && i < n; i++) {
		if (u[i].symbol != t->id)
			continue;
		for (unsigned int k = 0; k < t->n; k++)
			to[(unsigned char)w->symbol[t->id].args[k]] = many[k];
		return term_subst(w, u[i].value, to);
	}
	/* What stays itself is the same object: the caller may ask. */
	return changed ? term_new(w, t->kind, t->id, t->n, many) : t;
}

/* ---- writing ---- */

static void print_list(FILE *to, const struct words *w, const char *head,
		       const struct term *t)
{
	fprintf(to, "(%s", head);
	for (unsigned int i = 0; i < t->n; i++) {
		putc(' ', to);
		term_print(to, w, t->arg[i]);
	}
	putc(')', to);
}

void term_print(FILE *to, const struct words *w, const struct term *t)
{
	switch (t->kind) {
	case T_TRUE:
	case T_FALSE:
		fputs(t->kind == T_TRUE ? "true" : "false", to);
		break;
	case T_VAR:
		putc(t->id, to);
		break;
	case T_STEP:
		fprintf(to, "s%d", t->id);
		break;
	case T_APP:
		print_list(to, w, w->symbol[t->id].name, t);
		break;
	case T_ALL:
		fprintf(to, "(forall ((%c %s)) ", t->id,
			sort_name((char)t->id));
		term_print(to, w, t->arg[0]);
		putc(')', to);
		break;
	default:
		print_list(to, w, op_names[t->kind], t);
	}
}
