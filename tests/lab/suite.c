// SPDX-License-Identifier: GPL-2.0
/*
 * The engine's own order, in every shape: what `make check` holds to be safe
 * to the end, and what a mutant of the engine has to get past.
 *
 * suite [--first] [SHAPE]: with --first, stop at the first counterexample and
 * print its verdict in one line; SHAPE is part of the name of those to try.
 */
#include "lab.h"
#include "../../cvm/abi/platforms.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct shape {
	const char *name;
	unsigned int cpus, converters, pages, acts;
	bool leaf_2m, vmalloc;
	enum lab_host host;
	enum lab_overlap overlap;
	uint32_t features;
	unsigned int rounds;
	unsigned int ranges;
	unsigned int start;		/* in its first 2M */
	bool mixed;
	unsigned int fails;
	bool together, lazy;
	bool interrupts, reclaim;
	unsigned int migrations;
	enum lab_flush flush;
};

static const struct shape shapes[] = {
	{ "2 pages", 2, 1, 2, .host = LAB_HOST_BENIGN },
	{ "1 page, failing", 2, 1, 1, .host = LAB_HOST_FAILING },
	{ "3 CPUs, failing", 3, 1, 2, .host = LAB_HOST_FAILING },
	{ "3 pages, failing", 2, 1, 3, .host = LAB_HOST_FAILING },
	{ "hostile", 2, 1, 2, 2, .host = LAB_HOST_HOSTILE },
	{ "3 pages, failing twice", 2, 1, 3, .host = LAB_HOST_FAILING,
	  .fails = 2 },
	{ "with release, twice", 2, 1, 2, .host = LAB_HOST_FAILING,
	  .fails = 2, .features = AIRLOCK_F_TDX_RELEASE },
	{ "slow", 2, 1, 3, .host = LAB_HOST_SLOW },
	{ "whole 2M leaf, slow", 2, 1, 512, .leaf_2m = true,
	  .host = LAB_HOST_SLOW },
	{ "with release, slow", 2, 1, 2, .host = LAB_HOST_SLOW,
	  .features = AIRLOCK_F_TDX_RELEASE },
	{ "part of a 2M leaf", 2, 1, 2, .leaf_2m = true },
	{ "part, failing", 2, 1, 2, .leaf_2m = true,
	  .host = LAB_HOST_FAILING },
	{ "whole 2M leaf", 2, 1, 512, .leaf_2m = true },
	{ "512 pages", 2, 1, 512, .host = LAB_HOST_BENIGN },
	{ "40 pages, 2 leaves", 2, 1, 40, .leaf_2m = true, .start = 500 },
	{ "40 pages over a border", 2, 1, 40, .start = 500,
	  .host = LAB_HOST_FAILING },
	{ "40 pages, 4K and 2M", 2, 1, 40, .leaf_2m = true, .mixed = true,
	  .start = 500 },
	{ "parts and a whole leaf", 2, 1, 530, .leaf_2m = true, .start = 509 },
	{ "4K and 2M leaves", 2, 1, 518, .leaf_2m = true, .mixed = true,
	  .start = 510 },
	{ "2 whole leaves", 2, 1, 1024, .leaf_2m = true },
	{ "scattered", 2, 1, 2, .vmalloc = true },
	{ "scattered in a 2M leaf", 2, 1, 2, .vmalloc = true, .leaf_2m = true,
	  .rounds = 2 },
	{ "vmalloc, 3 in a row", 2, 1, 3, .vmalloc = true, .together = true,
	  .leaf_2m = true, .host = LAB_HOST_FAILING },
	{ "lazy aliases", 2, 1, 2, .lazy = true },
	{ "18 scattered", 2, 1, 18, .vmalloc = true },
	{ "scattered, failing", 2, 1, 2, .vmalloc = true,
	  .host = LAB_HOST_FAILING },
	{ "2 convert", 3, 2, 1, .host = LAB_HOST_BENIGN },
	{ "2 convert, one leaf", 2, 2, 1, .leaf_2m = true,
	  .overlap = LAB_OVERLAP_LEAF },
	{ "2 convert, failing", 2, 2, 1, .leaf_2m = true,
	  .overlap = LAB_OVERLAP_LEAF, .host = LAB_HOST_FAILING },
	{ "2 convert one page", 2, 2, 1, .overlap = LAB_OVERLAP_SAME },
	{ "there and back", 2, 1, 2, .rounds = 2 },
	{ "3 rounds in a 2M leaf", 2, 1, 1, .leaf_2m = true, .rounds = 3 },
	{ "3 rounds, 2 convert", 2, 2, 1, .leaf_2m = true, .rounds = 3,
	  .overlap = LAB_OVERLAP_LEAF },
	{ "2 rounds, hostile", 2, 1, 2, 2, .rounds = 2,
	  .host = LAB_HOST_HOSTILE },
	{ "2 rounds, 2 leaves", 2, 2, 1, .leaf_2m = true, .rounds = 2 },
	{ "2 ranges", 2, 1, 1, .ranges = 2, .host = LAB_HOST_BENIGN },
	{ "2 ranges, failing", 2, 1, 1, .ranges = 2,
	  .host = LAB_HOST_FAILING },
	{ "2 ranges, 2M leaves", 2, 1, 1, .ranges = 2, .leaf_2m = true,
	  .rounds = 2 },
	{ "coherent, no evict", 2, 1, 2,
	  .features = AIRLOCK_F_COHERENT | AIRLOCK_F_NO_EVICT },
	{ "with release, failing", 2, 1, 2, .host = LAB_HOST_FAILING,
	  .features = AIRLOCK_F_TDX_RELEASE },
	{ "300 pages", 2, 1, 300, .start = 8,
	  .host = LAB_HOST_BENIGN },
	{ "560 pages over a border", 2, 1, 560, .start = 200 },
	{ "2 chunks of 4K", 2, 1, 1024, .host = LAB_HOST_BENIGN },
	{ "interrupts on", 2, 1, 2, .interrupts = true,
	  .host = LAB_HOST_FAILING },
	{ "interrupts on, 2 convert", 2, 2, 1, .leaf_2m = true,
	  .overlap = LAB_OVERLAP_LEAF, .interrupts = true },
	{ "2 migrations", 2, 1, 2, .migrations = 2 },
	{ "migrates, failing", 2, 1, 2, .migrations = 1,
	  .host = LAB_HOST_FAILING },
	{ "migrates, 2 ranges", 2, 1, 1, .migrations = 1, .ranges = 2,
	  .rounds = 2, .leaf_2m = true },
	{ "migrates, 2 convert", 3, 2, 1, .migrations = 1 },
	{ "broadcast", 2, 1, 2, .flush = LAB_FLUSH_BROADCAST },
	{ "broadcast, 2 convert", 2, 2, 1, .leaf_2m = true, .rounds = 2,
	  .overlap = LAB_OVERLAP_LEAF, .flush = LAB_FLUSH_BROADCAST },
	{ "before kexec", 1, 1, 3, .reclaim = true },
	{ "before kexec, failing", 1, 1, 3, .reclaim = true,
	  .host = LAB_HOST_FAILING },
	{ "before kexec, 2 ranges", 1, 1, 1, .ranges = 2, .reclaim = true,
	  .leaf_2m = true },
	{ "before kexec, odd", 1, 1, 40, .reclaim = true, .start = 501 },
	{ "before kexec, many", 1, 1, 530, .reclaim = true, .start = 509,
	  .leaf_2m = true },
	{ "with release, hostile", 2, 1, 2, 1, .host = LAB_HOST_HOSTILE,
	  .features = AIRLOCK_F_TDX_RELEASE },
};

static void fill(struct lab_config *q, const struct shape *s)
{
	lab_config_default(q);
	q->cpus = s->cpus;
	q->converters = s->converters;
	q->pages = s->pages;
	q->leaf_2m = s->leaf_2m;
	q->vmalloc = s->vmalloc;
	q->host = s->host;
	q->overlap = s->overlap;
	q->features = s->features;
	q->acts = s->acts;
	q->ranges = s->ranges ? s->ranges : 1;
	q->rounds = s->rounds ? s->rounds : 1;
	q->first = s->start;
	q->mixed = s->mixed;
	q->fails = s->fails;
	q->together = s->together;
	q->lazy = s->lazy;
	q->interrupts = s->interrupts;
	q->reclaim = s->reclaim;
	q->migrations = s->migrations;
	q->flush = s->flush;
}

static void tell(const struct lab_verdict *v)
{
	const struct lab_event *e = v->nevents ?
		&v->event[v->nevents - 1] : NULL;

	for (size_t i = 0; i < v->nevents; i++)
		printf("    %2zu  %2d  %s:%d  %s\n", i + 1, v->event[i].actor,
		       v->event[i].file ? v->event[i].file : "",
		       v->event[i].line, v->event[i].text);
	if (e)
		printf("    %s: %s\n", lab_bad_name(v->bad), e->why);
}

/* A limit says nothing: not safe, and no mistake found either. */
static bool limited;

static bool ask(const struct shape *s, enum airlock_platform p,
		enum airlock_to to, bool first)
{
	static const char *const names[] = {
		PLATFORMS_LAB_PLAIN(PLATFORM_ENGINE_NAME)
		PLATFORMS_LAB(PLATFORM_ENGINE_NAME)
	};
	struct explore_limits lim = { .states = 3000000 };
	struct lab_verdict v;
	struct lab_config q;
	bool ok;

	fill(&q, s);
	q.platform = p;
	q.to = to;
	if (lab_check(&q, &lim, &v)) {
		printf("refused: %s\n", v.why);
		return false;
	}
	ok = v.result == EXPLORE_DONE;
	limited |= v.result == EXPLORE_LIMIT;
	if (first && !ok)
		printf("%s, %s, %s: %s\n", names[p],
		       to ? "to shared" : "to private", s->name,
		       limited ? "limit" : lab_bad_name(v.bad));
	if (!first)
		printf("%s %-6s %-10s %-24s %8llu states %9llu transitions\n",
		       ok ? "safe  " : "FAILED", names[p],
		       to ? "to shared" : "to private", s->name,
		       (unsigned long long)v.stats.states,
		       (unsigned long long)v.stats.transitions);
	if (!first && !ok)
		tell(&v);
	lab_verdict_free(&v);
	return ok;
}

/*
 * For mutants, whose machine may be busy with others: CPU time, not the clock.
 * An engine that computes for ten seconds and calls no port loops: that is a
 * finding, exit 1. The whole has ten minutes; then it ended early and says
 * nothing, exit 3.
 */
#define TICK	5
#define ALL	600

static void tick(int sig)
{
	static const char loops[] = "the engine computes and calls no port\n";
	static const char late[] = "limit: CPU time\n";
	static uint64_t turn;
	static unsigned int same, ticks;
	uint64_t now = lab_engine_turn();

	(void)sig;
	same = now && now == turn ? same + 1 : 0;
	turn = now;
	if (same == 2) {
		(void)!write(STDOUT_FILENO, loops, sizeof(loops) - 1);
		_exit(1);
	}
	if (++ticks == ALL / TICK) {
		(void)!write(STDOUT_FILENO, late, sizeof(late) - 1);
		_exit(3);
	}
}

static void watch(void)
{
	static const struct itimerval every = {
		{ TICK, 0 }, { TICK, 0 },
	};
	struct sigaction sa = { .sa_handler = tick, .sa_flags = SA_ONSTACK };
	static stack_t stack;

	/* The engine's own stack is small, and part of a state. */
	stack.ss_size = 65536;
	stack.ss_sp = malloc(stack.ss_size);
	if (!stack.ss_sp || sigaltstack(&stack, NULL) ||
	    sigaction(SIGPROF, &sa, NULL) ||
	    setitimer(ITIMER_PROF, &every, NULL))
		exit(2);
}

int main(int argc, char **argv)
{
	bool first = argc > 1 && !strcmp(argv[1], "--first");
	const char *only = argc > 1 + first ? argv[1 + first] : "";
	unsigned int passed = 0, failed = 0;

	if (first)
		watch();
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (unsigned int p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
			for (unsigned int to = 0; to < 2; to++) {
				if (!strstr(shapes[i].name, only))
					continue;
				if (shapes[i].reclaim && to)
					continue;
				if (ask(&shapes[i], (enum airlock_platform)p,
					(enum airlock_to)to, first))
					passed++;
				else if (first)
					return limited ? 3 : 1;
				else
					failed++;
			}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
