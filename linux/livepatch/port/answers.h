/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_LINUX_ANSWERS_H
#define AIRLOCK_LINUX_ANSWERS_H

/*
 * What a host's answers mean. No call of the kernel's, so that a program can
 * try every answer.
 */

#define AIRLOCK_STALLS		3	/* answers in a row without progress */
#define AIRLOCK_MAPGPA_RETRY	1
#define AIRLOCK_HV_TIMEOUT	0x78

/*
 * MapGPA of @size bytes at @start: @r, and on RETRY @next, the first address
 * that is not done. @bytes receives how many are.
 */
static inline int airlock_mapgpa_answer(u64 r, u64 next, u64 start, u64 size,
					unsigned int *stalls, u64 *bytes)
{
	*bytes = 0;
	if (r && r != AIRLOCK_MAPGPA_RETRY)
		return AIRLOCK_E_REFUSED;
	if (!r)
		next = start + size;
	else if (next - start >= size || next & (AIRLOCK_PAGE_SIZE - 1))
		return AIRLOCK_V_MAPGPA;
	*bytes = next - start;
	*stalls = *bytes ? 0 : *stalls + 1;
	return *stalls == AIRLOCK_STALLS ? AIRLOCK_E_STALLED : AIRLOCK_OK;
}

/*
 * A hypercall for @n pages of which @done were done before. @status has how
 * many are now, counted from the first; an error may leave that at 0. A
 * time-out is no error: the call is made again from where it stopped.
 */
static inline int airlock_hv_answer(u64 status, unsigned int n,
				    unsigned int *done, unsigned int *stalls)
{
	unsigned int reps = status >> 32 & 0xfff, code = status & 0xffff;

	if (reps > n || (!code && reps < *done))
		return AIRLOCK_V_REPS;
	*stalls = reps > *done ? 0 : *stalls + 1;
	if (reps > *done)
		*done = reps;
	if (code && code != AIRLOCK_HV_TIMEOUT)
		return AIRLOCK_E_REFUSED;
	return *stalls == AIRLOCK_STALLS ? AIRLOCK_E_STALLED : AIRLOCK_OK;
}

#endif
