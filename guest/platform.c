// SPDX-License-Identifier: GPL-2.0
/*
 * What differs by platform outside the engine: GHCB pages, hypercall and
 * input pages, CPUID, the console. None of it needs #VC or #VE: this kernel
 * asks the host outright.
 *
 * Sources: GHCB specification 56421; TDX GHCI 344426, TDG.VP.VMCALL
 * <Instruction.IO>, .WRMSR and .CPUID; Hyper-V TLFS, hypercall page.
 */
#include "kernel.h"

#define COM1		0x3f8

#define MSR_GHCB	0xc0010130
#define GHCB_PSC_SHARED	(2UL << 52)

#define VMCALL_REGISTERS 0xfc00
#define VMCALL_CPUID	10
#define VMCALL_HLT	12
#define VMCALL_IO	30
#define VMCALL_WRMSR	32

static u8 ghcb[MAX_CPUS][PAGE] __attribute__((aligned(4096)));
static u8 hv_page[MAX_CPUS][PAGE] __attribute__((aligned(4096)));

static bool hyperv(void)
{
	return boot.platform == CVM_VTOM || boot.platform == CVM_TDP;
}

const char *platform_name(void)
{
	static const char *const names[] = {
		PLATFORMS_MACHINE(PLATFORM_NAME)
	};

	return boot.platform < sizeof(names) / sizeof(names[0]) ? names[boot.platform] : "?";
}

enum airlock_platform engine_platform(void)
{
	static const enum airlock_platform p[] = {
		PLATFORMS_MACHINE(PLATFORM_TO_ENGINE)
	};

	return p[boot.platform];
}

/* Is this one of the pages made shared at boot, of which the ledger does not
 * know? GHCBs must outlive what the ledger gives back. */
bool own_page(u64 gpa)
{
	return boot.platform == CVM_SNP && gpa >= (u64)ghcb &&
	       gpa < (u64)ghcb + sizeof(ghcb);
}

/* ---- SNP ---- */

static void make_ghcb(unsigned int i)
{
	u64 at = (u64)ghcb[i];

	/* What is cached of it while private must not come back later. */
	airlock_port_cache_flush(at, 1);
	/* Without one there is no console either. */
	if (airlock_port_pvalidate(at, false, false) ||
	    airlock_port_vmgexit(0x14 | at | GHCB_PSC_SHARED) != 0x15)
		forced_by_host("a refused GHCB page");
	map_shared(at);
	memset(ghcb[i], 0, PAGE);
}

static u64 ghcb_get(unsigned int off)
{
	return *(volatile u64 *)&ghcb[this_cpu()->id][off];
}

static void ghcb_put(unsigned int off, u64 v)
{
	volatile u8 *page = ghcb[this_cpu()->id];

	*(volatile u64 *)(page + off) = v;
	page[0x3f0 + off / 64] |= (u8)(1u << (off / 8 % 8));
}

/* One request through this CPU's GHCB. Caller has interrupts off. */
static void ghcb_call(u64 code, u64 info1)
{
	ghcb_put(0x390, code);
	ghcb_put(0x398, info1);
	ghcb_put(0x3a0, 0);
	airlock_port_vmgexit((u64)ghcb[this_cpu()->id]);
}

static void ghcb_clear(void)
{
	volatile u64 *valid = (u64 *)&ghcb[this_cpu()->id][0x3f0];

	valid[0] = valid[1] = 0;
	*(volatile u32 *)&ghcb[this_cpu()->id][0xffa] = 2;
}

static void snp_put(char c)
{
	u64 flags = irq_save();

	ghcb_clear();
	ghcb_put(0x1f8, (u8)c);
	ghcb_call(0x7b, (u64)COM1 << 16 | 1 << 4);
	irq_restore(flags);
}

static void snp_cpuid(u32 leaf, u32 sub, u32 out[4])
{
	u64 flags = irq_save();

	ghcb_clear();
	ghcb_put(0x1f8, leaf);
	ghcb_put(0x308, sub);
	ghcb_call(0x72, 0);
	out[0] = (u32)ghcb_get(0x1f8);
	out[1] = (u32)ghcb_get(0x318);
	out[2] = (u32)ghcb_get(0x308);
	out[3] = (u32)ghcb_get(0x310);
	irq_restore(flags);
}

void *platform_ghcb(unsigned int cpu, u64 *gpa)
{
	*gpa = (u64)ghcb[cpu];
	return ghcb[cpu];
}

/* ---- TDX ---- */

static struct airlock_tdcall vmcall(u64 leaf, u64 r12, u64 r13, u64 r14,
				    u64 r15)
{
	struct airlock_tdcall t = {
		.rcx = VMCALL_REGISTERS, .r11 = leaf,
		.r12 = r12, .r13 = r13, .r14 = r14, .r15 = r15,
	};

	airlock_port_tdcall(&t);
	return t;
}

static void tdx_cpuid(u32 leaf, u32 sub, u32 out[4])
{
	struct airlock_tdcall t = vmcall(VMCALL_CPUID, leaf, sub, 0, 0);

	out[0] = (u32)t.r12;
	out[1] = (u32)t.r13;
	out[2] = (u32)t.r14;
	out[3] = (u32)t.r15;
}

/* ---- Hyper-V ---- */

static void hyperv_init(void)
{
	wrmsr(0x40000000, 0x8100000000000000UL);	/* guest OS id */
}

void *platform_hv_page(unsigned int cpu, u64 *gpa)
{
	*gpa = (u64)hv_page[cpu];
	return hv_page[cpu];
}

/* ---- all ---- */

bool platform_cpuid(u32 leaf, u32 sub, u32 out[4])
{
	if (boot.platform == CVM_SNP)
		snp_cpuid(leaf, sub, out);
	else if (boot.platform == CVM_TDX)
		tdx_cpuid(leaf, sub, out);
	else
		cpuid(leaf, sub, out);
	return true;
}

void platform_put(char c)
{
	if (boot.platform == CVM_SNP)
		snp_put(c);
	else if (boot.platform == CVM_TDX)
		vmcall(VMCALL_IO, 1, 1, COM1, (u8)c);
	else
		outb(COM1, (u8)c);
}

/*
 * Wait for an interrupt; called with interrupts off, returns with them on.
 * STI takes effect behind HLT, so none is lost between a look and the wait.
 */
void platform_doze(void)
{
	if (boot.platform == CVM_TDX)
		vmcall(VMCALL_HLT, 0, 0, 0, 0);
	else
		__asm__ volatile("sti; hlt" : : : "memory");
	irq_on();
}

/* The spurious-vector register is not virtualised by the TDX module. */
void wrmsr_apic(u32 msr, u64 value)
{
	if (boot.platform == CVM_TDX)
		vmcall(VMCALL_WRMSR, msr, value, 0, 0);
	else
		wrmsr(msr, value);
}

void platform_init_cpu(void)
{
	struct cpu *c = this_cpu();

	if (boot.platform != CVM_SNP)
		return;
	c->ghcb_msr = (u64)ghcb[c->id];
	wrmsr(MSR_GHCB, c->ghcb_msr);
}

void platform_init(void)
{
	for (unsigned int i = 0; i < boot.cpus; i++)
		if (boot.platform == CVM_SNP)
			make_ghcb(i);
	if (hyperv())
		hyperv_init();
	platform_init_cpu();
}
