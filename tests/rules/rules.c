// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of each platform, one report() line per fact. Without a command
 * line everything that a guest survives; with one, a single test that must
 * end in the loss of the guest.
 */
#include "lib.h"

void test_main(void);
void test_ap(unsigned int id);

/* ---- every platform ---- */

static void bad_pf_is_ordinary(void)
{
	*pte_of(WINDOW_A) = 0;
	invlpg(WINDOW_A);
	report("bad: a not-present page gives #PF, error 0",
	       !probe_read(WINDOW_A + 8, NULL) && trapped(14, 0));
	report("bad: ... and CR2 is the address",
	       this_cpu()->cr2 == WINDOW_A + 8);
}

/* The TLB keeps what the guest did not flush; an exit drops it. */
static void good_stale_tlb(void)
{
	u64 *pte, v;

	map_private(WINDOW_A, P0);
	pte = pte_of(WINDOW_A);
	probe_read(WINDOW_A, &v);
	*(volatile u64 *)pte = 0;
	report("stale: a cleared entry without INVLPG still reads",
	       probe_read(WINDOW_A, &v));
	invlpg(WINDOW_A);
	report("stale: after INVLPG it faults",
	       !probe_read(WINDOW_A, &v) && trapped(14, 0));
	map_private(WINDOW_A, P0);
	probe_read(WINDOW_A, &v);
	*(volatile u64 *)pte = 0;
	call1(CVM_VERSION, 0);
	report("stale: an exit drops it (TCG)",
	       !probe_read(WINDOW_A, &v) && trapped(14, 0));
}

/* What CPU 1 should read there, or 0: anything. */
static volatile u64 right;

/* CPU 1 reads WINDOW_B all the time; what makes it notice? */
static void good_stale_other_cpu(void)
{
	struct cpu *ap = cpu_of(1);
	u64 before;

	if (boot->cpus < 2)
		return;
	map_private(WINDOW_B, P0);
	start_ap(1);
	while (ap->reads < 1000)
		__builtin_ia32_pause();
	report("smp: CPU 1 runs", ap->traps == 0);
	*(volatile u64 *)pte_of(WINDOW_B) = 0;
	before = ap->reads;
	while (ap->reads < before + 1000 && !ap->traps)
		__builtin_ia32_pause();
	report("smp: CPU 1 keeps its stale translation", !ap->traps);
	for (unsigned int i = 0; i < 10; i++) {
		before = ap->ipis;
		send_ipi(1, 0x40);
		while (ap->ipis == before)
			__builtin_ia32_pause();
	}
	before = ap->reads;
	while (ap->reads < before + 1000 && !ap->traps)
		__builtin_ia32_pause();
	report("smp: IPIs of the guest do not exit, it stays stale",
	       !ap->traps);
	send_ipi(1, 0x41);
	while (!ap->traps)
		__builtin_ia32_pause();
	report("smp: INVLPG in an IPI makes it fault",
	       ap->last == 14 && ap->error == 0);
}

/* A host that drops TLBs when it converts, and one that does not. */
static void good_host_flush(void)
{
	struct cpu *ap = cpu_of(1);
	u64 before, traps;

	if (boot->cpus < 2 || boot->platform == CVM_NONE)
		return;
	call1(CVM_HOST_FLUSH, 0);
	map_private(WINDOW_B, P0);
	before = ap->reads;
	while (ap->reads < before + 1000)
		__builtin_ia32_pause();
	traps = ap->traps;
	*(volatile u64 *)pte_of(WINDOW_B) = 0;
	convert(R1, 1, true);
	before = ap->reads;
	while (ap->reads < before + 1000 && ap->traps == traps)
		__builtin_ia32_pause();
	report("smp: a conversion elsewhere, without host flush: still stale",
	       ap->traps == traps);
	call1(CVM_HOST_FLUSH, 1);
	convert(R1, 1, false);
	before = ap->reads;
	while (ap->reads < before + 100000 && ap->traps == traps)
		__builtin_ia32_pause();
	report("smp: with host flush it notices", ap->traps > traps);
}

void test_ap(unsigned int id)
{
	struct cpu *c = this_cpu();

	if (stressing)
		stress_cpu(id);
	if (restoring)
		restore_fpu();
	__asm__ volatile("sti");
	for (;;) {
		u64 wanted = right, v;

		if (probe_read(WINDOW_B, &v)) {
			c->reads++;
			if (wanted && wanted == right && v != wanted)
				c->wrong++;
		} else {
			__builtin_ia32_pause();
		}
	}
}

static void good_print(void)
{
	static const char text[] = "console: printed by the guest\n";

	report("debug: a line to the console",
	       !call2(CVM_PRINT, (u64)text, sizeof(text) - 1));
}

/* QEMU's TCG does nothing for CLFLUSH, not even a translation. */
static void note_clflush(void)
{
	struct cpu *c = this_cpu();

	*pte_of(WINDOW_A) = 0;
	invlpg(WINDOW_A);
	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %0\n\t"
			 "clflush (%1)\n1:\tmovq $0, %0"
			 : "+m"(c->resume) : "r"(WINDOW_A) : "rbx", "memory");
	note("CLFLUSH of an unmapped page: trap", c->vector);
}

static void good_states_in_bulk(void)
{
	u8 s[300];
	bool ok = true;

	cvm_call4(CVM_PAGE_STATES, TEST_BASE, sizeof(s), (u64)s, 0);
	for (unsigned int i = 0; i < sizeof(s); i++)
		ok = ok && s[i] == state_of(TEST_BASE + i * PAGE);
	report("debug: page states in bulk are those one by one", ok);
	report("debug: what lies outside is none",
	       !state_of(boot->ram_end) && !state_of(0x200000));
}

/* ---- orders, with CPU 1 reading the page all the time ---- */

static void shoot_down(u64 va)
{
	u64 before = cpu_of(1)->ipis;

	invlpg(va);
	send_ipi(1, 0x41);
	while (cpu_of(1)->ipis == before)
		__builtin_ia32_pause();
}

static void reader_at_work(void)
{
	struct cpu *ap = cpu_of(1);
	u64 seen = ap->reads + ap->traps;

	while (ap->reads + ap->traps < seen + 20)
		__builtin_ia32_pause();
}

/* Not present while it changes: CPU 1 meets #PF and nothing else. */
static void order_not_present(void)
{
	struct cpu *ap = cpu_of(1);
	u64 bad = ap->confidential, faults = ap->page_faults;
	bool ok = true;

	if (boot->cpus < 2)
		return;
	map_private(WINDOW_B, P0);
	reader_at_work();
	for (unsigned int i = 0; i < 20; i++) {
		*(volatile u64 *)pte_of(WINDOW_B) = 0;
		shoot_down(WINDOW_B);
		reader_at_work();
		ok = ok && convert(P0, 1, !(i & 1));
		if (i & 1)
			map_private(WINDOW_B, P0);
		else
			map_shared(WINDOW_B, P0);
		reader_at_work();
	}
	report("order: not present: 20 conversions", ok);
	report("order: not present: the reader takes #PF",
	       ap->page_faults > faults);
	report("order: not present: and no #VC or #VE",
	       ap->confidential == bad);
	*(volatile u64 *)pte_of(WINDOW_B) = 0;
	shoot_down(WINDOW_B);
}

/* The mapping stays present: rescind, page state change, then the entry. */
static void order_present_snp(void)
{
	struct cpu *ap = cpu_of(1);
	u64 bad = ap->confidential;

	if (boot->cpus < 2)
		return;
	map_private(WINDOW_B, P0);
	reader_at_work();
	for (unsigned int i = 0; i < 20; i++) {
		convert(P0, 1, true);
		reader_at_work();
		map_shared(WINDOW_B, P0);
		shoot_down(WINDOW_B);
		convert(P0, 1, false);
		map_private(WINDOW_B, P0);
		shoot_down(WINDOW_B);
	}
	report("order: present: the reader takes #VC",
	       ap->confidential > bad);
	*(volatile u64 *)pte_of(WINDOW_B) = 0;
	shoot_down(WINDOW_B);
	expect_what_was();
	call2(CVM_HOST_CONVERT, P0, CVM_STATE_PRIVATE);
}

/*
 * The host takes the page: the reader meets #VC or what was there, and never
 * other bytes. That is SNP's promise of integrity.
 */
static void unasked_beside_reader(void)
{
	struct cpu *ap = cpu_of(1);
	u64 bad = ap->confidential;
	bool cf;

	if (boot->cpus < 2)
		return;
	map_private(WINDOW_B, P0);
	for (u64 i = 1; i <= 200; i++) {
		*(volatile u64 *)P0 = i;
		right = i;
		reader_at_work();
		call2(CVM_HOST_CONVERT, P0, CVM_STATE_SHARED);
		reader_at_work();
		right = 0;
		pvalidate(P0, false, true, &cf);
	}
	report("unasked: the reader takes #VC", ap->confidential >= bad + 200);
	report("unasked: the reader meets no other bytes", !ap->wrong);
	*(volatile u64 *)pte_of(WINDOW_B) = 0;
	shoot_down(WINDOW_B);
}

/* The same where a private access to a shared page is the guest's end. */
static void order_present_fatal(void)
{
	map_private(WINDOW_B, P0);
	start_ap(1);
	while (cpu_of(1)->reads < 100)
		__builtin_ia32_pause();
	convert(P0, 1, true);
	spin(1UL << 40);
}

/* ---- platforms with conversions ---- */

static bool all_zero(u64 va)
{
	for (unsigned int i = 0; i < 512; i++)
		if (((volatile u64 *)va)[i])
			return false;
	return true;
}

static void good_cycle(void)
{
	u64 v = 0, old = 0x1122334455667788UL;

	map_private(WINDOW_A, P0);
	probe_write(WINDOW_A, old);
	report("cycle: private to begin with", plain_state(P0) == 3);
	report("cycle: the host reads no plaintext",
	       call1(CVM_HOST_READ, P0) != old);
	report("cycle: the host cannot write a private page",
	       call2(CVM_HOST_WRITE, P0, 1) == ~0UL);
	report("cycle: to shared", convert(P0, 1, true));
	report("cycle: state is shared", plain_state(P0) == 1);
	map_shared(WINDOW_A, P0);
	report("cycle: old contents did not survive",
	       probe_read(WINDOW_A, &v) && v != old);
	call2(CVM_HOST_WRITE, P0, 77);
	report("cycle: the host's write is seen",
	       probe_read(WINDOW_A, &v) && v == 77);
	probe_write(WINDOW_A, old);
	report("cycle: the host sees ours",
	       call1(CVM_HOST_READ, P0) == old);
	report("cycle: to private", convert(P0, 1, false));
	report("cycle: state is private", plain_state(P0) == 3);
	map_private(WINDOW_A, P0);
	report("cycle: shared contents did not survive",
	       probe_read(WINDOW_A, &v) && v != old);
	if (boot->platform != CVM_SNP)
		report("cycle: zeroed", all_zero(WINDOW_A));
}

static void good_counters(void)
{
	u64 calls = call1(CVM_COUNTER, CVM_N_TO_SHARED_CALLS);
	u64 pages = call1(CVM_COUNTER, CVM_N_TO_SHARED_PAGES);

	convert(R1, 100, true);
	report("count: one call of 100 pages",
	       call1(CVM_COUNTER, CVM_N_TO_SHARED_CALLS) == calls + 1 &&
	       call1(CVM_COUNTER, CVM_N_TO_SHARED_PAGES) == pages + 100);
	convert(R1, 100, false);
	report("count: 1000 pages there and back",
	       convert(R1, 1000, true) && convert(R1, 1000, false));
	report("count: unknown counter", call1(CVM_COUNTER, 9999) == ~0UL);
}

static void good_host_writer(void)
{
	u64 a = 0, b = 0;

	convert(P0, 1, true);
	map_shared(WINDOW_A, P0);
	call2(CVM_HOST_WRITER, P0, 64);
	/* a moment of the host is an exit that is not the debug port's */
	convert(R1, 1, true);
	probe_read(WINDOW_A + 8, &a);
	convert(R1, 1, false);
	probe_read(WINDOW_A + 8, &b);
	report("host: its writer touches the shared page", a != b && b);
	call2(CVM_HOST_WRITER, 0, 0);
	convert(P0, 1, false);
}

static void good_host_failing(void)
{
	call2(CVM_HOST, CVM_HOST_FAILING, 2);
	report("failing:2: the first call is served", convert(R1, 8, true));
	report("failing:2: the second is refused", !convert(R1 + 8 * PAGE, 8,
							    true));
	report("failing:2: nothing was done",
	       plain_state(R1 + 8 * PAGE) != CVM_STATE_SHARED);
	report("failing:2: the third is served",
	       convert(R1, 8, false));
	call2(CVM_HOST, CVM_HOST_FAILING_HALF, 1);
	report("failing:1:half: an error", !convert(R2, 8, true));
	report("failing:1:half: the first half was done",
	       plain_state(R2 + 3 * PAGE) == CVM_STATE_SHARED);
	report("failing:1:half: the second was not",
	       plain_state(R2 + 4 * PAGE) != CVM_STATE_SHARED);
	call2(CVM_HOST, CVM_HOST_KVM, 0);
}

static void good_host_unasked(void)
{
	u64 forced = call1(CVM_COUNTER, CVM_N_FORCED);

	call2(CVM_HOST_CONVERT, R2 + 8 * PAGE, CVM_STATE_SHARED);
	report("unasked: the state says who did it",
	       state_of(R2 + 8 * PAGE) == (CVM_STATE_SHARED |
					   CVM_STATE_BY_HOST));
	if (boot->platform == CVM_SNP) {
		map_private(WINDOW_A, R2 + 8 * PAGE);
		report("unasked: #VC, and not our violation",
		       !probe_read(WINDOW_A, NULL) && trapped(29, 0x404) &&
		       call1(CVM_COUNTER, CVM_N_FORCED) == forced + 1);
	}
}

/* ---- SNP ---- */

static void snp_pvalidate(void)
{
	bool cf;

	map_private(WINDOW_A, P0);
	report("pvalidate: validated twice: EAX 0, CF 1",
	       !pvalidate(WINDOW_A, false, true, &cf) && cf);
	report("pvalidate: rescind: EAX 0, CF 0",
	       !pvalidate(WINDOW_A, false, false, &cf) && !cf);
	report("pvalidate: rescinded twice: CF 1",
	       !pvalidate(WINDOW_A, false, false, &cf) && cf);
	expect(1);
	report("bad: access to a page not validated: #VC 404",
	       !probe_read(WINDOW_A, NULL) && trapped(29, 0x404));
	report("pvalidate: and back: CF 0",
	       !pvalidate(WINDOW_A, false, true, &cf) && !cf);
	map_shared(WINDOW_A, P0);
	report("pvalidate: through C=0: FAIL_INPUT",
	       pvalidate(WINDOW_A, false, true, &cf) == 1);
	report("pvalidate: 2M, address not aligned: FAIL_INPUT",
	       pvalidate(P0 + PAGE, true, true, &cf) == 1);
}

static void pvalidate_unmapped(void)
{
	struct cpu *c = this_cpu();
	u64 rax = WINDOW_A + 0x123;

	*pte_of(WINDOW_A) = 0;
	invlpg(WINDOW_A);
	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %1\n\t"
			 ".byte 0xf2, 0x0f, 0x01, 0xff\n"
			 "1:\tmovq $0, %1"
			 : "+a"(rax), "+m"(c->resume) : "c"(0UL), "d"(1UL)
			 : "rbx", "memory", "cc");
	report("pvalidate: an unmapped address: #PF, error 0",
	       trapped(14, 0) && c->cr2 == WINDOW_A + 0x123);
}

static void snp_sizes(void)
{
	bool cf;

	report("sizes: 2M at the start",
	       state_of(R3) == (CVM_STATE_PRIVATE | CVM_STATE_LARGE));
	report("sizes: rescind 2M", !pvalidate(R3, true, false, &cf) && !cf);
	report("sizes: 2M page state change to shared", !psc(R3, 2, true, 1));
	report("sizes: all 512 are shared", plain_state(R3) == 1 &&
	       plain_state(R3 + 511 * PAGE) == 1);
	report("sizes: 2M to private", !psc(R3, 1, true, 1));
	report("sizes: pending, 2M",
	       state_of(R3) == (CVM_STATE_PENDING | CVM_STATE_LARGE));
	report("sizes: validate 2M", !pvalidate(R3, true, true, &cf) && !cf);
	report("sizes: 2M twice: CF 1", !pvalidate(R3, true, true, &cf) && cf);
	report("sizes: a 4K rescind smashes it",
	       !pvalidate(R3, false, false, &cf) && !cf &&
	       state_of(R3 + PAGE) == CVM_STATE_PRIVATE);
	report("sizes: 2M on 4K entries: SIZEMISMATCH",
	       pvalidate(R3, true, true, &cf) == 6);
	report("sizes: 4K heals", !pvalidate(R3, false, true, &cf) && !cf);
	convert(R3, 512, true);
	psc(R3, 1, false, 200);
	report("sizes: pages asked for as 4K: 2M PVALIDATE mismatches",
	       pvalidate(R3, true, true, &cf) == 6);
	psc(R3 + 200 * PAGE, 1, false, 200);
	psc(R3 + 400 * PAGE, 1, false, 112);
	for (unsigned int i = 0; i < 512; i++)
		pvalidate(R3 + i * PAGE, false, true, &cf);
	report("sizes: validated one by one", plain_state(R3) == 3 &&
	       plain_state(R3 + 511 * PAGE) == 3);
}

static void snp_bad_calls(void)
{
	volatile u16 *header = (u16 *)(ghcb + 0x800);

	report("psc: an unknown operation", psc(P0, 7, false, 1) != 0);
	report("psc: 2M, not aligned", psc(P0 + PAGE, 2, true, 1) != 0);
	report("psc: not guest memory",
	       psc(0x100000000UL, 2, false, 1) != 0);
	report("psc: nothing happened", plain_state(P0) == 3);
	report("psc: a partial list stops at the bad entry",
	       psc(boot->ram_end - PAGE, 1, false, 2) != 0 && header[0] == 1);
	report("msr: information request",
	       (msr_request(2) & 0xfff) == 1);
	report("msr: page state change of nothing is refused",
	       msr_request(0x100000000UL | 2UL << 52 | 0x14) >> 32 != 0);
}

static void snp_traps(void)
{
	struct cpu *c = this_cpu();
	u32 a = 0;

	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %1\n\t"
			 "cpuid\n1:\tmovq $0, %1"
			 : "+a"(a), "+m"(c->resume)
			 : : "rbx", "rcx", "rdx", "memory");
	report("trap: CPUID is #VC 72", trapped(29, 0x72));
	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %0\n\t"
			 "mov $0x80, %%edx\n\tinb %%dx, %%al\n1:\tmovq $0, %0"
			 : "+m"(c->resume) : : "rbx", "rax", "rdx", "memory");
	report("trap: IN is #VC 7b", trapped(29, 0x7b));
	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %0\n\t"
			 "vmmcall\n1:\tmovq $0, %0"
			 : "+m"(c->resume) : : "rbx", "rax", "memory");
	report("trap: VMMCALL is #VC 81", trapped(29, 0x81));
	map_shared(WINDOW_A, 0xfed00000);
	report("trap: a device is #VC 400",
	       !probe_read(WINDOW_A, NULL) && trapped(29, 0x400));
}

static void snp_mismatches(void)
{
	bool cf;

	map_shared(WINDOW_A, R1);
	expect(1);
	report("kvm: C=0 access to a private page converts it",
	       probe_write(WINDOW_A, 5) && plain_state(R1) == 1);
	map_private(WINDOW_A, R1);
	expect(1);
	report("kvm: C=1 access to a shared page: #VC 404",
	       !probe_read(WINDOW_A, NULL) && trapped(29, 0x404) &&
	       plain_state(R1) == 2);
	report("kvm: it is assigned, so PVALIDATE works",
	       !pvalidate(WINDOW_A, false, true, &cf) && !cf);
	call2(CVM_HOST, CVM_HOST_VE, 0);
	map_shared(WINDOW_A, R1);
	expect(1);
	report("ve: C=0 access to a private page: #VC 400",
	       !probe_read(WINDOW_A, NULL) && trapped(29, 0x400) &&
	       plain_state(R1) == 3);
	call2(CVM_HOST, CVM_HOST_KVM, 0);
	psc(R1, 2, false, 1);
	expect(1);
	report("kvm: PVALIDATE of a shared page: assigned first, then CF 0",
	       !pvalidate(R1, false, true, &cf) && !cf &&
	       plain_state(R1) == 3);
}

/* ---- TDX ---- */

static void tdx_accept(void)
{
	u64 r11;

	report("accept: twice: ALREADY_ACCEPTED",
	       accept(P0, 0) >> 32 == 0x00000b0a);
	report("accept: level 2: OPERAND_INVALID",
	       accept(P0, 2) >> 32 == 0xc0000100);
	report("accept: 2M, not aligned: OPERAND_INVALID",
	       accept(P0 + PAGE, 1) >> 32 == 0xc0000100);
	report("accept: nothing there: OPERAND_INVALID",
	       accept(0x100000000UL, 0) >> 32 == 0xc0000100);
	report("sizes: 2M at the start",
	       state_of(R3) == (CVM_STATE_PRIVATE | CVM_STATE_LARGE));
	map_gpa(R3, LARGE, true, NULL);
	report("sizes: MapGPA of 2M to shared",
	       plain_state(R3) == 1 && plain_state(R3 + 511 * PAGE) == 1);
	map_gpa(R3, LARGE, false, &r11);
	report("sizes: and back: pending, 2M",
	       state_of(R3) == (CVM_STATE_PENDING | CVM_STATE_LARGE));
	report("sizes: accept 2M", !accept(R3, 1) &&
	       state_of(R3) == (CVM_STATE_PRIVATE | CVM_STATE_LARGE));
	report("sizes: 4K of an accepted 2M: ALREADY_ACCEPTED, level 1",
	       accept(R3 + PAGE, 0) == 0x00000b0a00000001UL);
	map_gpa(R3, PAGE, true, NULL);
	map_gpa(R3, PAGE, false, NULL);
	report("sizes: 2M accept of 4K pages: SIZE_MISMATCH",
	       accept(R3, 1) == 0xc0000b0b00000001UL);
	report("sizes: 4K accepts it", !accept(R3, 0));
	map_gpa(R3, LARGE, true, NULL);
	map_gpa(R3, LARGE, false, NULL);
	report("sizes: 4K accept of a pending 2M demotes it",
	       !accept(R3, 0) && state_of(R3) == CVM_STATE_PRIVATE &&
	       state_of(R3 + PAGE) == CVM_STATE_PENDING);
	for (unsigned int i = 1; i < 512; i++)
		accept(R3 + i * PAGE, 0);
	report("release: private to pending",
	       !release(R3, 0) && plain_state(R3) == 2);
	report("release: twice: STATE_INCORRECT",
	       release(R3, 0) >> 32 == 0xc0000b0d);
	report("release: accepted again", !accept(R3, 0));
}

static void tdx_bad_calls(void)
{
	struct tdregs r = { .r11 = 0x4711 };

	report("mapgpa: misaligned: ALIGN_ERROR",
	       map_gpa(P0 + 1, PAGE, true, NULL) == 0x8000000000000002UL);
	report("mapgpa: no length: INVALID_OPERAND",
	       map_gpa(P0, 0, true, NULL) == 0x8000000000000000UL);
	report("mapgpa: outside: INVALID_OPERAND",
	       map_gpa(boot->ram_end - PAGE, 2 * PAGE, true, NULL) ==
	       0x8000000000000000UL);
	tdcall4(0, 0xfc00, &r);
	report("vmcall: unknown: INVALID_OPERAND",
	       r.r10 == 0x8000000000000000UL);
	report("tdcall: unknown leaf: OPERAND_INVALID",
	       tdcall4(77, 0, &r) >> 32 == 0xc0000100);
	report("tdcall: no #VE pending: NO_VE_INFO",
	       tdcall4(3, 0, &r) >> 32 == 0xc0000704);
}

static bool ve_reason(u64 reason, struct tdregs *r)
{
	return this_cpu()->vector == 20 && !tdcall4(3, 0, r) &&
	       r->rcx == reason;
}

static void tdx_traps(void)
{
	struct cpu *c = this_cpu();
	struct tdregs r = { .r11 = 10, .r12 = 0x40000000 };
	u32 a = 0x40000000;

	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %1\n\t"
			 "cpuid\n1:\tmovq $0, %1"
			 : "+a"(a), "+m"(c->resume)
			 : : "rbx", "rcx", "rdx", "memory");
	report("trap: CPUID 40000000 is #VE 10", ve_reason(10, &r));
	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %0\n\t"
			 "mov $0x80, %%edx\n\tinb %%dx, %%al\n1:\tmovq $0, %0"
			 : "+m"(c->resume) : : "rbx", "rax", "rdx", "memory");
	report("trap: IN is #VE 30, port and direction in the qualification",
	       ve_reason(30, &r) && r.rdx == (0x80UL << 16 | 8));
	c->vector = 99;
	__asm__ volatile("lea 1f(%%rip), %%rbx\n\tmov %%rbx, %0\n\t"
			 "hlt\n1:\tmovq $0, %0"
			 : "+m"(c->resume) : : "rbx", "memory");
	report("trap: HLT is #VE 12", ve_reason(12, &r));
	map_shared(WINDOW_A, 0xfed00000);
	report("trap: a device is #VE 48 with its address",
	       !probe_read(WINDOW_A, NULL) && ve_reason(48, &r) &&
	       r.r9 == (0xfed00000UL | boot->shared_mask));
	probe_read(WINDOW_A, NULL);
	report("trap: a #VE before the last was read is #DF",
	       !probe_read(WINDOW_A, NULL) && c->vector == 8);
	tdcall4(3, 0, &r);
}

static void tdx_mismatches(void)
{
	struct tdregs r = { 0 };

	map_shared(WINDOW_A, R1);
	expect(1);
	report("kvm: shared access to a private page converts it",
	       probe_write(WINDOW_A, 5) && plain_state(R1) == 1);
	report("kvm: it can be had back", convert(R1, 1, false));
	call2(CVM_HOST, CVM_HOST_VE, 0);
	map_shared(WINDOW_A, R1);
	expect(1);
	report("ve: shared access to a private page: #VE 48",
	       !probe_write(WINDOW_A, 5) && ve_reason(48, &r) &&
	       r.r9 == (R1 | boot->shared_mask) && plain_state(R1) == 3);
	map_gpa(R1, PAGE, true, NULL);
	map_gpa(R1, PAGE, false, NULL);
	map_private(WINDOW_A, R1);
	expect(1);
	report("ve: private access to a pending page: #VE 48",
	       !probe_read(WINDOW_A, NULL) && ve_reason(48, &r) &&
	       r.r9 == R1);
	call2(CVM_HOST, CVM_HOST_KVM, 0);
	accept(R1, 0);
	map_gpa(R1, PAGE, true, NULL);
	expect(1);
	report("kvm: accept of a shared page: the host adds it first",
	       !accept(R1, 0) && plain_state(R1) == 3);
}

/* ---- Hyper-V ---- */

static void hyperv_calls(void)
{
	u64 r;

	report("0xdb: a list that is not contiguous",
	       (visibility.gfn[0] = R1 / PAGE, visibility.gfn[1] = R2 / PAGE,
		visibility.visibility = 3,
		hypercall(0xdb | 2UL << 32, (u64)&visibility)) == 2UL << 32 &&
	       plain_state(R1) == 1 && plain_state(R2) == 1);
	visibility.visibility = 0;
	report("0xdb: rep start skips what is done",
	       hypercall(0xdb | 2UL << 32 | 1UL << 48, (u64)&visibility) ==
	       2UL << 32 && plain_state(R1) == 1 && plain_state(R2) == 3);
	hypercall(0xdb | 2UL << 32, (u64)&visibility);
	visibility.visibility = 3;
	visibility.gfn[1] = ~0UL;
	r = hypercall(0xdb | 2UL << 32, (u64)&visibility);
	report("0xdb: stops at a page that is none, says after how many",
	       (r & 0xffff) != 0 && r >> 32 == 1 && plain_state(R1) == 1);
	set_visibility(false, R1, 1);
	visibility.visibility = 1;
	report("0xdb: visibility 1 is refused",
	       (hypercall(0xdb | 1UL << 32, (u64)&visibility) & 0xffff) == 5);
	report("0xdb: no reps are refused",
	       (hypercall(0xdb, (u64)&visibility) & 0xffff) == 3);
	report("0xdb: a list across a page is refused",
	       (hypercall(0xdb | 510UL << 32, (u64)&visibility + 8) &
		0xffff) == 4);
	set_visibility(true, P0, 1);
	report("0xdb: a shared input page is refused",
	       (hypercall(0xdb | 1UL << 32, P0) & 0xffff) == 5);
	set_visibility(false, P0, 1);
	report("hypercall: an unknown code is refused",
	       hypercall(0x4711, 0) == 2);
}

/* ---- tests that end with the guest ---- */

static void fatal(void)
{
	expect(1);
	if (append_is("private-read-of-shared")) {
		convert(P0, 1, true);
		map_private(WINDOW_A, P0);
		probe_read(WINDOW_A, NULL);
	} else if (append_is("shared-read-of-private")) {
		map_shared(WINDOW_A, P0);
		probe_read(WINDOW_A, NULL);
	} else if (append_is("pending-read")) {
		map_gpa(P0, PAGE, true, NULL);
		map_gpa(P0, PAGE, false, NULL);
		map_private(WINDOW_A, P0);
		probe_read(WINDOW_A, NULL);
	} else if (append_is("implicit-then-private")) {
		map_shared(WINDOW_A, P0);
		probe_read(WINDOW_A, NULL);
		expect(1);
		map_private(WINDOW_A, P0);
		probe_read(WINDOW_A, NULL);
	} else if (append_is("order-present")) {
		order_present_fatal();
	} else if (append_is("machine-memory")) {
		probe_read(0x200000, NULL);
	} else if (append_is("private-device")) {
		map_private(WINDOW_A, 0xfed00000);
		probe_read(WINDOW_A, NULL);
	} else if (append_is("private-ghcb")) {
		wrmsr(0xc0010130, P0);
		__asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xd9" ::: "memory");
	}
	lost_if_we_return((const char *)boot->cmdline);
}

struct __attribute__((packed)) table {
	u16 limit;
	u64 base;
};

/* Stacks for exceptions beyond the limit of the TSS: nothing can be taken. */
static void bad_tss(void)
{
	static u64 tss[16], idt[64];
	static u64 gdt[6] = { [2] = 0x00af9b000000ffff,
			      [3] = 0x00cf93000000ffff };
	struct table g = { sizeof(gdt) - 1, (u64)gdt }, i;

	__asm__ volatile("sidt %0" : "=m"(i));
	for (unsigned int n = 0; n < 64; n += 2) {
		idt[n] = ((u64 *)i.base)[n] | 1UL << 32; /* IST 1, at 36 */
		idt[n + 1] = ((u64 *)i.base)[n + 1];
	}
	i = (struct table){ sizeof(idt) - 1, (u64)idt };
	*(u64 *)((u8 *)tss + 36) = (u64)(tss + 16);
	gdt[4] = 0x20 | ((u64)tss & 0xffffff) << 16 | 0x89UL << 40 |
		 ((u64)tss >> 24 & 0xff) << 56;
	gdt[5] = (u64)tss >> 32;
	__asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2\n\tud2"
			 : : "m"(g), "m"(i), "r"(0x20));
}

/* By ACPI's fixed ports, as the tables of the machine name them. */
static void power_off(void)
{
	__asm__ volatile("outw %%ax, %%dx" : : "a"(0x2000), "d"(0x604));
}

static void reset(void)
{
	__asm__ volatile("outb %%al, %%dx" : : "a"(0x0e), "d"(0xcf9));
}

static void not_fatal(void)
{
	if (append_is("triple-fault")) {
		struct table none = { 0, 0 };

		__asm__ volatile("lidt %0\n\tud2" : : "m"(none));
	} else if (append_is("bad-tss")) {
		bad_tss();
	} else if (append_is("terminate")) {
		msr_request(0x100);
	} else if (append_is("terminate-unasked")) {
		call2(CVM_HOST_CONVERT, R2, CVM_STATE_SHARED);
		map_private(WINDOW_A, R2);
		probe_read(WINDOW_A, NULL);
		msr_request(0x100);
	} else if (append_is("spin")) {
		for (;;)
			__builtin_ia32_pause();
	} else if (append_is("fail")) {
		call1(CVM_EXIT, 1);
	} else if (append_is("pass")) {
		call1(CVM_EXIT, 0);
	} else if (append_is("power-off")) {
		power_off();
	} else if (append_is("reset")) {
		reset();
	} else if (append_is("panic")) {
		static const char words[] =
			"Kernel panic - not syncing: a test\n";

		call2(CVM_PRINT, (u64)words, sizeof(words) - 1);
		reset();
	} else if (append_is("break")) {
		map_shared(WINDOW_A, P0);
		probe_read(WINDOW_A, NULL);
		call1(CVM_EXIT, 0);
	} else if (append_is("garbage")) {
		for (u64 n = 16; n < 200; n++)
			cvm_call4(n * n, n << 40, ~n, n << 50, n);
		call2(CVM_HOST_CONVERT, ~0UL, 1);
		call2(CVM_HOST_WRITE, 0x1fffffff, 1);
		call1(CVM_PAGE_STATE, ~0UL);
		cvm_call4(CVM_PAGE_STATES, 0, ~0UL, 1UL << 60, 0);
		cvm_call4(CVM_LOG, 1UL << 60, ~0UL, 0, 0);
		call2(CVM_PRINT, 1UL << 60, 100);
		call2(CVM_PRINT, 0, ~0UL);
		cvm_call4(CVM_START_CPU, 99, 0, 0, 0);
		report("garbage in the debug port is survived", true);
		garbage_msrs();
		finish();
	} else if (append_is("acts")) {
		hostile_acts();
	} else if (append_is("scattered")) {
		hostile_scattered();
	} else if (append_is("stress")) {
		stress();
	} else if (append_is("dma")) {
		dma();
	} else if (append_is("devices-at-rest")) {
		devices_at_rest();
	} else if (append_is("count")) {
		instructions_counted();
	} else if (append_is("fxrstor")) {
		exits_beside_fxrstor();
	} else if (append_is("exit-cost")) {
		exit_cost();
	} else if (append_is("chatter")) {
		chatter();
	} else if (append_is("talk")) {
		talk();
	} else if (append_is("hostile")) {
		for (unsigned int i = 0; i < 300; i++) {
			convert(R1 + (i % 100) * PAGE, 1 + i % 7, i & 1);
			probe_read(R1, NULL);
		}
		report("hostile: 300 calls return",
		       call1(CVM_COUNTER, CVM_N_HOST_LIES) > 0);
		/* this guest trusts its host, and pays for it */
		expect_what_was();
		finish();
	}
}

static void platform_tests(void)
{
	order_not_present();
	good_cycle();
	good_counters();
	good_host_writer();
	switch (boot->platform) {
	case CVM_SNP:
		snp_pvalidate();
		pvalidate_unmapped();
		snp_sizes();
		snp_bad_calls();
		snp_traps();
		snp_mismatches();
		order_present_snp();
		unasked_beside_reader();
		break;
	case CVM_TDX:
		tdx_accept();
		tdx_bad_calls();
		tdx_traps();
		tdx_mismatches();
		break;
	default:
		hyperv_calls();
	}
	good_host_failing();
	good_host_unasked();
}

void test_main(void)
{
	if (*(const char *)boot->cmdline) {
		cpu_alone();
		not_fatal();
		fatal();
	}
	bad_pf_is_ordinary();
	good_stale_tlb();
	good_stale_other_cpu();
	good_states_in_bulk();
	good_print();
	note_clflush();
	good_host_flush();
	if (boot->platform != CVM_NONE)
		platform_tests();
}
