/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_END_H
#define CVM_END_H

#include "types.h"
#include "abi/report.h"

struct vcpu;

void expect_violations(u64 n);
__attribute__((format(printf, 3, 4)))
void violation(struct vcpu *c, u64 gpa, const char *fmt, ...);
bool forced_by_host(struct vcpu *c, u64 gpa);
__attribute__((noreturn)) void machine_end(enum cvm_end how, const char *why);
__attribute__((noreturn, format(printf, 2, 3)))
void machine_stop(struct vcpu *c, const char *fmt, ...);
__attribute__((noreturn, format(printf, 2, 3)))
void guest_terminated(struct vcpu *c, const char *fmt, ...);
__attribute__((noreturn, format(printf, 3, 4)))
void guest_lost(struct vcpu *c, bool forced, const char *fmt, ...);

#endif
