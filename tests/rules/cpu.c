// SPDX-License-Identifier: GPL-2.0
/* What a CPU of the machine owes to software that looks closely. */
#include "lib.h"

#define DR6_BS		0x4000UL
#define MSR_EFER	0xc0000080u
#define MSR_ICR		0x830u
#define ICR_NMI		0x4400u
#define ICR_SELF_NMI	0x44400u
#define ICR_INIT_OTHERS	0xc4500u
#define APIC_PAGE	0xfee00000UL
#define APIC_ICR	0x300UL

/*
 * Single-step one instruction that exits: #DB after it, not after the one
 * behind it. CALL in RAX and 0 in RCX are for both OUT and CPUID.
 */
#define STEP(instruction, after)					\
	__asm__ volatile("lea 2f(%%rip), %%rcx\n\t"			\
			 "mov %%rcx, %[resume]\n\t"			\
			 "lea 1f(%%rip), %%rsi\n\t"			\
			 "xor %%ecx, %%ecx\n\t"				\
			 "pushfq\n\t"					\
			 "orl $0x100, (%%rsp)\n\t"			\
			 "popfq\n\t"					\
			 instruction "\n"				\
			 "1:\tnop\n\t"					\
			 "nop\n"					\
			 "2:\tmovq $0, %[resume]"			\
			 : [resume] "+m"(this_cpu()->resume),		\
			   "=S"(after), "+a"(call)			\
			 : : "rbx", "rcx", "rdx", "memory", "cc")

static bool stepped(u64 after)
{
	struct cpu *c = this_cpu();
	u64 dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	return c->vector == 1 && c->rip == after && dr6 & DR6_BS;
}

static void step(void)
{
	u64 after, call = CVM_VERSION, none = 0xffff0ff0;

	__asm__ volatile("mov %0, %%dr6" : : "r"(none));
	STEP("nop", after);
	report("step: #DB after NOP", stepped(after));
	__asm__ volatile("mov %0, %%dr6" : : "r"(none));
	STEP("outb %%al, $0xea", after);
	report("step: #DB after an OUT that exits", stepped(after));
	report("step: the OUT was done", call == CVM_ABI_VERSION);
	if (boot->platform == CVM_SNP)
		return;			/* CPUID is #VC there */
	call = 0;
	__asm__ volatile("mov %0, %%dr6" : : "r"(none));
	STEP("cpuid", after);
	report("step: #DB after CPUID", stepped(after));
}

static bool probe_wrmsr(u32 msr, u64 v)
{
	struct cpu *c = this_cpu();

	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rsi\n\t"
			 "mov %%rsi, %[resume]\n\t"
			 "wrmsr\n"
			 "1:\tmovq $0, %[resume]"
			 : [resume] "+m"(c->resume)
			 : "a"((u32)v), "d"((u32)(v >> 32)), "c"(msr)
			 : "rsi", "memory");
	return c->vector == 99;
}

static void efer(void)
{
	u64 was = rdmsr(MSR_EFER);

	report("efer: as it was", probe_wrmsr(MSR_EFER, was));
	report("efer: a reserved bit is #GP",
	       !probe_wrmsr(MSR_EFER, was | 1UL << 40) && trapped(13, 0));
	report("efer: no SVM, no EFER.SVME",
	       !probe_wrmsr(MSR_EFER, was | 1UL << 12) && trapped(13, 0));
	report("efer: and nothing changed", rdmsr(MSR_EFER) == was);
}

/* The host's writes: MSR 32 and memory 48 of TDVMCALL. */
static u64 vmcall_write(u64 what, u64 r12, u64 r13, u64 r14, u64 r15)
{
	struct tdregs r = { .r11 = what, .r12 = r12, .r13 = r13, .r14 = r14,
			    .r15 = r15 };

	tdcall4(0, 0xfc00, &r);
	return r.r10;
}

static void self_nmi(void)
{
	struct cpu *c = this_cpu();

	vmcall_write(32, MSR_ICR, ICR_SELF_NMI, 0, 0);
	report("self-nmi: by shorthand, taken once", c->nmis == 1);
	vmcall_write(32, MSR_ICR, (u64)CVM_APIC_ID(0) << 32 | ICR_NMI, 0, 0);
	report("self-nmi: by APIC ID, taken once", c->nmis == 2);
}

/* Had it gone to QEMU's APIC, all other CPUs would begin anew. */
static void xapic(void)
{
	volatile u8 *page = (u8 *)WINDOW_A;

	if (boot->platform == CVM_TDX) {
		vmcall_write(48, 4, 1, APIC_PAGE + APIC_ICR, ICR_INIT_OTHERS);
	} else {
		*(volatile u64 *)pte_of(WINDOW_A) = APIC_PAGE | PTE_RW;
		*(volatile u32 *)(page + APIC_ICR) = ICR_INIT_OTHERS;
	}
	start_ap(1);
	send_ipi(1, 0x40);
	for (u64 i = 0; i < 1000000000 && !cpu_of(1)->ipis; i++)
		__builtin_ia32_pause();
	report("xapic: INIT through memory reached nobody", cpu_of(1)->ipis);
}

static void nw_without_cd(void)
{
	write_cr0((read_cr0() & ~(1UL << 30)) | 1UL << 29);
	call1(CVM_VERSION, 0);
}

void cpu_alone(void)
{
	static const struct {
		const char *name;
		void (*test)(void);
	} tests[] = {
		{ "step", step }, { "efer", efer }, { "self-nmi", self_nmi },
		{ "xapic", xapic }, { "nw-without-cd", nw_without_cd },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (append_is(tests[i].name)) {
			tests[i].test();
			finish();
		}
}
