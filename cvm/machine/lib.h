/* SPDX-License-Identifier: GPL-2.0 */
/* Words and numbers of a command line, chance, and the debug console. */
#ifndef CVM_LIB_H
#define CVM_LIB_H

#include "../../bare/text.h"
#include "types.h"

bool word_value(const char *s, const char *name, const char **value);
u64 parse_u64(const char *s, const char **end);
u64 random64(u64 *state);
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

#endif
