// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory as its instructions see it: through CR3, four levels.
 * What the guest's tables point at is followed through either view, as the
 * machine's own address is the same.
 */
#include "config.h"
#include "gmem.h"
#include "lib.h"
#include "npt.h"
#include "vcpu.h"

#define PTE_PRESENT	1UL
#define PTE_LARGE	0x80UL
#define PTE_ADDR	(0xffffffffff000UL & ~GUEST_BIT)

bool guest_map(struct vcpu *c, u64 va, struct mapping *m)
{
	u64 at = c->v->cr3 & PTE_ADDR;

	*m = (struct mapping){ .hpa = va };
	if (!(c->v->cr0 & CR0_PG))
		return true;
	if (!(c->v->efer & EFER_LMA) || (va + (1UL << 47)) >> 48)
		return false;		/* 32-bit paging; not canonical */
	for (unsigned int level = 3;; level--) {
		unsigned int shift = 12 + 9 * level;
		u64 e;

		if (!is_ram(at))
			return false;
		e = *(u64 *)(at + (va >> shift & 511) * 8);
		if (!(e & PTE_PRESENT))
			return false;
		at = e & PTE_ADDR;
		if (!level || (level < 3 && e & PTE_LARGE)) {
			u64 in = (1UL << shift) - 1;

			m->hpa = (at & ~in) | (va & in);
			m->leaf = e;
			m->level = level;
			return m->hpa < ram_end;
		}
	}
}

static bool guest_copy(struct vcpu *c, u64 va, u8 *mine, size_t n, bool write)
{
	while (n) {
		size_t part = PAGE_SIZE - (va & ~PAGE_MASK);
		struct mapping m;

		if (part > n)
			part = n;
		if (!guest_map(c, va, &m) || !is_ram(m.hpa))
			return false;
		if (write)
			memcpy((void *)m.hpa, mine, part);
		else
			memcpy(mine, (void *)m.hpa, part);
		va += part;
		mine += part;
		n -= part;
	}
	return true;
}

bool guest_read(struct vcpu *c, u64 va, void *to, size_t n)
{
	return guest_copy(c, va, to, n, false);
}

bool guest_write(struct vcpu *c, u64 va, const void *from, size_t n)
{
	return guest_copy(c, va, (u8 *)from, n, true);
}

/* The bytes at RIP, as many of four as can be had. */
size_t guest_code(struct vcpu *c, u8 code[4])
{
	u64 at = c->v->rip;

	if (!(c->v->efer & EFER_LMA))
		at += c->v->cs.base;
	for (size_t n = 4; n; n--)
		if (guest_read(c, at, code, n))
			return n;
	return 0;
}
