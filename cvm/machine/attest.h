/* SPDX-License-Identifier: GPL-2.0 */
/* Questions to the launcher, which has the keys (abi/attest.h). */
#ifndef CVM_MACHINE_ATTEST_H
#define CVM_MACHINE_ATTEST_H

#include "types.h"

struct vcpu;

/* One question at a time: false if another CPU asks. */
bool attest_begin(void);
void attest_end(void);
/*
 * @n bytes of @bytes, ATTEST_MAX at most; the answer takes their place. Between
 * begin and end. Return: the answer's size, or -1: there is nobody, or what
 * came was no answer.
 */
int attest_ask(struct vcpu *c, u32 what, const void *bytes, u32 n,
	       u32 *status);
/* The answer's bytes, until attest_end(). */
u8 *attest_bytes(void);
/* Is this a port by which the launcher is asked? */
bool attest_hides(u16 port);

#endif
