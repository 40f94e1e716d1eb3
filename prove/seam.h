/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_SEAM_H
#define PROVE_SEAM_H

/*
 * The seam: is every transition that the lab explores, with the engine's own
 * code, one of the proved system? And does every invariant hold in every
 * state?
 */

#include "system.h"

struct lab_config;

struct seam {
	unsigned long states, transitions, pairs;
	char why[300];		/* where it came apart; empty: nowhere */
};

/* @cfg: without reduction, one converter. Return: whether it holds. */
bool seam_check(const struct lab_config *cfg, const struct system *s,
		const struct invariants *v, struct seam *r);

#endif
