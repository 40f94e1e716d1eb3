/* SPDX-License-Identifier: GPL-2.0 */
/* For assembly: into 64-bit mode on the machine's own tables (trampoline.S). */
#define CR4_BITS	0x6b0		/* PSE PAE PGE OSFXSR OSXMMEXCPT */
#define CR0_BITS	0x80010033	/* PG WP NE ET MP PE */
#define EFER_BITS	0x1900		/* SVME NXE LME */
#define MSR_EFER	0xc0000080

	.macro	ENTER_LONG_MODE
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$CR4_BITS, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_BITS, %eax
	wrmsr
	mov	$CR0_BITS, %eax
	mov	%eax, %cr0
	.endm

	.macro	FLAT_SEGMENTS
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	.endm
