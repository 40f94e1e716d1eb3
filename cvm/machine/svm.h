/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_SVM_H
#define CVM_SVM_H

#include "types.h"

struct vcpu;

void intercepts_init(void);
void vcpu_init(struct vcpu *c);
void intercept_io(u16 port, unsigned int n);
void intercept_all_io(void);
void intercept_msr(u32 msr, bool read, bool write);
void enter_long_mode(struct vcpu *c, u64 pt, u64 gdt, u64 rip, u64 rsp);
void build_boot_tables(u64 at);
void inject(struct vcpu *c, unsigned int vector);
void inject_error(struct vcpu *c, unsigned int vector, u32 error);
bool inject_frame(struct vcpu *c, unsigned int vector, u32 error);

#endif
