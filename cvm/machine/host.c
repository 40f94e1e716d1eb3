// SPDX-License-Identifier: GPL-2.0
/*
 * The hosts' characters: what the host does with a conversion call, with an
 * access in the wrong state, and of its own accord.
 *
 *   kvm         as KVM does: a mismatched access converts the page (which
 *               destroys it), then the architecture takes its course
 *   ve          the mismatch is reflected to the guest as #VE or #VC
 *   strict      the first mismatch stops the machine
 *   failing:N   kvm, but the Nth conversion call is refused (or half done)
 *   hostile:S   kvm, but about half of the calls are answered with a lie,
 *               shared pages are written at any moment, and now and then a
 *               page is converted unasked
 *
 * A call's decoder (psc.c, vmcall.c, hyperv.c) tells which acts its protocol can
 * express and acts out the one that host_decide() returns.
 */
#include "config.h"
#include "convert.h"
#include "end.h"
#include "host.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform.h"
#include "stats.h"
#include "vcpu.h"

#define RECENT		64u		/* pages that the host knows of */
#define SPINS		5000u		/* "call again" so often, then honest */

static enum cvm_host kind;
static u64 left;			/* failing: calls until the bad one */
static u64 random_state = 1;
static unsigned int spins;
static u64 recent[RECENT];
static unsigned int recents;
static u64 writer_at, writer_bytes;

u64 host_random(void)
{
	return random64(&random_state);
}

void host_set(enum cvm_host new_kind, u64 arg)
{
	kind = new_kind;
	left = arg;
	spins = 0;
	random_state = (arg + 1) * 0x9e3779b97f4a7c15UL | 1;
}

enum cvm_host host_kind(void)
{
	return kind;
}

/* The guest named this page in a call: a hostile host will come back to it. */
void host_hears_of(u64 gpa)
{
	if (kind == CVM_HOST_HOSTILE && is_ram(gpa))
		recent[recents++ % RECENT] = gpa & PAGE_MASK;
}

static enum host_act pick_act(u32 able)
{
	u32 n = 0, k;

	for (u32 bits = able; bits; bits &= bits - 1)
		n++;
	k = n ? (u32)(host_random() >> 32) % n : 0;
	for (enum host_act a = 0; a < HOST_ACTS; a++)
		if (able & 1u << a && !k--)
			return a;
	return HOST_HONEST;
}

static enum host_act hostile_act(u32 able)
{
	enum host_act act;

	if (spins) {
		spins--;
		if (able & 1u << HOST_SPIN)
			return HOST_SPIN;
	}
	if (host_random() >> 40 & 1)
		return HOST_HONEST;
	act = pick_act(able);
	if (act == HOST_SPIN)
		spins = SPINS;
	return act;
}

/* @able: which acts the call's protocol can express, one bit each. */
enum host_act host_decide(u32 able)
{
	enum host_act act = HOST_HONEST;

	if (kind == CVM_HOST_HOSTILE) {
		act = hostile_act(able);
	} else if (kind == CVM_HOST_FAILING && left && !--left) {
		act = HOST_REFUSE;
	} else if (kind == CVM_HOST_FAILING_HALF && left && !--left) {
		act = able & 1u << HOST_HALF ? HOST_HALF : HOST_REFUSE;
	}
	if (act == HOST_REFUSE || act == HOST_HALF)
		count(CVM_N_HOST_REFUSED, 1);
	else if (act != HOST_HONEST)
		count(CVM_N_HOST_LIES, 1);
	return act;
}

/*
 * The host claimed to have converted these and has not: what comes of it is
 * its doing.
 */
void host_lied(u64 gpa, u64 pages)
{
	for (; pages--; gpa += PAGE_SIZE)
		if (is_ram(gpa))
			page_by_host(gpa, true);
}

/*
 * Change a page that a CPU may be using. No CPU may see other contents through
 * its old translation: they live elsewhere on hardware.
 */
static void convert_in_use(struct vcpu *c, u64 gpa, unsigned int state,
			   bool by_host)
{
	page_set(gpa, CVM_STATE_PENDING);	/* in neither view */
	page_by_host(gpa, by_host);
	region_set_large(gpa, false);
	convert_finish(c);
	page_scramble(gpa);
	page_set(gpa, state);
	page_by_host(gpa, by_host);
}

/* Change a page behind the guest's back. */
bool host_convert(struct vcpu *c, u64 gpa, unsigned int state)
{
	if (!is_ram(gpa) || !state || state > CVM_STATE_PRIVATE)
		return false;
	convert_in_use(c, gpa & PAGE_MASK, state, true);
	count(CVM_N_HOST_UNASKED, 1);
	return true;
}

static void write_shared(u64 gpa, u64 bytes)
{
	for (u64 i = 0; i < bytes; i += 8) {
		u64 at = (gpa + i) & ~7UL;

		if (is_ram(at) &&
		    (page_state(at) & CVM_STATE_MASK) == CVM_STATE_SHARED)
			*(volatile u64 *)at = host_random();
	}
	count(CVM_N_HOST_WRITES, 1);
}

void host_writer(u64 gpa, u64 bytes)
{
	writer_at = gpa;
	writer_bytes = bytes < PAGE_SIZE ? bytes : PAGE_SIZE;
}

/* After each exit, the host may do something nobody asked for. */
void host_moment(struct vcpu *c)
{
	u64 r, at;

	if (!writer_bytes && kind != CVM_HOST_HOSTILE)
		return;
	machine_lock(c);
	if (writer_bytes)
		write_shared(writer_at, writer_bytes);
	if (kind == CVM_HOST_HOSTILE && recents) {
		r = host_random() >> 20;
		at = recent[(r >> 16) % (recents < RECENT ? recents : RECENT)];
		if ((page_state(at) & CVM_STATE_MASK) == CVM_STATE_SHARED) {
			if (!(r & 3))
				write_shared(at + (r >> 32 & 0xff8), 8);
		} else if (!(r & 127)) {
			host_convert(c, at, CVM_STATE_SHARED);
		}
	}
	machine_unlock();
}

/*
 * What KVM makes of an access through the other view: user space is asked and
 * converts the page (KVM_EXIT_MEMORY_FAULT). Its contents are gone.
 */
bool implicit_conversion(struct vcpu *c, const struct access *a)
{
	u64 at = a->gpa & PAGE_MASK;
	bool forced = page_state(at) & CVM_STATE_BY_HOST;

	/* When it was forced, what follows is the host's doing, too. */
	convert_in_use(c, at, a->private ? CVM_STATE_PENDING : CVM_STATE_SHARED,
		       forced);
	count(CVM_N_IMPLICIT, 1);
	return true;
}

static enum cvm_counter mismatch_counter(const struct access *a)
{
	if (a->state == CVM_STATE_NONE)
		return CVM_N_BAD_HOLE;
	if (a->private)
		return a->state == CVM_STATE_SHARED ?
		       CVM_N_BAD_PRIVATE_SHARED : CVM_N_BAD_PRIVATE_PENDING;
	return a->state == CVM_STATE_PENDING ?
	       CVM_N_BAD_SHARED_PENDING : CVM_N_BAD_SHARED_PRIVATE;
}

static const char *access_name(u64 error)
{
	return error & NPF_WALK ? "page walk" : error & NPF_FETCH ? "fetch" :
	       error & NPF_WRITE ? "write" : "read";
}

/* Does the page's state allow it, after all? Unpaged CPUs see it otherwise. */
static bool allowed(const struct vcpu *c, const struct access *a)
{
	return c->v->nested_cr3 == npt_root() &&
	       a->state == (a->private ? CVM_STATE_PRIVATE : CVM_STATE_SHARED);
}

/*
 * An access that the page's state forbids. Another CPU may have changed the
 * page since the fault, before or after its state was looked at: then the
 * access is simply tried again.
 */
void handle_mismatch(struct vcpu *c, const struct access *a)
{
	bool forced, lost;

	machine_lock(c);
	if (is_ram(a->gpa) && (allowed(c, a) ||
	    (page_state(a->gpa) & CVM_STATE_MASK) != a->state)) {
		machine_unlock();
		return;
	}
	forced = forced_by_host(c, a->gpa);
	count(mismatch_counter(a), 1);
	if (!forced)
		violation(c, a->gpa, "%s through a %s mapping",
			  access_name(a->error),
			  a->private ? "private" : "shared");
	lost = kind == CVM_HOST_STRICT || a->state == CVM_STATE_NONE ||
	       !platform->mismatch(c, a);
	machine_unlock();
	if (lost)
		guest_lost(c, forced, "%s through a %s mapping, gpa %lx",
			   access_name(a->error),
			   a->private ? "private" : "shared", a->raw);
}
