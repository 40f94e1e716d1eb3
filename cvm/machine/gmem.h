/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory through its own page tables. */
#ifndef CVM_GMEM_H
#define CVM_GMEM_H

#include "types.h"

struct vcpu;

struct mapping {
	u64 hpa;			/* machine address of the byte */
	u64 leaf;			/* the leaf entry, 0 when unpaged */
	unsigned int level;		/* 0 4K, 1 2M, 2 1G */
};
bool guest_map(struct vcpu *c, u64 va, struct mapping *m);
bool guest_read(struct vcpu *c, u64 va, void *to, size_t n);
bool guest_write(struct vcpu *c, u64 va, const void *from, size_t n);
size_t guest_code(struct vcpu *c, u8 code[4]);

#endif
