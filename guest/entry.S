/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries: CPU 0 from the machine, other CPUs, exceptions and interrupts.
 * Each CPU's stack begins with its struct cpu (smp.c): 32 KiB, aligned.
 */
#define STACK	32768

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

/*
 * bool probe(u64 va, u64 *value): load from an address that may fault. The
 * page-fault handler goes on at probe_done, with RDX still 0.
 */
	.globl	probe, probe_load, probe_done
probe:
	xor	%edx, %edx
	xor	%eax, %eax
probe_load:
	movq	(%rdi), %rax
	movl	$1, %edx
probe_done:
	movq	%rax, (%rsi)
	movl	%edx, %eax
	ret

/* u64 hypercall_through(u64 control, u64 in, u64 out, const void *page) */
	.globl	hypercall_through
hypercall_through:
	mov	%rcx, %rax
	mov	%rdx, %r8
	mov	%rsi, %rdx
	mov	%rdi, %rcx
	jmp	*%rax

/* Vectors that push an error code: 8, 10 to 14, 17, 21, 29, 30. */
	.altmacro
	.macro	STUB n
	.align	16
	.if	(\n == 8) || ((\n >= 10) && (\n <= 14)) || (\n == 17) || \
		(\n == 21) || (\n == 29) || (\n == 30)
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

/* What struct frame in kernel.h describes. */
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
