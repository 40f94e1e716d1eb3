// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.MR.REPORT, TDG.MR.RTMR.EXTEND and TDG.VP.VMCALL<GetQuote>: the launcher
 * is the module's part that has keys, and the host's quoting enclave. Sources:
 * Intel TDX module ABI specification (348551); GHCI specification (344426),
 * 3.3, of the quote's buffer.
 */
#include "attest.h"
#include "config.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform/tdx/parts.h"
#include "vcpu.h"
#include "abi/attest.h"

#define OPERAND_RDX	2
#define OPERAND_R8	8
#define TDREPORT	1024u
#define DATA		64u
#define DIGEST		48u

/* Of a power of 2 in size, and so within a page. */
static bool is_private(u64 gpa, u64 bytes)
{
	return !(gpa & (bytes - 1)) && is_ram(gpa) &&
	       (page_state(gpa) & CVM_STATE_MASK) == CVM_STATE_PRIVATE;
}

u64 mr_report(struct vcpu *c)
{
	u64 to = c->r.rcx, data = c->r.rdx;
	u32 status = 0;
	int n;

	if (!is_private(to, TDREPORT))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (!is_private(data, DATA))
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	if (c->r.r8)				/* the only subtype */
		return TDX_OPERAND_INVALID | OPERAND_R8;
	if (!attest_begin())
		return TDX_OPERAND_BUSY;
	n = attest_ask(c, ATTEST_TDX_REPORT, (void *)data, DATA, &status);
	if (n == TDREPORT)
		memcpy((void *)to, attest_bytes(), TDREPORT);
	attest_end();
	return n == TDREPORT ? 0 : TDX_OPERAND_BUSY;
}

u64 rtmr_extend(struct vcpu *c)
{
	u8 asked[4 + DIGEST];
	u32 status = 0, index = (u32)c->r.rdx;
	int n;

	if (!is_private(c->r.rcx, DATA))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (c->r.rdx >= ATTEST_RTMRS)
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	if (!attest_begin())
		return TDX_OPERAND_BUSY;
	memcpy(asked, &index, 4);
	memcpy(asked + 4, (void *)c->r.rcx, DIGEST);
	n = attest_ask(c, ATTEST_TDX_EXTEND, asked, sizeof(asked), &status);
	attest_end();
	return n < 0 || status ? TDX_OPERAND_BUSY : 0;
}

struct quote_buffer {
	u64 version, status;
	u32 in, out;
	u8 data[];
};

#define QUOTE_ERROR		0x8000000000000000UL
#define QUOTE_UNAVAILABLE	0x8000000000000001UL

/* It is answered before the call returns: never "in flight". */
static u64 quote(struct vcpu *c, struct quote_buffer *b, u64 size)
{
	u8 report[TDREPORT];
	u32 status = 0;
	int n;

	b->out = 0;
	if (b->version != 1 || b->in != TDREPORT)
		return QUOTE_ERROR;
	memcpy(report, b->data, TDREPORT);
	n = attest_ask(c, ATTEST_TDX_QUOTE, report, TDREPORT, &status);
	if (n < 0)
		return QUOTE_UNAVAILABLE;
	if (status || (u64)n > size - sizeof(*b))
		return QUOTE_ERROR;
	memcpy(b->data, attest_bytes(), (u32)n);
	b->out = (u32)n;
	return 0;
}

u64 get_quote(struct vcpu *c)
{
	struct quote_buffer *b = (void *)(c->r.r12 & ~GUEST_BIT);
	u64 size = c->r.r13;

	if (((u64)b | size) & ~PAGE_MASK)
		return VMCALL_ALIGN;
	if (!(c->r.r12 & GUEST_BIT) || !size || size > ram_end ||
	    size < sizeof(*b) + TDREPORT || !is_shared((u64)b, size))
		return VMCALL_INVALID;
	if (!attest_begin())
		return VMCALL_RETRY;
	b->status = quote(c, b, size);
	attest_end();
	return 0;
}
