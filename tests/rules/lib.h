/* SPDX-License-Identifier: GPL-2.0 */
/* A small guest for testing the machine: guest.lds, entry.S, lib.c. */
#ifndef TESTS_CVM_LIB_H
#define TESTS_CVM_LIB_H

#include "../../bare/insn.h"
#include "../../bare/text.h"
#include "../../bare/trap.h"
#include "../../cvm/abi/guest-abi.h"

#define PAGE		4096UL
#define LARGE		0x200000UL
#define STACK_SIZE	16384UL

/* Test memory, away from the image: 2M-aligned, 16 MiB. */
#define TEST_BASE	0x3000000UL

/* A page and three regions of it. */
#define P0	TEST_BASE
#define R1	(TEST_BASE + LARGE)
#define R2	(TEST_BASE + 2 * LARGE)
#define R3	(TEST_BASE + 3 * LARGE)

/* Linear windows, one 2M region each, mapped page by page; B is CPU 1's. */
#define WINDOW_A	0x4000000000UL
#define WINDOW_B	0x4000200000UL

#define PTE_P		1UL
#define PTE_W		2UL
#define PTE_RW		(PTE_P | PTE_W | 0x60)

/* At the bottom of each CPU's stack. */
struct cpu {
	u64 resume;			/* where a trap in a probe continues */
	volatile u64 vector, error, rip, cr2, traps, last;
	volatile u64 ipis, nmis;
	volatile u64 reads, wrong;
	volatile u64 page_faults, confidential;	/* #PF; #VE and #VC */
};

extern const struct cvm_boot *boot;

struct cpu *this_cpu(void);
struct cpu *cpu_of(unsigned int id);

/* One fact, one line. */
void report(const char *fact, bool ok);
void note(const char *text, u64 value);
void lost_if_we_return(const char *fact);
__attribute__((noreturn)) void finish(void);
bool append_is(const char *name);

/* Page tables. */
u64 *pte_of(u64 va);
void map_shared(u64 va, u64 gpa);
void map_private(u64 va, u64 gpa);

/* Probes: true when it went through; else this_cpu() says which trap. */
bool probe_read(u64 va, u64 *value);
bool probe_write(u64 va, u64 value);
bool trapped(u64 vector, u64 error);

void start_ap(unsigned int id);
void send_ipi(unsigned int id, unsigned int vector);
void spin(u64 n);

unsigned int state_of(u64 gpa);
unsigned int plain_state(u64 gpa);

/* So many violations are to come; as many as came, where a race decides. */
void expect(u64 n);
void expect_what_was(void);

/* alone.c: each ends with finish() */
extern bool stressing;
void stress_cpu(unsigned int id);
void stress(void);
void hostile_acts(void);
void hostile_scattered(void);
void instructions_counted(void);
void garbage_msrs(void);
void dma(void);
void devices_at_rest(void);
void exit_cost(void);
extern bool restoring;
void restore_fpu(void);
void exits_beside_fxrstor(void);
/* cpu.c: returns if the command line names none of its tests */
void cpu_alone(void);

void chatter(void);
void talk(void);

/* SNP */
u32 pvalidate(u64 va, bool large, bool validate, bool *cf);
u64 msr_request(u64 request);
u64 psc(u64 gpa, unsigned int op, bool large, unsigned int n);
/* Pages that do not follow one another but are @step bytes apart. */
u64 psc_apart(u64 gpa, unsigned int op, bool large, unsigned int n, u64 step);
void snp_init(void);
extern u8 *ghcb;

/* TDX */
struct tdregs {
	u64 r10, r11, r12, r13, r14, r15, rcx, rdx, r8, r9;
};
u64 tdcall4(u64 leaf, u64 rcx, struct tdregs *r);
u64 accept(u64 gpa, unsigned int level);
u64 release(u64 gpa, unsigned int level);
u64 map_gpa(u64 gpa, u64 size, bool shared, u64 *r11);

/* Hyper-V */
struct visibility {
	u64 partition;
	u32 visibility, reserved;
	u64 gfn[510];
};
extern struct visibility visibility;
u64 hypercall(u64 control, u64 input);
u64 set_visibility(bool shared, u64 gpa, unsigned int n);

/* The platform's own way, 4K pages; false when the host refused. */
bool convert(u64 gpa, unsigned int n, bool shared);

#define call1(n, b)		cvm_call4(n, b, 0, 0, 0)
#define call2(n, b, c)		cvm_call4(n, b, c, 0, 0)

#endif
