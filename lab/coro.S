/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lab_switch(void **save, void *load): leave this stack, go on with another.
 * Only what the ABI has a callee keep is kept, on the stack itself, so that
 * the bytes of a stopped stack are all of its state.
 */
	.text
	.globl	lab_switch
	.type	lab_switch, @function
lab_switch:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	lab_switch, . - lab_switch
	.section .note.GNU-stack, "", @progbits
