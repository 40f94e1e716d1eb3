// SPDX-License-Identifier: GPL-2.0
/*
 * As much EFI as Linux reads: a system table, a memory map, configuration
 * tables, and runtime services that there are none of. It is where firmware
 * tells of unaccepted memory and, on SNP, of the CC blob; and the services
 * have to be there for a kernel that starts another one by kexec to hand these
 * tables on.
 */
#include "boot/boot.h"
#include "config.h"
#include "layout.h"
#include "lib.h"
#include "npt.h"
#include "platform.h"
#include "power.h"

/* EFI memory types */
#define EFI_RUNTIME_CODE	5u
#define EFI_RUNTIME_DATA	6u
#define EFI_CONVENTIONAL	7u
#define EFI_ACPI_RECLAIM	9u
#define EFI_ACPI_NVS		10u
#define EFI_UNACCEPTED		15u

#define EFI_MEMORY_RUNTIME	(1UL << 63)

#define EFI_VENDOR	(FW_EFI + 0x100)
#define EFI_SERVICES	(FW_EFI + 0x180)
#define EFI_PROPERTIES	(FW_EFI + 0x240)
#define EFI_TABLES	(FW_EFI + 0x280)
#define EFI_MAP		(FW_EFI + 0x400)
#define EFI_BITMAP	(FW_EFI + 0x1000)	/* LINUX_EFI_UNACCEPTED_MEM */
#define EFI_DATA_END	(FW_EFI + 0x3000)
#define EFI_CODE	EFI_DATA_END
#define EFI_CODE_END	(EFI_CODE + PAGE_SIZE)

#define SERVICES	14u
#define SET_VIRTUAL_ADDRESS_MAP	4u		/* of them */

static u32 map_entries, tables;

static void range_with(u32 type, u64 from, u64 to, u64 attributes)
{
	u64 d = EFI_MAP + 48 * map_entries++;

	put32(d, type);
	put64(d + 8, from);
	put64(d + 24, (to - from) / PAGE_SIZE);
	put64(d + 32, 0xf | attributes);
}

static void range(u32 type, u64 from, u64 to)
{
	range_with(type, from, to, 0);
}

static void add_table(const u8 guid[16], u64 at)
{
	u64 t = EFI_TABLES + 24 * tables++;

	memcpy((void *)t, guid, 16);
	put64(t + 16, at);
}

static void unaccept(u64 from, u64 to)
{
	range(EFI_UNACCEPTED, from, to);
	for (u64 at = from; at < to; at += LARGE_SIZE) {
		u64 bit = at / LARGE_SIZE;

		*(u8 *)(EFI_BITMAP + 24 + bit / 8) |= (u8)(1u << bit % 8);
		region_set(at, CVM_STATE_PENDING);
	}
}

/*
 * All but the kernel's own first 96 MiB and what the launcher loaded at the
 * top. struct efi_unaccepted_memory, include/linux/efi.h: a bit for each 2M.
 */
static void unaccepted_memory(u64 keep_from)
{
	static const u8 guid[16] = {
		0x3c, 0xde, 0xd1, 0xd5, 0x5c, 0x10, 0xf9, 0x44,
		0x9e, 0xa9, 0xbc, 0xef, 0x98, 0x12, 0x00, 0x31,
	};
	u64 from = 0x6000000, to = keep_from & LARGE_MASK;

	if (to <= from)
		machine_cannot("too little memory to leave some unaccepted");
	add_table(guid, EFI_BITMAP);
	put32(EFI_BITMAP, 1);
	put32(EFI_BITMAP + 4, LARGE_SIZE);
	put64(EFI_BITMAP + 8, 0);
	put64(EFI_BITMAP + 16, ram_end / LARGE_SIZE / 8 + 8);
	range(EFI_CONVENTIONAL, CVM_RAM_BASE, from);
	unaccept(from, to);
	range(EFI_CONVENTIONAL, to, low_ram_end);
	if (ram_end > HIGH_BASE)
		unaccept(HIGH_BASE, ram_end);
}

static void memory_map(u64 keep_from)
{
	range(EFI_CONVENTIONAL, PAGE_SIZE, LOW_END);
	range(EFI_ACPI_RECLAIM, FW_ACPI, FW_EFI);
	range_with(EFI_RUNTIME_DATA, FW_EFI, EFI_DATA_END, EFI_MEMORY_RUNTIME);
	range_with(EFI_RUNTIME_CODE, EFI_CODE, EFI_CODE_END,
		   EFI_MEMORY_RUNTIME);
	range(EFI_ACPI_RECLAIM, EFI_CODE_END, FW_MAILBOX);
	range(EFI_ACPI_NVS, FW_MAILBOX, FW_PV_GHCB);
	if (config.lazy) {
		unaccepted_memory(keep_from);
		return;
	}
	range(EFI_CONVENTIONAL, CVM_RAM_BASE, low_ram_end);
	if (ram_end > HIGH_BASE)
		range(EFI_CONVENTIONAL, HIGH_BASE, ram_end);
}

/*
 * All services answer EFI_UNSUPPORTED, but for SetVirtualAddressMap(), which
 * has nothing to do: the code knows no address. The table of their properties
 * (UEFI 2.10, 4.6) says that it is the only one.
 */
static void runtime_services(void)
{
	static const u8 guid[16] = {
		0x8a, 0x91, 0x66, 0xeb, 0xef, 0x7e, 0x2a, 0x40,
		0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9,
	}, unsupported[] = {			/* mov rax, 1 << 63 | 3; ret */
		0x48, 0xb8, 3, 0, 0, 0, 0, 0, 0, 0x80, 0xc3,
	}, success[] = { 0x31, 0xc0, 0xc3 };	/* xor eax, eax; ret */

	memcpy((void *)EFI_CODE, unsupported, sizeof(unsupported));
	memcpy((void *)(EFI_CODE + 16), success, sizeof(success));
	memcpy((void *)EFI_SERVICES, "RUNTSERV", 8);
	put32(EFI_SERVICES + 8, 2 << 16 | 70);
	put32(EFI_SERVICES + 12, 24 + 8 * SERVICES);
	for (u64 i = 0; i < SERVICES; i++)
		put64(EFI_SERVICES + 24 + 8 * i,
		      EFI_CODE + (i == SET_VIRTUAL_ADDRESS_MAP ? 16 : 0));
	put32(EFI_PROPERTIES, 8 << 16 | 1);
	put32(EFI_PROPERTIES + 4, 1u << 8);
	add_table(guid, EFI_PROPERTIES);
}

static void system_table(void)
{
	memcpy((void *)FW_EFI, "IBI SYST", 8);
	put32(FW_EFI + 8, 2 << 16 | 70);
	put32(FW_EFI + 12, 120);
	put64(FW_EFI + 24, EFI_VENDOR);
	memcpy((void *)EFI_VENDOR, "A\0L\0", 4);
	put64(FW_EFI + 88, EFI_SERVICES);
	put64(FW_EFI + 104, tables);
	put64(FW_EFI + 112, EFI_TABLES);
}

/* Where QEMU's own firmware put it: DMI is not searched for under EFI. */
static u64 smbios(void)
{
	for (u64 at = 0xf0000; at < LEGACY_END; at += 16)
		if (!memcmp((void *)at, "_SM_", 4))
			return at;
	return 0;
}

void efi_build(u8 *zero_page, u64 keep_from)
{
	static const u8 acpi_guid[16] = {
		0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
		0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81,
	}, smbios_guid[16] = {
		0x31, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11,
		0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d,
	}, cc_blob_guid[16] = {
		0x5f, 0x1f, 0x7b, 0x06, 0x26, 0xcf, 0xc5, 0x44,
		0x85, 0x54, 0x93, 0xd7, 0x77, 0x91, 0x2d, 0x42,
	};
	u64 at;

	memset((void *)FW_EFI, 0, EFI_CODE_END - FW_EFI);
	add_table(acpi_guid, FW_ACPI);
	at = smbios();
	if (at)
		add_table(smbios_guid, at);
	if (platform->cc_blob)
		add_table(cc_blob_guid, platform->cc_blob);
	runtime_services();
	memory_map(keep_from);
	system_table();
	/* boot_params.efi_info */
	memcpy(zero_page + 0x1c0, "EL64", 4);
	put32((u64)zero_page + 0x1c4, (u32)FW_EFI);
	put32((u64)zero_page + 0x1c8, 48);
	put32((u64)zero_page + 0x1cc, 1);
	put32((u64)zero_page + 0x1d0, (u32)EFI_MAP);
	put32((u64)zero_page + 0x1d4, 48 * map_entries);
}
