/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The one instruction of airlock_load_unaligned_zeropad() that may fault, and
 * where to go on when it did. zeropad.c knows both by name.
 */
	.text
	.globl	airlock_load_unaligned_zeropad
	.globl	airlock_zeropad_load
	.globl	airlock_zeropad_done
	.hidden	airlock_zeropad_load
	.hidden	airlock_zeropad_done
	.type	airlock_load_unaligned_zeropad, @function
	.balign	16
airlock_load_unaligned_zeropad:
	endbr64
airlock_zeropad_load:
	movq	(%rdi), %rax
airlock_zeropad_done:
	ret
	.size	airlock_load_unaligned_zeropad, \
		. - airlock_load_unaligned_zeropad
	.section .note.GNU-stack, "", @progbits
