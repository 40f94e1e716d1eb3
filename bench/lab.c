// SPDX-License-Identifier: GPL-2.0
/*
 * How fast the lab is, and how large its states are. Lines for
 * scripts/bench-table on standard output.
 *
 * The rates are those of explorations without reduction, where every fill,
 * drop and drain is an event; one process on one core. An exploration's
 * transitions are counted as the explorer is given them; the engine's own
 * code runs in each that is a step of a converting CPU.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void ask(const struct lab_config *q, struct lab_verdict *v)
{
	struct explore_limits lim = { .states = 40000000 };

	if (lab_check(q, &lim, v)) {
		fprintf(stderr, "bench: %s\n", v->why);
		exit(1);
	}
	lab_verdict_free(v);
}

static void finished(const struct lab_verdict *v)
{
	if (v->result == EXPLORE_DONE)
		return;
	fprintf(stderr, "bench: the default order was not explored to the end\n");
	exit(1);
}

static void rates(void)
{
	struct lab_verdict off, on;
	struct lab_config q;

	lab_config_default(&q);
	q.cpus = 3;
	ask(&q, &on);
	finished(&on);
	q.reduce = false;
	ask(&q, &off);
	finished(&off);
	printf("lab.transitions_per_s\t%.0f\tSNP to shared, 3 CPUs, 2 pages, no reduction: %llu transitions\n",
	       (double)off.stats.transitions / off.stats.seconds,
	       (unsigned long long)off.stats.transitions);
	printf("lab.states_per_s\t%.0f\tthe same: %llu states\n",
	       (double)off.stats.states / off.stats.seconds,
	       (unsigned long long)off.stats.states);
	printf("lab.bytes_per_state\t%.1f\tthe same, with all that is interned, without the hash table\n",
	       off.bytes_per_state);
	printf("lab.reduction_factor\t%.0f\tthe same: states without reduction over states with (%llu)\n",
	       (double)off.stats.states / (double)on.stats.states,
	       (unsigned long long)on.stats.states);
}

/*
 * The other extreme: with reduction nearly every transition is a step of the
 * engine's own code on a stack put back for it.
 */
static void steps(void)
{
	struct lab_verdict v;
	struct lab_config q;

	lab_config_default(&q);
	q.cpus = q.converters = 2;
	q.pages = 3;
	q.leaf_2m = true;
	q.overlap = LAB_OVERLAP_LEAF;
	q.host = LAB_HOST_FAILING;
	ask(&q, &v);
	finished(&v);
	printf("lab.engine_steps_per_s\t%.0f\tSNP to shared, 2 CPUs convert 3 pages each of one 2M leaf, failing, reduced: %llu transitions\n",
	       (double)v.stats.transitions / v.stats.seconds,
	       (unsigned long long)v.stats.transitions);
}

/* Two workers would halve it; this is one. */
static void all_orders(void)
{
	double start = now();
	unsigned int n = 0;

	for (unsigned int p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (unsigned int i = 0; i < airlock_named_order_count; i++)
			for (unsigned int to = 0; to < 2; to++) {
				struct lab_verdict v;
				struct lab_config q;

				lab_config_default(&q);
				q.platform = (enum airlock_platform)p;
				q.to = (enum airlock_to)to;
				airlock_order_named(
					airlock_named_orders[i].name,
					q.platform, q.to, &q.order);
				ask(&q, &v);
				n++;
			}
	printf("lab.all_orders_s\t%.2f\t%u questions, 2 CPUs, 2 pages, benign, one worker, shortest counterexamples too\n",
	       now() - start, n);
}

static void failing(void)
{
	double start = now();
	uint64_t states = 0;

	for (unsigned int p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (unsigned int to = 0; to < 2; to++) {
			struct lab_verdict v;
			struct lab_config q;

			lab_config_default(&q);
			q.platform = (enum airlock_platform)p;
			q.to = (enum airlock_to)to;
			q.cpus = 3;
			q.host = LAB_HOST_FAILING;
			ask(&q, &v);
			finished(&v);
			states += v.stats.states;
		}
	printf("lab.failing_3cpus_s\t%.2f\tall platforms and directions, 3 CPUs, 2 pages, failing host: %llu states\n",
	       now() - start, (unsigned long long)states);
}

int main(void)
{
	rates();
	steps();
	all_orders();
	failing();
	return 0;
}
