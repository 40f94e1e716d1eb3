// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that matter to page states. Of the encoding only as much is
 * known as is needed to tell these from all others: prefixes, REX, two opcode
 * maps, and the operand in memory.
 */
#include "decode.h"

#include <string.h>

struct code {
	const uint8_t *p, *end;
	uint64_t next;		/* address behind the instruction */
	uint8_t rex;
	bool f2, f3, x66, lock;
};

static uint8_t peek(const struct code *c, size_t i)
{
	return c->p + i < c->end ? c->p[i] : 0;
}

static void prefixes(struct code *c)
{
	for (; c->p < c->end; c->p++) {
		c->f2 |= *c->p == 0xf2;
		c->f3 |= *c->p == 0xf3;
		c->x66 |= *c->p == 0x66;
		c->lock |= *c->p == 0xf0;
		if (!memchr("\x66\xf2\xf3\x3e\x2e\x26\x36\xf0", *c->p, 8))
			break;
	}
	if ((peek(c, 0) & 0xf0) == 0x40)
		c->rex = *c->p++;
}

static int64_t signed32(const struct code *c, size_t at)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 4; i++)
		v |= (uint32_t)peek(c, at + i) << (8 * i);
	return (int32_t)v;
}

/* The memory operand whose ModRM byte is at @at. */
static void operand(const struct code *c, size_t at, struct insn *i)
{
	uint8_t modrm = peek(c, at++), mod = modrm >> 6, rm = modrm & 7, sib;

	if (rm == 4) {
		sib = peek(c, at++);
		i->index = (uint8_t)((sib >> 3 & 7) | (c->rex & 2) << 2);
		if (i->index == 4)
			i->index = NO_REGISTER;
		i->scale = sib >> 6;
		rm = sib & 7;
		if (rm == 5 && !mod) {
			i->disp = signed32(c, at);
			return;
		}
	} else if (rm == 5 && !mod) {
		i->disp = (int64_t)c->next + signed32(c, at);
		return;
	}
	i->base = (uint8_t)(rm | (c->rex & 1) << 3);
	if (mod == 1)
		i->disp = (int8_t)peek(c, at);
	else if (mod == 2)
		i->disp = signed32(c, at);
}

static bool in_memory(uint8_t modrm)
{
	return modrm < 0xc0;
}

/* 0F 01: the group that most of them are in. */
static enum insn_kind group_1(const struct code *c)
{
	uint8_t m = peek(c, 2);

	switch (m) {
	case 0xc1:
	case 0xd9:
		return INSN_HYPERCALL;
	case 0xcc:
		return c->x66 ? INSN_TDCALL : INSN_OTHER;
	case 0xfe:
		return c->f2 || c->f3 ? INSN_OTHER : INSN_INVLPGB;
	case 0xff:
		return c->f2 ? INSN_PVALIDATE : c->f3 ? INSN_OTHER :
			INSN_TLBSYNC;
	}
	return in_memory(m) && (m >> 3 & 7) == 7 ? INSN_INVLPG : INSN_OTHER;
}

static enum insn_kind two_bytes(const struct code *c)
{
	uint8_t op = peek(c, 1), m = peek(c, 2);
	uint8_t reg = (uint8_t)((m >> 3 & 7) | (c->rex & 4) << 1);

	switch (op) {
	case 0x01:
		return group_1(c);
	case 0x09:
		return INSN_WBINVD;
	case 0x22:
		return reg == 3 ? INSN_CR3 : reg == 4 ? INSN_CR4 :
			reg == 8 ? INSN_OTHER : INSN_DRAIN;
	case 0x23:		/* MOV DR */
	case 0xa2:		/* CPUID */
		return INSN_DRAIN;
	case 0x30:
		return INSN_WRMSR;
	case 0x38:
		return m == 0x82 && c->x66 && in_memory(peek(c, 3)) ?
			INSN_INVPCID : INSN_OTHER;
	case 0xae:
		if (m == 0xf0)
			return INSN_DRAIN;	/* MFENCE */
		return in_memory(m) && (reg & 7) == 7 && !c->f2 && !c->f3 ?
			INSN_CLFLUSH : INSN_OTHER;
	case 0xb6:
		return in_memory(m) ? INSN_READ_BYTE : INSN_OTHER;
	default:
		return INSN_OTHER;
	}
}

/* XCHG with memory, IRET, IN and OUT. */
static bool drains(const struct code *c)
{
	uint8_t op = peek(c, 0);

	return c->lock || (op == 0x86 && in_memory(peek(c, 1))) ||
		(op == 0x87 && in_memory(peek(c, 1))) || op == 0xcf ||
		(op & 0xfc) == 0xe4 || (op & 0xfc) == 0xec ||
		(op & 0xfc) == 0x6c;
}

bool insn_sends_ipi(uint32_t msr)
{
	return msr == 0x830 || msr == 0x83f;
}

bool insn_msr_drains(uint32_t msr)
{
	return (msr < 0x800 || msr > 0x8ff) && msr != 0x6e0;
}

struct insn insn_decode(const uint8_t *code, size_t n, uint64_t at)
{
	struct code c = { .p = code, .end = code + n, .next = at + n };
	struct insn i = {
		.length = (uint8_t)n, .base = NO_REGISTER,
		.index = NO_REGISTER,
	};

	prefixes(&c);
	if (peek(&c, 0) == 0xe8) {
		i.kind = INSN_CALL;
		i.disp = (int64_t)c.next + signed32(&c, 1);
	} else if (peek(&c, 0) == 0x8a && in_memory(peek(&c, 1))) {
		i.kind = INSN_READ_BYTE;
	} else if (peek(&c, 0) == 0x0f) {
		i.kind = two_bytes(&c);
		if (i.kind == INSN_INVLPG || i.kind == INSN_CLFLUSH)
			operand(&c, 2, &i);
		if (i.kind == INSN_INVPCID) {
			operand(&c, 3, &i);
			i.reg = (uint8_t)((peek(&c, 3) >> 3 & 7) |
					  (c.rex & 4) << 1);
		}
		if (i.kind == INSN_CR3 || i.kind == INSN_CR4)
			i.base = (uint8_t)((peek(&c, 2) & 7) |
					   (c.rex & 1) << 3);
	}
	if (i.kind == INSN_OTHER && drains(&c))
		i.kind = INSN_DRAIN;
	return i;
}

/* Its ModRM byte is at @at: is the operand in memory relative to RSP? */
static bool on_stack(const struct code *c, size_t at)
{
	uint8_t modrm = peek(c, at);

	return in_memory(modrm) && (modrm & 7) == 4 && !(c->rex & 1) &&
		(peek(c, at + 1) & 7) == 4;
}

/* Opcodes that store, and how much: the operand's size, or a byte. */
static bool stores_a_byte(uint8_t op)
{
	return op == 0x88 || op == 0xc6 || op == 0x80 || op == 0x86 ||
		op == 0xc0 || op == 0xd0 || op == 0xd2 || op == 0xf6 ||
		op == 0xfe || (op < 0x38 && !(op & 7));
}

static bool stores_an_operand(uint8_t op)
{
	return op == 0x89 || op == 0xc7 || op == 0x81 || op == 0x83 ||
		op == 0x87 || op == 0xc1 || op == 0xd1 || op == 0xd3 ||
		op == 0xf7 || op == 0xff || (op < 0x38 && (op & 7) == 1);
}

static bool second_stores(const struct code *c)
{
	uint8_t op = peek(c, 1);

	if ((op & 0xf0) == 0x90 || op == 0xb0 || op == 0xc0)
		return false;		/* SETcc, and bytes */
	if (op == 0xb1 || op == 0xc1 || op == 0xab || op == 0xb3 ||
	    op == 0xbb || op == 0xba)
		return c->rex & 8;	/* CMPXCHG, XADD, bits */
	return true;
}

bool insn_may_store(const uint8_t *code, size_t n)
{
	struct code c = { .p = code, .end = code + n };
	uint8_t op, reg;

	prefixes(&c);
	op = peek(&c, 0);
	reg = peek(&c, 1) >> 3 & 7;
	if ((op & 0xf8) == 0x50 || op == 0x68 || op == 0x6a || op == 0xe8)
		return false;		/* PUSH, CALL */
	if (op == 0xff && (reg == 2 || reg == 3 || reg == 6))
		return false;		/* CALL, PUSH */
	if (op == 0x0f)
		return second_stores(&c);
	if (stores_a_byte(op))
		return false;
	if (stores_an_operand(op))
		return c.rex & 8 && !on_stack(&c, 1);
	return true;
}

uint64_t insn_address(const struct insn *i, const uint64_t *regs)
{
	uint64_t a = (uint64_t)i->disp;

	if (i->base != NO_REGISTER)
		a += regs[i->base];
	if (i->index != NO_REGISTER)
		a += regs[i->index] << i->scale;
	return a;
}
