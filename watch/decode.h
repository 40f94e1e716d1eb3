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
	INSN_FLUSH_ALL,		/* MOV CR4; INVPCID, whatever its type */
	INSN_CLFLUSH,		/* also CLFLUSHOPT: [address] */
	INSN_WBINVD,		/* also WBNOINVD */
	INSN_PVALIDATE,
	INSN_TDCALL,
	INSN_HYPERCALL,		/* VMGEXIT, VMMCALL, VMCALL */
	INSN_INVLPGB,
	INSN_TLBSYNC,
	INSN_READ_BYTE,		/* a load of one byte: evict reads are such */
	INSN_CALL,		/* CALL rel32 */
};

struct insn {
	enum insn_kind kind;
	uint8_t length;
	/* an address: registers as the CPU numbers them, 16: none */
	uint8_t base, index, scale;
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

/* @regs: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
uint64_t insn_address(const struct insn *i, const uint64_t *regs);

#endif
