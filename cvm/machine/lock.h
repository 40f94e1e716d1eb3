/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_LOCK_H
#define CVM_LOCK_H

#include "types.h"

struct vcpu;

void machine_lock(struct vcpu *c);
void machine_unlock(void);
void kick_others(struct vcpu *c);
void kick_ack(struct vcpu *c);
void drain_nmi(void);
void wait_interrupt(struct vcpu *c);
void vcpu_wait_start(struct vcpu *c);
__attribute__((noreturn)) void vcpu_park(struct vcpu *c);

#endif
