// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, with QEMU's VT-d (-device intel-iommu): DMA reaches shared pages
 * only. Bits 0 and 1 of a VT-d second-level entry are read and write, those
 * of a nested entry present and write, and both have the leaf bit at 7, so
 * the shared view's tables serve as they are. Registers: VT-d specification,
 * chapter 11.
 */
#include "io.h"
#include "lib.h"
#include "npt.h"
#include "pool.h"
#include "power.h"
#include "stats.h"
#include "vtd.h"

#define VTD_BASE	0xfed90000UL

static bool on;

static volatile u32 *reg32(u32 at)
{
	return (volatile u32 *)(VTD_BASE + at);
}

static volatile u64 *reg64(u32 at)
{
	return (volatile u64 *)(VTD_BASE + at);
}

#define GCMD		0x18u
#define GSTS		0x1cu
#define RTADDR		0x20u
#define CCMD		0x28u
#define FSTS		0x34u
#define CAP		0x08u
#define ECAP		0x10u

static u32 iotlb_register(void)
{
	return (u32)(*reg64(ECAP) >> 8 & 0x3ff) * 16 + 8;
}

/*
 * DMA that the tables did not allow. There is one record: what is blocked
 * while it is full is not counted.
 */
void vtd_report(void)
{
	u32 at;

	if (!on || !(*reg32(FSTS) & 2))
		return;
	at = (u32)(*reg64(CAP) >> 24 & 0x3ff) * 16;
	count(CVM_N_VIOLATIONS, 1);
	count(CVM_N_DMA_BLOCKED, 1);
	say("@violation -1 0 0 %lx 0 DMA to gpa %lx, which is not shared "
	    "(source and reason %lx)\n", *reg64(at), *reg64(at),
	    *reg64(at + 8));
	*reg64(at + 8) = 1UL << 63;
	*reg32(FSTS) = 1;
}

void vtd_invalidate(void)
{
	if (!on)
		return;
	vtd_report();
	*reg64(iotlb_register()) = 1UL << 63 | 1UL << 60;	/* global */
	while (*reg64(iotlb_register()) >> 63)
		;
}

static void command(u32 bit)
{
	*reg32(GCMD) = bit;
	while (!(*reg32(GSTS) & bit))
		;
}

#define PCI_FUNCTIONS	256		/* on bus 0; QEMU has no other here */
#define PCI_MASTER	4u		/* of the command register */

static void select_register(u32 function, u32 at)
{
	outl(0xcf8, 1u << 31 | function << 8 | at);
}

/*
 * SeaBIOS leaves the disk that it looked at running, with a ring in what is the
 * guest's memory now. Where the host is slow QEMU may look at that ring once
 * more, and that would be DMA that no guest asked for. So no device is a bus
 * master until the guest says so, as after ExitBootServices().
 */
static void stop_devices(void)
{
	for (u32 f = 0; f < PCI_FUNCTIONS; f++) {
		select_register(f, 0);
		if (!~inl(0xcfc))
			continue;
		select_register(f, 4);
		outw(0xcfc, (u16)(inw(0xcfc) & ~PCI_MASTER));
	}
}

void vtd_setup(void)
{
	u64 *roots, *contexts, *top;

	if (!~*reg32(0) || !*reg32(0))
		machine_cannot("there is no VT-d (-device intel-iommu)");
	stop_devices();
	roots = pool_pages(1);
	contexts = pool_pages(1);
	top = pool_pages(1);
	top[0] = npt_device_table() | 3;
	roots[0] = (u64)contexts | 1;
	for (unsigned int i = 0; i < 256; i++) {
		contexts[2 * i] = (u64)top | 1;
		contexts[2 * i + 1] = 2 | 1 << 8;	/* 4 levels, domain 1 */
	}
	*reg64(RTADDR) = (u64)roots;
	command(1u << 30);
	*reg64(CCMD) = 1UL << 63 | 1UL << 61;
	while (*reg64(CCMD) >> 63)
		;
	on = true;
	vtd_invalidate();
	command(1u << 31);
}
