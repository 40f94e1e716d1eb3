// SPDX-License-Identifier: GPL-2.0
/* Lanes, whatever is in them. */
#include "draw.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT	3		/* exit code */

const char *lane_name(const struct lanes *l, unsigned int lane)
{
	static const char *const cpu[] = {
		"CPU0", "CPU1", "CPU2", "CPU3", "CPU4", "CPU5", "CPU6", "CPU7",
	};

	return lane + 1 == l->n ? "host" : cpu[l->cpu[lane] & 7];
}

/* Lines of a cell are ASCII, whatever the text says: mails mangle the rest. */
static void append(char **cell, const char *indent, const char *text,
		   size_t len)
{
	size_t old = *cell ? strlen(*cell) : 0, n = strlen(indent);
	char *p = realloc(*cell, old + n + len + 2);

	if (!p)
		err(LIMIT, "out of memory");
	*cell = p;
	p += old;
	memcpy(p, indent, n);
	p += n;
	for (size_t i = 0; i < len; i++)
		*p++ = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	*p++ = '\n';
	*p = '\0';
}

struct lanes *lanes_empty(unsigned int cpus, size_t rows)
{
	struct lanes *l = calloc(1, sizeof(*l));

	if (!l)
		err(LIMIT, "out of memory");
	l->n = cpus + 1;
	l->nrows = rows;
	l->row = calloc(rows + 1, sizeof(*l->row));
	if (!l->row)
		err(LIMIT, "out of memory");
	for (unsigned int k = 0; k < LANES; k++)
		l->cpu[k] = k;
	return l;
}

void lanes_put(struct lane_row *r, unsigned int lane, const char *indent,
	       const char *text, size_t len)
{
	append(&r->cell[lane], indent, text, len);
}

void lanes_free(struct lanes *l)
{
	for (size_t i = 0; i < l->nrows; i++)
		for (unsigned int k = 0; k < l->n; k++)
			free(l->row[i].cell[k]);
	free(l->row);
	free(l);
}
