/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_CLI_H
#define AIRLOCK_CLI_H

/*
 * The `airlock` command.
 *
 * Words
 *   question  one platform, one order, one direction and the bounds
 *   answer    what a worker process found out about it
 *   field     one member of struct lab_config, by its option's name; options,
 *             trace files, JSON and the command that reproduces an answer all
 *             go through the same table of fields
 *   lane      a column of a drawing: one per CPU, and one for the host
 */

#include <stdio.h>
#include <jansson.h>
#include "lab.h"

#define CLI_COLUMNS	80

enum cli_exit {
	CLI_SAFE	= 0,
	CLI_UNSAFE	= 1,	/* a counterexample was printed */
	CLI_USAGE	= 2,
	CLI_LIMIT	= 3,	/* ended before the end: says nothing */
};

/* ---- field.c ---- */

enum field {
	FIELD_PLATFORM, FIELD_TO, FIELD_CPUS, FIELD_CONVERTERS, FIELD_OVERLAP,
	FIELD_PAGES, FIELD_RANGES, FIELD_ROUNDS, FIELD_LEAF, FIELD_MAPPING,
	FIELD_HOST, FIELD_ACTS,
	FIELD_STORE_BUFFER, FIELD_COHERENT, FIELD_NO_EVICT, FIELD_TDX_RELEASE,
	FIELD_REDUCTION, FIELD_COUNT
};

#define FIELD_TEXT 24	/* enough for any value, as text */

const char *field_name(enum field f);
unsigned int field_get(const struct lab_config *cfg, enum field f);
void field_set(struct lab_config *cfg, enum field f, unsigned int value);
/* The value as text, in @buf. Return: @buf. */
const char *field_text(const struct lab_config *cfg, enum field f,
		       char buf[FIELD_TEXT]);
/* Return: false for a text that is no value of @f; nothing is changed. */
bool field_parse(struct lab_config *cfg, enum field f, const char *text);
/* What values @f takes, in words, for a message. */
const char *field_values(enum field f, char *buf, size_t size);
/* Options that differ from @base, each with a space before it. */
void field_options(FILE *to, const struct lab_config *cfg,
		   const struct lab_config *base);
/* By name. Return: FIELD_COUNT for no such field. */
enum field field_find(const char *name);

const char *platform_name(enum airlock_platform p);
const char *to_name(enum airlock_to to);
bool platform_parse(const char *text, enum airlock_platform *p);

/* The platforms of `--platform all`. */
extern const enum airlock_platform all_platforms[];
extern const unsigned int all_platform_count;

/* ---- question.c ---- */

struct question {
	struct lab_config cfg;
	char order[24];		/* name of the order; "typed" if by hand */
};

struct answer {
	enum answer_kind {
		ANSWER_NONE,	/* never started */
		ANSWER_SAFE, ANSWER_UNSAFE, ANSWER_LIMIT, ANSWER_STOPPED,
		ANSWER_REFUSED,	/* the question makes no sense; see why */
		ANSWER_DIED,	/* the worker did; see why */
	} kind;
	struct lab_verdict v;
	double seconds;		/* all of the work, on the clock */
	char why[200];
	char (*file)[64];	/* what v.event[].file points to */
};

/* Order text, steps separated by commas. Return: malloc()ed. */
char *order_text(const struct airlock_order *o, bool spaces);
bool order_is_typed(const struct question *q);
/*
 * A named order or steps. On failure says why on stderr, with a caret under
 * the place. @typed: receives whether it was steps.
 */
bool order_read(const char *who, const char *text, bool *typed,
		struct airlock_order *o);
/* What was explored, in words. Return: malloc()ed. */
char *question_bounds(const struct question *q);
/* The command that asks this question. Return: malloc()ed. */
char *question_command(const struct question *q);
/* "safe: all N states" and the like. Return: malloc()ed. */
char *answer_text(const struct answer *a);
const char *answer_word(const struct answer *a);
/* What is wrong, in a word: "#VC", "fault"; "safe" if nothing is. */
const char *answer_why(const struct answer *a);
/* What went wrong, in one sentence. */
const char *answer_sentence(const struct answer *a);
void answer_free(struct answer *a);
/* The exit code for all answers together. */
enum cli_exit answers_exit(const struct answer *a, size_t n);

/* ---- pool.c: worker processes ---- */

struct pool {
	unsigned int jobs;
	uint64_t states;	/* limits for each question; 0: none */
	double seconds;
	uint64_t memory;	/* bytes; 0: what is free, shared by workers */
	bool progress;		/* a line on stderr */
	/* Called in the order of questions, as soon as their turn has come. */
	void (*ready)(void *ctx, size_t i);
	void *ctx;
};

/* Return: false when it was interrupted. */
bool pool_run(const struct pool *p, const struct question *q,
	      struct answer *a, size_t n);
unsigned int pool_default_jobs(void);

/* ---- lanes.c, wrap.c: what a drawing shows, and where ---- */

#define LANES (LAB_MAX_CPUS + 1)

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
	size_t nrows;
	struct lane_row *row;
};

struct lanes *lanes_new(const struct question *q, const struct answer *a);
void lanes_free(struct lanes *l);
/* "CPU0", "host". */
const char *lane_name(const struct lanes *l, unsigned int lane);

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

/* ---- what is printed and written ---- */

/* report.c */
struct report {
	const struct question *q;
	struct answer *a;
	size_t n;
	bool colour;
	size_t order_width;
};
void report_head(const struct report *r);
void report_row(const struct report *r, size_t i);
void report_sum(const struct report *r, double seconds);
void report_matrix(const struct report *r);
void report_one(const struct report *r, size_t i);

/* render.c */
void render(FILE *to, const struct question *q, const struct answer *a,
	    bool colour);
void render_heading(FILE *to, const struct question *q,
		    const struct answer *a);
/* svg.c, json.c, trace.c */
void svg_write(FILE *to, const struct question *q, const struct answer *a);
json_t *json_answers(const struct question *q, const struct answer *a,
		     size_t n);
void trace_write(FILE *to, const struct question *q, const struct answer *a);

struct trace_event {
	int actor;
	explore_label label;
	char text[160];
};

struct trace {
	struct question q;
	uint32_t bad;
	char version[24];
	struct trace_event *event;
	size_t nevents;
};

/* Return: false, having said why on stderr. */
bool trace_read(const char *file, struct trace *t);
void trace_free(struct trace *t);

/* Write to a file, "-" is stdout. Exits with CLI_USAGE if it cannot. */
FILE *output_open(const char *name);
void output_close(FILE *f, const char *name);

/* Colour codes, empty without colour. */
#define RED(on)		((on) ? "\033[1;31m" : "")
#define GREEN(on)	((on) ? "\033[32m" : "")
#define YELLOW(on)	((on) ? "\033[33m" : "")
#define PLAIN(on)	((on) ? "\033[0m" : "")

/* ---- subcommands: argv[0] is "airlock NAME" ---- */

int cli_check(int argc, char **argv);
int cli_prove(int argc, char **argv);
int cli_orders(int argc, char **argv);
int cli_replay(int argc, char **argv);

#endif
