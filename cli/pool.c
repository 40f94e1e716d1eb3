// SPDX-License-Identifier: GPL-2.0
/*
 * Worker processes. Each question is answered by a process of its own: the
 * lab lives at fixed addresses, so a process has room for one, and what one
 * question leaves in memory cannot reach another. The parent takes answers as
 * they come and hands them on in the order of the questions.
 *
 * A worker sends messages over a pipe: a head, then as many bytes as it says.
 *
 *   MSG_PROGRESS  struct progress, about five times a second
 *   MSG_ANSWER    struct reply, then one struct wire_event per event
 */
#include "cli.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MSG_PROGRESS = 1, MSG_ANSWER = 2 };

struct head {
	uint32_t kind;
	uint32_t bytes;
};

struct progress {
	uint64_t states;
};

struct reply {
	enum answer_kind kind;
	struct lab_verdict v;	/* pointers mean nothing */
	double seconds;
	char why[200];
	struct seam seam;
};

struct wire_event {
	struct lab_event e;	/* file means nothing */
	char file[64];
};

struct worker {
	pid_t pid;		/* 0: free */
	int fd;
	size_t question;
	char *buf;
	size_t have;
	uint64_t states;
	bool answered;
};

/* The same variables serve the parent and, after fork(), the worker. */
volatile bool worker_stop;
volatile sig_atomic_t worker_interrupts;
static bool out_of_memory;
static uint64_t memory_limit;
static int answer_fd;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void on_interrupt(int sig)
{
	(void)sig;
	worker_stop = true;
	worker_interrupts++;
}

void worker_interrupts_catch(void)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

pid_t worker_fork(void)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		err(CLI_LIMIT, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CLI_LIMIT);
	return 0;
}

unsigned int pool_default_jobs(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 256 ? 256 : (unsigned int)n;
}

/* Four fifths of what the machine can give without swapping. */
static uint64_t free_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return (uint64_t)kib * 1024 / 5 * 4;
}

/* ---- in the worker ---- */

static void send_all(const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t k = write(answer_fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			_exit(CLI_LIMIT);	/* nobody listens any more */
		p += k;
		n -= (size_t)k;
	}
}

static uint64_t resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void on_progress(void *ctx, const struct explore *x)
{
	struct head h = { MSG_PROGRESS, sizeof(struct progress) };
	struct progress p = { explore_stats(x)->states };

	(void)ctx;
	send_all(&h, sizeof(h));
	send_all(&p, sizeof(p));
	/* The explorer counts its own memory; this counts everyone's. */
	if (memory_limit && resident() > memory_limit)
		out_of_memory = worker_stop = true;
}

static enum answer_kind kind_of(const struct lab_verdict *v, int rc)
{
	if (rc)
		return ANSWER_REFUSED;
	switch (v->result) {
	case EXPLORE_DONE:
		return ANSWER_SAFE;
	case EXPLORE_BAD:
	case EXPLORE_DEADLOCK:
		return ANSWER_UNSAFE;
	case EXPLORE_STOPPED:
		return out_of_memory ? ANSWER_LIMIT : ANSWER_STOPPED;
	default:
		return ANSWER_LIMIT;
	}
}

static void send_answer(const struct reply *r)
{
	struct head h = {
		MSG_ANSWER, (uint32_t)(sizeof(*r) + r->v.nevents *
				       sizeof(struct wire_event))
	};

	send_all(&h, sizeof(h));
	send_all(r, sizeof(*r));
	for (size_t i = 0; i < r->v.nevents; i++) {
		struct wire_event w = { .e = r->v.event[i] };

		if (w.e.file)
			snprintf(w.file, sizeof(w.file), "%s", w.e.file);
		send_all(&w, sizeof(w));
	}
}

/* Safe; and is all that happened a run of the proved system? */
static void refine(const struct question *q, const struct explore_limits *lim,
		   struct reply *r)
{
	static const enum answer_kind kind[] = {
		[SEAM_NONE] = ANSWER_SAFE, [SEAM_HOLDS] = ANSWER_SAFE,
		[SEAM_APART] = ANSWER_APART, [SEAM_LIMIT] = ANSWER_LIMIT,
		[SEAM_REFUSED] = ANSWER_REFUSED,
	};

	if (!q->refine || r->kind != ANSWER_SAFE)
		return;
	seam_ask(&q->cfg, lim, &r->seam);
	r->kind = kind[r->seam.result];
	if (r->kind == ANSWER_LIMIT && worker_stop && !out_of_memory)
		r->kind = ANSWER_STOPPED;
	if (r->kind == ANSWER_REFUSED)
		r->v.why = r->seam.why;
}

static void work(const struct pool *p, const struct question *q)
{
	struct explore_limits lim = {
		.states = p->states, .bytes = memory_limit,
		.seconds = p->seconds, .stop = &worker_stop,
		.progress = on_progress,
	};
	struct reply r = { .kind = ANSWER_NONE };
	double begin = now();
	int rc = lab_check(&q->cfg, &lim, &r.v);

	r.kind = kind_of(&r.v, rc);
	if (r.v.result == EXPLORE_DEADLOCK)
		r.v.bad = LAB_BAD_ENDLESS;
	refine(q, &lim, &r);
	r.seconds = now() - begin;
	snprintf(r.why, sizeof(r.why), "%s", r.v.why ? r.v.why : "");
	send_answer(&r);
}

/* ---- in the parent ---- */

static void start(struct worker *w, const struct pool *p,
		  const struct question *q, size_t i)
{
	int fd[2];

	if (pipe(fd))
		err(CLI_LIMIT, "pipe");
	*w = (struct worker){
		.fd = fd[0], .question = i, .pid = worker_fork(),
	};
	if (w->pid) {
		close(fd[1]);
		return;
	}
	close(fd[0]);
	answer_fd = fd[1];
	work(p, &q[i]);
	_exit(0);
}

static void take_answer(struct worker *w, struct answer *a, const char *data)
{
	struct reply r;

	memcpy(&r, data, sizeof(r));
	data += sizeof(r);
	*a = (struct answer){ .kind = r.kind, .v = r.v, .seconds = r.seconds,
			      .seam = r.seam };
	a->v.why = NULL;
	a->v.event = calloc(r.v.nevents + 1, sizeof(*a->v.event));
	a->file = calloc(r.v.nevents + 1, sizeof(*a->file));
	if (!a->v.event || !a->file)
		err(CLI_LIMIT, "out of memory");
	memcpy(a->why, r.why, sizeof(a->why));
	for (size_t i = 0; i < r.v.nevents; i++) {
		struct wire_event e;

		memcpy(&e, data + i * sizeof(e), sizeof(e));
		a->v.event[i] = e.e;
		memcpy(a->file[i], e.file, sizeof(e.file));
		a->v.event[i].file = e.file[0] ? a->file[i] : NULL;
	}
	w->answered = true;
}

/* Take whole messages off the front of the buffer. */
static void take_messages(struct worker *w, struct answer *a)
{
	struct head h;

	while (w->have >= sizeof(h)) {
		const char *data = w->buf + sizeof(h);

		memcpy(&h, w->buf, sizeof(h));
		if (w->have < sizeof(h) + h.bytes)
			return;
		if (h.kind == MSG_PROGRESS)
			memcpy(&w->states, data, sizeof(w->states));
		else
			take_answer(w, a, data);
		w->have -= sizeof(h) + h.bytes;
		memmove(w->buf, data + h.bytes, w->have);
	}
}

static void end(struct worker *w, struct answer *a)
{
	int status = 0;

	close(w->fd);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!w->answered) {
		memset(a, 0, sizeof(*a));
		a->kind = ANSWER_DIED;
		snprintf(a->why, sizeof(a->why), WIFSIGNALED(status) ?
			 "the worker was ended by signal %d" :
			 "the worker exited with %d", WIFSIGNALED(status) ?
			 WTERMSIG(status) : WEXITSTATUS(status));
	}
	free(w->buf);
	*w = (struct worker){ 0 };
}

static void listen_to(struct worker *w, struct answer *a)
{
	enum { CHUNK = 65536 };
	ssize_t n;

	w->buf = realloc(w->buf, w->have + CHUNK);
	if (!w->buf)
		err(CLI_LIMIT, "out of memory");
	n = read(w->fd, w->buf + w->have, CHUNK);
	if (n < 0 && errno == EINTR)
		return;
	if (n > 0) {
		w->have += (size_t)n;
		take_messages(w, a);
	} else {
		end(w, a);
	}
}

struct run {
	const struct pool *p;
	const struct question *q;
	struct answer *a;
	size_t n, next, running, ended, told;
	bool *done;
	struct worker *w;
	struct pollfd *poll;
	double begin;
	bool line;		/* a progress line is on the screen */
	int passed_on;
};

static void clear_line(struct run *r)
{
	if (r->line)
		fputs("\r\033[K", stderr);
	r->line = false;
}

static void show_progress(struct run *r)
{
	uint64_t states = 0;

	if (!r->p->progress)
		return;
	for (unsigned int j = 0; j < r->p->jobs; j++)
		states += r->w[j].states;
	clear_line(r);
	fprintf(stderr, "%zu of %zu answered, %zu running: %lu states, %.0f s",
		r->ended, r->n, r->running, (unsigned long)states,
		now() - r->begin);
	fflush(stderr);
	r->line = true;
}

static void tell(struct run *r)
{
	while (r->told < r->n && r->done[r->told]) {
		clear_line(r);
		if (r->p->ready)
			r->p->ready(r->p->ctx, r->told);
		r->told++;
	}
	fflush(stdout);
}

/* The first interrupt asks workers for what they have; the second ends them. */
static void pass_on_interrupts(struct run *r)
{
	if (worker_interrupts == r->passed_on)
		return;
	r->passed_on = worker_interrupts;
	for (unsigned int j = 0; j < r->p->jobs; j++)
		if (r->w[j].pid)
			kill(r->w[j].pid, worker_interrupts > 1 ? SIGKILL :
			     SIGINT);
}

static void fill_workers(struct run *r)
{
	for (unsigned int j = 0; j < r->p->jobs; j++) {
		if (r->w[j].pid || r->next == r->n || worker_stop)
			continue;
		start(&r->w[j], r->p, r->q, r->next++);
		r->running++;
	}
}

static void wait_for_workers(struct run *r)
{
	for (unsigned int j = 0; j < r->p->jobs; j++)
		r->poll[j] = (struct pollfd){
			.fd = r->w[j].pid ? r->w[j].fd : -1, .events = POLLIN,
		};
	if (poll(r->poll, r->p->jobs, 200) <= 0)
		return;
	for (unsigned int j = 0; j < r->p->jobs; j++) {
		struct worker *w = &r->w[j];
		size_t i = w->question;

		if (!r->poll[j].revents)
			continue;
		listen_to(w, &r->a[i]);
		if (w->pid)
			continue;
		r->done[i] = true;
		r->running--;
		r->ended++;
	}
}

bool pool_run(const struct pool *p, const struct question *q,
	      struct answer *a, size_t n)
{
	struct run r = { .p = p, .q = q, .a = a, .n = n, .begin = now() };

	r.done = calloc(n, sizeof(*r.done));
	r.w = calloc(p->jobs, sizeof(*r.w));
	r.poll = calloc(p->jobs, sizeof(*r.poll));
	if (!r.done || !r.w || !r.poll)
		err(CLI_LIMIT, "out of memory");
	memory_limit = p->memory ? p->memory :
		free_memory() / (p->jobs < n ? p->jobs : n);
	worker_interrupts_catch();
	while (fill_workers(&r), r.running) {
		wait_for_workers(&r);
		pass_on_interrupts(&r);
		tell(&r);
		show_progress(&r);
	}
	memset(r.done, 1, n);
	tell(&r);
	clear_line(&r);
	free(r.done);
	free(r.w);
	free(r.poll);
	return !worker_stop;
}
