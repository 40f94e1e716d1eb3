// SPDX-License-Identifier: GPL-2.0
/*
 * cvm/launch/attest*.c without a machine: guest messages that are right, and
 * those that are not, as the firmware ABI specification has them; the channel;
 * the key's file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "attest.h"

static unsigned int passed, failed;

static void fact(const char *what, bool is)
{
	printf("%s  %s\n", is ? "ok    " : "FAILED", what);
	passed += is;
	failed += !is;
}

static char folder[] = "/tmp/airlock-attest.XXXXXX";
static struct launch l = {
	.platform = CVM_SNP, .cpus = 1, .memory = 512, .attest = folder,
};

static struct attest *begin(const char *cmdline)
{
	struct launch_result r;
	struct blob b = { .kernel = sizeof(b) };
	int image = memfd_create("image", 0);

	strcpy(b.cmdline, cmdline);
	if (!attest_vmpck(&l, &r, &b) ||
	    write(image, &b, sizeof(b)) != (ssize_t)sizeof(b))
		abort();
	return attest_new(&l, &r, image);
}

/* ---- a guest's side of a message ---- */

static void cipher(const uint8_t *key, uint8_t *m, bool seal)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[12] = { 0 };
	uint16_t size;
	int n;

	memcpy(iv, m + 0x20, 8);
	memcpy(&size, m + 0x36, 2);
	EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, iv, seal);
	if (!seal)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, m);
	EVP_CipherUpdate(c, NULL, &n, m + 0x30, 0x30);
	EVP_CipherUpdate(c, m + 0x60, &n, m + 0x60, size);
	if (!EVP_CipherFinal_ex(c, m + 0x60 + n, &n))
		memset(m, 0, 4096);
	if (seal)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, m);
	EVP_CIPHER_CTX_free(c);
}

struct wish {
	uint8_t type;
	uint16_t size;
	uint64_t sequence;
	uint8_t vmpck, by;		/* as it says; whose key it has */
	uint32_t vmpl, key;
	int spoil;			/* a byte of it, or 0 */
};

/* Return: the status; the answer, plain, is at @m. */
static uint32_t ask(struct attest *a, struct wish w, uint8_t *m)
{
	uint8_t *out = malloc(ATTEST_MAX);
	uint32_t status;
	size_t size;

	memset(m, 0, 4096);
	memcpy(m + 0x20, &w.sequence, 8);
	memcpy(m + 0x30, "\1\1\x60\0", 4);
	m[0x34] = w.type;
	m[0x35] = 1;
	memcpy(m + 0x36, &w.size, 2);
	m[0x3c] = w.vmpck;
	if (w.type == 5) {
		memset(m + 0x60, 'd', 64);
		memcpy(m + 0xa0, &w.vmpl, 4);
		memcpy(m + 0xa4, &w.key, 4);
	} else {
		memcpy(m + 0x68, &w.key, 4);
		memcpy(m + 0x70, &w.vmpl, 4);
	}
	cipher(a->vmpck[w.by], m, true);
	if (w.spoil)
		m[w.spoil] ^= 1;
	status = attest_snp(a, m, 0x60u + w.size, out, &size);
	memset(m, 0, 4096);
	memcpy(m, out, size);
	free(out);
	if (!status)
		cipher(a->vmpck[w.by], m, false);
	return status;
}

static uint32_t word(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, 4);
	return v;
}

#define REPORT	.type = 5, .size = 0x60
#define KEY	.type = 3, .size = 0x20

static void messages(struct attest *a)
{
	uint8_t m[4096], key[32];
	uint32_t s;

	s = ask(a, (struct wish){ REPORT, .sequence = 1 }, m);
	fact("a report", !s && m[0x20] == 2 && m[0x34] == 6 &&
	     word(m + 0x60) == 0 && word(m + 0x64) == 0x4a0 &&
	     m[0x80] == 2 && m[0x80 + 0x50] == 'd' &&
	     !memcmp(m + 0x80 + 0x1a0, "AIRLOCK EMULATED - NOT A TEE", 28));
	fact("its policy is that of a guest that the host may read",
	     m[0x80 + 10] & 1 << 3);
	fact("the same sequence number again", ask(a, (struct wish){ REPORT,
		.sequence = 1 }, m) == 0x16);
	fact("one too far", ask(a, (struct wish){ REPORT, .sequence = 5 }, m)
	     == 0x16);
	fact("another VMPCK than it says", ask(a, (struct wish){ REPORT,
		.sequence = 3, .by = 1 }, m) == 0x0b);
	fact("no such VMPCK", ask(a, (struct wish){ REPORT, .sequence = 3,
		.vmpck = 4 }, m) == 0x16);
	fact("a payload that was changed", ask(a, (struct wish){ REPORT,
		.sequence = 3, .spoil = 0x70 }, m) == 0x0b);
	fact("a header that was changed", ask(a, (struct wish){ REPORT,
		.sequence = 3, .spoil = 0x40 }, m) == 0x0b);
	fact("a sequence number that was changed", ask(a, (struct wish){ REPORT,
		.sequence = 1, .spoil = 0x20 }, m) == 0x0b);
	fact("a size too small", ask(a, (struct wish){ .type = 5, .size = 0x40,
		.sequence = 3 }, m) == 0x16);
	fact("a size that no page has", ask(a, (struct wish){ .type = 5,
		.size = 3999, .sequence = 3, .spoil = 0x37 }, m) == 0x16);
	fact("a type that there is not", ask(a, (struct wish){ .type = 99,
		.size = 0x20, .sequence = 3 }, m) == 0x16);
	s = ask(a, (struct wish){ REPORT, .sequence = 3 }, m);
	fact("after all that the next one is answered",
	     !s && m[0x20] == 4 && !word(m + 0x60));
	s = ask(a, (struct wish){ REPORT, .sequence = 5, .key = 2 }, m);
	fact("a VLEK: invalid key, and no report", !s &&
	     word(m + 0x60) == 0x27 && !word(m + 0x64) && !m[0x80]);
	s = ask(a, (struct wish){ REPORT, .sequence = 7, .vmpl = 4 }, m);
	fact("VMPL 4: invalid", !s && word(m + 0x60) == 0x16);
	s = ask(a, (struct wish){ REPORT, .sequence = 1, .vmpck = 2, .by = 2,
				  .vmpl = 1 }, m);
	fact("VMPL 1 by VMPCK2: invalid", !s && word(m + 0x60) == 0x16);
	s = ask(a, (struct wish){ REPORT, .sequence = 3, .vmpck = 2, .by = 2,
				  .vmpl = 3 }, m);
	fact("VMPL 3 by VMPCK2: a report of it", !s && !word(m + 0x60) &&
	     m[0x80 + 0x30] == 3);
	s = ask(a, (struct wish){ KEY, .sequence = 9 }, m);
	memcpy(key, m + 0x80, 32);
	fact("a derived key", !s && m[0x34] == 4 && !word(m + 0x60) &&
	     memcmp(key, (uint8_t[32]){ 0 }, 32));
	s = ask(a, (struct wish){ KEY, .sequence = 11 }, m);
	fact("the same again", !s && !memcmp(key, m + 0x80, 32));
	s = ask(a, (struct wish){ KEY, .sequence = 13, .key = 8 }, m);
	fact("another one of the measurement", !s && !word(m + 0x60) &&
	     memcmp(key, m + 0x80, 32));
	s = ask(a, (struct wish){ KEY, .sequence = 15, .key = 64 }, m);
	fact("of a field that there is not: invalid", !s &&
	     word(m + 0x60) == 0x16);
}

/* ---- TDX ---- */

static uint32_t quote(struct attest *a, const uint8_t *report, size_t *size)
{
	uint8_t *out = malloc(ATTEST_MAX);
	uint32_t status = attest_tdx_quote(a, report, out, size);

	free(out);
	return status;
}

static void reports(struct attest *a)
{
	uint8_t data[64], r[1024], in[4 + 48] = { 2 }, both[96] = { 0 };
	uint8_t digest[48];
	size_t size;

	memset(data, 'd', sizeof(data));
	memset(in + 4, 'x', 48);
	fact("a TDREPORT", !attest_tdx_report(a, data, r) && r[0] == 0x81 &&
	     !memcmp(r + 128, data, 64));
	fact("its TD has the attribute DEBUG", r[512] & 1);
	fact("MRTD is the measurement",
	     !memcmp(r + 512 + 16, a->measurement, 48));
	EVP_Digest(r + 512, 512, digest, NULL, EVP_sha384(), NULL);
	fact("the digest of its TD", !memcmp(r + 80, digest, 48));
	EVP_Digest(r + 256, 239, digest, NULL, EVP_sha384(), NULL);
	fact("and of its module", !memcmp(r + 32, digest, 48));
	fact("a quote of it", !quote(a, r, &size) && size > 1000);
	r[128] ^= 1;
	fact("not with other data", quote(a, r, &size) && !size);
	r[128] ^= 1;
	r[512 + 16] ^= 1;
	fact("not with another measurement", quote(a, r, &size) && !size);
	r[512 + 16] ^= 1;
	r[224] ^= 1;
	fact("not with another MAC", quote(a, r, &size) && !size);

	memset(both + 48, 'x', 48);
	EVP_Digest(both, 96, digest, NULL, EVP_sha384(), NULL);
	fact("RTMR 2 is extended", !attest_tdx_extend(a, in) &&
	     !attest_tdx_report(a, data, r) &&
	     !memcmp(r + 512 + 208 + 2 * 48, digest, 48));
	memcpy(both, digest, 48);
	EVP_Digest(both, 96, digest, NULL, EVP_sha384(), NULL);
	fact("and again", !attest_tdx_extend(a, in) &&
	     !attest_tdx_report(a, data, r) &&
	     !memcmp(r + 512 + 208 + 2 * 48, digest, 48));
	fact("the others are not", !memcmp(r + 512 + 208,
					   (uint8_t[96]){ 0 }, 96));
	in[0] = 4;
	fact("there is no RTMR 4", attest_tdx_extend(a, in));
}

/* ---- the channel and the file ---- */

static bool hear(struct attest *a, const void *bytes, size_t n)
{
	int s[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) ||
	    write(s[0], bytes, n) != (ssize_t)n)
		abort();
	shutdown(s[0], SHUT_WR);
	ok = attest_hear(a, s[1]);
	close(s[0]);
	close(s[1]);
	return ok;
}

static void channel_prepare(struct attest *a)
{
	struct attest_head h = { ATTEST_MAGIC, 77, 0 };

	if (!hear(a, &h, sizeof(h)))
		abort();
}

static void end(struct attest *a)
{
	close(a->image);
	attest_free(a);
}

static void channel(struct attest *a)
{
	struct attest_head h = { ATTEST_MAGIC, ATTEST_SNP_CERTS, 0 };

	fact("a question", hear(a, &h, sizeof(h)));
	h.what = 77;
	fact("one that there is not has an answer", hear(a, &h, sizeof(h)));
	h.size = 100;
	fact("an end within one is the end", !hear(a, &h, sizeof(h)));
	h.size = ATTEST_MAX + 1;
	fact("too long", !hear(a, &h, sizeof(h)));
	h = (struct attest_head){ 1, ATTEST_SNP_CERTS, 0 };
	fact("nonsense", !hear(a, &h, sizeof(h)));
}

/* Derived keys of two guests. */
static void two_guests(struct attest *a)
{
	struct attest *b = begin("another");
	uint8_t of_a[4096], of_b[4096];

	channel_prepare(b);
	ask(a, (struct wish){ KEY, .sequence = 1, .vmpck = 1, .by = 1,
			      .vmpl = 1 }, of_a);
	ask(b, (struct wish){ KEY, .sequence = 1, .vmpck = 1, .by = 1,
			      .vmpl = 1 }, of_b);
	fact("a derived key is that of another guest too",
	     !word(of_a + 0x60) && of_a[0x34] == 4 &&
	     !memcmp(of_a + 0x80, of_b + 0x80, 32));
	ask(a, (struct wish){ KEY, .sequence = 3, .vmpck = 1, .by = 1,
			      .vmpl = 1, .key = 8 }, of_a);
	ask(b, (struct wish){ KEY, .sequence = 3, .vmpck = 1, .by = 1,
			      .vmpl = 1, .key = 8 }, of_b);
	fact("but not with the measurement in it",
	     !word(of_a + 0x60) && of_a[0x34] == 4 &&
	     memcmp(of_a + 0x80, of_b + 0x80, 32));
	end(b);
}

static void keys(void)
{
	struct attest_keys a, b, c;
	char file[100];
	FILE *f;

	fact("a key is kept", attest_keys_get(&a, &attest_amd, folder) &&
	     a.kept &&
	     attest_keys_get(&b, &attest_amd, folder) && b.kept &&
	     EVP_PKEY_eq(a.key, b.key) == 1);
	fact("where none can be, one is made for this run",
	     attest_keys_get(&c, &attest_amd, "/proc/no/such") &&
	     !c.kept && c.key);
	attest_keys_free(&b);
	attest_keys_free(&c);
	snprintf(file, sizeof(file), "%s/emulated-not-a-tee.pem", folder);
	f = fopen(file, "w");
	fputs("no key\n", f);
	fclose(f);
	fact("a file that is none is not believed",
	     attest_keys_get(&b, &attest_amd, folder) && !b.kept &&
	     EVP_PKEY_eq(a.key, b.key) == 0);
	attest_keys_free(&b);
	f = fopen(file, "w");
	b = (struct attest_keys){ .key = EVP_EC_gen("P-384") };
	PEM_write_PrivateKey(f, b.key, NULL, NULL, 0, NULL, NULL);
	for (int i = 0; i < ATTEST_CERTS; i++)
		PEM_write_X509(f, a.cert[i]);
	fclose(f);
	attest_keys_free(&b);
	fact("nor one whose certificates are another key's",
	     attest_keys_get(&b, &attest_amd, folder) && !b.kept);
	attest_keys_free(&a);
	attest_keys_free(&b);
	unlink(file);
}

int main(void)
{
	struct attest *a;
	char file[100];

	setbuf(stdout, NULL);
	if (!mkdtemp(folder))
		return 1;
	a = begin("a=b");
	channel(a);		/* which prepares it */
	messages(a);
	two_guests(a);
	keys();
	end(a);
	l.platform = CVM_TDX;
	a = begin("a=b");
	channel(a);
	reports(a);
	end(a);
	snprintf(file, sizeof(file), "%s/emulated-not-a-tee-tdx.pem", folder);
	unlink(file);
	rmdir(folder);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
