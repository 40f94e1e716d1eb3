/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_TYPES_H
#define CVM_TYPES_H

#include "../../bare/types.h"

#define PAGE_SIZE	4096UL
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define LARGE_SIZE	0x200000UL
#define LARGE_MASK	(~(LARGE_SIZE - 1))
#define PAGES_IN_LARGE	512u

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define GUEST_BIT	(1UL << 47)	/* shared bit or C-bit, see npt.c */
#define GUEST_BIT_NR	47u

#endif
