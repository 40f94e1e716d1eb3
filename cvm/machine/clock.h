/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_CLOCK_H
#define CVM_CLOCK_H

#include "types.h"

extern u64 tsc_khz;
extern u64 wall_at_0;		/* seconds since 1970, when the TSC was 0 */

void calibrate_tsc(void);
void read_wall_clock(void);

#endif
