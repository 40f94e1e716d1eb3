/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_POOL_H
#define CVM_POOL_H

#include "types.h"

void pool_init(void);
void pool_more(u64 from, u64 to);
bool is_machine(u64 gpa);
void *pool_pages(unsigned int n);

#endif
