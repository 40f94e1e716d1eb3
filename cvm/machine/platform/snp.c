// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP, VMPL0, no paravisor.
 *
 * Words
 *   C-bit    GUEST_BIT set: private
 *   RMP      page states of npt.c: SHARED is "not assigned", PENDING is
 *            "assigned, not validated", PRIVATE is "assigned and validated";
 *            a large region is one 2M RMP entry
 *   smash    the host splits a 2M RMP entry (PSMASH)
 *   GHCB     a shared page through which the guest asks the host; before
 *            there is one, the MSR 0xc0010130 carries requests
 *
 * Sources: AMD64 manual vol. 2, 15.36 (SNP) and vol. 3 (PVALIDATE,
 * RMPADJUST); GHCB specification 56421; Linux arch/x86/coco/sev, KVM sev.c.
 */
#include "machine.h"

#define VC_CPUID	0x72u
#define VC_IO		0x7bu
#define VC_MSR		0x7cu
#define VC_VMMCALL	0x81u
#define VC_NPF		0x400u
#define VC_NOT_VALIDATED 0x404u

#define PVALIDATE_OK		0u
#define PVALIDATE_BAD_INPUT	1u
#define PVALIDATE_SIZE_MISMATCH	6u

void inject_vc(struct vcpu *c, u32 code)
{
	if (c->event)
		machine_stop(c, "#VC %x while an event was delivered", code);
	count(CVM_N_VC, 1);
	if (!inject_frame(c, 29, code))
		machine_stop(c, "#VC %x cannot be delivered (no handler?)",
			     code);
}

static void snp_setup(void)
{
	intercept_all_io();
	intercept_msr(MSR_GHCB, true, true);
	intercept_msr(MSR_SEV_STATUS, true, true);
}

/*
 * Linux refuses XSAVE without XSAVEC and XSAVES here (snp_cpuid), and TCG has
 * neither: no XSAVE, no AVX.
 */
static void snp_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4])
{
	(void)c;
	switch (leaf) {
	case 0:
		out[0] = 0xc;
		break;
	case 1:
		out[2] &= ~(1u << 12 | 7u << 26 | 1u << 29);
		break;
	case 7:
		if (!sub)
			out[1] &= ~(1u << 5);
		break;
	case 0xd:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	case 0x80000000:
		out[0] = 0x8000001f;
		break;
	case 0x8000001f:
		out[0] = 1u << 1 | 1u << 3 | 1u << 4;	/* SEV ES SNP */
		out[1] = GUEST_BIT_NR | 1u << 6;
		out[2] = 16;
		out[3] = 1;
		break;
	}
}

static bool snp_rdmsr(struct vcpu *c, u32 msr, u64 *value, bool *ok)
{
	(void)ok;
	if (msr == MSR_GHCB)
		*value = c->ghcb;
	else if (msr == MSR_SEV_STATUS)
		*value = 7;
	else
		return false;
	return true;
}

static bool snp_wrmsr(struct vcpu *c, u32 msr, u64 value, bool *ok)
{
	if (msr == MSR_GHCB)
		c->ghcb = value;
	else if (msr == MSR_SEV_STATUS)
		*ok = false;
	else
		return false;
	return true;
}

/* ---- PVALIDATE and RMPADJUST ---- */

/*
 * RAX through the guest's tables. Both instructions check it like a one-byte
 * read: an unmapped address is an ordinary #PF, on which Linux relies.
 */
static bool map_operand(struct vcpu *c, u64 va, struct mapping *m)
{
	if (SEG_DPL(c->v->ss.attributes)) {
		inject_error(c, 13, 0);
		return false;
	}
	if (!guest_map(c, va, m)) {
		c->v->cr2 = va;
		inject_error(c, 14, 0);
		return false;
	}
	return true;
}

/*
 * A page in the RMP that is not assigned: #NPF to the host, which has to
 * assign one (KVM does), or stop.
 */
static void assign(struct vcpu *c, u64 gpa)
{
	struct access a = { .gpa = gpa, .raw = gpa | GUEST_BIT,
			    .private = true, .state = CVM_STATE_SHARED };
	bool forced = forced_by_host(c, gpa);

	count(CVM_N_BAD_CALL, 1);
	if (!forced)
		violation(c, gpa, "PVALIDATE of a page that is shared");
	if (host_kind() == CVM_HOST_STRICT) {
		machine_unlock();
		guest_lost(c, forced, "PVALIDATE of a shared page, gpa %lx",
			   gpa);
	}
	implicit_conversion(c, &a);
}

/* The RMP's part. Returns EAX, sets @unchanged for CF. */
static u32 rmp_validate(struct vcpu *c, u64 gpa, bool large, bool validate,
			bool *unchanged)
{
	unsigned int to = validate ? CVM_STATE_PRIVATE : CVM_STATE_PENDING;
	u64 pages = large ? PAGES_IN_LARGE : 1;

	if ((page_state(gpa) & CVM_STATE_MASK) == CVM_STATE_SHARED)
		assign(c, gpa);
	if (large && !region_large(gpa)) {
		count(CVM_N_SIZE_MISMATCH, 1);
		return PVALIDATE_SIZE_MISMATCH;
	}
	if (!large && region_large(gpa))
		region_set_large(gpa, false);		/* the host smashes */
	*unchanged = (page_state(gpa) & CVM_STATE_MASK) == to;
	if (*unchanged) {
		count(CVM_N_UNCHANGED, 1);
		return PVALIDATE_OK;
	}
	if (large)
		region_set(gpa, to);
	else
		page_set(gpa, to);
	count(validate ? CVM_N_ACCEPT_CALLS : CVM_N_RELEASE_CALLS, 1);
	count(validate ? CVM_N_ACCEPT_PAGES : CVM_N_RELEASE_PAGES, pages);
	return PVALIDATE_OK;
}

/*
 * No TLB of another CPU is touched: "PVALIDATE does not invalidate TLBs".
 * That C must be set in the mapping, and that the result without it is
 * FAIL_INPUT, is a guess.
 */
static void pvalidate(struct vcpu *c)
{
	u64 va = c->v->rax;
	bool large = c->r.rcx & 1, validate = c->r.rdx & 1, unchanged = false;
	struct mapping m;
	u32 result;

	if (!map_operand(c, va, &m))
		return;
	if ((large && (va & ~LARGE_MASK || m.hpa & ~LARGE_MASK)) ||
	    (m.leaf && !(m.leaf & GUEST_BIT)) || c->r.rcx >> 1 & 0x7fffffff ||
	    !is_ram(m.hpa)) {
		result = PVALIDATE_BAD_INPUT;
	} else {
		machine_lock(c);
		result = rmp_validate(c, m.hpa & PAGE_MASK, large, validate,
				      &unchanged);
		machine_unlock();
	}
	c->v->rax = result;
	c->v->rflags &= ~RFLAGS_CF;
	if (unchanged)
		c->v->rflags |= RFLAGS_CF;
	c->v->rip += 4;
}

/* Permissions of other VMPLs are not modelled: only the checks are. */
static void rmpadjust(struct vcpu *c)
{
	struct mapping m;

	if (!map_operand(c, c->v->rax, &m))
		return;
	c->v->rax = is_ram(m.hpa) && (page_state(m.hpa) & CVM_STATE_MASK) ==
		    CVM_STATE_PRIVATE ? 0 : PVALIDATE_BAD_INPUT;
	c->v->rip += 4;
}

/* ---- page state change ---- */

#define PSC_PRIVATE	1u
#define PSC_SHARED	2u
#define PSC_MAX		253u
#define PSC_BAD_HEADER	(1UL << 32 | 1)
#define PSC_BAD_ENTRY	(1UL << 32 | 2)
#define PSC_GENERIC	(0x100UL << 32)

struct psc {
	u16 current, end;
	u32 reserved;
	u64 entry[PSC_MAX];
};

static u64 psc_gpa(u64 entry)
{
	return (entry >> 12 & 0xffffffffffUL) << 12;
}

/* One entry, faithfully. Returns pages, 0 when it is nonsense. */
static u64 psc_entry(u64 e, bool small, bool twice)
{
	u64 gpa = psc_gpa(e);
	unsigned int op = e >> 52 & 15;
	bool large = e >> 56 & 1;
	u64 pages = large ? PAGES_IN_LARGE : 1;

	if ((op != PSC_PRIVATE && op != PSC_SHARED) ||
	    (large && gpa & ~LARGE_MASK))
		return 0;
	for (u64 i = 0; i < pages; i++)
		if (!is_ram(gpa + i * PAGE_SIZE))
			return 0;
	convert_pages(gpa, pages, op == PSC_SHARED, large && !small);
	if (twice && op == PSC_PRIVATE)
		convert_twice(gpa);
	return pages;
}

/* Do entries up to @end (exclusive); returns what goes into SW_EXITINFO2. */
static u64 psc_entries(struct psc *p, u32 end, bool small, bool twice)
{
	u64 pages = 0, n, result = 0;
	bool shared = (p->entry[p->current] >> 52 & 15) == PSC_SHARED;

	while (p->current < end) {
		n = psc_entry(p->entry[p->current], small, twice);
		if (!n) {
			result = PSC_BAD_ENTRY;
			break;
		}
		pages += n;
		p->current++;
	}
	count_conversion(shared, pages);
	return result;
}

/* Entries from @from on were claimed to be done. */
static void psc_lied(const struct psc *p, u32 from)
{
	for (u32 i = from; i <= p->end; i++)
		host_lied(psc_gpa(p->entry[i]),
			  p->entry[i] >> 56 & 1 ? PAGES_IN_LARGE : 1);
}

static u64 psc_honest(struct vcpu *c, struct psc *p, enum host_act act)
{
	u32 first = p->current, all = p->end + 1u;
	u32 half = first + (all - first) / 2;
	u64 result = 0;

	switch (act) {
	case HOST_REFUSE:
		return PSC_GENERIC;
	case HOST_HALF:
		psc_entries(p, half, false, false);
		result = PSC_GENERIC;
		break;
	case HOST_EARLY:
		result = psc_entries(p, half, false, false);
		break;
	case HOST_LIE_HALF:
		result = psc_entries(p, half, false, false);
		psc_lied(p, p->current);
		p->current = (u16)all;
		break;
	default:
		result = psc_entries(p, all, act == HOST_SMALL,
				     act == HOST_TWICE);
	}
	convert_finish(c);
	return result;
}

static u64 psc_lie(struct psc *p, enum host_act act)
{
	switch (act) {
	case HOST_LIE:
		psc_lied(p, p->current);
		p->current = (u16)(p->end + 1);
		break;
	case HOST_OUTSIDE:
		if (host_random() >> 33 & 1 && p->current)
			p->current--;
		else
			p->end = (u16)(p->end + 1 + (host_random() & 7));
		break;
	case HOST_STRAY:
		if (host_random() >> 33 & 1)
			p->reserved = (u32)host_random() | 1;
		else
			p->current = 0xfff0;
		break;
	default:			/* HOST_SPIN: call again */
		break;
	}
	return 0;
}

#define PSC_ACTS (1u << HOST_REFUSE | 1u << HOST_HALF | 1u << HOST_LIE | \
		  1u << HOST_LIE_HALF | 1u << HOST_EARLY | 1u << HOST_SPIN | \
		  1u << HOST_OUTSIDE | 1u << HOST_STRAY | 1u << HOST_SMALL | \
		  1u << HOST_TWICE)

static u64 psc_page(struct vcpu *c, struct psc *p)
{
	enum host_act act;

	if (p->reserved || p->end >= PSC_MAX || p->current > p->end)
		return PSC_BAD_HEADER;
	for (u32 i = p->current; i <= p->end; i++)
		host_hears_of(psc_gpa(p->entry[i]));
	act = host_decide(PSC_ACTS);
	switch (act) {
	case HOST_LIE:
	case HOST_OUTSIDE:
	case HOST_STRAY:
	case HOST_SPIN:
		return psc_lie(p, act);
	default:
		return psc_honest(c, p, act);
	}
}

/* The MSR form: one 4K page. */
static void psc_msr(struct vcpu *c, u64 request)
{
	u64 gpa = request & 0xfffffffffffff000UL & ((1UL << 52) - 1);
	u64 entry = gpa | (request >> 52 & 15) << 52, error = 0;
	enum host_act act = host_decide(1u << HOST_REFUSE | 1u << HOST_LIE |
					1u << HOST_STRAY | 1u << HOST_TWICE);

	host_hears_of(gpa);
	c->ghcb = 0x15;
	if (act == HOST_LIE) {
		host_lied(gpa, 1);
		return;
	}
	if (act == HOST_STRAY) {
		c->ghcb = host_random();
		return;
	}
	if (act == HOST_REFUSE) {
		error = 1;
	} else {
		error = !psc_entry(entry, false, act == HOST_TWICE);
		if (!error)
			count_conversion((request >> 52 & 15) == PSC_SHARED,
					 1);
		convert_finish(c);
	}
	c->ghcb |= error << 32;
}

/* ---- VMGEXIT ---- */

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

static bool is_shared(u64 gpa, u64 bytes)
{
	for (u64 at = gpa & PAGE_MASK; at < gpa + bytes; at += PAGE_SIZE)
		if (!is_ram(at) || (page_state(at) & CVM_STATE_MASK) !=
		    CVM_STATE_SHARED)
			return false;
	return true;
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

	if (at < ram_end || at >> 39 || !is_shared(scratch, 8) || !size ||
	    size & (size - 1)) {
		answer_malformed(g, MALFORMED_SCRATCH);
		return;
	}
	if (is_read)
		mmio_write(scratch, (u32)size, mmio_read(at, (u32)size));
	else
		mmio_write(at, (u32)size, mmio_read(scratch, (u32)size));
}

/* A CPU from its VMSA, which has the layout of the VMCB's save area. */
static void ghcb_create_cpu(struct vcpu *c, struct ghcb *g)
{
	u64 info = ghcb_get(g, GHCB_INFO1);
	u64 vmsa = ghcb_get(g, GHCB_INFO2) & PAGE_MASK;
	struct vcpu *t = vcpu_of(info >> 32);
	struct vmcb *v;
	const u8 *s;

	if ((info & 0xff) > 1 || !t || !is_ram(vmsa) ||
	    (page_state(vmsa) & CVM_STATE_MASK) != CVM_STATE_PRIVATE) {
		answer_malformed(g, MALFORMED_EVENT);
		return;
	}
	(void)c;
	if (t->go)
		return;
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
	v->nested_cr3 = npt_unpaged_root();
	vcpu_go(t);
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
	case 0x80000013:
		ghcb_create_cpu(c, g);
		break;
	case 0x8000fffd:			/* hypervisor features */
		g->info2 = 3;			/* SNP, AP creation */
		break;
	case 0x8000fffe:
		machine_stop(c, "%sthe guest asked for termination: %lx %lx",
			     whose_doing(c->forced), ghcb_get(g, GHCB_INFO1),
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
		machine_stop(c, "%sthe guest asked for termination: set %lu, "
			     "reason %lu", whose_doing(c->forced), m >> 12 & 15,
			     m >> 16 & 255);
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

/* ---- exits ---- */

static bool ud_exit(struct vcpu *c)
{
	u8 o[4];

	if (guest_code(c, o) < 4 || o[1] != 0x0f || o[2] != 0x01)
		return false;
	if (o[0] == 0xf2 && o[3] == 0xff) {
		count(CVM_N_EXIT_PVALIDATE, 1);
		pvalidate(c);
		return true;
	}
	if (o[0] == 0xf3 && o[3] == 0xfe) {
		count(CVM_N_EXIT_OTHER, 1);
		rmpadjust(c);
		return true;
	}
	return false;
}

/* VMGEXIT is VMMCALL with an F3 prefix, and exits as one. */
static void vmmcall_exit(struct vcpu *c)
{
	u8 o[4] = { 0 };

	guest_code(c, o);
	if (o[0] == 0xf3)
		vmgexit(c);
	else
		inject_vc(c, VC_VMMCALL);
}

/*
 * What hardware forces to be private and our nested tables see as C=0: the
 * unpaged accesses of a starting CPU, which has a root of its own until the
 * first exit that finds paging on; and CR3 without C, where it is added.
 */
static bool forced_private(struct vcpu *c)
{
	struct vmcb *v = c->v;
	u64 gpa = v->exit_info_2;

	if (v->nested_cr3 == npt_unpaged_root() && v->cr0 & CR0_PG) {
		v->nested_cr3 = npt_root();
		c->flush = 1;
		return v->exit_code == EXIT_NPF;
	}
	if (v->exit_code == EXIT_NPF && v->exit_info_1 & NPF_WALK &&
	    !((v->cr3 ^ gpa) & (GUEST_BIT - 1) & PAGE_MASK) &&
	    !(gpa & GUEST_BIT) && !(v->cr3 & GUEST_BIT)) {
		v->cr3 |= GUEST_BIT;
		return true;
	}
	return false;
}

static bool is_own_msr(u32 msr)
{
	return msr == MSR_GHCB || msr == MSR_SEV_STATUS || msr == MSR_EFER ||
	       msr == MSR_VM_CR || msr == MSR_HSAVE_PA || msr == MSR_HWCR ||
	       msr == MSR_APIC_BASE || msr == MSR_X2APIC_TMCCT;
}

static bool snp_exit(struct vcpu *c)
{
	if (forced_private(c))
		return true;
	switch (c->v->exit_code) {
	case EXIT_CPUID:
		inject_vc(c, VC_CPUID);
		return true;
	case EXIT_IO:
		inject_vc(c, VC_IO);
		return true;
	case EXIT_MSR:
		if (is_own_msr((u32)c->r.rcx))
			return false;
		inject_vc(c, VC_MSR);
		return true;
	case EXIT_UD:
		return ud_exit(c);
	case EXIT_VMMCALL:
		vmmcall_exit(c);
		return true;
	}
	return false;
}

/*
 * Private access to a shared page: #NPF; the host assigns the page, the next
 * try finds it not validated: #VC 0x404. Shared access to an assigned page:
 * #NPF; the host takes the page back (kvm), or says "MMIO" (ve). A ve host
 * changes nothing.
 */
static bool snp_mismatch(struct vcpu *c, const struct access *a)
{
	if (a->private) {
		if (a->state == CVM_STATE_SHARED &&
		    host_kind() != CVM_HOST_VE)
			implicit_conversion(c, a);
		inject_vc(c, VC_NOT_VALIDATED);
		return true;
	}
	if (host_kind() == CVM_HOST_VE) {
		inject_vc(c, VC_NPF);
		return true;
	}
	return implicit_conversion(c, a);
}

static void snp_mmio(struct vcpu *c, const struct access *a)
{
	if (a->private) {
		violation(c, a->gpa, "private access to a device");
		guest_lost(c, false, "private access to a device, gpa %lx",
			   a->gpa);
	}
	inject_vc(c, VC_NPF);
}

const struct platform snp_platform = {
	.name = "snp",
	.bit_is_private = true,
	.large = true,
	.setup = snp_setup,
	.cpuid = snp_cpuid,
	.msr_read = snp_rdmsr,
	.msr_write = snp_wrmsr,
	.exit = snp_exit,
	.mismatch = snp_mismatch,
	.mmio = snp_mmio,
};

/* ---- what SNP firmware hands to Linux ---- */

struct cc_blob {			/* struct cc_blob_sev_info */
	u32 magic;
	u16 version, reserved;
	u64 secrets;
	u32 secrets_size, reserved_2;
	u64 cpuid;
	u32 cpuid_size, reserved_3;
};

struct setup_data {			/* type 7: the address of a cc_blob */
	u64 next;
	u32 type, size, address;
};

/* The CPUID page: struct snp_cpuid_table. */
static void cpuid_page(u8 *page)
{
	static const u32 leaves[][2] = {
		{ 0, 0 }, { 1, 0 }, { 2, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 },
		{ 7, 1 }, { 0xb, 0 }, { 0xb, 1 }, { 0xd, 0 }, { 0xd, 1 },
		{ 0x40000000, 0 }, { 0x40000001, 0 }, { 0x80000000, 0 },
		{ 0x80000001, 0 }, { 0x80000002, 0 }, { 0x80000003, 0 },
		{ 0x80000004, 0 }, { 0x80000005, 0 }, { 0x80000006, 0 },
		{ 0x80000007, 0 }, { 0x80000008, 0 }, { 0x8000001d, 0 },
		{ 0x8000001e, 0 }, { 0x8000001f, 0 },
	};
	u32 n = ARRAY_SIZE(leaves), r[4];

	memcpy(page, &n, 4);
	for (u32 i = 0; i < n; i++) {
		u8 *e = page + 16 + 48 * i;

		guest_cpuid(&vcpus[0], leaves[i][0], leaves[i][1], r);
		memcpy(e, leaves[i], 8);
		if (leaves[i][0] == 0xd)
			e[8] = 1;		/* XCR0 */
		memcpy(e + 24, r, 16);
	}
}

void snp_build_blob(u8 *zero_page)
{
	struct cc_blob *b = memset((void *)FW_SNP, 0, 3 * PAGE_SIZE);
	struct setup_data *s = (void *)(FW_SNP + 0x100);

	*b = (struct cc_blob){
		.magic = 0x45444d41,
		.secrets = FW_SNP + PAGE_SIZE,
		.secrets_size = PAGE_SIZE,
		.cpuid = FW_SNP + 2 * PAGE_SIZE,
		.cpuid_size = PAGE_SIZE,
	};
	*(u32 *)b->secrets = 2;			/* version */
	cpuid_page((u8 *)b->cpuid);
	memcpy(&s->next, zero_page + 0x250, 8);
	s->type = 7;
	s->size = 4;
	s->address = FW_SNP;
	memcpy(zero_page + 0x250, &s, 8);
}
