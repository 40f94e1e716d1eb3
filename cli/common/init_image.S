/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's first process, carried inside the command. */
	.section .rodata
	.globl	run_init, run_init_end
	.balign	16
run_init:
	.incbin	RUN_INIT
run_init_end:
	.section .note.GNU-stack, "", @progbits
