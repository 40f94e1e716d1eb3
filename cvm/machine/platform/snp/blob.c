// SPDX-License-Identifier: GPL-2.0
/* What SNP firmware hands to Linux: the CC blob and the CPUID page. */
#include "config.h"
#include "cpu.h"
#include "layout.h"
#include "lib.h"
#include "platform/snp/parts.h"
#include "vcpu.h"
#include "abi/blob.h"

/* SNP_LAUNCH_UPDATE of the firmware ABI specification: the secrets page */
#define SECRETS_VMPCK	0x20

struct cc_blob {			/* struct cc_blob_sev_info */
	u32 magic;
	u16 version, reserved;
	u64 secrets;
	u32 secrets_size, reserved_2;
	u64 cpuid;
	u32 cpuid_size, reserved_3;
};

struct setup_data {			/* type 7: the address of a cc_blob */
	u64 next;
	u32 type, size, address;
};

/* The CPUID page: struct snp_cpuid_table. */
static void cpuid_page(u8 *page)
{
	static const u32 leaves[][2] = {
		{ 0, 0 }, { 1, 0 }, { 2, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 },
		{ 7, 1 }, { 0xb, 0 }, { 0xb, 1 }, { 0xd, 0 }, { 0xd, 1 },
		{ 0x40000000, 0 }, { 0x40000001, 0 }, { 0x80000000, 0 },
		{ 0x80000001, 0 }, { 0x80000002, 0 }, { 0x80000003, 0 },
		{ 0x80000004, 0 }, { 0x80000005, 0 }, { 0x80000006, 0 },
		{ 0x80000007, 0 }, { 0x80000008, 0 }, { 0x8000001d, 0 },
		{ 0x8000001e, 0 }, { 0x8000001f, 0 },
	};
	u32 n = ARRAY_SIZE(leaves), r[4];

	memcpy(page, &n, 4);
	for (u32 i = 0; i < n; i++) {
		u8 *e = page + 16 + 48 * i;

		guest_cpuid(&vcpus[0], leaves[i][0], leaves[i][1], r);
		memcpy(e, leaves[i], 8);
		if (leaves[i][0] == 0xd)
			e[8] = 1;		/* XCR0 */
		memcpy(e + 24, r, 16);
	}
}

void snp_build_blob(u8 *zero_page, const struct blob *guest)
{
	struct cc_blob *b = memset((void *)FW_SNP, 0, 3 * PAGE_SIZE);
	struct setup_data *s = (void *)(FW_SNP + 0x100);

	*b = (struct cc_blob){
		.magic = 0x45444d41,
		.secrets = FW_SNP + PAGE_SIZE,
		.secrets_size = PAGE_SIZE,
		.cpuid = FW_SNP + 2 * PAGE_SIZE,
		.cpuid_size = PAGE_SIZE,
	};
	*(u32 *)b->secrets = 2;			/* version */
	memcpy((u8 *)b->secrets + SECRETS_VMPCK, guest->vmpck,
	       sizeof(guest->vmpck));
	cpuid_page((u8 *)b->cpuid);
	memcpy(&s->next, zero_page + 0x250, 8);
	s->type = 7;
	s->size = 4;
	s->address = FW_SNP;
	memcpy(zero_page + 0x250, &s, 8);
}
