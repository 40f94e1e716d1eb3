// SPDX-License-Identifier: GPL-2.0
/*
 * Verdicts on many orders. A worker process answers one question after the
 * other, orders as they come; what it finds stands in memory that all share.
 * A worker that dies costs the question it was at, and another takes over.
 */
#include "cli.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What workers and parent share; the verdicts follow. */
struct board {
	size_t next;			/* the order that nobody has yet */
	struct { size_t at; bool busy; } worker[256];
	struct sweep_verdict v[];
};

/* ---- orders ---- */

static const uint8_t vocabulary[] = {
	AIRLOCK_STEP_NP, AIRLOCK_STEP_FLIP, AIRLOCK_STEP_NP_FLIP,
	AIRLOCK_STEP_PRESENT, AIRLOCK_STEP_FLIP_PRESENT, AIRLOCK_STEP_TLB,
	AIRLOCK_STEP_CACHE, AIRLOCK_STEP_CACHE | AIRLOCK_STEP_WINDOW,
	AIRLOCK_STEP_PREPARE, AIRLOCK_STEP_PREPARE | AIRLOCK_STEP_WINDOW,
	AIRLOCK_STEP_NOTIFY, AIRLOCK_STEP_NOTIFY | AIRLOCK_STEP_WINDOW,
};

void orders_add(struct orders_list *l, const struct airlock_order *o)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->order = realloc(l->order, l->room * sizeof(*l->order));
		if (!l->order)
			err(CLI_LIMIT, "out of memory");
	}
	l->order[l->n++] = *o;
}

/* Is it an order? The parser knows; the printer writes nothing else. */
static bool is_order(const struct airlock_order *o)
{
	char text[AIRLOCK_ORDER_STEPS * 20];
	struct airlock_order same;

	airlock_order_print(o, text, sizeof(text));
	return !airlock_order_parse(text, &same, NULL);
}

/* No order flips twice or tells the host twice: no need to look further. */
static bool too_many(const struct airlock_order *o)
{
	unsigned int flips = 0, notifies = 0, prepares = 0;

	for (unsigned int i = 0; i < o->nsteps; i++) {
		uint8_t s = o->step[i] & (uint8_t)~AIRLOCK_STEP_WINDOW;

		flips += s == AIRLOCK_STEP_FLIP || s == AIRLOCK_STEP_NP_FLIP ||
			s == AIRLOCK_STEP_FLIP_PRESENT;
		notifies += s == AIRLOCK_STEP_NOTIFY;
		prepares += s == AIRLOCK_STEP_PREPARE;
	}
	return flips > 1 || notifies > 1 || prepares > 1;
}

static void grow(struct orders_list *l, struct airlock_order *o,
		 unsigned int steps)
{
	if (o->nsteps == steps) {
		if (is_order(o))
			orders_add(l, o);
		return;
	}
	for (size_t i = 0; i < sizeof(vocabulary); i++) {
		o->step[o->nsteps++] = vocabulary[i];
		if (!too_many(o))
			grow(l, o, steps);
		o->step[--o->nsteps] = 0;
	}
}

void orders_of_steps(struct orders_list *l, unsigned int steps)
{
	struct airlock_order o = { 0 };

	grow(l, &o, steps);
}

bool orders_read(const char *who, const char *name, struct orders_list *l)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "r") : stdin;
	struct airlock_order o;
	char line[1024];
	bool typed, ok = true;

	if (!f)
		err(CLI_USAGE, "%s", name);
	while (ok && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		ok = order_read(who, line, &typed, &o);
		if (ok && !typed) {
			fprintf(stderr, "%s: %s: '%s' differs by platform: "
				"steps only\n", who, name, line);
			ok = false;
		}
		if (ok)
			orders_add(l, &o);
	}
	if (ferror(f))
		err(CLI_USAGE, "%s", name);
	if (f != stdin)
		fclose(f);
	return ok;
}

void orders_shard(struct orders_list *l, unsigned int part, unsigned int of)
{
	size_t n = 0;

	for (size_t i = part - 1; i < l->n; i += of)
		l->order[n++] = l->order[i];
	l->n = n;
}

/* ---- questions ---- */

unsigned int sweep_columns(const struct sweep *s)
{
	unsigned int n = 0;

	while (n < SWEEP_COLUMNS && s->column[n].asked)
		n++;
	return n;
}

const struct sweep_verdict *sweep_get(const struct sweep *s, size_t order,
				      unsigned int column)
{
	return &s->v[order * SWEEP_COLUMNS + column];
}

void sweep_ask(struct sweep *s, enum airlock_platform p, enum airlock_to to)
{
	unsigned int n = sweep_columns(s);

	s->column[n] = (struct sweep_column){ p, to, true };
}

const char *sweep_word(const struct sweep_verdict *v)
{
	struct answer a = { .kind = (enum answer_kind)v->kind };

	if (v->kind == ANSWER_UNSAFE)
		return lab_bad_word(v->bad, (enum lab_exception)v->exception);
	return answer_word(&a);
}

/* ---- in a worker ---- */

static void answer_one(const struct sweep *s, const struct lab_config *q,
		       struct sweep_verdict *v)
{
	struct explore_limits lim = {
		.states = s->states, .bytes = s->memory, .seconds = s->seconds,
		.stop = &worker_stop,
	};
	struct lab_verdict w;

	if (lab_check(q, &lim, &w)) {
		v->kind = ANSWER_REFUSED;
		return;
	}
	v->bad = (uint8_t)(w.result == EXPLORE_DEADLOCK ? LAB_BAD_ENDLESS :
			   w.bad);
	v->exception = (uint8_t)w.exception;
	v->kind = w.result == EXPLORE_DONE ? ANSWER_SAFE :
		w.result == EXPLORE_BAD || w.result == EXPLORE_DEADLOCK ?
		ANSWER_UNSAFE : w.result == EXPLORE_STOPPED ? ANSWER_NONE :
		ANSWER_LIMIT;
	lab_verdict_free(&w);
}

static void answer_order(const struct sweep *s, size_t i)
{
	struct lab_config q = s->base;

	q.order = s->list.order[i];
	for (unsigned int k = 0; k < sweep_columns(s) && !worker_stop; k++) {
		struct sweep_verdict *v = &s->v[i * SWEEP_COLUMNS + k];

		if (v->kind != ANSWER_NONE && s->first_only)
			return;
		if (v->kind != ANSWER_NONE)
			continue;
		q.platform = s->column[k].platform;
		q.to = s->column[k].to;
		v->kind = ANSWER_DIED;	/* unless this comes back */
		answer_one(s, &q, v);
		if (s->first_only && v->kind != ANSWER_SAFE)
			return;
	}
}

static void work(const struct sweep *s, struct board *b, unsigned int me)
{
	size_t i;

	if (b->worker[me].busy)	/* whoever was here before did not end it */
		answer_order(s, b->worker[me].at);
	while (!worker_stop) {
		i = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED);
		if (i >= s->list.n)
			break;
		b->worker[me].at = i;
		b->worker[me].busy = true;
		answer_order(s, i);
		b->worker[me].busy = false;
	}
	b->worker[me].busy = false;
}

/* ---- in the parent ---- */

static pid_t start(const struct sweep *s, struct board *b, unsigned int me)
{
	pid_t pid = worker_fork();

	if (pid)
		return pid;
	work(s, b, me);
	_exit(0);
}

static void show(const struct sweep *s, const struct board *b)
{
	size_t n = __atomic_load_n(&b->next, __ATOMIC_RELAXED);

	if (!s->progress)
		return;
	fprintf(stderr, "\r%zu of %zu orders\033[K",
		n < s->list.n ? n : s->list.n, s->list.n);
}

static void wait_for_all(const struct sweep *s, struct board *b, pid_t *pid)
{
	unsigned int running = s->jobs;
	int status;
	pid_t p;

	while (running) {
		for (unsigned int i = 0; worker_interrupts && i < s->jobs; i++)
			if (pid[i])
				kill(pid[i], SIGINT);
		p = waitpid(-1, &status, WNOHANG);
		if (p <= 0) {
			usleep(50000);
			show(s, b);
			continue;
		}
		for (unsigned int i = 0; i < s->jobs; i++) {
			if (pid[i] != p)
				continue;
			pid[i] = 0;
			running--;
			if (b->worker[i].busy && !worker_interrupts) {
				pid[i] = start(s, b, i);
				running++;
			}
		}
	}
	if (s->progress)
		fprintf(stderr, "\r\033[K");
}

void sweep_run(struct sweep *s)
{
	size_t cells = s->list.n * SWEEP_COLUMNS;
	struct board *b;
	pid_t *pid = calloc(s->jobs, sizeof(*pid));

	s->bytes = sizeof(*b) + (cells + 1) * sizeof(b->v[0]);
	b = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!pid || b == MAP_FAILED)
		err(CLI_LIMIT, "out of memory");
	s->board = b;
	s->v = b->v;
	worker_interrupts_catch();
	for (unsigned int i = 0; i < s->jobs; i++)
		pid[i] = start(s, b, i);
	wait_for_all(s, b, pid);
	free(pid);
}

void sweep_free(struct sweep *s)
{
	munmap(s->board, s->bytes);
	free(s->list.order);
}
