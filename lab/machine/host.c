// SPDX-License-Identifier: GPL-2.0
/*
 * The platform and the host: what an access meets, what a call to the host
 * does. The rules are those of docs/platform-rules.md.
 *
 * The host's character:
 *   benign   does what it is asked, in one go or, where the interface allows
 *            it, in two; converts a page implicitly on a mismatched access, as
 *            KVM does
 *   failing  the same, but one call of the run, or cfg.fails, fails, before
 *            any work, after half of it, or after all of it; what it says of
 *            it is true
 *   slow     benign, but it answers twice in a row without any progress, does
 *            part of a list or of a large entry, and splits its own large
 *            entries at any time: all that the interfaces allow
 *   hostile  the same, but cfg.acts times in the run it lies, refuses, or
 *            does something that nobody asked for
 */
#include "machine.h"

#include <string.h>

#define SHARED_BIT (UINT64_C(1) << LAB_ENC_BIT)

static enum airlock_platform platform(void)
{
	return lab->cfg.platform;
}

bool has_host_state(void)
{
	return platform() != AIRLOCK_SEV && platform() != AIRLOCK_PLAIN;
}

/* After the first lie an exception proves nothing against the engine. */
bool host_lied(void)
{
	return lab->cfg.host == LAB_HOST_HOSTILE &&
		lab->w.m.acts != lab->cfg.acts;
}

bool host_may_fail(void)
{
	if (!lab->w.m.fails || !choose(2))
		return false;
	lab->w.m.fails--;
	lab->w.mach_dirty = true;
	return true;
}

static bool host_may_lie(void)
{
	if (!lab->w.m.acts || !choose(2))
		return false;
	lab->w.m.acts--;
	lab->w.mach_dirty = true;
	return true;
}

static bool slow(void)
{
	return lab->cfg.host == LAB_HOST_SLOW;
}

/*
 * A slow host's answer without progress: the guest gives up after three in a
 * row, so two must do it no harm.
 */
#define IDLE 2

static bool idles(void)
{
	uint8_t *idle = &lab->w.m.idle[lab->cpu];

	if (!slow())
		return false;
	lab->w.mach_dirty = true;
	if (*idle < IDLE && choose(2)) {
		++*idle;
		return true;
	}
	*idle = 0;
	return false;
}

/* Of a long range, at its first page alone: not a state for each page. */
static bool slow_at(uint32_t gfn)
{
	return !has_row() || gfn == row_gfn();
}

/*
 * The host failed, or lied, where these pages were asked for: the guest may
 * give them up.
 */
static void doubt(uint64_t gfn, uint64_t n)
{
	for (uint64_t i = gfn; i < gfn + n && i < GFN_END; i++)
		if (frame_get((uint32_t)i) & F_RANGE)
			frame_change((uint32_t)i, 1, 0, F_DOUBT);
}

/* A slow host splits the large entry around a frame before it is used. */
static void may_split(uint32_t gfn)
{
	if (slow() && (frame_get(gfn) & F_LARGE) && choose(2))
		frame_change(gfn & ~511u, 512, F_LARGE, 0);
}

static void caught(void)
{
	lab->w.m.caught = 1;
	lab->w.mach_dirty = true;
}

static void stuck(void)
{
	lab->w.m.stuck = 1;
	lab->w.mach_dirty = true;
}

void count_call(unsigned int cpu)
{
	unsigned int most = 64 + 8 * lab->cfg.pages;

	lab->w.m.calls[cpu]++;
	lab->w.mach_dirty = true;
	if (lab->w.m.calls[cpu] > most)
		bad(LAB_BAD_ENDLESS, "more than %u calls to the host for %u pages",
		    most, lab->cfg.pages);
}

/* ---- accesses ---- */

static enum lab_exception exception_of(bool private_view)
{
	if (platform() == AIRLOCK_SNP)
		return LAB_EXCEPTION_VC;
	return platform() == AIRLOCK_TDX && !private_view ?
		LAB_EXCEPTION_VE : LAB_EXCEPTION_LOST;
}

static const char *exception_name(enum lab_exception e)
{
	return e == LAB_EXCEPTION_VC ? "#VC" :
		e == LAB_EXCEPTION_VE ? "#VE" :
		platform() == AIRLOCK_TDX ? "a TD exit that ends the guest" :
		"an exception in the paravisor, which ends the guest";
}

/* Can a private access be served? Native platforms; V means accepted. */
static bool private_ok(uint16_t f)
{
	return !(f & F_SHARED) && (f & F_VALID);
}

static void exception(enum access_by by, unsigned int cpu, uint32_t gfn,
		      bool private_view, uint16_t f)
{
	enum lab_exception e = exception_of(private_view);

	if (host_lied())
		return;
	if (!lab->w.bad)
		lab->w.exception = e;
	bad(LAB_BAD_EXCEPTION,
	    "CPU%u reads %s through a %s mapping while the host holds it %s: %s%s",
	    cpu_id(cpu), page_name(gfn), private_view ? "private" : "shared",
	    f & F_SHARED ? "shared" : f & F_VALID ? "private" :
	    platform() == AIRLOCK_SNP ? "private, not validated" :
	    "private, not accepted", exception_name(e),
	    by == BY_ENGINE ? ", in the engine itself" : "");
}

/*
 * An access through a present translation. Return: whether it was served.
 * A shared access to a private page on native TDX and SNP goes to the host,
 * which converts it without being asked (KVM); its contents are gone, and the
 * access is served from the new, shared page. On TDX it may raise #VE instead. @dry: look, change nothing.
 */
bool host_access(enum access_by by, unsigned int cpu,
		 const struct translation *t, bool dry)
{
	uint16_t f = frame_get(t->gfn);
	bool paravisor = platform() == AIRLOCK_VTOM ||
		platform() == AIRLOCK_TDP;

	if (!has_host_state())
		return true;
	if (t->view == VIEW_PRIVATE) {
		if (private_ok(f))
			return true;
		if (!dry)
			exception(by, cpu, t->gfn, true, f);
		return false;
	}
	if (f & F_SHARED)
		return true;
	if (dry)
		return false;
	if (paravisor) {
		exception(by, cpu, t->gfn, false, f);
		return false;
	}
	/* A host that takes the address for MMIO has the module raise #VE. */
	if (platform() == AIRLOCK_TDX && !lab->cfg.no_mmio && choose(2)) {
		exception(by, cpu, t->gfn, false, f);
		return false;
	}
	say("CPU%u reads %s, private, through a shared mapping: the host converts it",
	    cpu_id(cpu), page_name(t->gfn));
	if (!(f & F_RANGE))
		bad(LAB_BAD_BYSTANDER, "the host destroyed %s, which was not to be converted",
		    page_name(t->gfn));
	frame_change(t->gfn, 1, F_VALID | F_LARGE | F_ACCEPTED,
		     F_SHARED | F_IMPLICIT);
	return true;
}

/* ---- what the guest asks for ---- */

static bool in_range(uint32_t gfn, uint32_t n)
{
	if (gfn + n > GFN_END || gfn + n < gfn ||
	    frame_differs(gfn, gfn + n, F_RANGE, F_RANGE) != gfn + n) {
		bad(LAB_BAD_BYSTANDER,
		    "the engine has the host convert %u page(s) from %s, not all of its range",
		    n, page_name(gfn));
		return false;
	}
	return true;
}

/* Something has gone wrong in this run: the guest may be undoing. */
static bool undoing(void)
{
	return host_lied() || (lab->cfg.host == LAB_HOST_FAILING &&
			       lab->w.m.fails < most_fails(&lab->cfg));
}

/* To a page that is private already, the host does nothing. */
static void ask_private(uint32_t gfn, uint32_t n, bool large)
{
	uint32_t end = gfn + n, from, to;
	uint16_t set = 0;

	if (!in_range(gfn, n))
		return;
	if (frame_differs(gfn, end, F_SHARED, F_SHARED) != end) {
		if (!undoing())
			bad(LAB_BAD_PROTOCOL, "asks the host to make private what is private: %s",
			    page_name(gfn));
		large = false;
	}
	if (platform() == AIRLOCK_SNP && !(lab->cfg.features &
					   AIRLOCK_F_NO_EVICT))
		set |= F_STALE_LINE;
	/* A host may back a large request by small pages. */
	if (large && choose(2) == 0)
		set |= F_LARGE;
	for (from = gfn; from < end; from = to) {
		from = frame_differs(from, end, F_SHARED, 0);
		to = frame_differs(from, end, F_SHARED, F_SHARED);
		if (from < end)
			frame_change(from, to - from, F_SHARED | F_VALID |
				     F_LARGE | F_ACCEPTED | F_IMPLICIT, set);
	}
}

static void ask_shared(uint32_t gfn, uint32_t n)
{
	if (!in_range(gfn, n))
		return;
	if (platform() == AIRLOCK_SNP &&
	    frame_differs(gfn, gfn + n, F_VALID, 0) != gfn + n && !host_lied())
		bad(LAB_BAD_PROTOCOL, "gives the host a page that is still validated: %s",
		    page_name(frame_differs(gfn, gfn + n, F_VALID, 0)));
	frame_change(gfn, n, F_VALID | F_LARGE | F_ACCEPTED | F_STALE_LINE |
		     F_IMPLICIT, F_SHARED);
}

/*
 * PVALIDATE or accept of a page that the host holds shared: the host makes it
 * private, and the instruction runs again. An order may meet that where the
 * host converted by itself; not where the guest forgot to ask.
 */
static void touch_private(uint32_t gfn, uint32_t n)
{
	uint32_t at = frame_differs(gfn, gfn + n, F_SHARED, 0);

	if (at == gfn + n)
		return;
	if (!(frame_get(at) & F_IMPLICIT) && !host_lied())
		bad(LAB_BAD_PROTOCOL, "%s of %s, which the host was told to hold shared",
		    platform() == AIRLOCK_SNP ? "PVALIDATE" : "accept",
		    page_name(at));
	frame_change(gfn, n, F_SHARED | F_VALID | F_IMPLICIT, 0);
}

/* The guest makes pages its own: once each, or it can be shown old data. */
static void accepted(uint32_t gfn, uint32_t n)
{
	uint32_t twice = frame_differs(gfn, gfn + n, F_ACCEPTED, 0);

	if (twice != gfn + n)
		bad(LAB_BAD_ACCEPT_TWICE, "%s is %s twice", page_name(twice),
		    platform() == AIRLOCK_SNP ? "validated" : "accepted");
	frame_change(gfn, n, 0, F_VALID | F_ACCEPTED);
}

/* ---- SEV-SNP ---- */

static uint64_t pvalidate_frames(uint32_t gfn, uint32_t n, bool validate)
{
	if (!in_range(gfn, n))
		return AIRLOCK_PVALIDATE_INPUT;
	touch_private(gfn, n);
	if (frame_differs(gfn, gfn + n, F_VALID, validate ? 0 : F_VALID) !=
	    gfn + n) {
		caught();
		if (!host_lied())
			bad(LAB_BAD_PROTOCOL, "PVALIDATE(%s) of %s changes nothing",
			    validate ? "validate" : "rescind", page_name(gfn));
		return AIRLOCK_PVALIDATE_CF;
	}
	if (validate)
		accepted(gfn, n);
	else
		frame_change(gfn, n, F_VALID | F_ACCEPTED, 0);
	return AIRLOCK_PVALIDATE_OK;
}

uint64_t host_pvalidate(uint32_t gfn, bool large, bool validate)
{
	uint32_t chunk = gfn & ~511u;

	if (large && (gfn & 511))
		return AIRLOCK_PVALIDATE_INPUT;
	may_split(gfn);
	if (large && frame_differs(gfn, gfn + 512, F_LARGE | F_SHARED,
				   F_LARGE) != gfn + 512)
		return AIRLOCK_PVALIDATE_SIZE;
	/* A 4K PVALIDATE of a 2M RMP entry: #NPF, and the host splits it. */
	if (!large && (frame_get(gfn) & F_LARGE))
		frame_change(chunk, 512, F_LARGE, 0);
	return pvalidate_frames(gfn, large ? 512 : 1, validate);
}

#define GHCB_EXITCODE	0x390
#define GHCB_EXITINFO1	0x398
#define GHCB_EXITINFO2	0x3a0
#define GHCB_SCRATCH	0x3a8
#define GHCB_BUFFER	0x800
#define GHCB_BUFFER_END	0xff0

struct psc {
	uint16_t cur, end;
	uint32_t reserved;
	uint64_t entry[253];
};

static void psc_entry(uint64_t e)
{
	uint64_t gfn = e >> 12 & ((UINT64_C(1) << 40) - 1);
	unsigned int op = e >> 52 & 15, n;
	uint32_t from = e & 0xfff;
	bool large = e >> 56 & 1;

	/* The list lies in shared memory: a host may read what it wrote. */
	if (host_lied() && (gfn >= GFN_END || !(frame_get((uint32_t)gfn) &
						F_RANGE)))
		return;
	if (host_lied() && ((e >> 57) || from || large || op > 2))
		return;
	if ((e >> 57) || (from && !slow()) || (large && (gfn & 511)))
		bad(LAB_BAD_PROTOCOL, "malformed page-state change entry %#llx",
		    (unsigned long long)e);
	/* A host that stopped inside a large entry goes on from there. */
	n = (large ? 512 : 1) - from;
	if (op == 1)
		ask_private((uint32_t)gfn + from, n, large && !from);
	else if (op == 2)
		ask_shared((uint32_t)gfn + from, n);
	else
		bad(LAB_BAD_PROTOCOL, "page-state change operation %u", op);
}

static void set64(uint8_t *page, unsigned int at, uint64_t v)
{
	memcpy(page + at, &v, 8);
}

static uint64_t get64(const uint8_t *page, unsigned int at)
{
	uint64_t v;

	memcpy(&v, page + at, 8);
	return v;
}

/* What is left of a list. */
static void psc_doubt(const struct psc *d)
{
	for (unsigned int i = d->cur; i <= d->end && i < 253; i++)
		doubt(d->entry[i] >> 12 & ((UINT64_C(1) << 40) - 1),
		      d->entry[i] >> 56 & 1 ? 512 : 1);
}

static void psc_lie(uint8_t *ghcb, struct psc *d)
{
	psc_doubt(d);
	switch (choose(d->cur ? 11 : 10)) {
	case 0:
		say("the host says all is done and does nothing");
		d->cur = (uint16_t)(d->end + 1);
		break;
	case 6:
		say("the host moves the current entry one beyond the end");
		d->cur = (uint16_t)(d->end + 2);
		caught();
		break;
	case 7:
		say("the host makes the list shorter");
		d->end--;
		caught();
		break;
	case 8:
		say("the host claims one page more than a large entry has");
		d->entry[d->cur] |= 513;
		caught();
		break;
	case 9:
		say("the host refuses by the other word");
		set64(ghcb, GHCB_EXITINFO1, 1);
		break;
	case 10:
		say("the host moves the current entry back");
		d->cur--;
		caught();
		break;
	case 1:
		say("the host moves the current entry beyond the end");
		d->cur = (uint16_t)(d->end + 7);
		caught();
		break;
	case 2:
		say("the host makes the list longer");
		d->end++;
		caught();
		break;
	case 3:
		say("the host sets reserved bits");
		d->reserved = 1;
		caught();
		break;
	case 4:
		say("the host refuses");
		set64(ghcb, GHCB_EXITINFO2, UINT64_C(1) << 32);
		break;
	default:
		say("the host makes no progress, for ever");
		stuck();
	}
}

static void psc_run(uint8_t *ghcb, struct psc *d)
{
	unsigned int left = d->end - d->cur + 1u, n = left;
	bool fail = host_may_fail();

	if (fail) {
		static const char *const when[] = { "before any", "after all",
						    "after half" };
		unsigned int k = choose(left > 1 ? 3 : 2);

		n = k == 0 ? 0 : k == 1 ? left : left / 2;
		psc_doubt(d);
		say("the host fails %s of %u entries", when[k], left);
		set64(ghcb, GHCB_EXITINFO2, UINT64_C(2) << 32);
	} else if (left > 1 && choose(2)) {
		n = has_row() && d->cur ? left / 2 : 1;
		say("the host stops early, after %u of %u entries", n, left);
	}
	for (; n; n--) {
		psc_entry(d->entry[d->cur]);
		d->entry[d->cur++] &= ~UINT64_C(0xfff);
	}
}

/* Part of a large entry: the current page inside it says how much. */
static bool psc_part(struct psc *d)
{
	uint64_t *e = &d->entry[d->cur], gfn = *e >> 12 & 0xffffff;
	unsigned int from = *e & 0xfff, op = *e >> 52 & 15, n = 128;

	if (!slow() || !(*e >> 56 & 1) || from >= 384 || !choose(2))
		return false;
	say("the host stops inside a large entry, after %u pages", from + n);
	if (op == 1)
		ask_private((uint32_t)gfn + from, n, false);
	else
		ask_shared((uint32_t)gfn + from, n);
	*e += n;
	lab->w.m.idle[lab->cpu] = 0;
	return true;
}

static void vmgexit_psc(uint8_t *ghcb)
{
	uint64_t at = get64(ghcb, GHCB_SCRATCH) & 0xfff;
	struct psc d;

	if (at < GHCB_BUFFER || at > GHCB_BUFFER_END - 16 || (at & 7)) {
		if (!host_lied())
			bad(LAB_BAD_PROTOCOL, "page-state change list outside the GHCB");
		return;
	}
	memset(&d, 0, sizeof(d));
	memcpy(&d, ghcb + at, GHCB_BUFFER_END - at < sizeof(d) ?
	       GHCB_BUFFER_END - at : sizeof(d));
	if (d.reserved || d.cur > d.end || d.end >= 253) {
		if (!host_lied())
			bad(LAB_BAD_PROTOCOL, "malformed page-state change header");
		return;
	}
	set64(ghcb, GHCB_EXITINFO2, 0);
	if (lab->w.m.stuck)
		psc_doubt(&d);
	if (lab->w.m.stuck || idles())
		return;
	if (host_may_lie())
		psc_lie(ghcb, &d);
	else if (!psc_part(&d))
		psc_run(ghcb, &d);
	memcpy(ghcb + at, &d, GHCB_BUFFER_END - at < sizeof(d) ?
	       GHCB_BUFFER_END - at : sizeof(d));
}

uint64_t host_vmgexit(unsigned int cpu, uint64_t msr)
{
	uint8_t *ghcb = comm_page(cpu);

	count_call(cpu);
	if (msr != (uint64_t)comm_gfn(false, cpu) << 12) {
		bad(LAB_BAD_PROTOCOL, "GHCB MSR %#llx is not this CPU's GHCB",
		    (unsigned long long)msr);
		return 0;
	}
	if (get64(ghcb, GHCB_EXITCODE) != 0x80000010) {
		if (!host_lied())
			bad(LAB_BAD_PROTOCOL, "exit code %#llx",
		    (unsigned long long)get64(ghcb, GHCB_EXITCODE));
		return msr;
	}
	vmgexit_psc(ghcb);
	return msr;
}

/* ---- TDX ---- */

#define MAPGPA			0x10001
#define TDX_RETRY		1
#define TDX_INVALID		UINT64_C(0x8000000000000000)
#define TDX_BUSY		UINT64_C(0x8000020000000000)
#define TDX_SIZE_MISMATCH	UINT64_C(0xc0000b0b00000000)
#define TDX_ACCEPTED		UINT64_C(0x00000b0a00000000)
#define TDX_ENTRY_STATE		UINT64_C(0xc0000b0d00000000)

static void mapgpa_pages(uint64_t gpa, uint64_t n)
{
	uint32_t gfn = (uint32_t)((gpa & ~SHARED_BIT) >> 12);
	uint32_t end = gfn + (uint32_t)n, k;

	if (gpa & SHARED_BIT) {
		ask_shared(gfn, end - gfn);
		return;
	}
	for (; gfn < end; gfn += k) {
		k = (gfn | 511) + 1 < end ? (gfn | 511) + 1 - gfn : end - gfn;
		ask_private(gfn, k, k == 512);
	}
}

/*
 * Pages that an honest host does before it says RETRY: one; of many, one and
 * then half of what is left, over and over. In a page-state change, too.
 */
static uint64_t before_retry(uint64_t gpa, uint64_t pages)
{
	uint32_t gfn = (uint32_t)((gpa & ~SHARED_BIT) >> 12);

	if (!has_row() || gfn == row_gfn())
		return 1;
	return pages / 2;
}

static void mapgpa_lie(struct airlock_tdcall *t)
{
	uint64_t end = t->r12 + t->r13;

	t->r10 = TDX_RETRY;
	switch (choose(6)) {
	case 0:
		say("the host says all is done and does nothing");
		t->r10 = 0;
		break;
	case 1:
		say("the host says RETRY beyond the range");
		t->r11 = end;
		caught();
		break;
	case 2:
		say("the host says RETRY before the range");
		t->r11 = t->r12 - 4096;
		caught();
		break;
	case 3:
		say("the host says RETRY at an odd address");
		t->r11 = t->r12 + 8;
		caught();
		break;
	case 4:
		say("the host refuses");
		t->r10 = TDX_INVALID;
		break;
	default:
		say("the host says RETRY without progress, for ever");
		t->r11 = t->r12;
		stuck();
	}
}

static void mapgpa_fails(struct airlock_tdcall *t, uint64_t pages)
{
	unsigned int k = choose(pages > 1 ? 4 : 3);
	uint64_t n = k == 0 || k == 2 ? 0 : k == 1 ? pages : pages / 2;

	say("the host fails after %llu of %llu pages",
	    (unsigned long long)n, (unsigned long long)pages);
	if (n)
		mapgpa_pages(t->r12, n);
	t->r10 = TDX_INVALID;
	/* Or the module itself fails, and no register is changed. */
	if (k == 2) {
		t->r10 = 0;
		t->rax = TDX_INVALID;
	}
}

static void mapgpa(struct airlock_tdcall *t)
{
	uint64_t pages = t->r13 >> 12;
	uint64_t gfn = (t->r12 & ~SHARED_BIT) >> 12;

	if ((t->r12 & 4095) || (t->r13 & 4095) || !pages) {
		bad(LAB_BAD_PROTOCOL, "MapGPA of %#llx bytes at %#llx",
		    (unsigned long long)t->r13, (unsigned long long)t->r12);
		return;
	}
	/* From here on the guest has given the pages up, whatever comes. */
	if ((t->r12 & SHARED_BIT) &&
	    in_range((uint32_t)gfn, (uint32_t)pages))
		frame_change((uint32_t)gfn, (uint32_t)pages, F_ACCEPTED, 0);
	if (lab->w.m.stuck || idles()) {
		if (lab->w.m.stuck)
			doubt(gfn, pages);
		t->r10 = TDX_RETRY;
		t->r11 = t->r12;
	} else if (host_may_lie()) {
		doubt(gfn, pages);
		mapgpa_lie(t);
	} else if (host_may_fail()) {
		doubt(gfn, pages);

		mapgpa_fails(t, pages);
	} else if (pages > 1 && choose(2)) {
		uint64_t n = before_retry(t->r12, pages);

		say("the host says RETRY after %llu of %llu pages",
		    (unsigned long long)n, (unsigned long long)pages);
		mapgpa_pages(t->r12, n);
		t->r10 = TDX_RETRY;
		t->r11 = t->r12 + (n << 12);
	} else {
		mapgpa_pages(t->r12, pages);
		t->r10 = 0;
	}
}

/*
 * On the way back from a failed call that says nothing. On the way to private
 * it says that the host did not take the page when it said so.
 */
static uint64_t already_accepted(void)
{
	if (direction(lab, lab->cpu) == AIRLOCK_TO_PRIVATE)
		caught();
	return TDX_ACCEPTED;
}

static uint64_t tdx_accept(uint64_t rcx)
{
	unsigned int level = rcx & 7;
	uint32_t n = level == 0 ? 1 : level == 1 ? 512 : 512 * 512;
	uint32_t gfn = (uint32_t)(rcx >> 12), end = gfn + n;

	if (level > 2 || (gfn & (n - 1)) || (rcx & 0xff8))
		return UINT64_C(0xc000010000000000);	/* operand invalid */
	may_split(gfn);
	if (level == 2 || (level == 1 &&
	    frame_differs(gfn, end, F_LARGE | F_SHARED, F_LARGE) != end))
		return TDX_SIZE_MISMATCH;
	if (!in_range(gfn, n))
		return TDX_INVALID;
	touch_private(gfn, n);
	if (frame_differs(gfn, end, F_VALID, 0) != end)
		return already_accepted();
	if (lab->w.m.stuck || (slow_at(gfn) && idles())) {
		doubt(gfn, n);
		return TDX_BUSY;
	}
	if (host_may_fail()) {
		doubt(gfn, n);
		say("the TDX module is busy");
		/* Once, or for as long as the guest asks. */
		if (choose(2))
			stuck();
		return TDX_BUSY;
	}
	if (n == 1 && (frame_get(gfn) & F_LARGE))
		frame_change(gfn & ~511u, 512, F_LARGE, 0);
	accepted(gfn, n);
	return 0;
}

static uint64_t tdx_release(uint64_t rcx)
{
	unsigned int level = rcx & 7;
	uint32_t n = level == 0 ? 1 : 512, gfn = (uint32_t)(rcx >> 12);

	if (level > 1 || !(lab->cfg.features & AIRLOCK_F_TDX_RELEASE))
		return UINT64_C(0xc000010000000000);
	may_split(gfn);
	if (slow_at(gfn) && idles())
		return TDX_BUSY;
	if (level == 1 &&
	    frame_differs(gfn, gfn + n, F_LARGE, F_LARGE) != gfn + n)
		return TDX_SIZE_MISMATCH;
	if (!in_range(gfn, n))
		return TDX_INVALID;
	/* There is nothing to release of a page that is not accepted. */
	if (frame_differs(gfn, gfn + n, F_VALID | F_SHARED, F_VALID) !=
	    gfn + n)
		return TDX_ENTRY_STATE;
	frame_change(gfn, n, F_VALID | F_ACCEPTED, 0);
	return 0;
}

void host_tdcall(unsigned int cpu, struct airlock_tdcall *t)
{
	switch (t->rax) {
	case 0:
		count_call(cpu);
		if (t->r10 != 0 || t->r11 != MAPGPA)
			bad(LAB_BAD_PROTOCOL, "TDVMCALL %#llx",
			    (unsigned long long)t->r11);
		else
			mapgpa(t);
		break;
	case 6:
		t->rax = tdx_accept(t->rcx);
		break;
	case 30:
		t->rax = tdx_release(t->rcx);
		break;
	default:
		bad(LAB_BAD_PROTOCOL, "TDCALL leaf %llu",
		    (unsigned long long)t->rax);
	}
}

/* ---- vTOM and TD partitioning ---- */

#define HV_VISIBILITY	0x00db
#define HV_FAILED	0x05		/* invalid parameter */
#define HV_TIMEOUT	0x78		/* do the rest by another call */

/* Which kinds of host do part of a rep hypercall. */
static bool stops_early(void)
{
	return slow() || lab->cfg.host == LAB_HOST_HOSTILE;
}

static uint64_t hv_result(unsigned int status, unsigned int reps)
{
	return status | (uint64_t)reps << 32;
}

static uint64_t hv_lie(unsigned int count, unsigned int start)
{
	switch (choose(start ? 5 : 4)) {
	case 4:
		say("the reps completed go back by one, and success");
		caught();
		return hv_result(0, start - 1);
	case 0:
		say("the hypervisor refuses");
		return hv_result(HV_FAILED, start);
	case 1:
		say("more reps completed than asked, and success");
		caught();
		return hv_result(0, count + 1);
	case 2:
		say("more reps completed than asked, and a failure");
		caught();
		return hv_result(HV_FAILED, count + 1);
	default:
		say("no reps completed and success, for ever");
		stuck();
		return hv_result(0, start);
	}
}

static void hv_page(const uint8_t *page, unsigned int i, bool share)
{
	uint32_t gfn = (uint32_t)get64(page, 16 + 8 * i);

	if (share) {
		ask_shared(gfn, 1);
		return;
	}
	/* The paravisor accepts or validates, and zeroes. */
	ask_private(gfn, 1, false);
	frame_change(gfn, 1, 0, F_VALID);
}

static void hv_doubt(const uint8_t *page, unsigned int i, unsigned int n)
{
	for (; i < n; i++)
		doubt(get64(page, 16 + 8 * i), 1);
}

uint64_t host_hypercall(unsigned int cpu, uint64_t control, uint64_t in)
{
	const uint8_t *page = comm_page(cpu);
	unsigned int count = control >> 32 & 0xfff, start = control >> 48 & 0xfff;
	unsigned int left = count - start, n = left;
	uint32_t visibility;
	bool fail;

	count_call(cpu);
	memcpy(&visibility, page + 8, 4);
	if ((control & 0xffff) != HV_VISIBILITY || !count || start >= count ||
	    count > 510 || in != (uint64_t)comm_gfn(true, cpu) << 12 ||
	    get64(page, 0) != UINT64_MAX ||
	    (visibility != 0 && visibility != 3)) {
		bad(LAB_BAD_PROTOCOL, "malformed hypercall %#llx",
		    (unsigned long long)control);
		return hv_result(HV_FAILED, 0);
	}
	if (lab->w.m.stuck)
		hv_doubt(page, start, count);
	if (lab->w.m.stuck || idles())
		return hv_result(lab->w.m.stuck || choose(2) ? 0 : HV_TIMEOUT,
				 start);
	if (host_may_lie()) {
		hv_doubt(page, start, count);
		return hv_lie(count, start);
	}
	fail = host_may_fail();
	if (fail) {
		hv_doubt(page, start, count);
		n = choose(left > 1 ? 2 : 1) ? left / 2 : 0;
		say("the hypervisor fails after %u of %u pages", n, left);
	} else if (left > 1 && stops_early() && choose(2)) {
		n = has_row() && start ? left / 2 : 1;
		say("the hypervisor stops early, after %u of %u pages", n,
		    left);
	}
	for (unsigned int i = 0; i < n; i++)
		hv_page(page, start + i, visibility == 3);
	return hv_result(fail ? HV_FAILED : 0, start + n);
}

/* ---- what nobody asked for ---- */

void host_shared_read(unsigned int offset, unsigned int size)
{
	uint8_t *page = comm_page(lab->cpu);

	if (offset + size > 4096 || !host_may_lie())
		return;
	say("the host writes to the shared page under the guest's eyes");
	page[offset] = (uint8_t)(page[offset] + (choose(2) ? 1 : 0x80));
	/* That may hide a lie, and may tell one about any page. */
	lab->w.m.caught = 0;
	lab->w.m.muddled = 1;
}

/* The pages that a hostile host may convert: one act per page of a range. */
static uint32_t act_page(unsigned int i)
{
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].role == SPOT_RANGE && i-- == 0)
			return lab->spot[s].gfn;
	return 0;
}

unsigned int host_acts(void)
{
	unsigned int n = 0;

	/* A paravisor is part of the guest; the host cannot go past it. */
	if (!lab->w.m.acts || (platform() != AIRLOCK_SNP &&
			       platform() != AIRLOCK_TDX))
		return 0;
	for (unsigned int s = 0; s < lab->nspots; s++)
		n += lab->spot[s].role == SPOT_RANGE;
	return 2 * n;
}

/* Even: take the page and make it shared; odd: give a fresh private one. */
void host_act(unsigned int i)
{
	uint32_t gfn = act_page(i / 2);

	lab->w.m.acts--;
	if (frame_get(gfn) & F_LARGE)
		frame_change(gfn & ~511u, 512, F_LARGE, 0);
	frame_change(gfn, 1, F_SHARED | F_VALID,
		     F_TAMPERED | (i & 1 ? 0 : F_SHARED));
	say("the host makes %s %s, unasked", page_name(gfn),
	    i & 1 ? "private, not accepted" : "shared");
}
