/* SPDX-License-Identifier: GPL-2.0 */
/* What a freestanding program misses of a C library; the debug console. */
#ifndef CVM_LIB_H
#define CVM_LIB_H

#include "types.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool word_value(const char *s, const char *name, const char **value);
u64 parse_u64(const char *s, const char **end);
u64 random64(u64 *state);
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);
void vformat(char *buf, size_t size, const char *fmt, va_list ap);

#endif
