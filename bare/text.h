/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BARE_TEXT_H
#define BARE_TEXT_H

#include "types.h"

/* The compiler calls the first four by itself. */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool text_is(const char *a, const char *b);

/*
 * %s %c %u %d %x %% and %lu %ld %lx; a width, with - to the left, with 0
 * filled with zeros.
 */

/* Character by character, to @put. */
void vformat_to(void (*put)(void *arg, char c), void *arg, const char *fmt,
		va_list ap);

/* Into a buffer of @size bytes, at least 1. Return: what is in it, without
 * the null byte; what does not fit is cut off. */
size_t vformat(char *buf, size_t size, const char *fmt, va_list ap);
__attribute__((format(printf, 3, 4)))
size_t format(char *buf, size_t size, const char *fmt, ...);

#endif
