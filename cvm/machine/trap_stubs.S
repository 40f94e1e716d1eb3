/* SPDX-License-Identifier: GPL-2.0 */
/* Exceptions of the machine itself. Only NMIs and faulting MSRs are none. */
	.text
	.altmacro
	.macro	STUB n
	.align	16
	.if	(\n == 8) || ((\n >= 10) && (\n <= 14)) || (\n == 17)
	.else
	push	$0
	.endif
	push	$\n
	jmp	exception
	.endm

	.align	16
	.globl	exception_stubs
exception_stubs:
	.set	i, 0
	.rept	32
	STUB	%i
	.set	i, i + 1
	.endr

exception:
	cmpq	$2, (%rsp)
	je	nmi
	cmpq	$rdmsr_may_fault, 16(%rsp)
	je	1f
	cmpq	$wrmsr_may_fault, 16(%rsp)
	je	1f
	mov	%rsp, %rdi
	call	*exception_handler
2:	hlt
	jmp	2b
1:	movq	$msr_fault, 16(%rsp)
	add	$16, %rsp
	iretq
nmi:
	add	$16, %rsp
	cmpq	$ap_sleep, (%rsp)
	jb	1f
	cmpq	$ap_sleep_end, (%rsp)
	jae	1f
	movq	$ap_sleep, (%rsp)
1:	iretq

	.data
	.globl	exception_handler
exception_handler: .quad 0

	.bss
	.align	4096
	.globl	machine_idt
machine_idt: .skip 512
	.section .note.GNU-stack, "", @progbits
