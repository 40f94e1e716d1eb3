/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of the machine: PVH (32-bit, QEMU -kernel), its own APs, the world
 * switch, exceptions. Everything else is C.
 */
#define CR4_BITS	0x6b0		/* PSE PAE PGE OSFXSR OSXMMEXCPT */
#define CR0_BITS	0x80010033	/* PG WP NE ET MP PE */
#define EFER_BITS	0x1900		/* SVME NXE LME */
#define MSR_EFER	0xc0000080
#define TRAMPOLINE	0x8000
#define VMCB_PA		(14 * 8)	/* struct vcpu, behind struct regs */
#define STACK_SIZE	16384

	/* Xen's note: where a PVH loader enters (type 18, PHYS32_ENTRY) */
	.section .note.pvh, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start32

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

/*
 * void vmrun(struct vcpu *): run the guest until it exits. RAX and RSP travel
 * in the VMCB; the machine is built without FPU code, so nothing else needs
 * saving. Offsets are those of struct regs.
 */
	.globl	vmrun
vmrun:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	VMCB_PA(%rdi), %rax
	mov	0(%rdi), %rcx
	mov	8(%rdi), %rdx
	mov	16(%rdi), %rbx
	mov	24(%rdi), %rbp
	mov	32(%rdi), %rsi
	mov	48(%rdi), %r8
	mov	56(%rdi), %r9
	mov	64(%rdi), %r10
	mov	72(%rdi), %r11
	mov	80(%rdi), %r12
	mov	88(%rdi), %r13
	mov	96(%rdi), %r14
	mov	104(%rdi), %r15
	mov	40(%rdi), %rdi
	vmrun
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rcx, 0(%rdi)
	mov	%rdx, 8(%rdi)
	mov	%rbx, 16(%rdi)
	mov	%rbp, 24(%rdi)
	mov	%rsi, 32(%rdi)
	mov	%r8, 48(%rdi)
	mov	%r9, 56(%rdi)
	mov	%r10, 64(%rdi)
	mov	%r11, 72(%rdi)
	mov	%r12, 80(%rdi)
	mov	%r13, 88(%rdi)
	mov	%r14, 96(%rdi)
	mov	%r15, 104(%rdi)
	pop	%rax
	mov	%rax, 40(%rdi)
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/*
 * void ap_sleep(volatile u32 *flag): halt until *flag. Whoever sets it sends
 * an NMI afterwards. One that arrives between the test and HLT must not be
 * lost: the NMI handler restarts the test when it interrupts these lines.
 */
	.globl	ap_sleep
ap_sleep:
	cmpl	$0, (%rdi)
	jne	ap_sleep_end
	hlt
	jmp	ap_sleep
ap_sleep_end:
	ret

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
	call	machine_exception
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

/* A guest of its own, in which a CPU waits for an interrupt (smp.c). */
	.align	16
	.globl	halt_stub
halt_stub:
	sti
	hlt
	jmp	halt_stub

/*
 * bool rdmsr_safe(u32 msr, u64 *value), wrmsr_safe(u32 msr, u64 value): false
 * when the instruction faults (exception: below). RDMSR is the last
 * instruction of a page, hence of its translation block: QEMU (10.0)
 * translates it without a translator_io_start(), and under -icount an MSR that
 * reads the clock (the x2APIC's current count) then aborts with "Bad icount
 * read" unless it ends its block.
 */
	.globl	wrmsr_safe
wrmsr_safe:
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
wrmsr_may_fault:
	wrmsr
	mov	$1, %eax
	ret
msr_fault:
	xor	%eax, %eax
	ret
	.balign	4096
	.skip	4096 - 4
	.globl	rdmsr_safe
rdmsr_safe:
	mov	%edi, %ecx
rdmsr_may_fault:
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, (%rsi)
	mov	$1, %eax
	ret

	.section .rodata
no_svm:
	.asciz	"@cannot this QEMU's CPU has no SVM (-cpu with svm, TCG)\n"

	.data
	.align	16
	.globl	gdt
gdt:	.quad	0
	.quad	0x00af9a000000ffff	/* 0x08 code, 64 bit */
	.quad	0x00cf92000000ffff	/* 0x10 data */
	.quad	0x00cf9a000000ffff	/* 0x18 code, 32 bit */
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

	.bss
	.align	4096
	.globl	machine_idt
machine_idt: .skip 512
	.align	4096
	.skip	STACK_SIZE
stack_top:
	.section .note.GNU-stack, "", @progbits
