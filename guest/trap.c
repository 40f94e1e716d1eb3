// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions and interrupts.
 *
 *   #PF   a stray read's is mended, a probe's is noted, any other is a bug
 *   #VC, #VE   in this kernel nothing needs them but a stray CPUID. One for
 *	   a page is what the engine is there to prevent: only a host that
 *	   converts behind the guest's back may cause it, and then it ends in
 *	   the violation hook
 */
#include "kernel.h"

static u64 idt[VECTORS][2] __attribute__((aligned(4096)));
static u64 gdt[4] = { 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff };

extern char probe_load[], probe_done[];

void trap_load(void)
{
	load_gates(idt, sizeof(idt));
}

void trap_init(void)
{
	struct table_pointer g = { sizeof(gdt) - 1, (u64)gdt };

	fill_gates(idt, stubs, VECTORS, 0x10);
	__asm__ volatile("lgdt %0" : : "m"(g));
	trap_load();
}

static void page_fault(struct frame *f, struct cpu *c)
{
	struct airlock_fault a = {
		.ip = f->rip, .address = read_cr2(), .error = f->error,
		.rdi = f->rdi,
	};

	c->exception[VECTOR_PF]++;
	if (airlock_zeropad_fixup(&a)) {
		f->rip = a.ip;
		f->rax = a.rax;
		c->fixups++;
	} else if (f->rip == (u64)probe_load) {
		f->rip = (u64)probe_done;
		c->probes++;
	} else {
		panic("#PF error %lx at %lx, address %lx", f->error, f->rip,
		      a.address);
	}
}

/* A page fault's cousin that no kernel can mend. */
static void confidential(const struct frame *f, const char *name, u64 what,
			 u64 gpa)
{
	bool lied = call1(CVM_COUNTER, CVM_N_FORCED);

	if (!lied || call1(CVM_COUNTER, CVM_N_VIOLATIONS))
		panic("%s %lx at %lx, gpa %lx", name, what, f->rip, gpa);
	forced_by_host(name);
}

static void emulate_cpuid(struct frame *f)
{
	u32 r[4];

	if (!platform_cpuid((u32)f->rax, (u32)f->rcx, r))
		panic("CPUID cannot be emulated");
	f->rax = r[0];
	f->rbx = r[1];
	f->rcx = r[2];
	f->rdx = r[3];
	f->rip += 2;
}

static void exception_vc(struct frame *f)
{
	if (f->error == 0x72)
		emulate_cpuid(f);
	else
		confidential(f, "#VC", f->error, 0);
}

static void exception_ve(struct frame *f)
{
	struct airlock_tdcall t = { .rax = 3 };	/* TDG.VP.VEINFO.GET */

	airlock_port_tdcall(&t);
	if (t.rax)
		panic("#VE without information");
	if (t.rcx == 10)
		emulate_cpuid(f);
	else
		confidential(f, "#VE", t.rcx, t.r9);
}

void trap(struct frame *f);
void trap(struct frame *f)
{
	struct cpu *c = this_cpu();

	if (f->vector == VECTOR_PF) {
		page_fault(f, c);
		return;
	}
	if (f->vector >= 32) {
		wrmsr(0x80b, 0);
		if (f->vector == VECTOR_FLUSH)
			shootdown_handler();
		return;
	}
	c->exception[f->vector]++;
	if (f->vector == VECTOR_VC)
		exception_vc(f);
	else if (f->vector == VECTOR_VE)
		exception_ve(f);
	else
		panic("exception %lu error %lx at %lx", f->vector, f->error,
		      f->rip);
}
