/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CLI_DRAW_H
#define CLI_DRAW_H

/*
 * Drawings: in 80 columns of ASCII, and as SVG.
 *
 *   lane      a column of a drawing: one per CPU, and one for the host
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_COLUMNS	80
#define LANES	5		/* at most: they fit into 80 columns */

/* ---- lanes.c: what a drawing shows, and where ---- */

/*
 * One event. A cell is a number of paragraphs, each ending in a newline; the
 * first is the action, in the actor's lane; leading spaces are its indent.
 */
struct lane_row {
	unsigned int actor;		/* lane */
	int from;			/* lane an arrow comes from, or -1 */
	int to_host;			/* an arrow goes to the host */
	char *cell[LANES];		/* NULL: empty */
	bool bad;			/* the event that breaks a property */
};

struct lanes {
	unsigned int n;			/* CPUs and the host, which is last */
	unsigned int cpu[LANES];	/* each lane's */
	size_t nrows;
	struct lane_row *row;
};

/* Empty ones, of CPU 0 and so on. */
struct lanes *lanes_empty(unsigned int cpus, size_t rows);
/* A paragraph more: @text is ASCII, whatever it says. */
void lanes_put(struct lane_row *r, unsigned int lane, const char *indent,
	       const char *text, size_t len);
void lanes_free(struct lanes *l);
/* "CPU0", "host". */
const char *lane_name(const struct lanes *l, unsigned int lane);

/* ---- wrap.c ---- */

/*
 * The next line of a cell at most @width wide: @indent spaces, then @len bytes
 * from @start. Return: where to go on, NULL at the end of the text.
 */
struct line {
	const char *start;
	size_t len;
	size_t indent;
};
const char *line_next(const char *text, const char *at, size_t width,
		      struct line *line);
size_t line_count(const char *text, size_t width);
/* Print @text wrapped, after a label and all of it @indent from the left. */
#define CLI_LABEL 10	/* "platform  " and the like */
void print_wrapped(FILE *to, const char *label, int indent, const char *text);
/* A shell command, continued with backslashes. */
void print_command(FILE *to, const char *command);

/* ---- text.c, svg.c ---- */

/* The rows only. */
void render_lanes(FILE *to, const struct lanes *l);
/* @word in red, @title and @below it the head; @end and @where the foot. */
struct svg_text {
	const char *word, *title, *below, *end, *where;
};
void svg_lanes(FILE *to, const struct lanes *l, const struct svg_text *t);

/* ---- output.c ---- */

/* Write to a file, "-" is stdout. Exits with 2 if it cannot. */
FILE *output_open(const char *name);
void output_close(FILE *f, const char *name);

#endif
