// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine saw, in numbers: "@stat" of abi/report.h.
 */
#include "lib.h"
#include "stats.h"

static u64 counters[CVM_N_COUNTERS];

static const char *const names[CVM_N_COUNTERS] = {
	[CVM_N_EXITS] = "exits",
	[CVM_N_EXIT_NMI] = "exits_shootdown",
	[CVM_N_EXIT_CPUID] = "exits_cpuid",
	[CVM_N_EXIT_IO] = "exits_io",
	[CVM_N_EXIT_MSR] = "exits_msr",
	[CVM_N_EXIT_HLT] = "exits_hlt",
	[CVM_N_EXIT_CALL] = "exits_call",
	[CVM_N_EXIT_PVALIDATE] = "exits_pvalidate",
	[CVM_N_EXIT_NPF] = "exits_nested_fault",
	[CVM_N_EXIT_DEBUG] = "exits_debug_port",
	[CVM_N_EXIT_OTHER] = "exits_other",
	[CVM_N_TO_SHARED_CALLS] = "to_shared_calls",
	[CVM_N_TO_SHARED_PAGES] = "to_shared_pages",
	[CVM_N_TO_SHARED_MOST] = "to_shared_most_pages_in_a_call",
	[CVM_N_TO_PRIVATE_CALLS] = "to_private_calls",
	[CVM_N_TO_PRIVATE_PAGES] = "to_private_pages",
	[CVM_N_TO_PRIVATE_MOST] = "to_private_most_pages_in_a_call",
	[CVM_N_ACCEPT_CALLS] = "accept_calls",
	[CVM_N_ACCEPT_PAGES] = "accept_pages",
	[CVM_N_RELEASE_CALLS] = "release_calls",
	[CVM_N_RELEASE_PAGES] = "release_pages",
	[CVM_N_SIZE_MISMATCH] = "size_mismatches",
	[CVM_N_UNCHANGED] = "accepted_twice",
	[CVM_N_HOST_REFUSED] = "host_refused",
	[CVM_N_HOST_LIES] = "host_lies",
	[CVM_N_HOST_UNASKED] = "host_unasked_conversions",
	[CVM_N_HOST_WRITES] = "host_writes",
	[CVM_N_IMPLICIT] = "implicit_conversions",
	[CVM_N_BAD_PRIVATE_SHARED] = "private_access_to_shared",
	[CVM_N_BAD_PRIVATE_PENDING] = "private_access_to_pending",
	[CVM_N_BAD_SHARED_PRIVATE] = "shared_access_to_private",
	[CVM_N_BAD_SHARED_PENDING] = "shared_access_to_pending",
	[CVM_N_BAD_HOLE] = "access_to_nothing",
	[CVM_N_BAD_CALL] = "call_on_wrong_state",
	[CVM_N_FORCED] = "forced_by_host",
	[CVM_N_VIOLATIONS] = "violations",
	[CVM_N_VE] = "ve_injected",
	[CVM_N_VC] = "vc_injected",
	[CVM_N_SHOOTDOWNS] = "host_shootdowns",
	[CVM_N_DMA_BLOCKED] = "dma_blocked",
	[CVM_N_KERNELS] = "kernels_by_kexec",
	[CVM_N_LEFT_SHARED] = "left_shared",
	[CVM_N_LEFT_PENDING] = "left_pending",
};

void count(enum cvm_counter which, u64 n)
{
	__atomic_fetch_add(&counters[which], n, __ATOMIC_RELAXED);
}

void count_most(enum cvm_counter which, u64 n)
{
	if (n > counters[which])
		counters[which] = n;
}

void count_set(enum cvm_counter which, u64 n)
{
	counters[which] = n;
}

u64 counter(enum cvm_counter which)
{
	return which < CVM_N_COUNTERS ? counters[which] : 0;
}

void stats_print(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		say("@stat %s %lu\n", names[i], counters[i]);
}
