/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the emulated machine and a guest written for it agree on.
 *
 * Two things no real confidential machine has, kept apart from everything
 * that imitates one: how an ELF guest is started, and a debug port through
 * which a guest asks what the machine knows. Real guests (Linux) use neither.
 *
 * Boot contract
 *   An ELF64 x86-64 executable, loaded at its physical addresses (p_paddr),
 *   which lie at or above CVM_RAM_BASE. CPU 0 enters at e_entry in 64-bit
 *   mode: paging on, the low 4 GiB mapped one to one in 2M pages, private (on
 *   SNP with the C-bit, table pointers too), interrupts off, no IDT,
 *   CS = 0x10, data segments 0x18, CR4 = PSE PAE PGE MCE OSFXSR, EFER.NXE on,
 *   RSP a 4 KiB stack, RDI the address of a struct cvm_boot. Page tables, GDT,
 *   stack and cvm_boot lie below 1 MiB, in private memory: read them, then
 *   replace them. Other CPUs wait for CVM_START_CPU. CPU n has the x2APIC ID
 *   CVM_APIC_ID(n), and n as its GS base until it loads another; `airlock
 *   watch --schedules' tells CPUs by that. Guests should execute CPUID only
 *   after their #VC or #VE handler stands.
 *
 * Debug port
 *   OUT of AL to CVM_PORT with the call in RAX and
 *   arguments in RBX, RCX, RDX, RSI. The result comes back in RAX. It is
 *   never reflected as #VE or #VC. Like every exit it drops the calling CPU's
 *   TLB under TCG, and no other CPU's.
 */
#ifndef AIRLOCK_CVM_GUEST_ABI_H
#define AIRLOCK_CVM_GUEST_ABI_H

#include "platforms.h"

#define CVM_ABI_VERSION		2
#define CVM_PORT		0xea
/* What an ELF guest may have at most: CPUs, MiB of memory. */
#define CVM_ELF_CPUS		8
#define CVM_ELF_MEMORY		2048
#define CVM_APIC_ID(cpu)	((cpu) + 1)

/* Guest RAM: [0, 0x9f000) and [CVM_RAM_BASE, ram_end). */
#define CVM_RAM_BASE		0x1000000UL

#define CVM_MAGIC		0x314d56436b636f4cUL	/* "LockCVM1" */

/* CVM_NONE, CVM_TDX... */
enum cvm_platform {
#define P(name, id, number, engine, words) CVM_##id = number,
	PLATFORMS_MACHINE(P)
#undef P
};

struct cvm_boot {
	unsigned long magic;
	unsigned int version;
	unsigned int platform;		/* enum cvm_platform */
	unsigned int cpus;
	unsigned int deterministic;	/* time is instructions */
	unsigned long ram_end;		/* first address behind guest RAM */
	unsigned long shared_mask;	/* bit of a shared mapping, or 0 */
	unsigned long private_mask;	/* bit of a private mapping, or 0 */
	unsigned long tsc_khz;
	unsigned long cmdline;		/* address of a string */
	unsigned long image_end;	/* first free address behind the ELF */
	unsigned long seed;
};

/* Page states. */
#define CVM_STATE_NONE		0	/* no guest memory */
#define CVM_STATE_SHARED	1
#define CVM_STATE_PENDING	2	/* private, not accepted yet */
#define CVM_STATE_PRIVATE	3	/* private and accepted/validated */
#define CVM_STATE_MASK		3
#define CVM_STATE_BY_HOST	4	/* the host changed it unasked */
#define CVM_STATE_LARGE		8	/* part of a 2M RMP or SEPT entry */

enum cvm_call {
	/* -> CVM_ABI_VERSION */
	CVM_VERSION		= 0,
	/* RBX: 0 the guest passed, else it failed. Does not return. */
	CVM_EXIT		= 1,
	/* RBX gpa -> state, or CVM_STATE_NONE */
	CVM_PAGE_STATE		= 2,
	/* RBX gpa, RCX pages, RDX linear address of a byte for each -> 0 */
	CVM_PAGE_STATES		= 3,
	/* RBX: enum cvm_counter -> its value */
	CVM_COUNTER		= 4,
	/*
	 * -> time this CPU spent in the guest: instructions executed when
	 * cvm_boot.deterministic (exact with one CPU), else TSC ticks
	 */
	CVM_GUEST_TIME		= 5,
	/* RBX gpa, RCX value: the host stores 8 bytes -> 0, -1 not shared */
	CVM_HOST_WRITE		= 6,
	/* RBX gpa -> what the host reads there (ciphertext if not shared) */
	CVM_HOST_READ		= 7,
	/* RBX gpa, RCX state: the host changes the page unasked -> 0 or -1 */
	CVM_HOST_CONVERT	= 8,
	/* RBX: so many more violations are meant to happen -> violations */
	CVM_EXPECT		= 9,
	/* RBX 0/1: shall the host drop every CPU's TLB when it converts */
	CVM_HOST_FLUSH		= 10,
	/* RBX kind (enum cvm_host), RCX argument: change character -> 0 */
	CVM_HOST		= 11,
	/* RBX linear address, RCX length (at most 200): a line to the log */
	CVM_LOG			= 12,
	/*
	 * RBX cpu, RCX rip, RDX rsp, RSI rdi: start it with the caller's
	 * control registers and descriptor tables -> 0 or -1
	 */
	CVM_START_CPU		= 13,
	/* RBX gpa, RCX bytes: a device writes there by itself, 0 bytes: stop */
	CVM_HOST_WRITER		= 14,
	/*
	 * RBX linear address, RCX length (at most 4096): to the guest's
	 * console, as if it went through the serial port, in one exit
	 */
	CVM_PRINT		= 15,
};

enum cvm_host {
	CVM_HOST_KVM		= 0,
	CVM_HOST_VE		= 1,
	CVM_HOST_STRICT		= 2,
	CVM_HOST_FAILING	= 3,	/* argument N: the Nth call from now */
	CVM_HOST_FAILING_HALF	= 4,
	CVM_HOST_HOSTILE	= 5,	/* argument: seed */
};

/* Counters; the JSON file calls them by the names in cvm/machine/stats.c. */
enum cvm_counter {
	CVM_N_EXITS,
	CVM_N_EXIT_NMI,
	CVM_N_EXIT_CPUID,
	CVM_N_EXIT_IO,
	CVM_N_EXIT_MSR,
	CVM_N_EXIT_HLT,
	CVM_N_EXIT_CALL,		/* TDCALL, VMGEXIT, hypercall */
	CVM_N_EXIT_PVALIDATE,
	CVM_N_EXIT_NPF,
	CVM_N_EXIT_DEBUG,		/* the debug port */
	CVM_N_EXIT_OTHER,
	CVM_N_TO_SHARED_CALLS,
	CVM_N_TO_SHARED_PAGES,
	CVM_N_TO_SHARED_MOST,		/* most pages in one call */
	CVM_N_TO_PRIVATE_CALLS,
	CVM_N_TO_PRIVATE_PAGES,
	CVM_N_TO_PRIVATE_MOST,
	CVM_N_ACCEPT_CALLS,		/* TDX accept, PVALIDATE(1) */
	CVM_N_ACCEPT_PAGES,
	CVM_N_RELEASE_CALLS,		/* TDX release, PVALIDATE(0) */
	CVM_N_RELEASE_PAGES,
	CVM_N_SIZE_MISMATCH,
	CVM_N_UNCHANGED,		/* PVALIDATE CF=1, accepted twice */
	CVM_N_HOST_REFUSED,
	CVM_N_HOST_LIES,
	CVM_N_HOST_UNASKED,
	CVM_N_HOST_WRITES,
	CVM_N_IMPLICIT,			/* conversions by a mismatched access */
	CVM_N_BAD_PRIVATE_SHARED,	/* private mapping, shared page */
	CVM_N_BAD_PRIVATE_PENDING,	/* private mapping, not accepted */
	CVM_N_BAD_SHARED_PRIVATE,	/* shared mapping, private page */
	CVM_N_BAD_SHARED_PENDING,
	CVM_N_BAD_HOLE,			/* no memory and no device there */
	CVM_N_BAD_CALL,			/* a call on a page in a wrong state */
	CVM_N_FORCED,			/* of these, the host's own doing */
	CVM_N_VIOLATIONS,
	CVM_N_VE,
	CVM_N_VC,
	CVM_N_SHOOTDOWNS,
	CVM_N_DMA_BLOCKED,		/* at least; only with --iommu */
	CVM_N_KERNELS,			/* that followed by kexec */
	CVM_N_LEFT_SHARED,		/* pages, where the last one began */
	CVM_N_LEFT_PENDING,
	CVM_N_COUNTERS,
};

#ifndef __ASSEMBLER__
static inline unsigned long cvm_call4(unsigned long call, unsigned long b,
				      unsigned long c, unsigned long d,
				      unsigned long s)
{
	__asm__ volatile("outb %%al, %5"
			 : "+a"(call), "+b"(b), "+c"(c), "+d"(d), "+S"(s)
			 : "i"(CVM_PORT) : "memory");
	return call;
}
#endif

#endif
