/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_KSYMS_H
#define WATCH_KSYMS_H

/*
 * The names of a Linux kernel's own functions, as it carries them for
 * /proc/kallsyms, read from its memory: so they are of the kernel that runs,
 * at the addresses at which it runs, whoever built it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ksyms;

/*
 * In memory that begins with the kernel or before, and is at @pa in the
 * guest's. NULL: there are none.
 */
struct ksyms *ksyms_find(const uint8_t *memory, uint64_t size, uint64_t pa);
void ksyms_free(struct ksyms *k);
unsigned int ksyms_count(const struct ksyms *k);
/* 0: there is no such name. */
uint64_t ksyms_address(const struct ksyms *k, const char *name);
/* The function that @at is in, with the offset; false: none. */
bool ksyms_name(const struct ksyms *k, uint64_t at, char *name, size_t size,
		uint64_t *offset);

#endif
