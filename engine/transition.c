// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of a transition, their order, and the way back.
 *
 * What this file knows of the pages is three bits, the same for all of them:
 *
 *   present   some entry may say PRESENT
 *   flipped   the entries carry the attribute of the wanted state
 *   stale     a TLB may hold what the entries no longer say
 *
 *               np            tlb                 present
 *   [present] ------> [stale] ------> [not present] ------> [present]
 *       |               ^                 |                     ^
 *       |  flip         |                 |  a step fails       |
 *       +---------------+                 v                     |
 *       |                       undo what the host did ---------+ former state
 *       |   a step fails            |                           ^
 *       +--> np, tlb ---------------+         (not those in quarantine)
 *
 * The airlock is the middle of the picture: while the host and the entries
 * may disagree about a page, no entry and no TLB maps it. Orders that do not
 * go through the middle can be run here too, which is how the lab shows what
 * becomes of them; on the way back every order does.
 *
 * No page-table format, no platform, no lock and no memory: see transition.h.
 */

#include "transition.h"

struct transition {
	bool present;
	bool flipped;
	bool stale;
};

/* One pass: the entries change from what @t says to @present, @flipped. */
static void pass(struct airlock_call *c, struct transition *t,
		 bool present, bool flipped)
{
	/* An entry that was not present is in no TLB: present needs no flush.
	 */
	if (t->present && (!present || flipped != t->flipped))
		t->stale = true;
	t->present = present;
	t->flipped = flipped;
	airlock_be_pass(c, present, flipped);
}

static void tlb(struct airlock_call *c, struct transition *t)
{
	airlock_be_tlb(c);
	t->stale = false;
}

static bool by_window(uint8_t s)
{
	return s & AIRLOCK_STEP_WINDOW;
}

static int step(struct airlock_call *c, struct transition *t, uint8_t s)
{
	switch (s & ~AIRLOCK_STEP_WINDOW) {
	case AIRLOCK_STEP_ALIAS:
		airlock_be_alias(c);
		break;
	case AIRLOCK_STEP_NP:
		pass(c, t, false, t->flipped);
		break;
	case AIRLOCK_STEP_FLIP:
		pass(c, t, t->present, true);
		break;
	case AIRLOCK_STEP_NP_FLIP:
		pass(c, t, false, true);
		break;
	case AIRLOCK_STEP_PRESENT:
		pass(c, t, true, t->flipped);
		break;
	case AIRLOCK_STEP_FLIP_PRESENT:
		pass(c, t, true, true);
		break;
	case AIRLOCK_STEP_TLB:
		tlb(c, t);
		break;
	case AIRLOCK_STEP_CACHE:
		airlock_be_cache(c, by_window(s));
		break;
	case AIRLOCK_STEP_PREPARE:
		return airlock_be_prepare(c, by_window(s));
	case AIRLOCK_STEP_NOTIFY:
		return airlock_be_notify(c, by_window(s));
	}
	return AIRLOCK_OK;
}

/*
 * The way back: close the first door whatever the order did with it, have the
 * host take its part back, open the door again to what is certain.
 *
 * Without the first half, an order that keeps its mapping present could be
 * left, after a failure, with a page in quarantine that a TLB still maps:
 *
 *   CPU 0                              CPU 1
 *   prepare fails, page in doubt
 *                                      speculation fills the TLB
 *   clear PRESENT, give the page up
 *                                      reads it: the host's page, or a fault
 */
static void unwind(struct airlock_call *c, struct transition *t)
{
	if (t->present)
		pass(c, t, false, false);
	if (t->stale)
		tlb(c, t);
	airlock_be_undo(c);
	pass(c, t, true, false);
}

int airlock_transition(struct airlock_call *c,
		       const struct airlock_order *order)
{
	const uint8_t *s = order->step, *end = s + order->nsteps;
	struct transition t = { .present = true };
	int status = AIRLOCK_OK;

	for (; s < end; s++) {
		status = step(c, &t, *s);
		if (status) {
			unwind(c, &t);
			break;
		}
	}
	airlock_be_finish(c, !status);
	return status;
}
