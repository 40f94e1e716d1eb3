// SPDX-License-Identifier: GPL-2.0
/*
 * Start of Linux: the 64-bit boot protocol (Documentation/arch/x86/boot.rst,
 * "64-bit Boot Protocol"). Offsets are those of struct boot_params.
 */
#include "boot/boot.h"
#include "config.h"
#include "layout.h"
#include "lib.h"
#include "platform.h"
#include "svm.h"
#include "vcpu.h"
#include "abi/blob.h"

#define BP_ACPI_RSDP	0x070
#define BP_E820_COUNT	0x1e8
#define BP_SETUP_HEADER	0x1f1
#define BP_LOADER	0x210
#define BP_LOAD_FLAGS	0x211
#define BP_INITRD	0x218
#define BP_INITRD_SIZE	0x21c
#define BP_CMDLINE	0x228
#define BP_PREFERRED	0x258
#define BP_E820		0x2d0

#define E820_RAM	1u
#define E820_RESERVED	2u
#define E820_ACPI	3u
#define E820_NVS	4u

static void set32(u8 *at, u32 v)
{
	memcpy(at, &v, 4);
}

static void set64(u8 *at, u64 v)
{
	memcpy(at, &v, 8);
}

static void e820(u8 *bp, u64 from, u64 to, u32 type)
{
	u8 *e = bp + BP_E820 + 20 * bp[BP_E820_COUNT]++;

	set64(e, from);
	set64(e + 8, to - from);
	set32(e + 16, type);
}

static void memory_map(u8 *bp)
{
	e820(bp, 0, LOW_END, E820_RAM);
	e820(bp, LOW_END, FIRMWARE_BASE, E820_RESERVED);
	e820(bp, FW_ACPI, FW_MAILBOX, E820_ACPI);
	e820(bp, FW_MAILBOX, FW_PV_GHCB, E820_NVS);
	e820(bp, FW_PV_GHCB, FIRMWARE_END, E820_RESERVED);
	e820(bp, CVM_RAM_BASE, low_ram_end, E820_RAM);
	e820(bp, 0xb0000000, 0xc0000000, E820_RESERVED);	/* ECAM */
	e820(bp, 0xfec00000, HIGH_BASE, E820_RESERVED);
	if (ram_end > HIGH_BASE)
		e820(bp, HIGH_BASE, ram_end, E820_RAM);
}

void boot_linux(struct blob *b)
{
	struct vcpu *c = &vcpus[0];
	const u8 *image = (u8 *)b + b->kernel;
	u8 *bp = memset((void *)BOOT_PARAMS, 0, PAGE_SIZE);
	u64 setup = (image[BP_SETUP_HEADER] + 1u) * 512u, load;

	memcpy(bp + BP_SETUP_HEADER, image + BP_SETUP_HEADER,
	       0x202u + image[0x201] - BP_SETUP_HEADER);
	memcpy(&load, image + BP_PREFERRED, 8);
	memcpy((void *)load, image + setup, b->kernel_size - setup);
	memcpy((void *)BOOT_CMDLINE, b->cmdline, sizeof(b->cmdline) - 1);
	bp[BP_LOADER] = 0xff;
	bp[BP_LOAD_FLAGS] |= 1;
	set32(bp + BP_CMDLINE, BOOT_CMDLINE);
	if (b->initrd_size) {
		set32(bp + BP_INITRD, (u32)((u64)b + b->initrd));
		set32(bp + BP_INITRD_SIZE, (u32)b->initrd_size);
	}
	set64(bp + BP_ACPI_RSDP, FW_ACPI);
	memory_map(bp);
	if (platform->boot_linux)
		platform->boot_linux(bp, b);
	if (config.lazy || platform->cc_blob)
		efi_build(bp, (u64)b);
	memset(b->vmpck, 0, sizeof(b->vmpck));	/* the guest has them */
	build_boot_tables(BOOT_PT);
	build_boot_tables(FW_AP_PT);
	enter_long_mode(c, BOOT_PT, BOOT_GDT, load + 0x200,
			BOOT_STACK + PAGE_SIZE);
	c->r.rsi = BOOT_PARAMS;
}
