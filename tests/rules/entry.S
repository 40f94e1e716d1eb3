/* SPDX-License-Identifier: GPL-2.0 */
#define STACK	16384		/* STACK_SIZE in lib.h */

#include "../../bare/entry.S"

	.text
/*
 * u64 tdcall4(u64 leaf, u64 rcx, struct tdregs *r): leaf in RAX, r10-r15 from
 * and to memory.
 */
	.globl	tdcall4
tdcall4:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rax
	mov	%rsi, %rcx
	push	%rdx
	mov	0(%rdx), %r10
	mov	8(%rdx), %r11
	mov	16(%rdx), %r12
	mov	24(%rdx), %r13
	mov	32(%rdx), %r14
	mov	40(%rdx), %r15
	.byte	0x66, 0x0f, 0x01, 0xcc
	pop	%rdi
	mov	%r10, 0(%rdi)
	mov	%r11, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	mov	%rcx, 48(%rdi)
	mov	%rdx, 56(%rdi)
	mov	%r8, 64(%rdi)
	mov	%r9, 72(%rdi)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
