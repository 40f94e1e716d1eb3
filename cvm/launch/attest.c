// SPDX-License-Identifier: GPL-2.0
/* The machine's questions, and what is measured of a guest. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "attest.h"

extern const char cvm_machine_image[], cvm_machine_image_end[];

/* ---- the launch ---- */

bool attest_wanted(const struct launch *l)
{
	return l->attest && (l->platform == CVM_SNP || l->platform == CVM_TDX);
}

/* Equal runs are to be equal in each byte of memory. */
static bool key_of_seed(const struct launch *l, unsigned int i, uint8_t *to)
{
	struct {
		char what[32];
		uint64_t seed, number;
	} m = { "airlock emulated vmpck of seed", l->seed, i };

	return EVP_Digest(&m, sizeof(m), to, NULL, EVP_sha256(), NULL);
}

bool attest_vmpck(const struct launch *l, struct launch_result *r,
		  struct blob *b)
{
	bool ok = true;

	if (!attest_wanted(l) || l->platform != CVM_SNP)
		return true;
	for (unsigned int i = 0; ok && i < ATTEST_VMPCKS; i++)
		ok = l->deterministic ? key_of_seed(l, i, b->vmpck[i]) :
			RAND_bytes(b->vmpck[i], ATTEST_VMPCK) == 1;
	if (!ok)
		launch_cannot(r, "OpenSSL has no random numbers");
	return ok;
}

struct attest *attest_new(const struct launch *l, struct launch_result *r,
			  int image)
{
	struct attest *a = calloc(1, sizeof(*a));
	struct blob b;

	if (a && pread(image, &b, sizeof(b), 0) == (ssize_t)sizeof(b) &&
	    RAND_bytes(a->report_id, sizeof(a->report_id)) == 1 &&
	    RAND_bytes(a->mac_key, sizeof(a->mac_key)) == 1) {
		a->l = l;
		a->image = image;
		memcpy(a->vmpck, b.vmpck, sizeof(a->vmpck));
		return a;
	}
	free(a);
	launch_cannot(r, "no attestation: %s", strerror(errno));
	return NULL;
}

void attest_free(struct attest *a)
{
	if (!a)
		return;
	attest_keys_free(&a->keys);
	EVP_PKEY_free(a->quoting);
	free(a->launch);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}

/* ---- the measurement ---- */

static void put_digest(FILE *f, const char *what, const void *from, size_t n)
{
	uint8_t digest[ATTEST_DIGEST];

	if (!EVP_Digest(from, n, digest, NULL, EVP_sha384(), NULL))
		return;
	fprintf(f, "%s ", what);
	for (size_t i = 0; i < sizeof(digest); i++)
		fprintf(f, "%02x", digest[i]);
	putc('\n', f);
}

static void put_measured(const struct attest *a, const struct blob *b, FILE *f)
{
	const struct launch *l = a->l;
	const uint8_t *image = (const uint8_t *)b;

	fprintf(f, "Airlock EMULATED launch, not a TEE\nplatform %s\ncpus %u\n"
		"memory %u\nlazy %d\n", launch_platform_name(l->platform),
		l->cpus, l->memory, l->lazy);
	put_digest(f, "machine", cvm_machine_image,
		   (size_t)(cvm_machine_image_end - cvm_machine_image));
	put_digest(f, "kernel", image + b->kernel, b->kernel_size);
	put_digest(f, "initrd", image + b->initrd, b->initrd_size);
	put_digest(f, "command-line", b->cmdline, strlen(b->cmdline));
}

static bool measure(struct attest *a)
{
	const struct blob *b;
	struct stat st;
	size_t n = 0;
	FILE *f;

	if (fstat(a->image, &st))
		return false;
	b = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, a->image,
		 0);
	if (b == MAP_FAILED)
		return false;
	f = open_memstream(&a->launch, &n);
	if (f) {
		put_measured(a, b, f);
		fclose(f);
	}
	munmap((void *)(uintptr_t)b, (size_t)st.st_size);
	return a->launch && EVP_Digest(a->launch, n, a->measurement, NULL,
				       EVP_sha384(), NULL);
}

/* Not before somebody asks: the digests take some 100 ms. */
static bool prepare(struct attest *a)
{
	if (a->prepared)
		return true;
	if (!measure(a))
		return false;
	if (a->l->platform == CVM_SNP)
		return a->prepared = attest_keys_get(&a->keys, &attest_amd,
						     a->l->attest);
	a->quoting = EVP_EC_gen("P-256");
	a->prepared = a->quoting && attest_keys_get(&a->keys, &attest_intel,
						    a->l->attest);
	return a->prepared;
}

static bool write_text(const char *folder, const char *text)
{
	char name[PATH_MAX];
	FILE *f;
	bool ok;

	snprintf(name, sizeof(name), "%s/launch", folder);
	f = fopen(name, "we");
	if (!f)
		return false;
	ok = fputs(text, f) >= 0;
	return !fclose(f) && ok;
}

bool attest_write(struct attest *a, struct launch_result *r)
{
	const char *folder = a->l->certs;
	bool ok;

	errno = 0;
	ok = prepare(a) && (!mkdir(folder, 0777) || errno == EEXIST) &&
		attest_keys_write(&a->keys, folder) &&
		write_text(folder, a->launch);
	if (!ok)
		launch_cannot(r, "cannot write certificates to '%s': %s",
			      folder, errno ? strerror(errno) :
			      "OpenSSL makes none");
	return ok;
}

/* ---- questions ---- */

static uint32_t answer_snp(struct attest *a, const struct attest_head *h,
			   const uint8_t *in, uint8_t *out, size_t *size)
{
	switch (h->what) {
	case ATTEST_SNP:
		return attest_snp(a, in, h->size, out, size);
	case ATTEST_SNP_CERTS:
		*size = attest_keys_table(&a->keys, out, ATTEST_MAX);
		return !*size;
	default:
		return 1;
	}
}

static uint32_t answer_tdx(struct attest *a, const struct attest_head *h,
			   const uint8_t *in, uint8_t *out, size_t *size)
{
	uint32_t status = 1;

	if (h->what == ATTEST_TDX_REPORT && h->size == 64) {
		status = attest_tdx_report(a, in, out);
		*size = status ? 0 : 1024;
	} else if (h->what == ATTEST_TDX_EXTEND && h->size == 4 + 48) {
		status = attest_tdx_extend(a, in);
	} else if (h->what == ATTEST_TDX_QUOTE && h->size == 1024) {
		status = attest_tdx_quote(a, in, out, size);
	}
	return status;
}

/* Its bytes come within an instant, unless QEMU was just stopped. */
static bool get(int port, void *to, size_t n)
{
	uint8_t *at = to;

	while (n) {
		ssize_t got = recv(port, at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* One question is at most on its way, so that a socket has room for it. */
static bool put(int port, const void *from, size_t n)
{
	return send(port, from, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n;
}

bool attest_hear(struct attest *a, int port)
{
	uint8_t in[ATTEST_MAX], out[ATTEST_MAX];
	struct attest_head h;
	size_t size = 0;

	if (!get(port, &h, sizeof(h)) || h.magic != ATTEST_MAGIC ||
	    h.size > sizeof(in) || !get(port, in, h.size) || !prepare(a))
		return false;
	h.what = a->l->platform == CVM_SNP ?
		answer_snp(a, &h, in, out, &size) :
		answer_tdx(a, &h, in, out, &size);
	h.size = (uint32_t)size;
	return put(port, &h, sizeof(h)) && put(port, out, size);
}
