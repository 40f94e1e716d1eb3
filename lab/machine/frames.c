// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: what the machine holds of each 4K of guest-physical memory, as runs
 * of equal frames. Neighbouring runs always differ, so equal contents have
 * equal bytes and a state is canonical.
 */
#include "machine.h"

#include <err.h>
#include <string.h>

static unsigned int run_of(const struct mach *m, uint32_t gfn)
{
	unsigned int i = m->nruns;

	while (i > 1 && m->run[i - 1].gfn > gfn)
		i--;
	return i - 1;
}

uint16_t frame_get(uint32_t gfn)
{
	const struct mach *m = &lab->w.m;

	if (gfn >= GFN_END)
		return 0;
	return m->run[run_of(m, gfn)].flags;
}

/* Begin a run at gfn, if none begins there. */
static void cut(struct mach *m, uint32_t gfn)
{
	unsigned int i;

	if (gfn >= GFN_END)
		return;
	i = run_of(m, gfn);
	if (m->run[i].gfn == gfn)
		return;
	if (m->nruns == LAB_RUNS)
		errx(3, "lab: more than %d runs of frames", LAB_RUNS);
	memmove(&m->run[i + 2], &m->run[i + 1],
		(m->nruns - i - 1) * sizeof(m->run[0]));
	m->run[i + 1] = (struct frame_run){ (uint16_t)gfn, m->run[i].flags };
	m->nruns++;
}

static void merge(struct mach *m)
{
	unsigned int n = 1;

	for (unsigned int i = 1; i < m->nruns; i++)
		if (m->run[i].flags != m->run[n - 1].flags)
			m->run[n++] = m->run[i];
	memset(&m->run[n], 0, (m->nruns - n) * sizeof(m->run[0]));
	m->nruns = (uint8_t)n;
}

void frame_change(uint32_t gfn, uint32_t count, uint16_t clear, uint16_t set)
{
	struct mach *m = &lab->w.m;
	uint32_t end = gfn + count;

	cut(m, gfn);
	cut(m, end);
	for (unsigned int i = 0; i < m->nruns; i++) {
		struct frame_run *r = &m->run[i];

		if (r->gfn >= gfn && r->gfn < end)
			r->flags = (uint16_t)((r->flags & ~clear) | set);
	}
	merge(m);
	lab->w.mach_dirty = true;
}

uint32_t frame_differs(uint32_t gfn, uint32_t end, uint16_t mask,
		       uint16_t want)
{
	const struct mach *m = &lab->w.m;
	unsigned int i = run_of(m, gfn);

	for (; i < m->nruns && m->run[i].gfn < end; i++) {
		if ((m->run[i].flags & mask) != want)
			return m->run[i].gfn > gfn ? m->run[i].gfn : gfn;
	}
	return end;
}
