// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550 whose other end is the launcher. Whoever waits for an answer answers
 * kicks meanwhile, and does not wait for ever: after a question that was not
 * answered nothing is asked any more, as an answer may come too late and would
 * be that of the next one.
 */
#include "attest.h"
#include "clock.h"
#include "config.h"
#include "io.h"
#include "lib.h"
#include "lock.h"
#include "abi/attest.h"

#define DATA		(ATTEST_PORT + 0)
#define INTERRUPTS	(ATTEST_PORT + 1)
#define FIFO		(ATTEST_PORT + 2)
#define LINE		(ATTEST_PORT + 3)
#define STATUS		(ATTEST_PORT + 5)
#define STATUS_READY	0x01
#define STATUS_EMPTY	0x20
#define PATIENCE	10000UL		/* milliseconds; it takes some 10 */

static u8 bytes[ATTEST_MAX];
static bool ready, dead;
static u32 busy;
static u64 until;

bool attest_hides(u16 port)
{
	return config.attest && port + 3u >= ATTEST_PORT &&
	       port < ATTEST_PORT + 8u;
}

bool attest_begin(void)
{
	return !__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE);
}

void attest_end(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

u8 *attest_bytes(void)
{
	return bytes;
}

static bool wait_for_status(struct vcpu *c, u8 bit)
{
	while (!(inb(STATUS) & bit)) {
		if (rdtsc() > until)
			return false;
		kick_ack(c);
		pause();
	}
	return true;
}

static bool put(struct vcpu *c, const void *from, u32 n)
{
	const u8 *at = from;

	while (n--) {
		if (!wait_for_status(c, STATUS_EMPTY))
			return false;
		outb(DATA, *at++);
	}
	return true;
}

static bool get(struct vcpu *c, void *to, u32 n)
{
	u8 *at = to;

	while (n--) {
		if (!wait_for_status(c, STATUS_READY))
			return false;
		*at++ = inb(DATA);
	}
	return true;
}

/* 8 bits, no interrupts, FIFOs on and empty. */
static void setup(void)
{
	outb(LINE, 3);
	outb(INTERRUPTS, 0);
	outb(FIFO, 7);
	ready = true;
}

static bool ask(struct vcpu *c, struct attest_head *h, const void *from)
{
	return put(c, h, sizeof(*h)) && put(c, from, h->size) &&
	       get(c, h, sizeof(*h)) && h->magic == ATTEST_MAGIC &&
	       h->size <= ATTEST_MAX && get(c, bytes, h->size);
}

int attest_ask(struct vcpu *c, u32 what, const void *from, u32 n, u32 *status)
{
	struct attest_head h = { ATTEST_MAGIC, what, n };

	if (!config.attest || dead)
		return -1;
	if (!ready)
		setup();
	until = rdtsc() + PATIENCE * tsc_khz;
	if (!ask(c, &h, from)) {
		dead = true;
		say("nobody answers the guest's requests for attestation\n");
		return -1;
	}
	*status = h.what;
	return (int)h.size;
}
