// SPDX-License-Identifier: GPL-2.0
/*
 * Guest requests: messages to the security processor, which is the launcher.
 * The machine carries them, as a hypervisor does, and cannot read them.
 *
 * Sources: GHCB specification (56421), 4.1.7 and 4.1.8; SEV-SNP firmware ABI
 * specification (56860), chapter 7, of the message's header.
 */
#include "attest.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform/snp/parts.h"
#include "vcpu.h"
#include "abi/attest.h"

/* SW_EXITINFO2: the host's word above that of the firmware */
#define HOST_SAYS(n)		((u64)(n) << 32)
#define INVALID_LENGTH		HOST_SAYS(1)
#define BUSY			HOST_SAYS(2)
#define NO_ANSWER		HOST_SAYS(1u << 31)	/* as KVM's */

#define HEADER			0x60u
#define HEADER_MESSAGE_SIZE	0x36

/* How long a message says it is; the launcher says what it thinks of that. */
static u32 message_size(const u8 *m)
{
	u16 n;

	memcpy(&n, m + HEADER_MESSAGE_SIZE, sizeof(n));
	return n > PAGE_SIZE - HEADER ? (u32)PAGE_SIZE : HEADER + n;
}

static bool to_guest(struct vcpu *c, u64 to, const u8 *from, u64 n)
{
	bool ok;

	machine_lock(c);
	ok = is_shared(to, n);
	if (ok)
		memcpy((void *)to, from, n);
	machine_unlock();
	return ok;
}

static u64 message(struct vcpu *c, u64 from, u64 to)
{
	static u8 asked[PAGE_SIZE];
	u32 status = 0;
	int n;

	memcpy(asked, (void *)from, PAGE_SIZE);
	n = attest_ask(c, ATTEST_SNP, asked, message_size(asked), &status);
	if (n < 0 || n > (int)PAGE_SIZE)
		return NO_ANSWER;
	return to_guest(c, to, attest_bytes(), (u32)n) ? status : NO_ANSWER;
}

/* The table is for @pages at @to; without it nothing is done. */
static u64 certificates(struct vcpu *c, u64 to, u64 *pages)
{
	u32 status = 0;
	int n = attest_ask(c, ATTEST_SNP_CERTS, NULL, 0, &status);
	u64 need;

	if (n < 0 || status)
		return NO_ANSWER;
	need = ((u64)n + PAGE_SIZE - 1) / PAGE_SIZE;
	if (*pages < need) {
		*pages = need;
		return INVALID_LENGTH;
	}
	return to_guest(c, to, attest_bytes(), (u32)n) ? 0 : NO_ANSWER;
}

/* With @pages it is the extended request: certificates, too. */
u64 guest_request(struct vcpu *c, u64 from, u64 to, u64 table, u64 *pages)
{
	u64 result = 0;

	if (!attest_begin())
		return BUSY;
	if (pages)
		result = certificates(c, table, pages);
	if (!result)
		result = message(c, from, to);
	attest_end();
	return result;
}
