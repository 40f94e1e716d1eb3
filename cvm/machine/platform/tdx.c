// SPDX-License-Identifier: GPL-2.0
/*
 * TDX, without a paravisor.
 *
 * Words
 *   shared bit   GUEST_BIT set: shared (GPAW 48, bit 47)
 *   secure EPT   page states of npt.c: SHARED is "free", PENDING is "added,
 *                not accepted", PRIVATE is "mapped"; a large region is one 2M
 *                leaf, any other has a table of 4K leaves
 *   demote       the host splits a 2M leaf
 *   TD exit      the host gets control; for a private access that cannot be
 *                satisfied it is the end of the guest
 *
 * TDCALL is an undefined instruction on this CPU and arrives as #UD. The
 * module answers leaf 0 (TDVMCALL) by asking the host; the host is here too.
 *
 * Sources: Intel TDX module ABI specification (348551); the module's own
 * tdg_mem_page_accept.c for the order of checks; GHCI specification (344426)
 * for TDVMCALL; Linux arch/x86/coco/tdx/tdx.c. Which CPUID leaves and MSRs
 * raise #VE is a guess from what Linux expects.
 */
#include "machine.h"

#define TDX_OPERAND_INVALID	0xc000010000000000UL
#define TDX_NO_VE_INFO		0xc000070400000000UL
#define TDX_ALREADY_ACCEPTED	0x00000b0a00000000UL
#define TDX_SIZE_MISMATCH	0xc0000b0b00000000UL
#define TDX_STATE_INCORRECT	0xc0000b0d00000000UL
#define OPERAND_RCX		1

#define VMCALL_RETRY		1UL
#define VMCALL_INVALID		0x8000000000000000UL
#define VMCALL_ALIGN		0x8000000000000002UL

/* VMX exit reasons, as the guest gets them with #VE */
#define REASON_CPUID		10
#define REASON_HLT		12
#define REASON_IO		30
#define REASON_RDMSR		31
#define REASON_WRMSR		32
#define REASON_EPT_VIOLATION	48

static bool is_ve_msr(u32 msr)
{
	if (msr >= 0x2000 && msr < 0xc0000000)
		return true;
	if (msr < MSR_X2APIC || msr >= MSR_X2APIC + 0x40)
		return false;
	/* the virtual APIC page covers TPR, EOI, ISR..IRR, self IPI */
	return msr == 0x802 || msr == 0x803 ||
	       (msr >= 0x80d && msr < 0x810) ||
	       (msr >= 0x828 && msr != 0x83f);
}

static void tdx_setup(void)
{
	intercept_all_io();
	for (u32 msr = MSR_X2APIC; msr < MSR_X2APIC + 0x40; msr++)
		if (is_ve_msr(msr) && !(elf_guest && msr == MSR_X2APIC_ICR))
			intercept_msr(msr, true, true);
	memset((void *)FW_MAILBOX, 0, PAGE_SIZE);
	page_set(FW_MAILBOX, CVM_STATE_PENDING);
}

static void tdx_setup_cpu(struct vcpu *c)
{
	c->v->intercept_1 |= ICPT_HLT;
}

static void tdx_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4])
{
	(void)c;
	switch (leaf) {
	case 0:
		out[0] = 0x21;
		memcpy(&out[1], "Genu", 4);
		memcpy(&out[3], "ineI", 4);
		memcpy(&out[2], "ntel", 4);
		break;
	case 1:
		out[0] = 0x000806f8;
		out[3] &= ~(1u << 12);			/* MTRR */
		break;
	case 0x15:		/* Linux takes the crystal for the APIC timer */
		out[0] = 100;
		out[1] = (u32)(tsc_khz / 10000);
		out[2] = 1000000000;
		out[3] = 0;
		break;
	case 0x16:
		out[0] = out[1] = (u32)(tsc_khz / 1000);
		out[2] = 100;
		out[3] = 0;
		break;
	case 0x21:
		out[0] = out[1] = out[2] = out[3] = 0;
		if (!sub) {
			memcpy(&out[1], "Inte", 4);
			memcpy(&out[3], "lTDX", 4);
			memcpy(&out[2], "    ", 4);
		}
		break;
	case 0x22 ... 0x3fffffff:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	case 0x80000001:				/* Intel's bits only */
		out[2] &= ~(1u << 1 | 1u << 6 | 1u << 22);
		out[3] &= 1u << 11 | 1u << 20 | 1u << 26 | 1u << 27 | 1u << 29;
		break;
	}
}

/* ---- #VE ---- */

static void inject_ve(struct vcpu *c, u64 reason, u64 qualification, u64 gpa,
		      u32 length)
{
	if (c->event)
		machine_stop(c, "#VE %lu while an event was delivered",
			     reason);
	if (c->ve.valid) {
		inject_error(c, 8, 0);		/* nested #VE is #DF */
		return;
	}
	count(CVM_N_VE, 1);
	c->ve.valid = 1;
	c->ve.reason = reason;
	c->ve.qualification = qualification;
	/*
	 * SVM does not tell the linear address of a nested fault. Linux only
	 * asks whether it is a kernel address.
	 */
	c->ve.gla = reason == REASON_EPT_VIOLATION ? 0xffff800000000000UL : 0;
	c->ve.gpa = gpa;
	c->ve.length = length;
	c->ve.info = 0;
	inject(c, 20);
}

static u64 get_ve_info(struct vcpu *c)
{
	if (!c->ve.valid)
		return TDX_NO_VE_INFO;
	c->ve.valid = 0;
	c->r.rcx = c->ve.reason;
	c->r.rdx = c->ve.qualification;
	c->r.r8 = c->ve.gla;
	c->r.r9 = c->ve.gpa;
	c->r.r10 = c->ve.length | (u64)c->ve.info << 32;
	return 0;
}

/* Exit qualification of an I/O instruction, SDM vol. 3, table 28-5. */
static void io_ve(struct vcpu *c)
{
	u32 i = (u32)c->v->exit_info_1;
	u64 q = IO_SIZE(i) - 1;

	if (i & IO_IN)
		q |= 1u << 3;
	if (i & IO_STRING)
		q |= 1u << 4;
	if (i & IO_REP)
		q |= 1u << 5;
	q |= (u64)IO_PORT(i) << 16;
	inject_ve(c, REASON_IO, q, 0, (u32)(c->v->exit_info_2 - c->v->rip));
}

/* ---- TDG.MEM.PAGE.ACCEPT and RELEASE ---- */

struct page_arg {
	u64 gpa;
	bool large;
};

static bool page_arg(u64 rcx, struct page_arg *p)
{
	p->gpa = rcx & PAGE_MASK;
	p->large = rcx & 7;
	return !(rcx & 0xff8) && (rcx & 7) <= 1 && !(p->gpa & GUEST_BIT) &&
	       !(p->large && p->gpa & ~LARGE_MASK) && is_ram(p->gpa);
}

/*
 * The secure EPT has nothing there: TD exit, and the host must add the page.
 * For a page it knows as shared KVM asks user space, which converts it.
 */
static void add_missing(struct vcpu *c, u64 gpa)
{
	struct access a = { .gpa = gpa, .raw = gpa, .private = true,
			    .state = CVM_STATE_SHARED };
	bool forced = forced_by_host(c, gpa);

	count(CVM_N_BAD_CALL, 1);
	if (!forced)
		violation(c, gpa, "accept of a page that is shared");
	if (host_kind() == CVM_HOST_STRICT)
		guest_lost(c, forced, "accept of a shared page, gpa %lx", gpa);
	implicit_conversion(c, &a);
}

/*
 * tdg_mem_page_accept.c: a larger leaf that is mapped is "already accepted",
 * a larger pending one exits to be demoted, a table where a leaf was asked
 * for is a size mismatch. The level found goes into the low bits.
 */
static u64 accept(struct vcpu *c, const struct page_arg *p)
{
	u64 pages = p->large ? PAGES_IN_LARGE : 1;
	bool large = region_large(p->gpa);
	unsigned int state = page_state(p->gpa) & CVM_STATE_MASK;

	if (state == CVM_STATE_SHARED &&
	    (!p->large || region_uniform(p->gpa, CVM_STATE_SHARED))) {
		add_missing(c, p->gpa);
		state = CVM_STATE_PENDING;
	}
	if (p->large && !large) {
		count(CVM_N_SIZE_MISMATCH, 1);
		return TDX_SIZE_MISMATCH | 1;
	}
	if (state == CVM_STATE_PRIVATE) {
		count(CVM_N_UNCHANGED, 1);
		return TDX_ALREADY_ACCEPTED | large;
	}
	if (!p->large && large)
		region_set_large(p->gpa, false);	/* the host demotes */
	memset((void *)p->gpa, 0, pages * PAGE_SIZE);
	if (p->large)
		region_set(p->gpa, CVM_STATE_PRIVATE);
	else
		page_set(p->gpa, CVM_STATE_PRIVATE);
	count(CVM_N_ACCEPT_CALLS, 1);
	count(CVM_N_ACCEPT_PAGES, pages);
	return 0;
}

/*
 * TDG.MEM.PAGE.RELEASE, in newer modules: mapped -> pending. The module
 * tracks TLBs, so all CPUs drop the page. Its errors are taken to be those
 * of accept.
 */
static u64 release(struct vcpu *c, const struct page_arg *p)
{
	bool large = region_large(p->gpa);

	if (p->large && !large) {
		count(CVM_N_SIZE_MISMATCH, 1);
		return TDX_SIZE_MISMATCH | 1;
	}
	if ((page_state(p->gpa) & CVM_STATE_MASK) != CVM_STATE_PRIVATE)
		return TDX_STATE_INCORRECT | large;
	if (!p->large && large)
		region_set_large(p->gpa, false);
	if (p->large)
		region_set(p->gpa, CVM_STATE_PENDING);
	else
		page_set(p->gpa, CVM_STATE_PENDING);
	count(CVM_N_RELEASE_CALLS, 1);
	count(CVM_N_RELEASE_PAGES, p->large ? PAGES_IN_LARGE : 1);
	convert_finish(c);
	return 0;
}

static u64 page_call(struct vcpu *c, u64 (*call)(struct vcpu *,
						 const struct page_arg *))
{
	struct page_arg p;
	u64 result;

	if (!page_arg(c->r.rcx, &p))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	machine_lock(c);
	result = call(c, &p);
	machine_unlock();
	return result;
}

/* ---- TDVMCALL ---- */

#define MAP_ACTS (1u << HOST_REFUSE | 1u << HOST_HALF | 1u << HOST_LIE | \
		  1u << HOST_LIE_HALF | 1u << HOST_EARLY | 1u << HOST_SPIN | \
		  1u << HOST_OUTSIDE | 1u << HOST_STRAY | 1u << HOST_SMALL | \
		  1u << HOST_TWICE)

static u64 map_lie(struct vcpu *c, u64 bit, u64 gpa, u64 size,
		   enum host_act act)
{
	switch (act) {
	case HOST_REFUSE:
		c->r.r11 = gpa | bit;
		return VMCALL_INVALID;
	case HOST_SPIN:
		c->r.r11 = gpa | bit;
		return VMCALL_RETRY;
	case HOST_OUTSIDE:
		c->r.r11 = host_random() >> 33 & 1 ? gpa + size + PAGE_SIZE :
						     gpa - PAGE_SIZE;
		c->r.r11 |= bit;
		return VMCALL_RETRY;
	case HOST_STRAY:
		c->r.r11 = host_random();
		return host_random() >> 33 & 1 ? host_random() | 2 :
						 VMCALL_RETRY;
	default:				/* HOST_LIE */
		host_lied(gpa, size / PAGE_SIZE);
		c->r.r11 = 0;
		return 0;
	}
}

static u64 map_pages(struct vcpu *c, u64 bit, u64 gpa, u64 size,
		     enum host_act act)
{
	bool part = act == HOST_HALF || act == HOST_LIE_HALF ||
		    act == HOST_EARLY;
	u64 pages = size / PAGE_SIZE, done = part ? pages / 2 : pages;

	convert_pages(gpa, done, bit, act != HOST_SMALL);
	count_conversion(bit, done);
	if (act == HOST_TWICE && !bit)
		convert_twice(gpa);
	convert_finish(c);
	if (act == HOST_LIE_HALF)
		host_lied(gpa + done * PAGE_SIZE, pages - done);
	c->r.r11 = (gpa + done * PAGE_SIZE) | bit;
	if (act == HOST_HALF)
		return VMCALL_INVALID;
	if (act == HOST_EARLY && done < pages)
		return VMCALL_RETRY;
	c->r.r11 = 0;
	return 0;
}

static u64 map_gpa(struct vcpu *c)
{
	u64 bit = c->r.r12 & GUEST_BIT, gpa = c->r.r12 & ~GUEST_BIT;
	u64 size = c->r.r13, result;
	enum host_act act;

	c->r.r11 = c->r.r12;
	if ((gpa | size) & ~PAGE_MASK)
		return VMCALL_ALIGN;
	if (!size || gpa >= ram_end || size > ram_end - gpa)
		return VMCALL_INVALID;
	machine_lock(c);
	/* A few of them, the first and the last too; one page only once. */
	for (u64 i = 0; i < 4 && i < size / PAGE_SIZE; i++)
		host_hears_of(gpa + (size - PAGE_SIZE) * i / 3);
	act = host_decide(MAP_ACTS);
	switch (act) {
	case HOST_REFUSE:
	case HOST_SPIN:
	case HOST_OUTSIDE:
	case HOST_STRAY:
	case HOST_LIE:
		result = map_lie(c, bit, gpa, size, act);
		break;
	default:
		result = map_pages(c, bit, gpa, size, act);
	}
	machine_unlock();
	return result;
}

static u64 vmcall_io(struct vcpu *c)
{
	unsigned int size = (unsigned int)c->r.r12;
	u16 port = (u16)c->r.r14;

	if (size != 1 && size != 2 && size != 4)
		return VMCALL_INVALID;
	if (c->r.r13)
		port_write(c, port, size, c->r.r15);
	else
		c->r.r11 = port_read(port, size);
	return 0;
}

static u64 vmcall_mmio(struct vcpu *c)
{
	u64 at = c->r.r14 & ~GUEST_BIT;
	unsigned int size = (unsigned int)c->r.r12;

	if (at < ram_end || at >> 39 || (size != 1 && size != 2 && size != 4 &&
					 size != 8))
		return VMCALL_INVALID;
	if (c->r.r13)
		mmio_write(at, size, c->r.r15);
	else
		c->r.r11 = mmio_read(at, size);
	return 0;
}

static u64 vmcall_cpuid(struct vcpu *c)
{
	u32 r[4];

	guest_cpuid(c, (u32)c->r.r12, (u32)c->r.r13, r);
	c->r.r12 = r[0];
	c->r.r13 = r[1];
	c->r.r14 = r[2];
	c->r.r15 = r[3];
	return 0;
}

static u64 vmcall_halt(struct vcpu *c)
{
	if (c->r.r12)			/* interrupts blocked: for ever */
		vcpu_park(c);
	wait_interrupt(c);
	return 0;
}

__attribute__((noreturn)) static void report_fatal(struct vcpu *c)
{
	u64 words[9] = { c->r.r14, c->r.r15, c->r.rbx, c->r.rdi, c->r.rsi,
			 c->r.r8, c->r.r9, c->r.rdx, 0 };
	char *text = (char *)words;

	for (unsigned int i = 0; i < 64 && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	machine_stop(c, "the guest reports a fatal error %lx '%s'", c->r.r12,
		     text);
}

static u64 vmcall(struct vcpu *c)
{
	switch (c->r.r11) {
	case REASON_CPUID:
		return vmcall_cpuid(c);
	case REASON_HLT:
		return vmcall_halt(c);
	case REASON_IO:
		return vmcall_io(c);
	case REASON_RDMSR:
		return guest_rdmsr(c, (u32)c->r.r12, &c->r.r11) ?
		       0 : VMCALL_INVALID;
	case REASON_WRMSR:
		return guest_wrmsr(c, (u32)c->r.r12, c->r.r13) ?
		       0 : VMCALL_INVALID;
	case REASON_EPT_VIOLATION:
		return vmcall_mmio(c);
	case 0x10000:			/* GetTdVmCallInfo */
		c->r.r11 = c->r.r12 = c->r.r13 = c->r.r14 = 0;
		return 0;
	case 0x10001:
		return map_gpa(c);
	case 0x10003:
		report_fatal(c);
	default:
		return VMCALL_INVALID;
	}
}

/* ---- TDCALL ---- */

static u64 vp_info(struct vcpu *c)
{
	c->r.rcx = GUEST_BIT_NR + 1;		/* GPAW */
	c->r.rdx = 1UL << 28;			/* SEPT_VE_DISABLE */
	c->r.r8 = config.cpus | (u64)config.cpus << 32;
	c->r.r9 = c->id;
	c->r.r10 = c->r.r11 = 0;
	return 0;
}

static u64 tdcall_leaf(struct vcpu *c, u64 leaf)
{
	switch (leaf) {
	case 0:					/* TDG.VP.VMCALL */
		c->r.r10 = c->r.r10 ? VMCALL_INVALID : vmcall(c);
		return 0;
	case 1:
		return vp_info(c);
	case 2:					/* TDG.MR.RTMR.EXTEND */
	case 5:					/* TDG.VP.CPUIDVE.SET */
	case 8:					/* TDG.VM.WR */
		return 0;
	case 3:
		return get_ve_info(c);
	case 6:
		return page_call(c, accept);
	case 7:					/* TDG.VM.RD */
		c->r.r8 = 0;
		return 0;
	case 30:
		return page_call(c, release);
	default:
		return TDX_OPERAND_INVALID;
	}
}

/* #UD: is it TDCALL? */
bool tdcall(struct vcpu *c)
{
	static const u8 opcode[4] = { 0x66, 0x0f, 0x01, 0xcc };
	u8 o[4];

	if (guest_code(c, o) < 4 || memcmp(o, opcode, 4))
		return false;
	count(CVM_N_EXIT_CALL, 1);
	if (SEG_DPL(c->v->ss.attributes)) {
		inject_error(c, 13, 0);
		return true;
	}
	c->v->rip += 4;
	c->v->rax = tdcall_leaf(c, c->v->rax);
	return true;
}

/*
 * Real firmware has its CPUs spin on the mailbox. Here that would take host
 * time from the booting CPU, so the page is absent until its first use.
 */
static bool first_use_of_mailbox(struct vcpu *c)
{
	static bool used;

	if (used || c->v->exit_info_2 >> 12 != FW_MAILBOX >> 12)
		return false;
	used = true;
	machine_lock(c);
	page_set(FW_MAILBOX, CVM_STATE_PRIVATE);
	machine_unlock();
	wake_idle_cpus();
	return true;
}

static bool tdx_exit(struct vcpu *c)
{
	u32 leaf = (u32)c->v->rax, msr = (u32)c->r.rcx;

	switch (c->v->exit_code) {
	case EXIT_NPF:
		return first_use_of_mailbox(c);
	case EXIT_CPUID:
		if (leaf < 0x40000000 || leaf >= 0x50000000)
			return false;
		inject_ve(c, REASON_CPUID, 0, 0, 2);
		return true;
	case EXIT_MSR:
		if (!is_ve_msr(msr))
			return false;
		inject_ve(c, c->v->exit_info_1 ? REASON_WRMSR : REASON_RDMSR,
			  0, 0, 2);
		return true;
	case EXIT_IO:
		io_ve(c);
		return true;
	case EXIT_HLT:
		inject_ve(c, REASON_HLT, 0, 0, 1);
		return true;
	case EXIT_UD:
		return tdcall(c);
	}
	return false;
}

static void access_ve(struct vcpu *c, const struct access *a)
{
	inject_ve(c, REASON_EPT_VIOLATION, a->error & NPF_WRITE ? 2 :
		  a->error & NPF_FETCH ? 4 : 1, a->raw, 0);
}

/*
 * A private access that the secure EPT does not allow is a TD exit and the
 * guest's end (with SEPT_VE_DISABLE, which Linux insists on; `ve` is a host
 * that left it clear). A shared one is the host's to resolve.
 */
static bool tdx_mismatch(struct vcpu *c, const struct access *a)
{
	bool ve = host_kind() == CVM_HOST_VE;

	if (a->error & NPF_WALK && !a->private)
		return false;		/* page tables must be private */
	if (a->private && (!ve || a->state == CVM_STATE_SHARED))
		return false;
	if (!ve)
		return implicit_conversion(c, a);
	access_ve(c, a);
	return true;
}

static void tdx_mmio(struct vcpu *c, const struct access *a)
{
	if (a->private) {
		violation(c, a->gpa, "private access to a device");
		guest_lost(c, false, "private access to a device, gpa %lx",
			   a->gpa);
	}
	access_ve(c, a);
}

/* ACPI multiprocessor wakeup mailbox: command, APIC id, vector. */
static bool tdx_ap_poll(struct vcpu *c)
{
	volatile u16 *command = (u16 *)FW_MAILBOX;
	volatile u32 *id = (u32 *)(FW_MAILBOX + 4);
	volatile u64 *vector = (u64 *)(FW_MAILBOX + 8);

	if (*command != 1 || *id != c->apic_id)
		return false;
	enter_long_mode(c, FW_AP_PT, FW_AP_GDT, *vector, 0);
	*command = 0;
	__atomic_store_n(&c->go, 1, __ATOMIC_SEQ_CST);
	return true;
}

const struct platform tdx_platform = {
	.name = "tdx",
	.large = true,
	.setup = tdx_setup,
	.setup_cpu = tdx_setup_cpu,
	.cpuid = tdx_cpuid,
	.exit = tdx_exit,
	.mismatch = tdx_mismatch,
	.mmio = tdx_mmio,
	.ap_poll = tdx_ap_poll,
};
