/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where an AP of the machine starts, and the tables that all its CPUs use.
 */
#include "long_mode.h"

#define TRAMPOLINE	0x8000

	.text
/* Copied to TRAMPOLINE; an AP of the machine starts here in real mode. */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	TRAMPOLINE + (ap_gdt_pointer - ap_trampoline)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x18, $(TRAMPOLINE + (ap32 - ap_trampoline))
	.code32
ap32:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	ENTER_LONG_MODE
	ljmp	$8, $ap64
	.align	8
ap_gdt_pointer:
	.word	0x1f
	.long	gdt
ap_trampoline_end:
	.code64
ap64:
	FLAT_SEGMENTS
	lidt	idt_pointer
	mov	ap_stack, %rsp
	mov	ap_argument, %rdi
	call	*ap_entry
1:	hlt
	jmp	1b

	.data
	.align	16
	.globl	gdt
gdt:	.quad	0
	.quad	0x00af9a000000ffff	/* 0x08 code, 64 bit */
	.quad	0x00cf92000000ffff	/* 0x10 data */
	.quad	0x00cf9a000000ffff	/* 0x18 code, 32 bit */
	.globl	gdt_pointer, idt_pointer, pml4
gdt_pointer:
	.word	0x1f
	.quad	gdt
idt_pointer:
	.word	0x1ff
	.quad	machine_idt
	.globl	ap_stack, ap_entry, ap_argument
ap_stack: .quad	0
ap_entry: .quad	0
ap_argument: .quad 0

/* The first 512 GiB one to one, in 1 GiB pages. */
	.align	4096
pml4:	.long	pdpt + 7, 0
	.fill	511, 8, 0
pdpt:
	.set	i, 0
	.rept	512
	.long	(0x87 + (i << 30)) & 0xffffffff
	.long	i >> 2
	.set	i, i + 1
	.endr
	.section .note.GNU-stack, "", @progbits
