// SPDX-License-Identifier: GPL-2.0
/* Text within a width. */
#include "draw.h"

#include <string.h>

/*
 * Where a line of at most @max bytes should end: before a space, if that
 * fills a quarter of it; or else after a mark; or else there.
 */
static size_t break_at(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	for (size_t n = max; n > max / 4; n--)
		if (s[n] == ' ')
			return n;
	for (size_t n = max; n > max / 2; n--)
		if (strchr(",-+/(", s[n - 1]))
			return n;
	return max;
}

const char *line_next(const char *text, const char *at, size_t width,
		      struct line *line)
{
	const char *par, *end;
	size_t n;

	if (!at)
		at = text;
	if (!*at)
		return NULL;
	for (par = at; par > text && par[-1] != '\n'; par--)
		;
	line->indent = strspn(par, " ");
	if (line->indent > width / 3)
		line->indent = width / 3;
	at += strspn(at, " ");
	end = at + strcspn(at, "\n");
	n = break_at(at, (size_t)(end - at), width - line->indent);
	line->start = at;
	line->len = n;
	at += n + strspn(at + n, " ");
	return *at == '\n' ? at + 1 : at;
}

size_t line_count(const char *text, size_t width)
{
	const char *at = NULL;
	struct line l;
	size_t n = 0;

	while ((at = line_next(text, at, width, &l)))
		n++;
	return n;
}

void print_wrapped(FILE *to, const char *label, int indent, const char *text)
{
	size_t width = (size_t)(CLI_COLUMNS - indent);
	const char *at = NULL;
	struct line l;

	while ((at = line_next(text, at, width, &l))) {
		fprintf(to, "%-*s%.*s\n", indent, label, (int)l.len, l.start);
		label = "";
	}
}

/*
 * A word too long for a line, an order by hand, goes on at the left edge
 * after backslash and newline: the shell joins it without a space.
 */
static size_t print_word(FILE *to, const char *w, size_t len, size_t column)
{
	enum { ROOM = CLI_COLUMNS - 2 };

	while (column + len > ROOM) {
		size_t n = break_at(w, len, ROOM - column);

		fprintf(to, "%.*s\\\n", (int)n, w);
		w += n;
		len -= n;
		column = 0;
	}
	fprintf(to, "%.*s", (int)len, w);
	return column + len;
}

void print_command(FILE *to, const char *c)
{
	enum { INDENT = 4, ROOM = CLI_COLUMNS - 2 };
	size_t column = INDENT;
	bool first = true;

	fprintf(to, "%*s", INDENT, "");
	for (; *c; first = false) {
		size_t n = strcspn(c, " ");

		/* An option and its value stay together if they can. */
		if (!strncmp(c, "--", 2) && c[n] == ' ' &&
		    strncmp(c + n + 1, "--", 2))
			n += 1 + strcspn(c + n + 1, " ");
		if (!first && column + 1 + n > ROOM && n <= ROOM - 2 * INDENT) {
			fprintf(to, " \\\n%*s", 2 * INDENT, "");
			column = 2 * INDENT;
		} else if (!first) {
			fputc(' ', to);
			column++;
		}
		column = print_word(to, c, n, column);
		c += n + (c[n] == ' ');
	}
	fputc('\n', to);
}
