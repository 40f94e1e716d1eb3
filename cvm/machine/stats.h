/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_STATS_H
#define CVM_STATS_H

#include "types.h"
#include "abi/guest-abi.h"

void count(enum cvm_counter which, u64 n);
void count_most(enum cvm_counter which, u64 n);
void count_set(enum cvm_counter which, u64 n);
u64 counter(enum cvm_counter which);
void stats_print(void);

#endif
