// SPDX-License-Identifier: GPL-2.0
/*
 * What SNP's firmware does with a guest message. Source: SEV-SNP firmware ABI
 * specification (56860): chapter 7, guest messages, and 8.26,
 * SNP_GUEST_REQUEST. Which status a wrong sequence number has is a guess.
 */
#include <string.h>

#include <openssl/hmac.h>

#include "attest.h"

/* Status codes, chapter 6 */
#define INVALID_PARAM		0x16u
#define BAD_MEASUREMENT		0x0bu
#define AEAD_OFLOW		0x1du
/* and within a message */
#define MESSAGE_INVALID		0x16u
#define MESSAGE_INVALID_KEY	0x27u

struct header {
	uint8_t tag[32];
	uint64_t sequence;
	uint8_t reserved[8];
	uint8_t algorithm, header_version;
	uint16_t header_size;
	uint8_t type, version;
	uint16_t size;
	uint32_t reserved_2;
	uint8_t vmpck;
	uint8_t reserved_3[35];
};
_Static_assert(sizeof(struct header) == 0x60, "header");

#define AUTHENTICATED	0x30		/* from here on the header is, too */
#define PAYLOAD		(4096 - sizeof(struct header))
#define AES_256_GCM	1
#define TAG		16

enum { KEY_REQ = 3, KEY_RSP, REPORT_REQ, REPORT_RSP };

/* ---- encryption ---- */

/* The IV is the sequence number. */
static bool crypt(const uint8_t *key, struct header *h, const uint8_t *in,
		  uint8_t *out, bool seal)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[12] = { 0 };
	int n, size = h->size;
	bool ok;

	memcpy(iv, &h->sequence, sizeof(h->sequence));
	ok = c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, iv,
				    seal) &&
		(seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG,
					     h->tag)) &&
		EVP_CipherUpdate(c, NULL, &n, (uint8_t *)h + AUTHENTICATED,
				 sizeof(*h) - AUTHENTICATED) &&
		EVP_CipherUpdate(c, out, &n, in, size) &&
		EVP_CipherFinal_ex(c, out + n, &n) &&
		(!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG,
					      h->tag));
	EVP_CIPHER_CTX_free(c);
	return ok;
}

/* ---- the report ---- */

#define REPORT_SIGNED	0x2a0

struct report {				/* version 2 */
	uint32_t version, guest_svn;
	uint64_t policy;
	char family_id[16], image_id[16];
	uint32_t vmpl, signature_algorithm;
	uint64_t current_tcb, platform_info;
	uint32_t flags, reserved;
	uint8_t report_data[64], measurement[48], host_data[32];
	uint8_t id_key_digest[48], author_key_digest[48];
	uint8_t report_id[32], report_id_ma[32];
	uint64_t reported_tcb;
	uint8_t reserved_2[24];
	char chip_id[64];
	uint64_t committed_tcb;
	uint8_t versions[8];
	uint64_t launch_tcb;
	uint8_t reserved_3[168];
	uint8_t r[72], s[72];		/* little-endian */
	uint8_t reserved_4[368];
};
_Static_assert(sizeof(struct report) == 0x4a0, "report");
_Static_assert(offsetof(struct report, chip_id) == 0x1a0, "chip");
_Static_assert(offsetof(struct report, r) == REPORT_SIGNED, "signature");

/* SMT; a bit that is always 1; and DEBUG: the host may read all of it. */
#define POLICY		(1u << 16 | 1u << 17 | 1u << 19)
#define P384_SHA384	1

static bool sign(EVP_PKEY *key, struct report *r)
{
	ECDSA_SIG *s = attest_sign(key, EVP_sha384(), r, REPORT_SIGNED);
	bool ok = s &&
		BN_bn2lebinpad(ECDSA_SIG_get0_r(s), r->r, sizeof(r->r)) > 0 &&
		BN_bn2lebinpad(ECDSA_SIG_get0_s(s), r->s, sizeof(r->s)) > 0;

	ECDSA_SIG_free(s);
	return ok;
}

/* What no real report has: these texts, no TCB at all, and a DEBUG policy. */
static void fill(const struct attest *a, struct report *r)
{
	*r = (struct report){
		.version = 2, .policy = POLICY,
		.signature_algorithm = P384_SHA384,
	};
	memcpy(r->family_id, "AIRLOCK EMULATED", 16);
	memcpy(r->image_id, "THIS IS NO TEE  ", 16);
	strcpy(r->chip_id, "AIRLOCK EMULATED - NOT A TEE, NO CHIP");
	memcpy(r->measurement, a->measurement, sizeof(r->measurement));
	memcpy(r->report_id, a->report_id, sizeof(r->report_id));
	memset(r->report_id_ma, 0xff, sizeof(r->report_id_ma));
}

struct report_request {
	uint8_t data[64];
	uint32_t vmpl, key;
	uint8_t reserved[24];
};

struct report_response {
	uint32_t status, size;
	uint8_t reserved[24];
	struct report report;
};

/* A guest of VMPL n has VMPCKn, and may ask for n and above. */
static uint32_t report(struct attest *a, const uint8_t *in, unsigned int vmpck,
		       uint8_t *out, uint16_t *size)
{
	struct report_response rsp = { .status = 0 };
	struct report_request req;

	memcpy(&req, in, sizeof(req));
	*size = sizeof(rsp);
	if (req.vmpl > 3 || req.vmpl < vmpck || req.key > 3) {
		rsp.status = MESSAGE_INVALID;
	} else if (req.key > 1) {		/* a VLEK, or nothing */
		rsp.status = MESSAGE_INVALID_KEY;
	} else {
		fill(a, &rsp.report);
		rsp.report.vmpl = req.vmpl;
		memcpy(rsp.report.report_data, req.data, sizeof(req.data));
		if (!sign(a->keys.key, &rsp.report))
			return INVALID_PARAM;
		rsp.size = sizeof(rsp.report);
	}
	memcpy(out, &rsp, sizeof(rsp));
	return 0;
}

/* ---- a key that is derived ---- */

struct key_request {
	uint32_t root, reserved;
	uint64_t fields;
	uint32_t vmpl, svn;
	uint64_t tcb;
};

struct key_response {
	uint32_t status;
	uint8_t reserved[28], key[32];
};

#define FIELD_MEASUREMENT	(1u << 3)
#define FIELDS			0x3f

/*
 * From the chip's key, what was asked for, and the fields chosen; all but the
 * measurement are the same in every guest.
 */
static bool derive(const struct attest *a, const struct key_request *req,
		   uint8_t to[32])
{
	struct {
		char what[32];
		struct key_request req;
		uint8_t measurement[ATTEST_DIGEST];
	} m = { "AIRLOCK EMULATED key, no secret", *req, { 0 } };
	uint8_t *root = NULL;
	int n = i2d_PrivateKey(a->keys.key, &root);
	unsigned int out = 32;
	bool ok;

	if (req->fields & FIELD_MEASUREMENT)
		memcpy(m.measurement, a->measurement, sizeof(m.measurement));
	ok = n > 0 && HMAC(EVP_sha256(), root, n, (uint8_t *)&m, sizeof(m), to,
			   &out);
	OPENSSL_free(root);
	return ok;
}

/* There is no VMRK: nobody migrates here. SVN and TCB are 0 at most. */
static uint32_t key(struct attest *a, const uint8_t *in, unsigned int vmpck,
		    uint8_t *out, uint16_t *size)
{
	struct key_response rsp = { .status = 0 };
	struct key_request req;

	memcpy(&req, in, sizeof(req));
	*size = sizeof(rsp);
	if (req.reserved || req.root || req.fields & ~(uint64_t)FIELDS ||
	    req.vmpl > 3 || req.vmpl < vmpck || req.svn || req.tcb)
		rsp.status = MESSAGE_INVALID;
	else if (!derive(a, &req, rsp.key))
		return INVALID_PARAM;
	memcpy(out, &rsp, sizeof(rsp));
	return 0;
}

/* ---- a message ---- */

static const struct kind {
	uint8_t type;
	uint16_t size;
	uint32_t (*answer)(struct attest *a, const uint8_t *in,
			   unsigned int vmpck, uint8_t *out, uint16_t *size);
} kinds[] = {
	{ KEY_REQ, sizeof(struct key_request), key },
	{ REPORT_REQ, sizeof(struct report_request), report },
};

static const struct kind *kind_of(const struct header *h)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == h->type && kinds[i].size == h->size &&
		    h->version == 1)
			return &kinds[i];
	return NULL;
}

static bool well_formed(const struct header *h, size_t n)
{
	return h->algorithm == AES_256_GCM && h->header_version == 1 &&
		h->header_size == sizeof(*h) && h->vmpck < ATTEST_VMPCKS &&
		h->size <= PAYLOAD && n == sizeof(*h) + h->size;
}

uint32_t attest_snp(struct attest *a, const uint8_t *in, size_t n,
		    uint8_t *out, size_t *size)
{
	uint8_t plain[PAYLOAD], answer[PAYLOAD];
	const struct kind *k;
	struct header h, to;
	uint32_t status;

	*size = 0;
	if (n < sizeof(h))
		return INVALID_PARAM;
	memcpy(&h, in, sizeof(h));
	if (!well_formed(&h, n))
		return INVALID_PARAM;
	if (!crypt(a->vmpck[h.vmpck], &h, in + sizeof(h), plain, false))
		return BAD_MEASUREMENT;
	if (a->count[h.vmpck] >= UINT64_MAX - 2)
		return AEAD_OFLOW;
	if (h.sequence != a->count[h.vmpck] + 1)
		return INVALID_PARAM;
	k = kind_of(&h);
	if (!k)
		return INVALID_PARAM;
	to = (struct header){
		.sequence = h.sequence + 1, .algorithm = AES_256_GCM,
		.header_version = 1, .header_size = sizeof(to),
		.type = (uint8_t)(h.type + 1), .version = 1, .vmpck = h.vmpck,
	};
	status = k->answer(a, plain, h.vmpck, answer, &to.size);
	if (status)
		return status;
	if (!crypt(a->vmpck[h.vmpck], &to, answer, out + sizeof(to), true))
		return INVALID_PARAM;
	memcpy(out, &to, sizeof(to));
	a->count[h.vmpck] += 2;
	*size = sizeof(to) + to.size;
	return 0;
}
