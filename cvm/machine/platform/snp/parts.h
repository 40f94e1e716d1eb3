/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_SNP_H
#define CVM_SNP_H

#include "host.h"
#include "types.h"

struct blob;
struct vcpu;

/* Exit codes: with #VC, and in a GHCB's request */
#define VC_CPUID	0x72u
#define VC_IO		0x7bu
#define VC_MSR		0x7cu
#define VC_VMMCALL	0x81u
#define VC_NPF		0x400u
#define VC_NOT_VALIDATED 0x404u

/* pvalidate.c */
void pvalidate(struct vcpu *c);
void rmpadjust(struct vcpu *c);

/* psc.c */
#define PSC_MAX		253u

struct psc {
	u16 current, end;
	u32 reserved;
	u64 entry[PSC_MAX];
};

u64 psc_page(struct vcpu *c, struct psc *p);
void psc_msr(struct vcpu *c, u64 request);

/* request.c */
u64 guest_request(struct vcpu *c, u64 from, u64 to, u64 table, u64 *pages);

/* ghcb.c */
void vmgexit(struct vcpu *c);

/* pvclock.c */
bool pvclock_wrmsr(u32 msr, u64 value);

/* blob.c */
void snp_build_blob(u8 *zero_page, const struct blob *b);

#endif
