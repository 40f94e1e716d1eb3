/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For assembler files: STUBS n, common makes the entries of vectors 0..n-1, 16
 * bytes each. All leave an error code and the vector on the stack, of their own
 * where the CPU pushes none, and jump to @common.
 *
 * The CPU pushes one for 8, 10 to 14, 17, 21, 29 and 30.
 */
	.altmacro
	.macro	STUB n, common
	.align	16
	.if	(\n == 8) || ((\n >= 10) && (\n <= 14)) || (\n == 17) || \
		(\n == 21) || (\n == 29) || (\n == 30)
	.else
	push	$0
	.endif
	push	$\n
	jmp	\common
	.endm

	.macro	STUBS n, common
	.align	16
	.set	i, 0
	.rept	\n
	STUB	%i, \common
	.set	i, i + 1
	.endr
	.endm
