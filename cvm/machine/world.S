/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch, a halt that loses no NMI, MSRs that may fault.
 * trap_stubs.S knows the labels.
 */
#define VMCB_PA		(14 * 8)	/* struct vcpu, behind struct regs */

	.text
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
	.globl	ap_sleep, ap_sleep_end
ap_sleep:
	cmpl	$0, (%rdi)
	jne	ap_sleep_end
	hlt
	jmp	ap_sleep
ap_sleep_end:
	ret

/* A guest of its own, in which a CPU waits for an interrupt (lock.c). */
	.align	16
	.globl	halt_stub
halt_stub:
	sti
	hlt
	jmp	halt_stub

/*
 * bool rdmsr_safe(u32 msr, u64 *value), wrmsr_safe(u32 msr, u64 value): false
 * when the instruction faults (exception: trap_stubs.S). RDMSR is the last
 * instruction of a page, hence of its translation block: QEMU (10.0)
 * translates it without a translator_io_start(), and under -icount an MSR that
 * reads the clock (the x2APIC's current count) then aborts with "Bad icount
 * read" unless it ends its block.
 */
	.globl	wrmsr_safe, wrmsr_may_fault, msr_fault
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
	.globl	rdmsr_safe, rdmsr_may_fault
rdmsr_safe:
	mov	%edi, %ecx
rdmsr_may_fault:
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, (%rsi)
	mov	$1, %eax
	ret
	.section .note.GNU-stack, "", @progbits
