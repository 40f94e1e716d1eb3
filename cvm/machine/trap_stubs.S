/* SPDX-License-Identifier: GPL-2.0 */
/* Exceptions of the machine itself. Only NMIs and faulting MSRs are none. */
#include "../../bare/stubs.h"

	.text
	.align	16
	.globl	exception_stubs
exception_stubs:
	STUBS	32, exception

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
