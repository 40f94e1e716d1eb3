// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes as SVG: one lane per CPU and one for the host, time runs
 * down, arrows for IPIs and for calls to the host. One file, no references to
 * anything outside it.
 *
 * All text is set in a fixed-width face, so that its width is known without
 * measuring: CHAR for each character at SIZE.
 */
#include "draw.h"

#include <stdlib.h>
#include <string.h>

#define SIZE	11.5	/* font */
#define CHAR	6.95	/* width of a character, a little generous */
#define LINE	15	/* distance of lines */
#define PAD	8	/* between a box and its text */
#define LANE	262	/* width of a box */
#define GAP	44	/* between lanes, for arrows */
#define LEFT	46	/* number column */
#define ROW_GAP	12
#define COLUMNS	((size_t)((LANE - 2 * PAD) / CHAR))

struct svg {
	FILE *f;
	const struct lanes *l;
	double *top;		/* of each row */
	double y;		/* how far down we are */
	double width;
};

static double lane_x(unsigned int lane)
{
	return LEFT + lane * (LANE + GAP);
}

/* Text goes through here: what XML gives a meaning, and what it forbids. */
static void put_text(FILE *f, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		switch (s[i]) {
		case '<':	fputs("&lt;", f);	break;
		case '>':	fputs("&gt;", f);	break;
		case '&':	fputs("&amp;", f);	break;
		case '"':	fputs("&quot;", f);	break;
		default:
			fputc(s[i] < ' ' || s[i] > '~' ? '?' : s[i], f);
		}
}

static void text_at(struct svg *s, double x, double y, const char *class,
		    const char *text, size_t len)
{
	fprintf(s->f, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
	put_text(s->f, text, len);
	fputs("</text>\n", s->f);
}

/* Lines of at most @columns characters from here down. */
static void paragraph(struct svg *s, double x, size_t columns,
		      const char *class, const char *text)
{
	const char *at = NULL;
	struct line l;

	while ((at = line_next(text, at, columns, &l))) {
		text_at(s, x + (double)l.indent * CHAR, s->y + SIZE, class,
			l.start, l.len);
		s->y += LINE;
	}
}

/* ---- rows ---- */

static size_t row_lines(const struct svg *s, size_t i)
{
	size_t most = 0;

	for (unsigned int k = 0; k < s->l->n; k++) {
		const char *cell = s->l->row[i].cell[k];
		size_t n = cell ? line_count(cell, COLUMNS) : 0;

		most = n > most ? n : most;
	}
	return most;
}

static double place_rows(struct svg *s, double y)
{
	for (size_t i = 0; i < s->l->nrows; i++) {
		s->top[i] = y;
		y += (double)row_lines(s, i) * LINE + 2 * PAD + ROW_GAP;
	}
	return y;
}

static const char *box_class(const struct lane_row *r, unsigned int lane)
{
	return lane != r->actor ? "effect" : r->bad ? "bad" : "act";
}

/* The first paragraph of the actor's cell is what it did; the rest is small. */
static void cell(struct svg *s, size_t i, unsigned int lane)
{
	const struct lane_row *r = &s->l->row[i];
	const char *text = r->cell[lane], *at = NULL;
	double y = s->top[i], x = lane_x(lane);
	struct line l;

	fprintf(s->f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\""
		" rx=\"5\" class=\"%s\"/>\n", x, y, LANE,
		(double)line_count(text, COLUMNS) * LINE + 2 * PAD,
		box_class(r, lane));
	y += PAD + SIZE;
	while ((at = line_next(text, at, COLUMNS, &l))) {
		bool at_line = !strncmp(l.start, "at ", 3) && l.indent;

		text_at(s, x + PAD + (lane == r->actor ?
				      (double)l.indent * CHAR : 0), y,
			at_line ? "where" : l.indent ? "change" : "what",
			l.start, l.len);
		y += LINE;
	}
}

/* The row in which lane @from last did something before row @i. */
static size_t sent_in(const struct svg *s, size_t i, unsigned int from)
{
	while (i-- > 0)
		if (s->l->row[i].actor == from)
			return i;
	return 0;
}

static double middle(const struct svg *s, size_t i)
{
	return s->top[i] + PAD + SIZE - 4;
}

/* Down the gap beside the receiver, so that no box is crossed. */
static void ipi_arrow(struct svg *s, size_t i)
{
	const struct lane_row *r = &s->l->row[i];
	unsigned int from = (unsigned int)r->from;
	bool right = r->actor > from;
	double x0 = lane_x(from) + (right ? LANE : 0);
	double x1 = lane_x(r->actor) + (right ? 0 : LANE);
	double turn = x1 + (right ? -GAP / 2.0 : GAP / 2.0);

	if (r->actor == from)
		return;
	fprintf(s->f, "<path class=\"arrow\" marker-end=\"url(#tip)\" "
		"d=\"M%.1f %.1f H%.1f V%.1f H%.1f\"/>\n", x0,
		middle(s, sent_in(s, i, from)), turn, middle(s, i),
		x1 + (right ? -2 : 2));
	text_at(s, turn + (right ? -22 : 3), middle(s, i) - 6, "tag", "IPI", 3);
}

static void host_arrow(struct svg *s, size_t i)
{
	const struct lane_row *r = &s->l->row[i];
	unsigned int host = s->l->n - 1;
	double end = lane_x(host) - 2;

	/* Nothing is drawn in the host's lane: the arrow ends on its line. */
	if (!r->cell[host])
		end += LANE / 2.0;
	fprintf(s->f, "<path class=\"arrow host\" marker-end=\"url(#htip)\" "
		"d=\"M%.1f %.1f H%.1f\"/>\n", lane_x(r->actor) + LANE,
		middle(s, i), end);
}

static void arrows(struct svg *s, size_t i)
{
	if (s->l->row[i].to_host)
		host_arrow(s, i);
	if (s->l->row[i].from >= 0)
		ipi_arrow(s, i);
}

static void row(struct svg *s, size_t i)
{
	const struct lane_row *r = &s->l->row[i];
	char number[24];

	snprintf(number, sizeof(number), "%zu", i + 1);
	text_at(s, LEFT - 14, s->top[i] + PAD + SIZE, "number", number,
		strlen(number));
	for (unsigned int k = 0; k < s->l->n; k++)
		if (r->cell[k])
			cell(s, i, k);
}

/* ---- around them ---- */

static const char style[] =
	"<style>\n"
	"text{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;"
	"font-size:11.5px;fill:#24292f}\n"
	".title{font-size:17px;font-weight:bold}\n"
	".title tspan{fill:#b42318}\n"
	".head{font-size:13px;font-weight:bold;text-anchor:middle}\n"
	".number{text-anchor:end;fill:#8c959f}\n"
	".where,.tag{fill:#6e7781;font-size:10.5px}\n"
	".change{fill:#0a5c8f}\n"
	".end{fill:#b42318;font-weight:bold}\n"
	".life{stroke:#d0d7de;stroke-width:1;stroke-dasharray:2 4}\n"
	".act{fill:#f6f8fa;stroke:#afb8c1}\n"
	".effect{fill:#eef6fc;stroke:#b6d9f0}\n"
	".bad{fill:#fff0ee;stroke:#d92d20;stroke-width:1.6}\n"
	".arrow{fill:none;stroke:#57606a;stroke-width:1.3}\n"
	".host{stroke:#0a5c8f}\n"
	"</style>\n"
	"<defs><marker id=\"tip\" markerWidth=\"9\" markerHeight=\"8\" "
	"refX=\"7\" refY=\"4\" orient=\"auto\"><path d=\"M0 0.5L8 4L0 7.5z\" "
	"fill=\"#57606a\"/></marker>\n"
	"<marker id=\"htip\" markerWidth=\"9\" markerHeight=\"8\" refX=\"7\" "
	"refY=\"4\" orient=\"auto\"><path d=\"M0 0.5L8 4L0 7.5z\" "
	"fill=\"#0a5c8f\"/></marker></defs>\n";

static size_t wide(const struct svg *s)
{
	return (size_t)((s->width - 2 * PAD - 8) / CHAR);
}

static void heading(struct svg *s, const struct svg_text *t)
{
	fputs("<text x=\"12\" y=\"30\" class=\"title\"><tspan>", s->f);
	put_text(s->f, t->word, strlen(t->word));
	fputs("</tspan>: ", s->f);
	put_text(s->f, t->title, strlen(t->title));
	fputs("</text>\n", s->f);
	s->y = 42;
	paragraph(s, 12, wide(s), "what", t->below);
}

static void lifelines(struct svg *s, double top, double bottom)
{
	for (unsigned int k = 0; k < s->l->n; k++) {
		double x = lane_x(k) + LANE / 2.0;

		text_at(s, x, top - 8, "head", lane_name(s->l, k), 4);
		fprintf(s->f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
			"y2=\"%.1f\" class=\"life\"/>\n", x, top, x, bottom);
	}
}

/* The height is known only at the end, so the body is written to memory. */
void svg_lanes(FILE *to, const struct lanes *l, const struct svg_text *t)
{
	struct svg s = {
		.l = l, .top = calloc(l->nrows + 1, sizeof(double)),
		.width = lane_x(l->n) - GAP + 12,
	};
	char *body = NULL;
	size_t size = 0;
	double top;

	s.f = open_memstream(&body, &size);
	if (!s.top || !s.f)
		abort();
	heading(&s, t);
	top = s.y + 34;
	s.y = place_rows(&s, top + 6);
	lifelines(&s, top, s.y);
	/* Boxes come later, so that an arrow passes behind them. */
	for (size_t i = 0; i < l->nrows; i++)
		arrows(&s, i);
	for (size_t i = 0; i < l->nrows; i++)
		row(&s, i);
	s.y += 8;
	paragraph(&s, 12, wide(&s), "end", t->end);
	paragraph(&s, 12, wide(&s), "where", t->where);
	fclose(s.f);
	fprintf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
		"height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n%s<rect "
		"width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
		"%s</svg>\n",
		s.width, s.y + 14, s.width, s.y + 14, style, body);
	free(body);
	free(s.top);
}
