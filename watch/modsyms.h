/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_MODSYMS_H
#define WATCH_MODSYMS_H

/*
 * Names of functions in modules, from the kernel's own list of modules.
 * @modules: the address of the kernel's variable of that name.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Eight bytes of the guest's memory, 0 where nothing is mapped. */
typedef uint64_t (*modsyms_read)(void *ctx, uint64_t va);

bool modsyms_name(modsyms_read rd, void *ctx, uint64_t modules, uint64_t at,
		  char *name, size_t size, uint64_t *offset);

#endif
