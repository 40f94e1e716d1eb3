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
 */

#include <signal.h>
#include <stdio.h>
#include <jansson.h>
#include "draw.h"
#include "lab.h"
#include "seam.h"

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
	FIELD_INTERRUPTS, FIELD_MIGRATIONS, FIELD_FLUSH, FIELD_RECLAIM,
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
	bool refine;		/* compare with the proof, too */
};

struct answer {
	enum answer_kind {
		ANSWER_NONE,	/* never started */
		ANSWER_SAFE, ANSWER_UNSAFE, ANSWER_LIMIT, ANSWER_STOPPED,
		ANSWER_REFUSED,	/* the question makes no sense; see why */
		ANSWER_DIED,	/* the worker did; see why */
		ANSWER_APART,	/* safe, but not as the proof has it: see seam */
	} kind;
	struct lab_verdict v;
	double seconds;		/* all of the work, on the clock */
	char why[200];
	char (*file)[64];	/* what v.event[].file points to */
	struct seam seam;	/* what the proof says to it, if asked */
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

/* For whoever has workers: SIGINT and SIGTERM set these. */
extern volatile bool worker_stop;
extern volatile sig_atomic_t worker_interrupts;	/* how many came */
void worker_interrupts_catch(void);
/* A worker that ends with its parent. Return: 0 in it; it exits on failure. */
pid_t worker_fork(void);

/* ---- linux_names.c ---- */

/*
 * For Linux's order: the function of Linux that does what happens at @e; NULL
 * for another order, or where Linux does nothing of the kind. @at: how far the
 * CPU is in its order; 0 before its first event.
 */
const char *linux_function(const struct question *q,
			   const struct lab_event *e, unsigned int *at);

/* ---- sweep.c: verdicts on many orders ---- */

#define SWEEP_COLUMNS	(2 * AIRLOCK_PLATFORMS)
#define SWEEP_STEPS	8	/* of the orders that are made, at most */

struct orders_list {
	struct airlock_order *order;
	size_t n, room;
};

void orders_add(struct orders_list *l, const struct airlock_order *o);
/* Every order of so many steps; alias, which proves nothing here, left out. */
void orders_of_steps(struct orders_list *l, unsigned int steps);
/* One order a line. Return: false, having said why on stderr. */
bool orders_read(const char *who, const char *name, struct orders_list *l);
/* Leave every @of-th order, from the @part-th on. */
void orders_shard(struct orders_list *l, unsigned int part, unsigned int of);

struct sweep_verdict {
	uint8_t kind;		/* enum answer_kind */
	uint8_t bad;		/* enum lab_bad */
	uint8_t exception;	/* enum lab_exception */
};

struct sweep {
	struct lab_config base;
	struct orders_list list;
	struct sweep_column {
		enum airlock_platform platform;
		enum airlock_to to;
		bool asked;
	} column[SWEEP_COLUMNS];
	unsigned int jobs;
	uint64_t states, memory;	/* limits for each question; 0: none */
	double seconds;
	bool first_only;		/* not safe once: no more of this order */
	bool progress;			/* a line on stderr */
	struct sweep_verdict *v;
	void *board;
	size_t bytes;
};

/* Another column: each order is asked about there. */
void sweep_ask(struct sweep *s, enum airlock_platform p, enum airlock_to to);
unsigned int sweep_columns(const struct sweep *s);
void sweep_run(struct sweep *s);
const struct sweep_verdict *sweep_get(const struct sweep *s, size_t order,
				      unsigned int column);
/* "safe", "#VC", "limit". */
const char *sweep_word(const struct sweep_verdict *v);
void sweep_free(struct sweep *s);

/* verdicts.c: what it found */
bool sweep_safe(const struct sweep *s, size_t order);	/* in all columns */
/* Something ended before its end, or died. */
bool sweep_unfinished(const struct sweep *s, size_t order);
void verdicts_lines(const struct sweep *s);
void verdicts_table(const struct sweep *s);
enum cli_exit verdicts_exit(const struct sweep *s);
/* Of the whole, before orders_shard(). */
uint64_t sweep_hash(const struct sweep *s);

/* ---- lanes.c ---- */

struct lanes *lanes_new(const struct question *q, const struct answer *a);

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
/* A file's answers are a part of what was asked in all. */
struct asked {
	size_t all;			/* questions, or orders of a sweep */
	uint64_t hash;			/* of all of them */
	unsigned int part, parts;
};
json_t *json_asked(const struct asked *q);
bool asked_read(const json_t *file, struct asked *q);
json_t *json_answers(const struct question *q, const struct answer *a,
		     size_t n, const struct asked *asked);
json_t *json_sweep(const struct sweep *s, const struct asked *q);
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

/* Colour codes, empty without colour. */
#define RED(on)		((on) ? "\033[1;31m" : "")
#define GREEN(on)	((on) ? "\033[32m" : "")
#define YELLOW(on)	((on) ? "\033[33m" : "")
#define PLAIN(on)	((on) ? "\033[0m" : "")

/* ---- subcommands: argv[0] is "airlock NAME" ---- */

int cli_check(int argc, char **argv);
int cli_prove(int argc, char **argv);
int cli_orders(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_replay(int argc, char **argv);

#endif
