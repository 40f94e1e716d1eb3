// SPDX-License-Identifier: GPL-2.0
/*
 * The keys that sign, each with three certificates that have the names of real
 * chains; all of AMD's are P-384 here, while ARK and ASK are RSA there. Each
 * says of itself that it is emulated. A key and its certificates lie in one
 * file, made at first use.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "attest.h"

#define WHO		"Airlock EMULATED - not a TEE"
#define DAYS		3650L

struct attest_chain {
	const char *file, *curve;
	int bits;
	const EVP_MD *(*digest)(void);
	const char *name[ATTEST_CERTS], *subject[ATTEST_CERTS];
};

const struct attest_chain attest_amd = {
	"emulated-not-a-tee.pem", "P-384", 384, EVP_sha384,
	{ "ark", "ask", "vcek" },
	{ WHO ": ARK", WHO ": ASK", WHO ": VCEK" },
};

const struct attest_chain attest_intel = {
	"emulated-not-a-tee-tdx.pem", "P-256", 256, EVP_sha256,
	{ "root", "platform-ca", "pck" },
	{ WHO ": Root CA", WHO ": PCK Platform CA", WHO ": PCK" },
};

/* ---- making ---- */

static bool name_it(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
			(const unsigned char *)WHO, -1, -1, 0) &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)cn, -1, -1, 0);
}

static bool add_extension(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(c, e, -1);

	X509_EXTENSION_free(e);
	return ok;
}

static bool fill(X509 *c, const char *subject, enum attest_cert which,
		 EVP_PKEY *key, const X509_NAME *issuer)
{
	bool authority = which != ATTEST_LEAF;

	return X509_set_version(c, X509_VERSION_3) &&
		ASN1_INTEGER_set(X509_get_serialNumber(c), which + 1) &&
		X509_gmtime_adj(X509_getm_notBefore(c), -86400) &&
		X509_gmtime_adj(X509_getm_notAfter(c), DAYS * 86400) &&
		name_it(X509_get_subject_name(c), subject) &&
		X509_set_issuer_name(c, issuer ? issuer :
				     X509_get_subject_name(c)) &&
		X509_set_pubkey(c, key) &&
		add_extension(c, NID_basic_constraints, authority ?
			      "critical,CA:TRUE" : "critical,CA:FALSE") &&
		add_extension(c, NID_key_usage, authority ?
			      "critical,keyCertSign" :
			      "critical,digitalSignature");
}

static X509 *certify(const struct attest_chain *chain, enum attest_cert which,
		     EVP_PKEY *key, EVP_PKEY *by, const X509 *issuer)
{
	X509 *c = X509_new();

	if (c && fill(c, chain->subject[which], which, key, issuer ?
		      X509_get_subject_name(issuer) : NULL) &&
	    X509_sign(c, by, chain->digest()))
		return c;
	X509_free(c);
	return NULL;
}

/* The keys of the other two are forgotten: they sign nothing else. */
static bool make(struct attest_keys *k)
{
	EVP_PKEY *key[ATTEST_CERTS] = { NULL };
	bool ok = true;

	for (int i = 0; ok && i < ATTEST_CERTS; i++) {
		int by = i ? i - 1 : 0;

		key[i] = EVP_EC_gen(k->chain->curve);
		ok = key[i] && (k->cert[i] = certify(k->chain,
			(enum attest_cert)i, key[i], key[by],
			i ? k->cert[by] : NULL));
	}
	k->key = key[ATTEST_LEAF];
	EVP_PKEY_free(key[ATTEST_ROOT]);
	EVP_PKEY_free(key[ATTEST_MIDDLE]);
	return ok;
}

void attest_keys_free(struct attest_keys *k)
{
	EVP_PKEY_free(k->key);
	for (int i = 0; i < ATTEST_CERTS; i++)
		X509_free(k->cert[i]);
	*k = (struct attest_keys){ .chain = k->chain };
}

/* ---- keeping ---- */

static bool load(struct attest_keys *k, const char *file)
{
	FILE *f = fopen(file, "re");
	bool ok = f;

	if (ok)
		ok = (k->key = PEM_read_PrivateKey(f, NULL, NULL, NULL));
	for (int i = 0; ok && i < ATTEST_CERTS; i++)
		ok = (k->cert[i] = PEM_read_X509(f, NULL, NULL, NULL));
	/* The file may be anything: of that size, and the certificate's key. */
	ok = ok && EVP_PKEY_get_bits(k->key) == k->chain->bits &&
		X509_check_private_key(k->cert[ATTEST_LEAF], k->key) == 1;
	if (f)
		fclose(f);
	if (!ok)
		attest_keys_free(k);
	return ok;
}

static bool put_all(const struct attest_keys *k, FILE *f)
{
	bool ok = PEM_write_PrivateKey(f, k->key, NULL, NULL, 0, NULL, NULL);

	for (int i = 0; ok && i < ATTEST_CERTS; i++)
		ok = PEM_write_X509(f, k->cert[i]);
	return ok;
}

/* Whole or not at all; of two who come at once one is first. */
static bool store(const struct attest_keys *k, const char *folder,
		  const char *file)
{
	char made[PATH_MAX];
	bool ok = false;
	FILE *f;
	int fd;

	if (snprintf(made, sizeof(made), "%s/key.XXXXXX", folder) >=
	    (int)sizeof(made))
		return false;
	if (mkdir(folder, 0700) && errno != EEXIST)
		return false;
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0)
		return false;
	f = fdopen(fd, "w");
	if (f) {
		ok = put_all(k, f);
		ok = !fclose(f) && ok && !link(made, file);
	} else {
		close(fd);
	}
	unlink(made);
	return ok;
}

bool attest_keys_get(struct attest_keys *k, const struct attest_chain *chain,
		     const char *folder)
{
	char file[PATH_MAX];

	*k = (struct attest_keys){ .chain = chain };
	if (snprintf(file, sizeof(file), "%s/%s", folder, chain->file) >=
	    (int)sizeof(file))
		return false;
	if (load(k, file))
		return k->kept = true;
	if (!make(k)) {
		attest_keys_free(k);
		return false;
	}
	if (store(k, folder, file))
		return k->kept = true;
	if (errno == EEXIST) {
		struct attest_keys other = { .chain = chain };

		if (load(&other, file)) {
			attest_keys_free(k);
			*k = other;
			return k->kept = true;
		}
	}
	return true;
}

/* ---- signing ---- */

ECDSA_SIG *attest_sign(EVP_PKEY *key, const EVP_MD *digest, const void *what,
		       size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t der[160];
	const unsigned char *at = der;
	size_t size = sizeof(der);
	bool ok = c && EVP_DigestSignInit(c, NULL, digest, NULL, key) > 0 &&
		EVP_DigestSign(c, der, &size, what, n) > 0;

	EVP_MD_CTX_free(c);
	return ok ? d2i_ECDSA_SIG(NULL, &at, (long)size) : NULL;
}

/* ---- handing out ---- */

bool attest_keys_write(const struct attest_keys *k, const char *folder)
{
	char name[PATH_MAX];
	bool ok = true;

	for (int i = 0; ok && i < ATTEST_CERTS; i++) {
		FILE *f;

		snprintf(name, sizeof(name), "%s/%s.pem", folder,
			 k->chain->name[i]);
		f = fopen(name, "we");
		if (!f)
			return false;
		ok = PEM_write_X509(f, k->cert[i]);
		ok = !fclose(f) && ok;
	}
	return ok;
}

/* GUIDs, as they are written; GHCB specification, 4.1.8.1. */
static const uint8_t guid[ATTEST_CERTS][16] = {
	[ATTEST_ROOT] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
			 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae },
	[ATTEST_MIDDLE] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
			 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 },
	[ATTEST_LEAF] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
			 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd },
};

#define ENTRY		24		/* GUID, offset, length */

size_t attest_keys_table(const struct attest_keys *k, uint8_t *to, size_t room)
{
	size_t at = ENTRY * (ATTEST_CERTS + 1);

	memset(to, 0, at);
	for (int i = 0; i < ATTEST_CERTS; i++) {
		int n = i2d_X509(k->cert[i], NULL);
		uint32_t where[2] = { (uint32_t)at, (uint32_t)n };
		unsigned char *put = to + at;

		if (n < 0 || (size_t)n > room - at)
			return 0;
		memcpy(to + ENTRY * i, guid[i], 16);
		memcpy(to + ENTRY * i + 16, where, sizeof(where));
		i2d_X509(k->cert[i], &put);
		at += (size_t)n;
	}
	return at;
}
