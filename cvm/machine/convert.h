/* SPDX-License-Identifier: GPL-2.0 */
/* Conversions as a faithful host makes them, and contents. */
#ifndef CVM_CONVERT_H
#define CVM_CONVERT_H

#include "types.h"

struct vcpu;

unsigned int convert_pages(u64 gpa, u64 pages, bool to_shared, bool large);
void convert_finish(struct vcpu *c);
void convert_twice(u64 gpa);
void set_host_flush(bool on);
void page_scramble(u64 gpa);
void count_conversion(bool to_shared, u64 pages);

#endif
