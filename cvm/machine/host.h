/* SPDX-License-Identifier: GPL-2.0 */
/* What the host does with a call. */
#ifndef CVM_HOST_H
#define CVM_HOST_H

#include "types.h"
#include "platform.h"
#include "abi/guest-abi.h"

enum host_act {
	HOST_HONEST,
	HOST_REFUSE,		/* an error, nothing done */
	HOST_HALF,		/* an error, half of it done */
	HOST_LIE,		/* success, nothing done */
	HOST_LIE_HALF,		/* success, half of it done */
	HOST_EARLY,		/* stops early and says so: legal */
	HOST_SPIN,		/* call again, for ever, no progress */
	HOST_OUTSIDE,		/* an address or count outside the request */
	HOST_STRAY,		/* garbage where a defined value belongs */
	HOST_SMALL,		/* 4K entries where 2M were asked for */
	HOST_TWICE,		/* private and already accepted */
	HOST_ACTS,
};
enum host_act host_decide(u32 able);
void host_hears_of(u64 gpa);
void host_lied(u64 gpa, u64 pages);
u64 host_random(void);
void host_set(enum cvm_host kind, u64 arg);
enum cvm_host host_kind(void);
void host_moment(struct vcpu *c);
void host_writer(u64 gpa, u64 bytes);
bool host_convert(struct vcpu *c, u64 gpa, unsigned int state);
void handle_mismatch(struct vcpu *c, const struct access *a);
bool implicit_conversion(struct vcpu *c, const struct access *a);

#endif
