/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_EMIT_H
#define WATCH_EMIT_H

/* What was found, as lines of JSON, with the kernel's names of addresses. */
#include "ksyms.h"
#include "watch.h"

struct emit;

struct emit *emit_open(const char *path, const uint8_t *ram, uint64_t size);
void emit_watch(struct emit *e, const struct watch *w);
void emit_symbols(struct emit *e, const struct ksyms *k);
void emit_begin(struct emit *e, unsigned int symbols);
void emit_finding(struct emit *e, const struct watch_finding *f);
void emit_end(struct emit *e, const struct watch *w, bool begun);

#endif
