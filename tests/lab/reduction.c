// SPDX-License-Identifier: GPL-2.0
/*
 * Reduction on and off must find the same: the same verdict, and the same set
 * of property states (what a reader or bystander can meet, lab.h). Bad
 * transitions are not followed. What lies beyond one may be reached by another
 * way in one machine only (a dirty line that was written back in time), so of
 * an unsafe order only the verdict is compared.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STATES 1500000

struct result {
	enum explore_result r;
	uint64_t states, transitions, seen, hash;
	uint32_t codes;		/* properties broken, one bit each */
};

static unsigned int passed, failed, unfinished;

static void question(struct lab_config *q, bool reduce, struct result *r)
{
	struct explore_limits lim = { .states = MOST_STATES,
				      .keep_going = true };
	struct explore *x;
	const char *why;
	struct lab *l;

	q->reduce = reduce;
	l = lab_new(q, &why);
	if (!l) {
		fprintf(stderr, "refused: %s\n", why);
		exit(1);
	}
	lab_observe(l, true);
	x = explore_new(lab_model(l));
	memset(r, 0, sizeof(*r));
	r->r = explore_run(x, &lim);
	r->states = explore_stats(x)->states;
	r->transitions = explore_stats(x)->transitions;
	r->codes = explore_stats(x)->bad ? 1u : 0u;
	lab_observations(l, &r->seen, &r->hash);
	explore_free(x);
	lab_free(l);
}

static void compare(struct lab_config *q, const char *order, const char *what)
{
	struct result on, off;
	bool same;

	if (airlock_order_named(order, q->platform, q->to, &q->order))
		exit(2);
	question(q, true, &on);
	question(q, false, &off);
	if (on.r == EXPLORE_LIMIT || off.r == EXPLORE_LIMIT) {
		unfinished++;
		printf("unfinished  %-8s platform %d to %d %s\n", order,
		       q->platform, q->to, what);
		return;
	}
	same = on.codes == off.codes &&
		(on.codes || (on.seen == off.seen && on.hash == off.hash));
	if (same)
		passed++;
	else
		failed++;
	printf("%s %-16s platform %d to %d %-12s states %7llu %8llu  property states %5llu %5llu%s\n",
	       same ? "ok    " : "FAILED", order, q->platform, q->to, what,
	       (unsigned long long)on.states, (unsigned long long)off.states,
	       (unsigned long long)on.seen, (unsigned long long)off.seen,
	       on.codes ? "  unsafe" : "");
}

static void orders(void)
{
	for (unsigned int p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (unsigned int to = 0; to < 2; to++)
			for (unsigned int i = 0;
			     i < airlock_named_order_count; i++) {
				struct lab_config q;

				lab_config_default(&q);
				q.platform = (enum airlock_platform)p;
				q.to = (enum airlock_to)to;
				q.store_buffer = 2;
				compare(&q, airlock_named_orders[i].name,
					"2 CPUs");
			}
}

static void shapes(void)
{
	for (unsigned int p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (unsigned int to = 0; to < 2; to++) {
			struct lab_config q;

			lab_config_default(&q);
			q.platform = (enum airlock_platform)p;
			q.to = (enum airlock_to)to;
			q.store_buffer = 2;
			q.pages = 1;
			q.leaf_2m = true;
			compare(&q, "airlock", "2M leaf");
			q.leaf_2m = false;
			q.host = LAB_HOST_FAILING;
			compare(&q, "airlock", "failing");
			q.host = LAB_HOST_HOSTILE;
			q.acts = 1;
			compare(&q, "airlock", "hostile");
			q.host = LAB_HOST_BENIGN;
			q.cpus = 3;
			compare(&q, "airlock", "3 CPUs");
			compare(&q, "linux", "3 CPUs");
			q.cpus = 2;
			q.converters = 2;
			compare(&q, "airlock", "2 convert");
			q.overlap = LAB_OVERLAP_SAME;
			compare(&q, "airlock", "same page");
			q.overlap = LAB_OVERLAP_NONE;
			q.converters = 1;
			q.vmalloc = true;
			compare(&q, "airlock", "vmalloc");
		}
}

int main(void)
{
	orders();
	shapes();
	if (unfinished)
		printf("%u too large without reduction (%d states)\n",
		       unfinished, MOST_STATES);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
