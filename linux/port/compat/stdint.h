/* SPDX-License-Identifier: GPL-2.0 */
/* What include/airlock/ asks of <stdint.h>, in a kernel. */
#include <linux/limits.h>
#include <linux/types.h>

#ifndef UINT64_C
#define UINT64_C(x)	x##ULL
#define UINT64_MAX	U64_MAX
#endif
