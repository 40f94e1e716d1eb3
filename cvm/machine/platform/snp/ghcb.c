// SPDX-License-Identifier: GPL-2.0
/* VMGEXIT: requests in the GHCB, and in the MSR before there is one. */
#include "config.h"
#include "cpu.h"
#include "end.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform/snp/parts.h"
#include "smp.h"
#include "vcpu.h"

#define GHCB_RAX	0x1f8
#define GHCB_RCX	0x308
#define GHCB_RDX	0x310
#define GHCB_RBX	0x318
#define GHCB_CODE	0x390
#define GHCB_INFO1	0x398
#define GHCB_INFO2	0x3a0
#define GHCB_SCRATCH	0x3a8
#define GHCB_VALID	0x3f0

/* SW_EXITINFO1 and 2 of an answer: raise #GP; request not understood */
#define ANSWER_EXCEPTION	1
#define ANSWER_GP		0x80000b0dUL
#define ANSWER_MALFORMED	2
#define MALFORMED_SCRATCH	3
#define MALFORMED_INPUT		5
#define MALFORMED_EVENT		6

struct ghcb {
	u8 *page;
	u64 info1, info2;		/* of the answer */
};

static u64 ghcb_get(const struct ghcb *g, u32 at)
{
	return *(volatile u64 *)(g->page + at);
}

static void ghcb_put(struct ghcb *g, u32 at, u64 v)
{
	*(volatile u64 *)(g->page + at) = v;
	g->page[GHCB_VALID + at / 64] |= (u8)(1u << at / 8 % 8);
}

static void answer_malformed(struct ghcb *g, u64 why)
{
	g->info1 = ANSWER_MALFORMED;
	g->info2 = why;
}

static void ghcb_cpuid(struct vcpu *c, struct ghcb *g)
{
	u32 r[4];

	guest_cpuid(c, (u32)ghcb_get(g, GHCB_RAX), (u32)ghcb_get(g, GHCB_RCX),
		    r);
	ghcb_put(g, GHCB_RAX, r[0]);
	ghcb_put(g, GHCB_RBX, r[1]);
	ghcb_put(g, GHCB_RCX, r[2]);
	ghcb_put(g, GHCB_RDX, r[3]);
}

static void ghcb_string_io(struct vcpu *c, struct ghcb *g, u32 info,
			   u64 times)
{
	u64 at = ghcb_get(g, GHCB_SCRATCH);
	u32 size = IO_SIZE(info);

	if (times > PAGE_SIZE || !is_shared(at, times * size)) {
		answer_malformed(g, MALFORMED_SCRATCH);
		return;
	}
	for (; times--; at += size)
		if (info & IO_IN)
			mmio_write(at, size, port_read(IO_PORT(info), size));
		else
			port_write(c, IO_PORT(info), size,
				   mmio_read(at, size));
}

static void ghcb_io(struct vcpu *c, struct ghcb *g)
{
	u32 info = (u32)ghcb_get(g, GHCB_INFO1);

	if (info & IO_STRING)
		ghcb_string_io(c, g, info, ghcb_get(g, GHCB_INFO2));
	else if (info & IO_IN)
		ghcb_put(g, GHCB_RAX, port_read(IO_PORT(info),
						IO_SIZE(info)));
	else
		port_write(c, IO_PORT(info), IO_SIZE(info),
			   ghcb_get(g, GHCB_RAX));
}

static void ghcb_msr(struct vcpu *c, struct ghcb *g)
{
	u32 msr = (u32)ghcb_get(g, GHCB_RCX);
	u64 v;
	bool ok;

	if (ghcb_get(g, GHCB_INFO1)) {
		ok = guest_wrmsr(c, msr, (u32)ghcb_get(g, GHCB_RAX) |
				 ghcb_get(g, GHCB_RDX) << 32);
	} else {
		ok = guest_rdmsr(c, msr, &v);
		if (ok) {
			ghcb_put(g, GHCB_RAX, (u32)v);
			ghcb_put(g, GHCB_RDX, v >> 32);
		}
	}
	if (!ok) {
		g->info1 = ANSWER_EXCEPTION;
		g->info2 = ANSWER_GP;
	}
}

static void ghcb_mmio(struct ghcb *g, bool is_read)
{
	u64 at = ghcb_get(g, GHCB_INFO1) & ~GUEST_BIT;
	u64 size = ghcb_get(g, GHCB_INFO2) & 15;
	u64 scratch = ghcb_get(g, GHCB_SCRATCH);

	if (!is_device(at) || !is_shared(scratch, 8) || !size ||
	    size & (size - 1)) {
		answer_malformed(g, MALFORMED_SCRATCH);
		return;
	}
	if (is_read)
		mmio_write(scratch, (u32)size, mmio_read(at, (u32)size));
	else
		mmio_write(at, (u32)size, mmio_read(scratch, (u32)size));
}

#define AP_DESTROY	2		/* SW_EXITINFO1, low byte */

/* A CPU from its VMSA, which has the layout of the VMCB's save area. */
static void ghcb_create_cpu(struct vcpu *c, struct ghcb *g)
{
	u64 info = ghcb_get(g, GHCB_INFO1);
	u64 vmsa = ghcb_get(g, GHCB_INFO2) & PAGE_MASK;
	struct vcpu *t = vcpu_of(info >> 32);
	struct vmcb *v;
	const u8 *s;

	if ((info & 0xff) == AP_DESTROY && t) {
		vcpu_stop(c, t);
		return;
	}
	if ((info & 0xff) > 1 || !t || t == c || !is_ram(vmsa) ||
	    (page_state(vmsa) & CVM_STATE_MASK) != CVM_STATE_PRIVATE) {
		answer_malformed(g, MALFORMED_EVENT);
		return;
	}
	vcpu_stop(c, t);
	v = t->v;
	s = (u8 *)vmsa;
	memcpy(&v->es, s, 0xa0);
	v->cpl = 0;
	memcpy(&v->efer, s + 0xd0, 8);
	memcpy(&v->cr4, s + 0x148, 8);
	memcpy(&v->cr3, s + 0x150, 8);
	memcpy(&v->cr0, s + 0x158, 8);
	memcpy(&v->dr7, s + 0x160, 8);
	memcpy(&v->dr6, s + 0x168, 8);
	memcpy(&v->rflags, s + 0x170, 8);
	memcpy(&v->rip, s + 0x178, 8);
	v->efer |= EFER_SVME;
	v->cr0 &= ~0x60000000UL;	/* CD NW: VMRUN refuses NW alone */
	v->inject = 0;
	v->interrupt_shadow = 0;
	v->nested_cr3 = npt_unpaged_root();
	vcpu_go(t);
}

/* Both pages whole, shared and not the same; RAX and RBX are of the table. */
static void ghcb_guest_request(struct vcpu *c, struct ghcb *g, bool extended)
{
	u64 from = ghcb_get(g, GHCB_INFO1), to = ghcb_get(g, GHCB_INFO2);
	u64 table = ghcb_get(g, GHCB_RAX), pages = ghcb_get(g, GHCB_RBX);

	if (((from | to) & ~PAGE_MASK) || from == to ||
	    !is_shared(from, PAGE_SIZE) || !is_shared(to, PAGE_SIZE) ||
	    (extended && table & ~PAGE_MASK)) {
		answer_malformed(g, MALFORMED_INPUT);
		return;
	}
	g->info2 = guest_request(c, from, to, table, extended ? &pages : NULL);
	if (extended)
		ghcb_put(g, GHCB_RBX, pages);
}

static void ghcb_request(struct vcpu *c, struct ghcb *g)
{
	u64 code = ghcb_get(g, GHCB_CODE);
	u64 scratch = ghcb_get(g, GHCB_SCRATCH);

	switch (code) {
	case VC_CPUID:
		ghcb_cpuid(c, g);
		break;
	case VC_IO:
		ghcb_io(c, g);
		break;
	case VC_MSR:
		ghcb_msr(c, g);
		break;
	case EXIT_HLT:
	case 0x80000004:			/* AP reset hold */
		wait_interrupt(c);
		break;
	case EXIT_WBINVD:
	case 0x80000003:			/* NMI complete */
		break;
	case VC_VMMCALL:
		ghcb_put(g, GHCB_RAX, (u64)-1000);	/* KVM_ENOSYS */
		break;
	case 0x80000001:
	case 0x80000002:
		ghcb_mmio(g, code & 1);
		break;
	case 0x80000010:
		if (!is_shared(scratch, sizeof(struct psc)) || scratch & 7) {
			answer_malformed(g, MALFORMED_SCRATCH);
			break;
		}
		machine_lock(c);
		g->info2 = psc_page(c, (struct psc *)scratch);
		machine_unlock();
		break;
	case 0x80000011:
	case 0x80000012:
		ghcb_guest_request(c, g, code & 2);
		break;
	case 0x80000013:
		ghcb_create_cpu(c, g);
		break;
	case 0x8000fffd:			/* hypervisor features */
		g->info2 = 3;			/* SNP, AP creation */
		break;
	case 0x8000fffe:
		guest_terminated(c, "the guest asked for termination: %lx %lx",
				 ghcb_get(g, GHCB_INFO1),
				 ghcb_get(g, GHCB_INFO2));
	default:
		answer_malformed(g, MALFORMED_EVENT);
	}
}

/* GHCB specification, 2.3.1: requests in the MSR's low 12 bits. */
static void msr_request(struct vcpu *c, u64 m)
{
	u32 r[4];

	switch (m & 0xfff) {
	case 0x002:				/* SEV information */
		c->ghcb = 2UL << 48 | 1UL << 32 |
			  (u64)GUEST_BIT_NR << 24 | 1;
		break;
	case 0x004:
		guest_cpuid(c, (u32)(m >> 32), 0, r);
		c->ghcb = (u64)r[m >> 30 & 3] << 32 | (m & 0xc0000000) | 5;
		break;
	case 0x010:				/* preferred GHCB: none */
		c->ghcb = ~0UL << 12 | 0x11;
		break;
	case 0x012:				/* register this GHCB address */
		c->ghcb = (m & ~0xfffUL) | 0x13;
		break;
	case 0x014:
		machine_lock(c);
		psc_msr(c, m);
		machine_unlock();
		break;
	case 0x080:				/* hypervisor features */
		c->ghcb = 3UL << 12 | 0x81;
		break;
	case 0x100:
		guest_terminated(c, "the guest asked for termination: set %lu, "
				 "reason %lu", m >> 12 & 15, m >> 16 & 255);
	default:
		machine_stop(c, "VMGEXIT with an unknown MSR request %lx", m);
	}
}

void vmgexit(struct vcpu *c)
{
	struct ghcb g = { .page = (u8 *)(c->ghcb & ~GUEST_BIT) };

	c->v->rip += 4;
	if (c->ghcb & 0xfff) {
		msr_request(c, c->ghcb);
		return;
	}
	if (!is_shared((u64)g.page, PAGE_SIZE)) {
		violation(c, (u64)g.page, "VMGEXIT with a GHCB that is not "
			  "shared");
		guest_lost(c, false, "VMGEXIT with a private GHCB");
	}
	ghcb_request(c, &g);
	ghcb_put(&g, GHCB_INFO1, g.info1);
	ghcb_put(&g, GHCB_INFO2, g.info2);
}
