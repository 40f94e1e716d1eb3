/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_CLOCK_H
#define CVM_CLOCK_H

#include "types.h"

extern u64 tsc_khz;

void calibrate_tsc(void);

#endif
