/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entries of a guest: CPU 0 and the other CPUs from the machine, exceptions
 * and interrupts. What includes it says how large a STACK is; there are 8, in a
 * row, aligned, so that a CPU finds what is at the bottom of its own.
 */
#include "stubs.h"

	.text
	.globl	entry
entry:
	lea	stacks + STACK(%rip), %rsp
	xor	%ebp, %ebp
	call	guest_main
1:	jmp	1b

	.globl	ap_entry
ap_entry:
	xor	%ebp, %ebp
	call	ap_main
1:	jmp	1b

	.align	16
	.globl	stubs
stubs:
	STUBS	96, common

/* What struct frame in trap.h describes. */
common:
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	cld
	call	trap
	mov	%rbp, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	iretq

	.bss
	.balign	STACK
	.globl	stacks
stacks:	.skip	STACK * 8
	.section .note.GNU-stack, "", @progbits
