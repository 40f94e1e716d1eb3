// SPDX-License-Identifier: GPL-2.0
/*
 * Tests that run alone, by the guest's command line: all CPUs converting, a
 * hostile host's answers, instructions counted, DMA, the cost of an exit.
 */
#include "lib.h"

/* ---- all CPUs convert at once, within the same regions ---- */

bool stressing;

#define ROUNDS		150u

static u32 stress_failed, stress_done;
static struct visibility lists[8] __attribute__((aligned(4096)));

/* One page, through nothing that CPUs share. */
static bool convert_one(unsigned int id, u64 gpa, bool shared)
{
	struct visibility *l = &lists[id];
	bool cf = false;
	u64 r;

	switch (boot->platform) {
	case CVM_SNP:
		if (shared && (pvalidate(gpa, false, false, &cf) || cf))
			return false;
		r = msr_request(gpa | (shared ? 2UL : 1UL) << 52 | 0x14);
		if (r != 0x15)
			return false;
		return shared || (!pvalidate(gpa, false, true, &cf) && !cf);
	case CVM_TDX:
		return !map_gpa(gpa, PAGE, shared, NULL) &&
		       (shared || !accept(gpa, 0));
	default:
		l->visibility = shared ? 3 : 0;
		l->gfn[0] = gpa / PAGE;
		return hypercall(0xdb | 1UL << 32, (u64)l) == 1UL << 32;
	}
}

static bool stress_round(unsigned int id, u64 gpa, u64 value)
{
	u64 va = WINDOW_A + 2 * LARGE + id * LARGE;
	bool ok = convert_one(id, gpa, true);

	map_shared(va, gpa);
	*(volatile u64 *)va = value;
	ok = ok && call1(CVM_HOST_READ, gpa) == value;
	ok = ok && convert_one(id, gpa, false);
	map_private(va, gpa);
	*(volatile u64 *)va = value;
	return ok && *(volatile u64 *)va == value;
}

void stress_cpu(unsigned int id)
{
	for (u64 i = 0; i < ROUNDS; i++) {
		u64 page = (i * 7 % 128) * 8 + id;

		if (!stress_round(id, R1 + page * PAGE, i << 8 | id))
			__atomic_fetch_add(&stress_failed, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_add(&stress_done, 1, __ATOMIC_SEQ_CST);
	while (id)
		__builtin_ia32_pause();
}

void stress(void)
{
	bool ok = true;

	/* tables for every window now: making them is not locked */
	for (unsigned int i = 0; i < boot->cpus; i++)
		pte_of(WINDOW_A + 2 * LARGE + i * LARGE);
	stressing = true;
	for (unsigned int i = 1; i < boot->cpus; i++)
		start_ap(i);
	stress_cpu(0);
	while (__atomic_load_n(&stress_done, __ATOMIC_SEQ_CST) < boot->cpus)
		__builtin_ia32_pause();
	report("stress: every conversion and every content right",
	       !stress_failed);
	for (u64 i = 0; i < 1024; i++)
		ok = ok && plain_state(R1 + i * PAGE) == 3;
	report("stress: all private at the end", ok);
	report("stress: all were counted",
	       call1(CVM_COUNTER, CVM_N_TO_SHARED_PAGES) >=
	       ROUNDS * boot->cpus);
	finish();
}

/* ---- a hostile host's answers, as seen on the wire ---- */

enum { LIE, EARLY, SPIN, OUTSIDE, STRAY, REFUSED, DONE, SMALL, TWICE, KINDS };
static const char *const kind_names[KINDS] = {
	"success, nothing done", "stops early", "no progress",
	"outside the request", "garbage", "an error", "honest",
	"4K for 2M", "accepted already",
};

static unsigned int psc_answer(void)
{
	volatile u16 *header = (u16 *)(ghcb + 0x800);
	u64 result = psc(R1, 2, false, 8);

	if (result)
		return REFUSED;
	if (header[2] || header[3] || header[0] == 0xfff0)
		return STRAY;
	if (header[1] != 7)
		return OUTSIDE;
	if (!header[0])
		return SPIN;
	if (header[0] <= 7)
		return EARLY;
	return plain_state(R1 + 7 * PAGE) == 1 ? DONE : LIE;
}

static unsigned int map_answer(void)
{
	u64 bit = boot->shared_mask, r11;
	u64 result = map_gpa(R1, 8 * PAGE, true, &r11);

	if (result == 1 && r11 == (R1 | bit))
		return SPIN;
	if (result == 1 && r11 > (R1 | bit) && r11 < ((R1 + 8 * PAGE) | bit) &&
	    !(r11 & (PAGE - 1)))
		return EARLY;
	if (result == 1 && (r11 & (PAGE - 1) || r11 >> 48 || !(r11 & bit)))
		return STRAY;
	if (result == 1)
		return OUTSIDE;
	if (result)
		return result == 0x8000000000000000UL ? REFUSED : STRAY;
	return plain_state(R1 + 7 * PAGE) == 1 ? DONE : LIE;
}

static unsigned int visibility_answer(void)
{
	u64 r = set_visibility(true, R1, 8);

	if (r >> 44 || (r & 0xffff0000) || (r & 0xffff) > 5)
		return STRAY;
	if (r >> 32 > 8)
		return OUTSIDE;
	if (r & 0xffff)
		return REFUSED;
	return plain_state(R1 + 7 * PAGE) == 1 ? DONE : LIE;
}

/* Private again, 2M: small or already accepted? */
static unsigned int private_answer(void)
{
	bool cf = false;
	u64 r;

	call2(CVM_HOST_CONVERT, R3, CVM_STATE_SHARED);
	if (boot->platform == CVM_SNP) {
		psc(R3, 2, true, 1);
		if (psc(R3, 1, true, 1) || plain_state(R3) == 1)
			return KINDS;
		r = pvalidate(R3, true, true, &cf);
		return r == 6 ? SMALL : cf ? TWICE : KINDS;
	}
	map_gpa(R3, LARGE, true, NULL);
	if (map_gpa(R3, LARGE, false, NULL) || plain_state(R3) == 1)
		return KINDS;
	r = accept(R3, 1) >> 32;
	return r == 0xc0000b0b ? SMALL : r == 0xb0a ? TWICE : KINDS;
}

void hostile_acts(void)
{
	unsigned int seen[KINDS + 1] = { 0 }, a;
	bool sized = boot->platform == CVM_SNP || boot->platform == CVM_TDX;

	for (unsigned int i = 0; i < 400; i++) {
		call2(CVM_HOST_CONVERT, R1 + 7 * PAGE, CVM_STATE_PRIVATE);
		a = boot->platform == CVM_SNP ? psc_answer() :
		    boot->platform == CVM_TDX ? map_answer() :
						visibility_answer();
		seen[a]++;
		if (a == SPIN || !(i & 15))
			call2(CVM_HOST, CVM_HOST_HOSTILE, i);
		if (sized && i & 1)
			seen[private_answer()]++;
	}
	for (a = 0; a < KINDS; a++) {
		if (!sized && (a == EARLY || a == SPIN || a >= SMALL))
			continue;
		note(kind_names[a], seen[a]);
		report("hostile: seen above", seen[a] > 0);
	}
	expect_what_was();
	finish();
}

/* It does to pages that it was told of, and not to those between them. */
void hostile_scattered(void)
{
	bool others = true;

	for (unsigned int i = 0; i < 3000; i++) {
		if (!(i % 100))		/* it may have begun to spin */
			call2(CVM_HOST, CVM_HOST_HOSTILE, i);
		psc_apart(R1, 1 + (i & 1), false, 4, 64 * PAGE);
	}
	for (unsigned int i = 0; i < 256; i++)
		if (i % 64 && state_of(R1 + i * PAGE) != CVM_STATE_PRIVATE)
			others = false;
	report("scattered: pages between are left alone", others);
	report("scattered: some were converted unasked",
	       call1(CVM_COUNTER, CVM_N_HOST_UNASKED) > 0);
	expect_what_was();
	finish();
}

/* With --deterministic and one CPU, time is the guest's instructions. */
static u64 instructions(u64 rounds)
{
	u64 start = call1(CVM_GUEST_TIME, 0);

	spin(rounds);
	return call1(CVM_GUEST_TIME, 0) - start;
}

void instructions_counted(void)
{
	u64 a = instructions(1000), b = instructions(2000);
	u64 c = instructions(3000);

	note("1000 rounds", a);
	note("2000 rounds", b);
	report("count: one more round costs the same", c - b == b - a &&
	       b - a >= 1000 && b - a <= 5000);
	report("count: twice the same is the same",
	       instructions(1000) == instructions(1000));
	finish();
}

void garbage_msrs(void)
{
	struct tdregs r;

	if (boot->platform != CVM_TDX)
		return;
	r = (struct tdregs){ .r11 = 32, .r12 = 0x8ff, .r13 = ~0UL };
	tdcall4(0, 0xfc00, &r);
	report("garbage: an MSR write that faults is refused", r.r10 != 0);
	r = (struct tdregs){ .r11 = 31, .r12 = 0x12345678 };
	tdcall4(0, 0xfc00, &r);
	report("garbage: an MSR that is none is refused", r.r10 != 0);
}

/* ---- DMA, by QEMU's "edu" device (docs/specs/edu.rst) ---- */

static u32 pci(u32 device, u32 at, bool write, u32 v)
{
	outl(0xcf8, 1u << 31 | device << 11 | at);
	if (write)
		outl(0xcfc, v);
	else
		v = inl(0xcfc);
	return v;
}

#define EDU_BUFFER	0x40000UL

static void edu_dma(u64 from, u64 to, u64 command)
{
	volatile u64 *r = (u64 *)(WINDOW_A + 0x80);

	r[0] = from;
	r[1] = to;
	r[2] = 8;
	r[3] = command | 1;
	while (r[3] & 1)
		__builtin_ia32_pause();
}

void dma(void)
{
	u64 v = 0, bar;
	u32 d;

	for (d = 0; d < 32 && pci(d, 0, false, 0) != 0x11e81234; d++)
		;
	if (d == 32) {
		report("dma: there is a device", false);
		finish();
	}
	bar = pci(d, 0x10, false, 0) & ~15u;
	pci(d, 4, true, 6);		/* memory space, bus master */
	*(volatile u64 *)pte_of(WINDOW_A) = bar | PTE_RW;
	map_shared(WINDOW_B, P0);
	convert(P0, 1, true);
	convert(P0 + PAGE, 1, true);
	*(volatile u64 *)WINDOW_B = 0x1234;
	edu_dma(P0, EDU_BUFFER, 0);
	edu_dma(EDU_BUFFER, P0 + 8, 2);
	report("dma: through shared memory and back",
	       ((volatile u64 *)WINDOW_B)[1] == 0x1234);
	convert(P0 + PAGE, 1, false);
	*(volatile u64 *)(P0 + PAGE) = 0x5678;
	edu_dma(EDU_BUFFER, P0 + PAGE, 2);
	report("dma: a private page cannot be written",
	       *(volatile u64 *)(P0 + PAGE) == 0x5678);
	edu_dma(P0 + PAGE, EDU_BUFFER, 0);
	edu_dma(EDU_BUFFER, P0 + 8, 2);
	v = ((volatile u64 *)WINDOW_B)[1];
	report("dma: a private page cannot be read", v != 0x5678);
	v = call1(CVM_EXPECT, 0);
	report("dma: it is a violation", v > 0);
	expect_what_was();
	finish();
}

/*
 * SeaBIOS reads the disk in search of something to boot, and leaves the device
 * running on a ring of its own, in what is the guest's memory now.
 */
void devices_at_rest(void)
{
	unsigned int found = 0, masters = 0;

	for (u32 d = 0; d < 32; d++) {
		if ((pci(d, 0, false, 0) & 0xffff) != 0x1af4)
			continue;
		found++;
		masters += pci(d, 4, false, 0) >> 2 & 1;
	}
	report("devices: there is a disk", found > 0);
	report("devices: none is a bus master yet", !masters);
	finish();
}

/* How long is an exit? In TSC ticks, for the log. */
void exit_cost(void)
{
	u64 start = __builtin_ia32_rdtsc();

	for (unsigned int i = 0; i < 100000; i++)
		call1(CVM_VERSION, 0);
	note("ticks per exit", (__builtin_ia32_rdtsc() - start) / 100000);
	note("tsc kHz", boot->tsc_khz);
	finish();
}

/* ---- QEMU's FXRSTOR on one CPU while another enters and leaves ---- */

bool restoring;

void restore_fpu(void)
{
	static u8 image[512] __attribute__((aligned(16)));

	__asm__ volatile("fxsave %0" : "=m"(image));
	for (;;)
		__asm__ volatile("fxrstor %0" : : "m"(image));
}

void exits_beside_fxrstor(void)
{
	restoring = true;
	start_ap(1);
	for (unsigned int i = 0; i < 200000; i++)
		call1(CVM_VERSION, 0);
	report("fxrstor: every exit came back", true);
	finish();
}

/* ---- what the launcher makes of the console ---- */

static const char console_line[] =
	"console: a line of the guest, one character after another\n";

void chatter(void)
{
	for (;;)
		call2(CVM_PRINT, (u64)console_line, sizeof(console_line) - 1);
}

/* Lines to the console and to the machine's log, by turns. */
void talk(void)
{
	static const char log[] = "a line by the debug port";

	for (unsigned int i = 0; i < 300; i++) {
		call2(CVM_PRINT, (u64)console_line, sizeof(console_line) - 1);
		call2(CVM_LOG, (u64)log, sizeof(log) - 1);
	}
	/* a prompt, whose line nobody ends */
	call2(CVM_PRINT, (u64)"prompt> ", 8);
	call1(CVM_EXIT, 0);
}
