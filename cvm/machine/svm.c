// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU's VMCB: what exits, the state it starts in, and the delivery of
 * exceptions.
 *
 * EVENTINJ of vector 29 (#VC) delivers no error code on QEMU
 * (target/i386/tcg/seg_helper.c, exception_has_error_code), so that frame is
 * built by hand.
 */
#include "config.h"
#include "gmem.h"
#include "lib.h"
#include "npt.h"
#include "platform.h"
#include "pool.h"
#include "svm.h"
#include "vcpu.h"

static u8 *io_bitmap, *msr_bitmap;

void intercept_io(u16 port, unsigned int n)
{
	for (unsigned int p = port; p < port + n; p++)
		io_bitmap[p / 8] |= (u8)(1u << p % 8);
}

void intercept_all_io(void)
{
	memset(io_bitmap, 0xff, 8193);
}

/* APM 2, 15.11: three ranges of MSRs, two bits each, 2 KiB a range. */
void intercept_msr(u32 msr, bool read, bool write)
{
	u32 bit = msr < 0x2000 ? msr * 2 :
		  msr < 0xc0002000 ? (msr - 0xc0000000 + 0x2000) * 2 :
		  (msr - 0xc0010000 + 0x4000) * 2;

	if (read)
		msr_bitmap[bit / 8] |= (u8)(1u << bit % 8);
	if (write)
		msr_bitmap[bit / 8] |= (u8)(2u << bit % 8);
}

/* Before any platform adds its own. */
void intercepts_init(void)
{
	io_bitmap = pool_pages(4);
	msr_bitmap = pool_pages(2);
	intercept_io(CVM_PORT, 1);
	intercept_io(0xe9, 1);		/* the machine's own console */
	intercept_io(0x604, 2);		/* ACPI power off (PM1a control) */
	intercept_io(0xcf9, 1);		/* reset */
	intercept_msr(MSR_EFER, true, true);
	intercept_msr(MSR_VM_CR, true, true);
	intercept_msr(MSR_HSAVE_PA, true, true);
	intercept_msr(MSR_HWCR, true, true);
	intercept_msr(MSR_APIC_BASE, true, true);
	intercept_msr(MSR_X2APIC_TMCCT, true, false);
	/*
	 * A real INIT would reset the machine's CPU. ELF guests start CPUs
	 * through the debug port and keep the ICR to themselves: then an IPI
	 * does not exit, and no TLB is dropped that the guest did not drop.
	 */
	if (!elf_guest)
		intercept_msr(MSR_X2APIC_ICR, false, true);
}

void vcpu_init(struct vcpu *c)
{
	struct vmcb *v = pool_pages(1);

	c->v = v;
	c->vmcb_pa = (u64)v;
	c->id = (unsigned int)(c - vcpus);
	c->apic_id = CVM_APIC_ID(c->id);
	v->intercept_exceptions = 1u << 6;	/* #UD: TDCALL, PVALIDATE */
	v->intercept_1 = ICPT_CPUID | ICPT_IO | ICPT_MSR | ICPT_SHUTDOWN |
			 ICPT_NMI | ICPT_INIT;
	v->intercept_2 = ICPT_SVM;
	v->iopm = (u64)io_bitmap;
	v->msrpm = (u64)msr_bitmap;
	v->asid = 1;
	v->nested_enable = 1;
	v->nested_cr3 = npt_root();
	v->pat = 0x0007040600070406UL;		/* reset value */
	v->dr6 = 0xffff0ff0;
	v->dr7 = 0x400;
	v->efer = EFER_SVME;
	v->cr0 = 0x10;
	v->rflags = 2;
	if (platform->setup_cpu)
		platform->setup_cpu(c);
}

/* Six pages: the low 4 GiB one to one in 2M pages, private. */
void build_boot_tables(u64 at)
{
	u64 bit = platform->bit_is_private ? GUEST_BIT : 0;
	u64 *p = memset((void *)at, 0, 6 * PAGE_SIZE);

	p[0] = (at + PAGE_SIZE) | 7 | bit;
	for (u64 i = 0; i < 4; i++)
		p[512 + i] = (at + (2 + i) * PAGE_SIZE) | 7 | bit;
	for (u64 i = 0; i < 4 * 512; i++)
		p[1024 + i] = i * LARGE_SIZE | 0xe7 | bit;
}

void enter_long_mode(struct vcpu *c, u64 pt, u64 gdt, u64 rip, u64 rsp)
{
	u64 bit = platform->bit_is_private ? GUEST_BIT : 0;
	struct vmcb *v = c->v;
	u64 *g = (u64 *)gdt;

	g[0] = g[1] = 0;
	g[2] = 0x00af9b000000ffff;
	g[3] = 0x00cf93000000ffff;
	v->cs = SEG_CODE64;
	v->ss = v->ds = v->es = v->fs = v->gs = SEG_DATA;
	v->gdtr = (struct segment){ 0, 0, 0x1f, gdt };
	v->idtr = (struct segment){ 0, 0, 0, 0 };
	v->tr = (struct segment){ 0, 0x8b, 0x67, 0 };
	v->ldtr = (struct segment){ 0, 0x82, 0xffff, 0 };
	v->cr0 = 0x80010033;
	v->cr3 = pt | bit;
	v->cr4 = 0x6f0;
	v->efer = 0x1d00;
	v->rflags = 2;
	v->rip = rip;
	v->rsp = rsp;
	v->inject = 0;
	v->interrupt_shadow = 0;
}

void inject(struct vcpu *c, unsigned int vector)
{
	c->v->inject = EVENT_VALID | EVENT_EXCEPTION | vector;
	c->v->inject_error = 0;
}

void inject_error(struct vcpu *c, unsigned int vector, u32 error)
{
	c->v->inject = EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR | vector;
	c->v->inject_error = error;
}

struct gate {
	u16 offset_0, selector;
	u8 ist, type;
	u16 offset_16;
	u32 offset_32, reserved;
};

/* The stack an exception in 64-bit mode goes to (APM 2, 8.9.3). */
static bool frame_stack(struct vcpu *c, const struct gate *g, u64 *sp)
{
	struct vmcb *v = c->v;
	unsigned int ist = g->ist & 7u;

	*sp = v->rsp;
	if (!ist && !SEG_DPL(v->ss.attributes))
		return true;
	/* TR is not in the VMCB after an exit: VMSAVE puts it there */
	__asm__ volatile("vmsave" : : "a"(c->vmcb_pa) : "memory");
	return guest_read(c, v->tr.base + (ist ? 36 + 8 * (ist - 1) : 4), sp,
			  8);
}

/* Deliver an exception with an error code in 64-bit mode, by hand. */
bool inject_frame(struct vcpu *c, unsigned int vector, u32 error)
{
	struct vmcb *v = c->v;
	unsigned int cpl = SEG_DPL(v->ss.attributes);
	struct gate g;
	u64 frame[6], sp;

	if (16 * vector + 15 > v->idtr.limit ||
	    !guest_read(c, v->idtr.base + 16 * vector, &g, sizeof(g)) ||
	    !(g.type & 0x80) || !frame_stack(c, &g, &sp))
		return false;
	frame[0] = error;
	frame[1] = v->rip;
	frame[2] = v->cs.selector;
	frame[3] = v->rflags | 0x10000;		/* RF, as for any fault */
	frame[4] = v->rsp;
	frame[5] = v->ss.selector;
	sp = (sp & ~15UL) - sizeof(frame);
	if (!guest_write(c, sp, frame, sizeof(frame)))
		return false;
	v->rsp = sp;
	v->rip = g.offset_0 | (u64)g.offset_16 << 16 | (u64)g.offset_32 << 32;
	v->cs = SEG_CODE64;
	v->cs.selector = g.selector & 0xfffc;
	v->cpl = 0;
	if (cpl)
		v->ss = (struct segment){ 0, 0xc93, ~0u, 0 };
	v->rflags &= ~0x14100UL;		/* NT, RF, TF */
	if ((g.type & 15) == 14)
		v->rflags &= ~RFLAGS_IF;
	v->interrupt_shadow = 0;
	return true;
}
