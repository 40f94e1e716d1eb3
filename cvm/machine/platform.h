/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_PLATFORM_H
#define CVM_PLATFORM_H

#include "types.h"
#include "abi/platforms.h"

struct blob;
struct vcpu;

/* An access that nested paging did not allow. */
struct access {
	u64 gpa;			/* without private/shared bit */
	u64 raw;			/* with it */
	u64 error;			/* EXITINFO1 */
	bool private;			/* by which mapping */
	unsigned int state;		/* CVM_STATE_* of the page */
};

struct platform {
	const char *name;
	bool confidential;
	bool halts;			/* its HLT does not exit */
	bool bit_is_private;		/* polarity of GUEST_BIT */
	bool large;			/* keeps 2M page states */
	u64 cc_blob;			/* SNP's, where boot_linux puts it */
	bool mailbox;			/* Linux starts CPUs by ACPI's */
	void (*setup)(void);
	void (*setup_cpu)(struct vcpu *c);
	void (*cpuid)(struct vcpu *c, u32 leaf, u32 sub, u32 out[4]);
	/* true: done; the core's own handling otherwise */
	bool (*msr_read)(struct vcpu *c, u32 msr, u64 *value, bool *ok);
	bool (*msr_write)(struct vcpu *c, u32 msr, u64 value, bool *ok);
	bool (*exit)(struct vcpu *c);
	/* an access to RAM in the wrong state; false: the guest is lost */
	bool (*mismatch)(struct vcpu *c, const struct access *a);
	/* an access to something else than RAM */
	void (*mmio)(struct vcpu *c, const struct access *a);
	/*
	 * For a CPU that waits to be started: sets go when the guest wants it
	 * to. False: nothing will come before wake_idle_cpus().
	 */
	bool (*ap_poll)(struct vcpu *c);
	/* what firmware leaves for Linux besides the boot protocol */
	void (*boot_linux)(u8 *zero_page, const struct blob *b);
};

#define P(name, ...) extern const struct platform name##_platform;
PLATFORMS_MACHINE(P)
#undef P

#endif
