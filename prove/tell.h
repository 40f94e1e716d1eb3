/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_TELL_H
#define PROVE_TELL_H

#include "instance.h"

/* What it means that a term, which begins so, is true or is not; or NULL. */
const char *term_words(const char *term, bool value);
/* A state, page by page; with @than what is otherwise in it alone. */
void state_words(FILE *to, const struct instance *x, const uint8_t *st,
		 const uint8_t *than);

#endif
