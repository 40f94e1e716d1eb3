/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries: CPU 0 from the machine, other CPUs, exceptions and interrupts.
 * Each CPU's stack begins with its struct cpu (smp.c): 32 KiB, aligned.
 */
#define STACK	32768

#include "../bare/entry.S"

	.text
/*
 * bool probe(u64 va, u64 *value): load from an address that may fault. The
 * page-fault handler goes on at probe_done, with RDX still 0.
 */
	.globl	probe, probe_load, probe_done
probe:
	xor	%edx, %edx
	xor	%eax, %eax
probe_load:
	movq	(%rdi), %rax
	movl	$1, %edx
probe_done:
	movq	%rax, (%rsi)
	movl	%edx, %eax
	ret
