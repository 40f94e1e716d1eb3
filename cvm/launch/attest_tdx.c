// SPDX-License-Identifier: GPL-2.0
/*
 * What the TDX module and the quoting enclave do: TDREPORTs, RTMRs, and quotes
 * of version 4. Sources: Intel TDX module ABI specification (348551), TDREPORT;
 * Intel TDX DCAP quoting library API, appendix 3, the quote.
 */
#include <stddef.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "attest.h"

#define TDX		0x81
#define DEBUG		1u		/* the host may read all of it */
#define NO_SEPT_VE	(1u << 28)
#define X87_SSE		3u

struct td_info {
	uint64_t attributes, xfam;
	uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48];
	uint8_t rtmr[ATTEST_RTMRS][48];
	uint8_t servtd[48], reserved[64];
};

struct td_report {
	uint8_t type[4], reserved[12], cpu_svn[16];
	uint8_t tcb_digest[48], td_digest[48], data[64], reserved_2[32];
	uint8_t mac[32];
	struct {
		uint64_t valid;
		uint8_t tcb_svn[16], mrseam[48], mrsignerseam[48];
		uint64_t attributes;
		uint8_t tcb_svn_2[16], reserved[95], end[17];
	} __attribute__((packed)) tcb;
	struct td_info td;
};
_Static_assert(sizeof(struct td_report) == 1024, "TDREPORT");
#define TCB_SIZE	239
#define MACED		offsetof(struct td_report, mac)

static bool mac(const struct attest *a, const struct td_report *r,
		uint8_t to[32])
{
	unsigned int n = 32;

	return HMAC(EVP_sha256(), a->mac_key, sizeof(a->mac_key),
		    (const uint8_t *)r, MACED, to, &n);
}

static bool digests(struct td_report *r, uint8_t tcb[48], uint8_t td[48])
{
	return EVP_Digest(&r->tcb, TCB_SIZE, tcb, NULL, EVP_sha384(), NULL) &&
		EVP_Digest(&r->td, sizeof(r->td), td, NULL, EVP_sha384(), NULL);
}

/* What no real one has: no SVNs, no module, and DEBUG. */
uint32_t attest_tdx_report(struct attest *a, const uint8_t *data, uint8_t *to)
{
	struct td_report r = {
		.type = { TDX },
		.tcb.valid = 0x1ff,
		.td = { .attributes = DEBUG | NO_SEPT_VE, .xfam = X87_SSE },
	};

	memcpy(r.data, data, sizeof(r.data));
	memcpy(r.tcb.mrseam, "AIRLOCK EMULATED - NOT A TEE", 28);
	memcpy(r.tcb.mrsignerseam, "AIRLOCK EMULATED - NOT A TEE", 28);
	memcpy(r.td.mrtd, a->measurement, sizeof(r.td.mrtd));
	memcpy(r.td.rtmr, a->rtmr, sizeof(r.td.rtmr));
	if (!digests(&r, r.tcb_digest, r.td_digest) || !mac(a, &r, r.mac))
		return 1;
	memcpy(to, &r, sizeof(r));
	return 0;
}

uint32_t attest_tdx_extend(struct attest *a, const uint8_t *in)
{
	uint8_t both[96];
	uint32_t n;

	memcpy(&n, in, sizeof(n));
	if (n >= ATTEST_RTMRS)
		return 1;
	memcpy(both, a->rtmr[n], 48);
	memcpy(both + 48, in + sizeof(n), 48);
	return !EVP_Digest(both, sizeof(both), a->rtmr[n], NULL, EVP_sha384(),
			   NULL);
}

/* ---- quotes ---- */

struct quote {
	uint16_t version, key_type;
	uint32_t tee;
	uint8_t reserved[4];
	char vendor[16];
	uint8_t user[20];
	uint8_t tcb_svn[16], mrseam[48], mrsignerseam[48];
	uint64_t seam_attributes, attributes, xfam;
	uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48];
	uint8_t rtmr[ATTEST_RTMRS][48], data[64];
} __attribute__((packed));
_Static_assert(sizeof(struct quote) == 48 + 584, "quote");

struct enclave {			/* an SGX report's body */
	uint8_t cpu_svn[16], misc[4], reserved[28];
	uint64_t attributes[2];
	uint8_t mrenclave[32], reserved_2[32], mrsigner[32], reserved_3[96];
	uint16_t product, svn;
	uint8_t reserved_4[60], data[64];
};
_Static_assert(sizeof(struct enclave) == 384, "enclave");

#define ENCLAVE_DEBUG	2u
#define AUTH		"AIRLOCK EMULATED - NOT A QE     "
#define AUTH_SIZE	32

struct part {
	uint8_t signature[64], key[64];
	uint16_t type;			/* 6: what follows is of the QE */
	uint32_t size;
	struct enclave qe;
	uint8_t qe_signature[64];
	uint16_t auth_size;
	uint8_t auth[AUTH_SIZE];
	uint16_t chain_type;		/* 5: certificates as PEM */
	uint32_t chain_size;
} __attribute__((packed));
#define PART_HEAD	offsetof(struct part, qe)

/* R and S, 32 bytes each, big-endian. */
static bool sign(EVP_PKEY *key, const void *what, size_t n, uint8_t to[64])
{
	ECDSA_SIG *s = attest_sign(key, EVP_sha256(), what, n);
	bool ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), to, 32) > 0 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(s), to + 32, 32) > 0;

	ECDSA_SIG_free(s);
	return ok;
}

/* Is it one of this guest's, as it was made? */
static bool is_ours(struct attest *a, struct td_report *r)
{
	uint8_t is[32], tcb[48], td[48];

	return mac(a, r, is) && !CRYPTO_memcmp(is, r->mac, sizeof(is)) &&
		digests(r, tcb, td) && !memcmp(tcb, r->tcb_digest, 48) &&
		!memcmp(td, r->td_digest, 48);
}

static void put_report(const struct td_report *r, struct quote *q)
{
	*q = (struct quote){ .version = 4, .key_type = 2, .tee = TDX };
	memcpy(q->vendor, "AIRLOCK EMULATED", sizeof(q->vendor));
	memcpy(q->tcb_svn, r->tcb.tcb_svn, sizeof(q->tcb_svn));
	memcpy(q->mrseam, r->tcb.mrseam, sizeof(q->mrseam));
	memcpy(q->mrsignerseam, r->tcb.mrsignerseam, sizeof(q->mrsignerseam));
	q->attributes = r->td.attributes;
	q->xfam = r->td.xfam;
	/* MRTD to the RTMRs have the same order in both. */
	memcpy(q->mrtd, r->td.mrtd, 4 * 48 + sizeof(r->td.rtmr));
	memcpy(q->data, r->data, sizeof(q->data));
}

/* The enclave's report vouches for the key: a digest of it and of AUTH. */
static bool put_enclave(struct attest *a, struct part *p)
{
	uint8_t both[64 + AUTH_SIZE], point[65];
	size_t n;

	if (!EVP_PKEY_get_octet_string_param(a->quoting,
			OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) || n != sizeof(point))
		return false;
	memcpy(p->key, point + 1, 64);
	p->auth_size = AUTH_SIZE;
	memcpy(p->auth, AUTH, AUTH_SIZE);
	memcpy(both, p->key, 64);
	memcpy(both + 64, p->auth, AUTH_SIZE);
	p->qe = (struct enclave){ .attributes = { ENCLAVE_DEBUG, X87_SSE } };
	memcpy(p->qe.mrenclave, "AIRLOCK EMULATED - NOT A QE", 27);
	memcpy(p->qe.mrsigner, "AIRLOCK EMULATED - NOT A QE", 27);
	return EVP_Digest(both, sizeof(both), p->qe.data, NULL, EVP_sha256(),
			  NULL) &&
		sign(a->keys.key, &p->qe, sizeof(p->qe), p->qe_signature);
}

/* The chain from the leaf up. Return: its size, or 0. */
static size_t put_chain(const struct attest *a, uint8_t *to, size_t room)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b;
	char *text;
	long n = 0;

	for (int i = ATTEST_CERTS; ok && i--;)
		ok = PEM_write_bio_X509(b, a->keys.cert[i]);
	if (ok)
		n = BIO_get_mem_data(b, &text);
	if (n <= 0 || (size_t)n > room)
		n = 0;
	else
		memcpy(to, text, (size_t)n);
	BIO_free(b);
	return (size_t)n;
}

uint32_t attest_tdx_quote(struct attest *a, const uint8_t *in, uint8_t *out,
			  size_t *size)
{
	const size_t fixed = sizeof(struct quote) + 4 + sizeof(struct part);
	struct part p = { .type = 6, .chain_type = 5 };
	struct td_report r;
	struct quote q;
	uint32_t n;

	*size = 0;
	memcpy(&r, in, sizeof(r));
	if (!is_ours(a, &r))
		return 1;
	put_report(&r, &q);
	n = (uint32_t)put_chain(a, out + fixed, ATTEST_MAX - fixed);
	if (!n || !put_enclave(a, &p) ||
	    !sign(a->quoting, &q, sizeof(q), p.signature))
		return 1;
	p.chain_size = n;
	p.size = (uint32_t)(sizeof(p) - PART_HEAD) + n;
	*size = fixed + n;
	n += (uint32_t)sizeof(p);
	memcpy(out, &q, sizeof(q));
	memcpy(out + sizeof(q), &n, 4);
	memcpy(out + sizeof(q) + 4, &p, sizeof(p));
	return 0;
}
