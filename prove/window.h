/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_WINDOW_H
#define PROVE_WINDOW_H

#include "system.h"

extern const struct guard_name window_guards[];
extern const unsigned int window_guard_count;

/* The window's system and its invariants. @drop: a guard, or NULL. */
void window_make(struct system *s, struct invariants *v, const char *drop);

#endif
