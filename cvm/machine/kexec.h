/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_KEXEC_H
#define CVM_KEXEC_H

struct vcpu;

/* At every exit: has another kernel begun? */
void kexec_look(struct vcpu *c);

#endif
