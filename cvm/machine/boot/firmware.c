// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI: a private copy of QEMU's tables with what the platform needs added.
 */
#include "boot/boot.h"
#include "config.h"
#include "layout.h"
#include "lib.h"
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

/*
 * The launcher's port is none of the guest's serial ports: of QEMU's device
 * COM2 the name _STA, which is 0xf, becomes 0.
 */
static void hide_attest_port(u64 dsdt)
{
	static const u8 status[] = { '_', 'S', 'T', 'A', 0x0a, 0x0f };
	u32 n = get32(dsdt + 4);
	bool in = false;

	for (u32 at = ACPI_HEADER; at + 64 <= n; at++) {
		in = in || !memcmp((void *)(dsdt + at), "COM2", 4);
		if (!in || memcmp((void *)(dsdt + at), status, sizeof(status)))
			continue;
		*(u8 *)(dsdt + at + 5) = 0;
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
	if (config.attest)
		hide_attest_port(dsdt);
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
 * MADT, multiprocessor wakeup (ACPI 6.5, 5.2.12.19): type 16, 24 bytes, version
 * 1, which has a vector where the guest gives a CPU back. TDX guests have no
 * INIT/SIPI.
 */
static void add_mailbox(u64 madt)
{
	u32 n = get32(madt + 4);

	memset((void *)(madt + n), 0, 24);
	*(u8 *)(madt + n) = 16;
	*(u8 *)(madt + n + 1) = 24;
	*(u8 *)(madt + n + 2) = 1;
	put64(madt + n + 8, FW_MAILBOX);
	put64(madt + n + 16, FW_AP_RESET);
	put32(madt + 4, n + 24);
	next = (madt + n + 24 + 63) & ~63UL;
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
