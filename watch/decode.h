/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_DECODE_H
#define WATCH_DECODE_H

/* Which instructions matter, and what they name. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_kind {
	INSN_OTHER,
	INSN_INVLPG,		/* [address] */
	INSN_CR3,		/* MOV CR3, from a register */
	INSN_CR4,		/* MOV CR4, from a register */
	INSN_INVPCID,		/* [descriptor], its type in a register */
	INSN_CLFLUSH,		/* also CLFLUSHOPT: [address] */
	INSN_WBINVD,		/* also WBNOINVD */
	INSN_PVALIDATE,
	INSN_TDCALL,
	INSN_HYPERCALL,		/* VMGEXIT, VMMCALL, VMCALL */
	INSN_INVLPGB,
	INSN_TLBSYNC,
	INSN_READ_BYTE,		/* a load of one byte: evict reads are such */
	INSN_CALL,		/* CALL rel32 */
	INSN_DRAIN,		/* empties the store buffer, and no more */
	INSN_WRMSR,		/* that, too, or not: by the register */
};

struct insn {
	enum insn_kind kind;
	uint8_t length;
	/* an address: registers as the CPU numbers them, 16: none */
	uint8_t base, index, scale;
	uint8_t reg;		/* INSN_INVPCID */
	int64_t disp;		/* INSN_CALL: the function called */
};

#define NO_REGISTER 16u

/* @at: where the instruction stands, for what is relative to it. */
struct insn insn_decode(const uint8_t *code, size_t n, uint64_t at);

/*
 * May it store an entry of a page table, or to a page that is converted? Not
 * what stores to the stack, nor less than eight bytes: that spares most of
 * the cost.
 */
bool insn_may_store(const uint8_t *code, size_t n);

/*
 * Does WRMSR of this register wait for stores? Not those of the x2APIC and the
 * TSC deadline, which may send an interrupt: insn_sends_ipi().
 */
bool insn_msr_drains(uint32_t msr);
bool insn_sends_ipi(uint32_t msr);

/* @regs: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
uint64_t insn_address(const struct insn *i, const uint64_t *regs);

#endif
