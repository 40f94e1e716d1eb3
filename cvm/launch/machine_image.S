/* SPDX-License-Identifier: GPL-2.0 */
/* The machine, carried inside the launcher. */
	.section .rodata
	.globl	cvm_machine_image, cvm_machine_image_end
	.balign	16
cvm_machine_image:
	.incbin	MACHINE_ELF
cvm_machine_image_end:
	.section .note.GNU-stack, "", @progbits
