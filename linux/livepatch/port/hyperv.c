// SPDX-License-Identifier: GPL-2.0
/*
 * Under a paravisor, SNP with vTOM and TD partitioning: the hypercall that
 * changes who sees a page. The paravisor validates or accepts.
 *
 * Sources: Hyper-V TLFS, HvCallModifySparseGpaPageHostVisibility; Linux
 * arch/x86/hyperv/ivm.c. Neither a flush before nor two behind: the entries
 * are not present, once, for all of it.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <asm/mshyperv.h>

#include "port.h"

static unsigned int fill(struct hv_gpa_range_for_visibility *in,
			 const struct airlock_job *j, unsigned long at,
			 bool shared)
{
	struct airlock_piece p;
	unsigned int n = 0;

	in->partition_id = HV_PARTITION_ID_SELF;
	in->host_visibility = shared ? VMBUS_PAGE_VISIBLE_READ_WRITE :
			      VMBUS_PAGE_NOT_VISIBLE;
	in->reserved0 = 0;
	in->reserved1 = 0;
	while (n < HV_MAX_MODIFY_GPA_REP_COUNT &&
	       airlock_piece(j->c, at, j->to, &p))
		for (; n < HV_MAX_MODIFY_GPA_REP_COUNT && p.pages;
		     p.pages--, at++)
			in->gpa_page_list[n++] = p.pfn++;
	return n;
}

/* @done: how many of the list the hypervisor says it did. */
static int call(struct hv_gpa_range_for_visibility *in, unsigned int n,
		unsigned int *done, u64 *status)
{
	unsigned int stalls = 0;
	int err = AIRLOCK_OK;
	u64 control;

	while (!err && *done < n) {
		control = HVCALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY |
			  (u64)n << HV_HYPERCALL_REP_COMP_OFFSET |
			  (u64)*done << HV_HYPERCALL_REP_START_OFFSET;
		*status = hv_do_hypercall(control, in, NULL);
		err = airlock_hv_answer(*status, n, done, &stalls);
	}
	return err;
}

static int change_some(struct airlock_job *j, unsigned long at, bool shared,
		       unsigned int *n, unsigned int *done, u64 *detail)
{
	struct hv_gpa_range_for_visibility *in;
	unsigned long flags;
	int status = AIRLOCK_E_REFUSED;

	*n = *done = 0;
	/*
	 * Before Hyper-V is set up nobody has a page, and a CPU that comes up
	 * gets its own on the way.
	 */
	if (!hyperv_pcpu_input_arg)
		return status;
	local_irq_save(flags);
	in = *this_cpu_ptr(hyperv_pcpu_input_arg);
	if (in) {
		*n = fill(in, j, at, shared);
		status = call(in, *n, done, detail);
	}
	local_irq_restore(flags);
	return status;
}

static int change_all(struct airlock_job *j, bool shared)
{
	unsigned long at = j->from;
	unsigned int n, done;
	u64 detail = 0;
	int status;

	for (; at < j->to; at += done) {
		status = change_some(j, at, shared, &n, &done, &detail);
		if (status == AIRLOCK_V_REPS)
			return airlock_lied(j, status, at + done, at + n, 0,
					    detail);
		if (status)
			return airlock_failed(j, status, at + done, at + n);
	}
	return AIRLOCK_OK;
}

static int make_private(struct airlock_job *j)
{
	return change_all(j, false);
}

static int make_shared(struct airlock_job *j)
{
	return change_all(j, true);
}

const struct airlock_backend airlock_hyperv = {
	.to_private = {
		{ make_private, make_shared },
	},
	.to_shared = {
		{ make_shared, make_private },
	},
};
