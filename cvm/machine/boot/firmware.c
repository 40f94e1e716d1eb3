// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware tables: a private copy of QEMU's ACPI tables with what the
 * platform needs added, and as much EFI as Linux reads to find unaccepted
 * memory.
 */
#include "boot/boot.h"
#include "config.h"
#include "layout.h"
#include "lib.h"
#include "npt.h"
#include "platform.h"
#include "power.h"

#define ACPI_HEADER	36u

static u64 next;			/* where the next table goes */

static u32 get32(u64 at)
{
	u32 v;

	memcpy(&v, (void *)at, 4);
	return v;
}

static void put32(u64 at, u32 v)
{
	memcpy((void *)at, &v, 4);
}

static void put64(u64 at, u64 v)
{
	memcpy((void *)at, &v, 8);
}

static u8 sum(u64 at, u32 n)
{
	u8 s = 0;

	while (n--)
		s = (u8)(s + *(u8 *)at++);
	return s;
}

static void fix_checksum(u64 table)
{
	u8 *at = (u8 *)table + 9;

	*at = 0;
	*at = (u8)-sum(table, get32(table + 4));
}

static bool signed_as(u64 table, const char *signature)
{
	return !memcmp((void *)table, signature, 4);
}

static u64 copy_table(u64 from)
{
	u64 at = next;
	u32 n = get32(from + 4);

	memcpy((void *)at, (void *)from, n);
	next = (at + n + 63) & ~63UL;
	return at;
}

/*
 * The machine's own CPU, APIC ID 0, is none of the guest's. In the MADT it is
 * the first entry of type 0 (ACPI 6.4, 5.2.12.2: type, length, UID, APIC ID);
 * in QEMU's DSDT the device C000, whose _STA returns CSTA (Zero), and for which
 * Zero is returned instead.
 */
static void hide_own_cpu(u64 madt)
{
	u32 n = get32(madt + 4), at = 44, size;
	u8 *t = (u8 *)madt;

	while (at + 8 <= n && t[at + 1] && (t[at] || t[at + 3]))
		at += t[at + 1];
	if (at + 8 > n || !t[at + 1])
		machine_cannot("the first CPU is not in the MADT");
	size = t[at + 1];
	for (; at + size < n; at++)
		t[at] = t[at + size];
	put32(madt + 4, n - size);
	fix_checksum(madt);
}

static void hide_own_device(u64 dsdt)
{
	static const u8 csta[6] = { 0xa4, 'C', 'S', 'T', 'A', 0 },
			none[6] = { 0xa4, 0, 0xa3, 0xa3, 0xa3, 0xa3 };
	u32 n = get32(dsdt + 4);

	for (u32 at = ACPI_HEADER; at + sizeof(csta) <= n; at++)
		if (!memcmp((void *)(dsdt + at), csta, sizeof(csta))) {
			memcpy((void *)(dsdt + at), none, sizeof(none));
			fix_checksum(dsdt);
			return;
		}
}

/* FADT: offsets of FIRMWARE_CTRL, DSDT and their 64-bit forms */
static void copy_fadt_targets(u64 fadt)
{
	u64 facs = get32(fadt + 36), dsdt = get32(fadt + 40);

	dsdt = copy_table(dsdt);
	hide_own_device(dsdt);
	put32(fadt + 40, (u32)dsdt);
	if (facs) {
		facs = copy_table(facs);
		put32(fadt + 36, (u32)facs);
	}
	if (get32(fadt + 4) >= 148) {
		put64(fadt + 132, 0);
		put64(fadt + 140, dsdt);
	}
	fix_checksum(fadt);
}

/*
 * MADT, multiprocessor wakeup (ACPI 6.4, 5.2.12.19): type 16, 16 bytes. TDX
 * guests have no INIT/SIPI.
 */
static void add_mailbox(u64 madt)
{
	u32 n = get32(madt + 4);

	memset((void *)(madt + n), 0, 16);
	*(u8 *)(madt + n) = 16;
	*(u8 *)(madt + n + 1) = 16;
	put64(madt + n + 8, FW_MAILBOX);
	put32(madt + 4, n + 16);
	next = (madt + n + 16 + 63) & ~63UL;
	fix_checksum(madt);
}

static u64 copy_and_adapt(u64 from)
{
	u64 at = copy_table(from);

	if (signed_as(at, "FACP"))
		copy_fadt_targets(at);
	if (signed_as(at, "APIC")) {
		hide_own_cpu(at);
		if (platform->mailbox)
			add_mailbox(at);
	}
	return at;
}

void acpi_build(u64 rsdp)
{
	u64 rsdt, xsdt = FW_ACPI + 0x100, n;
	u32 k = 0;

	if (!rsdp || memcmp((void *)rsdp, "RSD PTR ", 8))
		machine_cannot("no ACPI tables");
	rsdt = get32(rsdp + 16);
	n = (get32(rsdt + 4) - ACPI_HEADER) / 4;
	next = FW_ACPI + 0x1000;
	memcpy((void *)xsdt, (void *)rsdt, ACPI_HEADER);
	memcpy((void *)xsdt, "XSDT", 4);
	*(u8 *)(xsdt + 8) = 1;
	for (u64 i = 0; i < n; i++) {
		u64 table = get32(rsdt + ACPI_HEADER + 4 * i);

		/* VT-d is the machine's own: vtd.c */
		if (signed_as(table, "DMAR"))
			continue;
		put64(xsdt + ACPI_HEADER + 8 * k++, copy_and_adapt(table));
	}
	put32(xsdt + 4, ACPI_HEADER + 8 * k);
	fix_checksum(xsdt);

	memset((void *)FW_ACPI, 0, ACPI_HEADER);
	memcpy((void *)FW_ACPI, "RSD PTR ", 8);
	memcpy((void *)(FW_ACPI + 9), "AIRLCK", 6);
	*(u8 *)(FW_ACPI + 15) = 2;
	put32(FW_ACPI + 20, ACPI_HEADER);
	put64(FW_ACPI + 24, xsdt);
	*(u8 *)(FW_ACPI + 8) = (u8)-sum(FW_ACPI, 20);
	*(u8 *)(FW_ACPI + 32) = (u8)-sum(FW_ACPI, ACPI_HEADER);
}

/* EFI memory types */
#define EFI_LOADER_DATA		2u
#define EFI_CONVENTIONAL	7u
#define EFI_ACPI_RECLAIM	9u
#define EFI_ACPI_NVS		10u
#define EFI_UNACCEPTED		15u

#define EFI_MAP		(FW_EFI + 0x400)
#define EFI_TABLES	(FW_EFI + 0x200)
#define EFI_VENDOR	(FW_EFI + 0x180)
#define EFI_BITMAP	(FW_EFI + 0x1000)	/* LINUX_EFI_UNACCEPTED_MEM */

static u32 map_entries;

static void efi_range(u32 type, u64 from, u64 to)
{
	u64 d = EFI_MAP + 48 * map_entries++;

	put32(d, type);
	put64(d + 8, from);
	put64(d + 24, (to - from) / PAGE_SIZE);
	put64(d + 32, 0xf);
}

static void unaccept(u64 from, u64 to)
{
	efi_range(EFI_UNACCEPTED, from, to);
	for (u64 at = from; at < to; at += LARGE_SIZE) {
		u64 bit = at / LARGE_SIZE;

		*(u8 *)(EFI_BITMAP + 24 + bit / 8) |= (u8)(1u << bit % 8);
		region_set(at, CVM_STATE_PENDING);
	}
}

/*
 * A system table without services (boot with efi=noruntime), a memory map and
 * two configuration tables: ACPI 2.0 and Linux's unaccepted memory. All but
 * the kernel's own first 96 MiB and what the launcher loaded at the top is
 * unaccepted.
 */
void efi_build(u8 *zero_page, u64 keep_from)
{
	static const u8 acpi_guid[16] = {
		0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
		0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81,
	}, unaccepted_guid[16] = {
		0x3c, 0xde, 0xd1, 0xd5, 0x5c, 0x10, 0xf9, 0x44,
		0x9e, 0xa9, 0xbc, 0xef, 0x98, 0x12, 0x00, 0x31,
	};
	u64 from = 0x6000000, to = keep_from & LARGE_MASK;

	if (to <= from)
		machine_cannot("too little memory to leave some unaccepted");
	memset((void *)FW_EFI, 0, 0x3000);
	memcpy((void *)FW_EFI, "IBI SYST", 8);
	put32(FW_EFI + 8, 2 << 16 | 70);
	put32(FW_EFI + 12, 120);
	put64(FW_EFI + 24, EFI_VENDOR);
	memcpy((void *)EFI_VENDOR, "A\0L\0", 4);
	put64(FW_EFI + 104, 2);
	put64(FW_EFI + 112, EFI_TABLES);
	memcpy((void *)EFI_TABLES, acpi_guid, 16);
	put64(EFI_TABLES + 16, FW_ACPI);
	memcpy((void *)(EFI_TABLES + 24), unaccepted_guid, 16);
	put64(EFI_TABLES + 40, EFI_BITMAP);
	/* struct efi_unaccepted_memory, include/linux/efi.h: a bit for each 2M */
	put32(EFI_BITMAP, 1);
	put32(EFI_BITMAP + 4, LARGE_SIZE);
	put64(EFI_BITMAP + 8, 0);
	put64(EFI_BITMAP + 16, ram_end / LARGE_SIZE / 8 + 8);

	efi_range(EFI_CONVENTIONAL, PAGE_SIZE, LOW_END);
	efi_range(EFI_ACPI_RECLAIM, FW_ACPI, FW_MAILBOX);
	efi_range(EFI_ACPI_NVS, FW_MAILBOX, FW_PV_GHCB);
	efi_range(EFI_CONVENTIONAL, CVM_RAM_BASE, from);
	unaccept(from, to);
	efi_range(EFI_CONVENTIONAL, to, low_ram_end);
	if (ram_end > HIGH_BASE)
		unaccept(HIGH_BASE, ram_end);
	/* boot_params.efi_info */
	memcpy(zero_page + 0x1c0, "EL64", 4);
	put32((u64)zero_page + 0x1c4, (u32)FW_EFI);
	put32((u64)zero_page + 0x1c8, 48);
	put32((u64)zero_page + 0x1cc, 1);
	put32((u64)zero_page + 0x1d0, (u32)EFI_MAP);
	put32((u64)zero_page + 0x1d4, 48 * map_entries);
}
