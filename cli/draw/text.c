// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes in 80 columns of ASCII, to be pasted into a mail.
 *
 *    # | CPU0                  | CPU1                    | host
 *   ---+-----------------------+-------------------------+------
 *    1 | what it did           |                         | what changed
 *      |   at file.c:12        |                         |
 */
#include "draw.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER	3	/* width of the first column */
#define BAR	3	/* " | " */
#define NARROW	12	/* a lane with something in it */

/* ---- widths: as few lines as possible ---- */

static size_t row_height(const struct lanes *l, const struct lane_row *r,
			 const size_t *width)
{
	size_t h = 0;

	for (unsigned int k = 0; k < l->n; k++) {
		size_t n = r->cell[k] ? line_count(r->cell[k], width[k]) : 0;

		h = n > h ? n : h;
	}
	return h;
}

static size_t height(const struct lanes *l, const size_t *width)
{
	size_t h = 0;

	for (size_t i = 0; i < l->nrows; i++)
		h += row_height(l, &l->row[i], width);
	return h;
}

static bool is_empty(const struct lanes *l, unsigned int lane)
{
	for (size_t i = 0; i < l->nrows; i++)
		if (l->row[i].cell[lane])
			return false;
	return true;
}

/* The best place to move @by columns from lane @k to; itself if none. */
static unsigned int best_taker(const struct lanes *l, size_t *width,
			       unsigned int k, size_t by, size_t *best)
{
	unsigned int taker = k;

	for (unsigned int t = 0; t < l->n; t++) {
		size_t h;

		if (t == k)
			continue;
		width[k] -= by;
		width[t] += by;
		h = height(l, width);
		width[k] += by;
		width[t] -= by;
		if (h < *best) {
			*best = h;
			taker = t;
		}
	}
	return taker;
}

/* Move columns between lanes while that saves lines. */
static void balance(const struct lanes *l, size_t *width, const size_t *least)
{
	size_t best = height(l, width);
	bool better = true;

	while (better) {
		better = false;
		for (unsigned int k = 0; k < l->n; k++)
			for (size_t by = 1; by <= 6; by++) {
				unsigned int t;

				if (width[k] < least[k] + by)
					break;
				t = best_taker(l, width, k, by, &best);
				if (t == k)
					continue;
				width[k] -= by;
				width[t] += by;
				better = true;
			}
	}
}

static void choose_widths(const struct lanes *l, size_t *width)
{
	size_t room = CLI_COLUMNS - NUMBER - BAR * l->n, least[LANES];
	unsigned int full = 0, k;

	for (k = 0; k < l->n; k++) {
		bool empty = is_empty(l, k);

		least[k] = empty ? 4 : NARROW;
		width[k] = least[k];
		room -= width[k];
		full += !empty;
	}
	for (k = 0; k < l->n && full; k++)
		if (least[k] == NARROW) {
			width[k] += room / full;
			room -= room / full--;
		}
	balance(l, width, least);
}

/* ---- drawing ---- */

/* A line is built whole, so that no line ends in spaces. */
struct canvas {
	char line[CLI_COLUMNS + 1];
	size_t at;
};

static void put(struct canvas *c, const char *s, size_t len)
{
	for (size_t i = 0; i < len && c->at < CLI_COLUMNS; i++)
		c->line[c->at++] = s[i];
}

static void pad(struct canvas *c, size_t column)
{
	while (c->at < column && c->at < CLI_COLUMNS)
		c->line[c->at++] = ' ';
}

static void put_line(struct canvas *c, FILE *to)
{
	while (c->at && c->line[c->at - 1] == ' ')
		c->at--;
	fprintf(to, "%.*s\n", (int)c->at, c->line);
	c->at = 0;
}

static void draw_row(FILE *to, const struct lanes *l, size_t i,
		     const size_t *width)
{
	const struct lane_row *r = &l->row[i];
	size_t h = row_height(l, r, width);
	const char *at[LANES] = { NULL };
	struct canvas c = { .at = 0 };
	char number[24];

	for (size_t n = 0; n < h; n++) {
		size_t column = NUMBER;

		snprintf(number, sizeof(number), "%*zu", NUMBER, i + 1);
		put(&c, n ? "   " : number, NUMBER);
		for (unsigned int k = 0; k < l->n; k++) {
			struct line s;

			put(&c, " | ", BAR);
			column += BAR + width[k];
			if (r->cell[k] && (!n || at[k]) &&
			    (at[k] = line_next(r->cell[k], at[k], width[k],
					       &s))) {
				pad(&c, c.at + s.indent);
				put(&c, s.start, s.len);
			}
			pad(&c, column);
		}
		put_line(&c, to);
	}
}

static void draw_head(FILE *to, const struct lanes *l, const size_t *width)
{
	struct canvas c = { .at = 0 };
	size_t column = NUMBER;

	put(&c, "  #", NUMBER);
	for (unsigned int k = 0; k < l->n; k++) {
		put(&c, " | ", BAR);
		put(&c, lane_name(l, k), 4);
		column += BAR + width[k];
		pad(&c, column);
	}
	put_line(&c, to);
	for (size_t n = 0; n < NUMBER + 1; n++)
		put(&c, "-", 1);
	for (unsigned int k = 0; k < l->n; k++) {
		put(&c, "+-", 2);
		for (size_t n = 0; n < width[k] + (k + 1 < l->n); n++)
			put(&c, "-", 1);
	}
	put_line(&c, to);
}

void render_lanes(FILE *to, const struct lanes *l)
{
	size_t width[LANES];

	choose_widths(l, width);
	draw_head(to, l, width);
	for (size_t i = 0; i < l->nrows; i++)
		draw_row(to, l, i, width);
}
