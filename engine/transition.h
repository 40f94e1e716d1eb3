/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef AIRLOCK_TRANSITION_H
#define AIRLOCK_TRANSITION_H

/*
 * What transition.c asks of a backend, and nothing else.
 *
 * The engine's own backend is backend.c and host.c, over pagetable.c,
 * ledger.c, window.c and platform/. Linux puts its own code here instead and
 * builds transition.c and order.c as they are.
 *
 * All of these run between the claim of the pages and their release: nobody
 * else converts them or touches their entries, so no lock is held.
 */

#include <airlock/airlock.h>

/* One call of airlock_convert(); only its backend looks inside. */
struct airlock_call;

/**
 * airlock_be_alias() - have mappings removed that can be
 */
void airlock_be_alias(struct airlock_call *c);

/**
 * airlock_be_pass() - one write to every leaf entry of ranges and aliases
 * @present, @flipped: what the entries say afterwards; @flipped means the
 *	attribute of the wanted state, else that of the former state
 * With @present, entries of quarantined pages are left alone. Allocates
 * nothing and cannot fail; doing a pass twice is doing it once.
 */
void airlock_be_pass(struct airlock_call *c, bool present, bool flipped);

/**
 * airlock_be_tlb() - one shootdown for ranges and aliases
 */
void airlock_be_tlb(struct airlock_call *c);

/**
 * airlock_be_cache() - flush the data cache, if this platform wants it
 * @window: through the window, else through the range's own mapping
 */
void airlock_be_cache(struct airlock_call *c, bool window);

/**
 * airlock_be_prepare(), airlock_be_notify() - the platform's work
 * notify does what prepare would have done where no prepare ran before it.
 * Return: AIRLOCK_OK, or why not. The backend remembers what the host holds.
 */
int airlock_be_prepare(struct airlock_call *c, bool window);
int airlock_be_notify(struct airlock_call *c, bool window);

/**
 * airlock_be_undo() - have the host take all of it back
 * Called at most once, with the pages not present anywhere. What cannot be
 * taken back, or is in doubt, goes into quarantine.
 */
void airlock_be_undo(struct airlock_call *c);

/**
 * airlock_be_finish() - release the pages
 * @done: they are in the wanted state, else in the former one; pages in
 *	quarantine stay there
 */
void airlock_be_finish(struct airlock_call *c, bool done);

/* ---- transition.c itself ---- */

/**
 * airlock_transition() - run an order over pages that have been claimed
 * Context: no lock, not pinned; sends IPIs. Return: enum airlock_status.
 */
int airlock_transition(struct airlock_call *c,
		       const struct airlock_order *order);

/* ---- order.c, for those that take an order from outside ---- */

/**
 * airlock_order_check() - may this order be run at all?
 * Context: any. Return: AIRLOCK_OK or AIRLOCK_E_ORDER.
 */
int airlock_order_check(const struct airlock_order *order);

#endif
