/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_NPT_H
#define CVM_NPT_H

#include "types.h"

void npt_init(void);
u64 npt_root(void);
u64 npt_unpaged_root(void);
u64 npt_device_table(void);
void npt_map_device(u64 gpa);
bool is_ram(u64 gpa);
bool is_device(u64 gpa);
unsigned int page_state(u64 gpa);
bool is_shared(u64 gpa, u64 bytes);
void page_set(u64 gpa, unsigned int state);
void page_write_protect(u64 gpa);
void region_set(u64 gpa, unsigned int state);
void page_by_host(u64 gpa, bool by_host);
bool region_large(u64 gpa);
void region_set_large(u64 gpa, bool large);
bool region_uniform(u64 gpa, unsigned int state);

#endif
