// SPDX-License-Identifier: GPL-2.0
/*
 * The failure contract, with a host that refuses its Nth call, for every N
 * that occurs: after each conversion the outcome, the ledger, the page tables
 * and the machine agree, page by page, and the next conversion works.
 *
 * One CPU converts, the others read.
 */
#include "kernel.h"

static void failed_at(const struct job *j, u64 gpa, const char *what)
{
	fail("%s: page %lx %s", j->name, gpa, what);
}

/* What the entry, the ledger and the machine say of one page. */
static void check_page(const struct job *j, u64 va)
{
	u64 gpa = gpa_of(va), v;
	enum airlock_page p = airlock_page(engine, gpa);
	unsigned int state = (unsigned int)call1(CVM_PAGE_STATE, gpa) &
			     CVM_STATE_MASK;

	if (p == AIRLOCK_PAGE_QUARANTINE) {
		if (probe(va, &v) || probe(DIRECT + gpa, &v))
			failed_at(j, gpa, "is in quarantine and mapped");
		return;
	}
	if (p == AIRLOCK_PAGE_TRANSITION)
		failed_at(j, gpa, "is left in transition");
	if (state != (p == AIRLOCK_PAGE_SHARED ? CVM_STATE_SHARED :
		      CVM_STATE_PRIVATE))
		failed_at(j, gpa, "is not what the ledger says");
	else if (!probe(va, &v))
		failed_at(j, gpa, "is not mapped");
}

/* Ends of each range and some pages between: each is an exit. */
static void check_job(const struct job *j)
{
	for (unsigned int i = 0; i < j->n; i++) {
		u64 n = j->r[i].pages, step = n / 4 + 1;

		for (u64 p = 0; p < n; p += step)
			check_page(j, j->r[i].va + p * PAGE);
		check_page(j, j->r[i].va + (n - 1) * PAGE);
	}
}

/* There, and back, with the Nth call to the host refused. Return: was there
 * an Nth call? */
static bool one(const struct job *j, enum cvm_host kind, u64 n)
{
	u64 before = call1(CVM_COUNTER, CVM_N_HOST_REFUSED);
	enum airlock_page state;

	call2(CVM_HOST, kind, n);
	for (unsigned int i = 0; i < 2; i++) {
		convert_job(j, false);
		check_job(j);
	}
	call2(CVM_HOST, CVM_HOST_KVM, 0);
	/* One that failed on the way there is there still, or never was. */
	if (job_state(j, &state) && state == AIRLOCK_PAGE_SHARED)
		convert_job(j, false);
	check_job(j);
	if (!job_state(j, &state) || state != AIRLOCK_PAGE_PRIVATE)
		fail("%s: not all pages are back after one refusal", j->name);
	return call1(CVM_COUNTER, CVM_N_HOST_REFUSED) != before;
}

static void every_n(const struct job *j, enum cvm_host kind)
{
	u64 most = option_number("most", ~0UL), n = 1;

	while (n <= most && one(j, kind, n))
		n++;
	say("%-12s every call up to %lu refused%s", j->name, n - 1,
	    kind == CVM_HOST_FAILING_HALF ? " half done" : "");
}

void failing(void)
{
	const struct area *a = &area[0];

	for (unsigned int i = 0; i < a->jobs; i++) {
		every_n(&a->job[i], CVM_HOST_FAILING);
		every_n(&a->job[i], CVM_HOST_FAILING_HALF);
	}
}
