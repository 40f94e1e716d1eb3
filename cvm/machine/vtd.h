/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_VTD_H
#define CVM_VTD_H

#include "types.h"

void vtd_setup(void);
void vtd_invalidate(void);
void vtd_report(void);

#endif
