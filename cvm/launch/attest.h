/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attestation that is EMULATED: what the security processor of a confidential
 * machine does, with a key that everybody can have. attest.c the channel,
 * attest_snp.c guest messages and reports, attest_tdx.c reports and quotes,
 * attest_key.c the keys and their certificates.
 */
#ifndef CVM_LAUNCH_ATTEST_H
#define CVM_LAUNCH_ATTEST_H

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "abi/attest.h"
#include "abi/blob.h"
#include "parts.h"

#define ATTEST_DIGEST	48		/* SHA-384 */

/* The certificates, from the root down. */
enum attest_cert { ATTEST_ROOT, ATTEST_MIDDLE, ATTEST_LEAF, ATTEST_CERTS };

struct attest_chain;
extern const struct attest_chain attest_amd, attest_intel;

struct attest_keys {
	const struct attest_chain *chain;
	EVP_PKEY *key;			/* that of the leaf */
	X509 *cert[ATTEST_CERTS];
	bool kept;			/* else it is this run's alone */
};

struct attest {
	const struct launch *l;
	int image;			/* what the machine was given */
	uint8_t vmpck[ATTEST_VMPCKS][ATTEST_VMPCK];
	uint64_t count[ATTEST_VMPCKS];	/* of messages under that key */
	uint8_t report_id[32];
	/* TDX */
	uint8_t mac_key[32], rtmr[ATTEST_RTMRS][ATTEST_DIGEST];
	EVP_PKEY *quoting;		/* the quoting enclave's, P-256 */
	bool prepared;			/* those below */
	struct attest_keys keys;
	char *launch;			/* what is measured, as text */
	uint8_t measurement[ATTEST_DIGEST];	/* ... and its digest */
};

/* ---- attest_key.c ---- */

/* That of @folder, made if there is none. False: OpenSSL cannot. */
bool attest_keys_get(struct attest_keys *k, const struct attest_chain *chain,
		     const char *folder);
void attest_keys_free(struct attest_keys *k);
/* Into an existing folder. False, and errno. */
bool attest_keys_write(const struct attest_keys *k, const char *folder);
/* R and S, for each format to write its way. NULL: OpenSSL cannot. */
ECDSA_SIG *attest_sign(EVP_PKEY *key, const EVP_MD *digest, const void *what,
		       size_t n);
/* The table of the GHCB specification. Return: its size, 0 if not in @room. */
size_t attest_keys_table(const struct attest_keys *k, uint8_t *to,
			 size_t room);

/* ---- attest_snp.c ---- */

/*
 * Answer the guest message @in with one at @out, of ATTEST_MAX bytes. Return:
 * the status of SNP_GUEST_REQUEST; *@size is 0 unless that is 0.
 */
uint32_t attest_snp(struct attest *a, const uint8_t *in, size_t n,
		    uint8_t *out, size_t *size);

/* ---- attest_tdx.c: of a size that was checked; 0 is success ---- */

uint32_t attest_tdx_report(struct attest *a, const uint8_t *data, uint8_t *to);
uint32_t attest_tdx_extend(struct attest *a, const uint8_t *in);
/* @out is of ATTEST_MAX bytes. */
uint32_t attest_tdx_quote(struct attest *a, const uint8_t *in, uint8_t *out,
			  size_t *size);

/* ---- attest.c ---- */

/* Is there attestation for what is launched? */
bool attest_wanted(const struct launch *l);

/* Keys of guest messages for this launch, into @b. Return: false, cannot. */
bool attest_vmpck(const struct launch *l, struct launch_result *r,
		  struct blob *b);
/* NULL: cannot. */
struct attest *attest_new(const struct launch *l, struct launch_result *r,
			  int image);
void attest_free(struct attest *a);
/* Certificates and measurement into l->certs. False with a message in @r. */
bool attest_write(struct attest *a, struct launch_result *r);
/* Read from the machine's port and answer. False: it is no use any more. */
bool attest_hear(struct attest *a, int port);

#endif
