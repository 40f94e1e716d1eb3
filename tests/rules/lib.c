// SPDX-License-Identifier: GPL-2.0
#include "lib.h"

const struct cvm_boot *boot;

void guest_main(const struct cvm_boot *b);
void ap_main(u64 id);
void test_main(void);
void test_ap(unsigned int id);

static u64 idt[VECTORS][2] __attribute__((aligned(4096)));
static u8 pool[64][PAGE] __attribute__((aligned(4096)));
static unsigned int pool_used;
static unsigned int passed, failed;

struct cpu *cpu_of(unsigned int id)
{
	return (struct cpu *)(stacks + STACK_SIZE * id);
}

struct cpu *this_cpu(void)
{
	u64 sp;

	__asm__ volatile("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu *)(sp & ~(STACK_SIZE - 1));
}

/* ---- talking ---- */

__attribute__((format(printf, 1, 2)))
static void log_line(const char *fmt, ...)
{
	char line[200];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vformat(line, sizeof(line), fmt, ap);
	va_end(ap);
	cvm_call4(CVM_LOG, (u64)line, n, 0, 0);
}

void report(const char *fact, bool ok)
{
	log_line("%s %s", ok ? "ok" : "FAILED", fact);
	if (ok)
		passed++;
	else
		failed++;
}

void note(const char *text, u64 value)
{
	log_line("note %s %lx", text, value);
}

/* The machine must stop the guest here; it counts as one fact. */
void lost_if_we_return(const char *fact)
{
	report(fact, false);
	finish();
}

void finish(void)
{
	log_line("%u passed, %u failed", passed, failed);
	call1(CVM_EXIT, failed);
	for (;;)
		;
}

bool append_is(const char *name)
{
	const char *s = (const char *)boot->cmdline;

	while (*s && *s == *name)
		s++, name++;
	return !*name && (!*s || *s == ' ');
}

/* ---- traps ---- */

static void fatal_trap(struct frame *f)
{
	note("trap", f->vector);
	note("  error", f->error);
	note("  rip", f->rip);
	note("  cr2", this_cpu()->cr2);
	report("no unexpected trap", false);
	finish();
}

void trap(struct frame *f)
{
	struct cpu *c = this_cpu();
	u64 cr2;

	if (f->vector >= 32) {
		c->ipis++;
		if (f->vector == 0x41)
			invlpg(WINDOW_B);
		wrmsr(0x80b, 0);
		return;
	}
	if (f->vector == 2) {
		c->nmis++;
		return;
	}
	cr2 = read_cr2();
	c->vector = c->last = f->vector;
	c->error = f->error;
	c->rip = f->rip;
	c->cr2 = cr2;
	c->traps++;
	if (f->vector == 14)
		c->page_faults++;
	if (f->vector == 20 || f->vector == 29)
		c->confidential++;
	if (!c->resume)
		fatal_trap(f);
	f->rip = c->resume;
	f->rflags &= ~0x100UL;		/* stepped enough */
	c->resume = 0;
}

static void load_idt(void)
{
	load_gates(idt, sizeof(idt));
}

static void init_idt(void)
{
	fill_gates(idt, stubs, VECTORS, 0x10);
	load_idt();
}

bool probe_read(u64 va, u64 *value)
{
	struct cpu *c = this_cpu();
	u64 v = 0;

	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, %[resume]\n\t"
			 "mov (%[va]), %[v]\n"
			 "1:\tmovq $0, %[resume]"
			 : [v] "+r"(v), [resume] "+m"(c->resume)
			 : [va] "r"(va) : "rax", "memory");
	if (value)
		*value = v;
	return c->vector == 99;
}

bool probe_write(u64 va, u64 value)
{
	struct cpu *c = this_cpu();

	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, %[resume]\n\t"
			 "mov %[v], (%[va])\n"
			 "1:\tmovq $0, %[resume]"
			 : [resume] "+m"(c->resume)
			 : [va] "r"(va), [v] "r"(value) : "rax", "memory");
	return c->vector == 99;
}

bool trapped(u64 vector, u64 error)
{
	return this_cpu()->vector == vector && this_cpu()->error == error;
}

/* ---- page tables: the boot tables, extended ---- */

#define ADDR_MASK	0x7ffffffff000UL

static u64 *table_at(u64 *entry)
{
	if (!(*entry & PTE_P)) {
		u64 page = (u64)pool[pool_used++];

		*entry = page | 7 | boot->private_mask;
	}
	return (u64 *)(*entry & ADDR_MASK);
}

u64 *pte_of(u64 va)
{
	u64 *t = (u64 *)(read_cr3() & ADDR_MASK);

	for (unsigned int shift = 39; shift > 12; shift -= 9)
		t = table_at(&t[va >> shift & 511]);
	return &t[va >> 12 & 511];
}

void map_private(u64 va, u64 gpa)
{
	*(volatile u64 *)pte_of(va) = gpa | PTE_RW | boot->private_mask;
	invlpg(va);
}

void map_shared(u64 va, u64 gpa)
{
	*(volatile u64 *)pte_of(va) = gpa | PTE_RW | boot->shared_mask;
	invlpg(va);
}

unsigned int state_of(u64 gpa)
{
	return (unsigned int)call1(CVM_PAGE_STATE, gpa);
}

static u64 expected;

void expect(u64 n)
{
	expected += n;
	call1(CVM_EXPECT, n);
}

void expect_what_was(void)
{
	expect(call1(CVM_EXPECT, 0) - expected);
}

unsigned int plain_state(u64 gpa)
{
	return state_of(gpa) & CVM_STATE_MASK;
}

/* ---- CPUs ---- */

void start_ap(unsigned int id)
{
	cvm_call4(CVM_START_CPU, id, (u64)ap_entry,
		  (u64)(stacks + STACK_SIZE * (id + 1)), id);
}

void send_ipi(unsigned int id, unsigned int vector)
{
	wrmsr(0x830, (u64)CVM_APIC_ID(id) << 32 | 0x4000 | vector);
}

void spin(u64 n)
{
	while (n--)
		__asm__ volatile("" : : : "memory");
}

/* Spurious vector register: not virtualised by TDX, so ask the host. */
static void apic_on(void)
{
	struct tdregs r = { .r11 = 32, .r12 = 0x80f, .r13 = 0x1ff };

	if (boot->platform == CVM_TDX)
		tdcall4(0, 0xfc00, &r);
	else
		wrmsr(0x80f, 0x1ff);
}

void ap_main(u64 id)
{
	load_idt();
	apic_on();
	test_ap((unsigned int)id);
}

/* ---- SNP ---- */

u8 *ghcb;
static u8 ghcb_page[PAGE] __attribute__((aligned(4096)));

u32 pvalidate(u64 va, bool large, bool validate, bool *cf)
{
	u64 rax = va;
	u8 carry;

	__asm__ volatile(".byte 0xf2, 0x0f, 0x01, 0xff\n\tsetc %1"
			 : "+a"(rax), "=q"(carry)
			 : "c"((u64)large), "d"((u64)validate)
			 : "memory", "cc");
	if (cf)
		*cf = carry;
	return (u32)rax;
}

static void vmgexit(void)
{
	__asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xd9" : : : "memory");
}

u64 msr_request(u64 request)
{
	wrmsr(0xc0010130, request);
	vmgexit();
	request = rdmsr(0xc0010130);
	if (ghcb)
		wrmsr(0xc0010130, (u64)ghcb_page);
	return request;
}

/* A GHCB by the book: rescind, ask, map with C=0. */
void snp_init(void)
{
	bool cf;

	pvalidate((u64)ghcb_page, false, false, &cf);
	msr_request((u64)ghcb_page | 2UL << 52 | 0x14);
	map_shared(WINDOW_B + LARGE - PAGE, (u64)ghcb_page);
	ghcb = (u8 *)(WINDOW_B + LARGE - PAGE);
	memset(ghcb, 0, PAGE);
	wrmsr(0xc0010130, (u64)ghcb_page);
}

#define GHCB64(at)	(*(volatile u64 *)(ghcb + (at)))

/* @n entries of one page state change. Returns SW_EXITINFO2. */
u64 psc_apart(u64 gpa, unsigned int op, bool large, unsigned int n, u64 step)
{
	volatile u16 *header = (u16 *)(ghcb + 0x800);
	volatile u64 *entry = (u64 *)(ghcb + 0x808);

	header[0] = 0;
	header[1] = (u16)(n - 1);
	header[2] = header[3] = 0;
	for (unsigned int i = 0; i < n; i++)
		entry[i] = (gpa + i * step) | (u64)op << 52 |
			   (u64)large << 56;
	GHCB64(0x390) = 0x80000010;
	GHCB64(0x398) = GHCB64(0x3a0) = 0;
	GHCB64(0x3a8) = (u64)ghcb_page + 0x800;
	vmgexit();
	return GHCB64(0x3a0);
}

u64 psc(u64 gpa, unsigned int op, bool large, unsigned int n)
{
	return psc_apart(gpa, op, large, n, large ? LARGE : PAGE);
}

static bool snp_convert(u64 gpa, unsigned int n, bool shared)
{
	bool ok = true, cf;

	for (unsigned int i = 0; shared && i < n; i++)
		if (pvalidate(gpa + i * PAGE, false, false, &cf) || cf)
			ok = false;
	for (unsigned int done = 0; done < n; done += 200)
		if (psc(gpa + done * PAGE, shared ? 2 : 1, false,
			n - done > 200 ? 200 : n - done))
			return false;
	for (unsigned int i = 0; !shared && i < n; i++)
		if (pvalidate(gpa + i * PAGE, false, true, &cf) || cf)
			ok = false;
	return ok;
}

/* ---- TDX ---- */

u64 accept(u64 gpa, unsigned int level)
{
	struct tdregs r = { 0 };

	return tdcall4(6, gpa | level, &r);
}

u64 release(u64 gpa, unsigned int level)
{
	struct tdregs r = { 0 };

	return tdcall4(30, gpa | level, &r);
}

u64 map_gpa(u64 gpa, u64 size, bool shared, u64 *r11)
{
	struct tdregs r = { .r11 = 0x10001, .r13 = size,
			    .r12 = gpa | (shared ? boot->shared_mask : 0) };

	tdcall4(0, 0xfc00, &r);
	if (r11)
		*r11 = r.r11;
	return r.r10;
}

static bool tdx_convert(u64 gpa, unsigned int n, bool shared)
{
	if (map_gpa(gpa, n * PAGE, shared, NULL))
		return false;
	for (unsigned int i = 0; !shared && i < n; i++)
		if (accept(gpa + i * PAGE, 0))
			return false;
	return true;
}

/* ---- Hyper-V ---- */

struct visibility visibility __attribute__((aligned(4096)));

u64 hypercall(u64 control, u64 input)
{
	u64 result;

	__asm__ volatile("vmmcall" : "=a"(result), "+c"(control), "+d"(input)
			 : : "memory");
	return result;
}

u64 set_visibility(bool shared, u64 gpa, unsigned int n)
{
	visibility.partition = ~0UL;
	visibility.visibility = shared ? 3 : 0;
	for (unsigned int i = 0; i < n; i++)
		visibility.gfn[i] = gpa / PAGE + i;
	return hypercall(0xdb | (u64)n << 32, (u64)&visibility);
}

bool convert(u64 gpa, unsigned int n, bool shared)
{
	switch (boot->platform) {
	case CVM_SNP:
		return snp_convert(gpa, n, shared);
	case CVM_TDX:
		return tdx_convert(gpa, n, shared);
	default:
		for (unsigned int done = 0; done < n; done += 510) {
			unsigned int part = n - done > 510 ? 510 : n - done;

			if (set_visibility(shared, gpa + done * PAGE, part) !=
			    (u64)part << 32)
				return false;
		}
		return true;
	}
}

void guest_main(const struct cvm_boot *b)
{
	boot = b;
	init_idt();
	apic_on();
	report("boot: magic and version", b->magic == CVM_MAGIC &&
	       call1(CVM_VERSION, 0) == b->version);
	if (boot->platform == CVM_SNP)
		snp_init();
	test_main();
	finish();
}
