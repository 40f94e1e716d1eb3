/* SPDX-License-Identifier: GPL-2.0 */
	.text
	.globl	entry
entry:
	lea	stacks + 16384(%rip), %rsp
	xor	%ebp, %ebp
	call	guest_main
1:	jmp	1b

	.globl	ap_entry
ap_entry:
	call	ap_main
1:	jmp	1b

	.altmacro
	.macro	STUB n
	.align	16
	.if	(\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 29)
	.else
	push	$0
	.endif
	push	$\n
	jmp	common
	.endm

	.align	16
	.globl	stubs
stubs:
	.set	i, 0
	.rept	96
	STUB	%i
	.set	i, i + 1
	.endr

/* The frame that struct frame in lib.h describes. */
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

	.bss
	.balign	16384
	.globl	stacks
stacks:	.skip	16384 * 8
