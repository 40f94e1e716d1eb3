// SPDX-License-Identifier: GPL-2.0
/* Page state changes: the list in the GHCB and the MSR form. */
#include "config.h"
#include "convert.h"
#include "host.h"
#include "npt.h"
#include "platform/snp/parts.h"
#include "vcpu.h"

#define PSC_PRIVATE	1u
#define PSC_SHARED	2u
#define PSC_BAD_HEADER	(1UL << 32 | 1)
#define PSC_BAD_ENTRY	(1UL << 32 | 2)
#define PSC_GENERIC	(0x100UL << 32)

static u64 psc_gpa(u64 entry)
{
	return (entry >> 12 & 0xffffffffffUL) << 12;
}

/* One entry, faithfully. Returns pages, 0 when it is nonsense. */
static u64 psc_entry(u64 e, bool small, bool twice)
{
	u64 gpa = psc_gpa(e);
	unsigned int op = e >> 52 & 15;
	bool large = e >> 56 & 1;
	u64 pages = large ? PAGES_IN_LARGE : 1;

	if ((op != PSC_PRIVATE && op != PSC_SHARED) ||
	    (large && gpa & ~LARGE_MASK))
		return 0;
	for (u64 i = 0; i < pages; i++)
		if (!is_ram(gpa + i * PAGE_SIZE))
			return 0;
	convert_pages(gpa, pages, op == PSC_SHARED, large && !small);
	if (twice && op == PSC_PRIVATE)
		convert_twice(gpa);
	return pages;
}

/* Do entries up to @end (exclusive); returns what goes into SW_EXITINFO2. */
static u64 psc_entries(struct psc *p, u32 end, bool small, bool twice)
{
	u64 pages = 0, n, result = 0;
	bool shared = (p->entry[p->current] >> 52 & 15) == PSC_SHARED;

	while (p->current < end) {
		n = psc_entry(p->entry[p->current], small, twice);
		if (!n) {
			result = PSC_BAD_ENTRY;
			break;
		}
		pages += n;
		p->current++;
	}
	count_conversion(shared, pages);
	return result;
}

/* Entries from @from on were claimed to be done. */
static void psc_lied(const struct psc *p, u32 from)
{
	for (u32 i = from; i <= p->end; i++)
		host_lied(psc_gpa(p->entry[i]),
			  p->entry[i] >> 56 & 1 ? PAGES_IN_LARGE : 1);
}

static u64 psc_honest(struct vcpu *c, struct psc *p, enum host_act act)
{
	u32 first = p->current, all = p->end + 1u;
	u32 half = first + (all - first) / 2;
	u64 result = 0;

	switch (act) {
	case HOST_REFUSE:
		return PSC_GENERIC;
	case HOST_HALF:
		psc_entries(p, half, false, false);
		result = PSC_GENERIC;
		break;
	case HOST_EARLY:
		result = psc_entries(p, half, false, false);
		break;
	case HOST_LIE_HALF:
		result = psc_entries(p, half, false, false);
		psc_lied(p, p->current);
		p->current = (u16)all;
		break;
	default:
		result = psc_entries(p, all, act == HOST_SMALL,
				     act == HOST_TWICE);
	}
	convert_finish(c);
	return result;
}

static u64 psc_lie(struct psc *p, enum host_act act)
{
	switch (act) {
	case HOST_LIE:
		psc_lied(p, p->current);
		p->current = (u16)(p->end + 1);
		break;
	case HOST_OUTSIDE:
		if (host_random() >> 33 & 1 && p->current)
			p->current--;
		else
			p->end = (u16)(p->end + 1 + (host_random() & 7));
		break;
	case HOST_STRAY:
		if (host_random() >> 33 & 1)
			p->reserved = (u32)host_random() | 1;
		else
			p->current = 0xfff0;
		break;
	default:			/* HOST_SPIN: call again */
		break;
	}
	return 0;
}

#define PSC_ACTS (1u << HOST_REFUSE | 1u << HOST_HALF | 1u << HOST_LIE | \
		  1u << HOST_LIE_HALF | 1u << HOST_EARLY | 1u << HOST_SPIN | \
		  1u << HOST_OUTSIDE | 1u << HOST_STRAY | 1u << HOST_SMALL | \
		  1u << HOST_TWICE)

u64 psc_page(struct vcpu *c, struct psc *p)
{
	enum host_act act;

	if (p->reserved || p->end >= PSC_MAX || p->current > p->end)
		return PSC_BAD_HEADER;
	for (u32 i = p->current; i <= p->end; i++)
		host_hears_of(psc_gpa(p->entry[i]));
	act = host_decide(PSC_ACTS);
	switch (act) {
	case HOST_LIE:
	case HOST_OUTSIDE:
	case HOST_STRAY:
	case HOST_SPIN:
		return psc_lie(p, act);
	default:
		return psc_honest(c, p, act);
	}
}

/* The MSR form: one 4K page. */
void psc_msr(struct vcpu *c, u64 request)
{
	u64 gpa = request & 0xfffffffffffff000UL & ((1UL << 52) - 1);
	u64 entry = gpa | (request >> 52 & 15) << 52, error = 0;
	enum host_act act = host_decide(1u << HOST_REFUSE | 1u << HOST_LIE |
					1u << HOST_STRAY | 1u << HOST_TWICE);

	host_hears_of(gpa);
	c->ghcb = 0x15;
	if (act == HOST_LIE) {
		host_lied(gpa, 1);
		return;
	}
	if (act == HOST_STRAY) {
		c->ghcb = host_random();
		return;
	}
	if (act == HOST_REFUSE) {
		error = 1;
	} else {
		error = !psc_entry(entry, false, act == HOST_TWICE);
		if (!error)
			count_conversion((request >> 52 & 15) == PSC_SHARED,
					 1);
		convert_finish(c);
	}
	c->ghcb |= error << 32;
}
