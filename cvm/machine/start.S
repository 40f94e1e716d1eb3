/* SPDX-License-Identifier: GPL-2.0 */
/* Where QEMU enters the machine: PVH (32-bit, QEMU -kernel). */
#include "long_mode.h"

#define STACK_SIZE	16384

/* Xen's note: where a PVH loader enters (type 18, PHYS32_ENTRY) */
	.section .note.pvh, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start32

	.text
	.code32
	.globl	start32
start32:
	cli
	mov	%ebx, %esi		/* struct hvm_start_info */
	mov	$stack_top, %esp
	lgdt	gdt_pointer
	/* without SVM, setting EFER.SVME would fault: main.c wants to say so */
	mov	$0x80000001, %eax
	cpuid
	bt	$2, %ecx
	jc	1f
	mov	$0xe9, %dx
	mov	$no_svm, %ebx
2:	mov	(%ebx), %al
	test	%al, %al
	jz	3f
	outb	%al, %dx
	inc	%ebx
	jmp	2b
3:	mov	$0x604, %dx		/* ACPI power off */
	mov	$0x2000, %ax
	outw	%ax, %dx
4:	hlt
	jmp	4b
1:	ENTER_LONG_MODE
	ljmp	$8, $1f
	.code64
1:	FLAT_SEGMENTS
	mov	$stack_top, %rsp
	mov	%esi, %edi
	lidt	idt_pointer
	call	machine_main		/* on QEMU's first CPU */
1:	hlt
	jmp	1b

	.section .rodata
no_svm:
	.asciz	"@cannot this QEMU's CPU has no SVM (-cpu with svm, TCG)\n"
	.bss
	.align	4096
	.skip	STACK_SIZE
stack_top:
	.section .note.GNU-stack, "", @progbits
