// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's clock. Without it Linux has to measure the TSC against a timer whose
 * every read is a #VC, fails, and reads that timer for ever after. The clock
 * tells the rate and that all CPUs' TSCs agree; Linux then uses the TSC.
 *
 * Source: Documentation/virt/kvm/x86/msr.rst and cpuid.rst.
 */
#include "clock.h"
#include "lib.h"
#include "npt.h"
#include "platform/snp/parts.h"

#define MSR_KVM_WALL_CLOCK	0x4b564d00u
#define MSR_KVM_SYSTEM_TIME	0x4b564d01u
#define ENABLED			1UL

#define NS_PER_SECOND		1000000000UL
#define TSC_STABLE		1u

struct wall_clock {			/* when the system time was 0 */
	u32 version, seconds, nanoseconds;
};

struct time_info {
	u32 version, reserved;
	u64 tsc_timestamp, system_time;
	u32 tsc_to_system_mul;
	signed char tsc_shift;
	u8 flags, reserved_2[2];
};

/* The host writes where the guest lets it, and nowhere else. */
static void host_store(u64 gpa, const void *what, size_t n)
{
	if (is_ram(gpa) && is_ram(gpa + n - 1) &&
	    (page_state(gpa) & CVM_STATE_MASK) == CVM_STATE_SHARED &&
	    (page_state(gpa + n - 1) & CVM_STATE_MASK) == CVM_STATE_SHARED)
		memcpy((void *)gpa, what, n);
}

/* ns = (ticks << shift) * mul >> 32, with as many digits as mul holds. */
static void set_scale(struct time_info *t)
{
	u64 hz = tsc_khz * 1000;

	for (; hz > 2 * NS_PER_SECOND; hz /= 2)
		t->tsc_shift--;
	for (; hz <= NS_PER_SECOND; hz *= 2)
		t->tsc_shift++;
	t->tsc_to_system_mul = (u32)((NS_PER_SECOND << 32) / hz);
}

/* The TSC began at 0 and does not stop: what is written holds for ever. */
static void system_time(u64 gpa)
{
	struct time_info t = { .version = 2, .flags = TSC_STABLE };

	set_scale(&t);
	host_store(gpa, &t, sizeof(t));
}

static void wall_clock(u64 gpa)
{
	struct wall_clock w = { .version = 2, .seconds = (u32)wall_at_0 };

	host_store(gpa, &w, sizeof(w));
}

bool pvclock_wrmsr(u32 msr, u64 value)
{
	if (msr == MSR_KVM_WALL_CLOCK)
		wall_clock(value);
	else if (msr == MSR_KVM_SYSTEM_TIME && value & ENABLED)
		system_time(value & ~ENABLED);
	return msr == MSR_KVM_WALL_CLOCK || msr == MSR_KVM_SYSTEM_TIME;
}
