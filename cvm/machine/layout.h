/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_LAYOUT_H
#define CVM_LAYOUT_H

#include "types.h"

/*
 * Physical memory (--memory M):
 *   0         .. 0xa0000     guest (from 0x9f000 on: BIOS data); boot data
 *   0xa0000   .. 0x100000    legacy ROM and VGA, in both views
 *   0x100000  .. 0xf00000    the machine itself
 *   0xf00000  .. 0x1000000   firmware tables, guest-private
 *   0x1000000 .. low_ram_end guest
 *   4 GiB     .. ram_end     guest, with more than 2 GiB; behind it the
 *                            machine again (pool.c)
 */
#define LOW_END		0x9f000UL
#define LEGACY_BASE	0xa0000UL
#define LEGACY_END	0x100000UL
#define MACHINE_BASE	0x100000UL
#define MACHINE_END	0xf00000UL
#define FIRMWARE_BASE	0xf00000UL
#define FIRMWARE_END	0x1000000UL
/*
 * The local APICs are in x2APIC mode and the machine's: where their registers
 * would be is nothing.
 */
#define APIC_PAGE	0xfee00000UL
#define MAX_LOW_RAM	0x80000000UL
#define HIGH_BASE	0x100000000UL

/* Within low memory, what the machine leaves there for the guest's start. */
#define BOOT_PT		0x70000UL	/* six pages of page tables */
#define BOOT_STACK	0x77000UL	/* one page, grows down from 0x78000 */
#define BOOT_PARAMS	0x80000UL	/* Linux zero page or struct cvm_boot */
#define BOOT_CMDLINE	0x81000UL
#define BOOT_GDT	0x82000UL
#define TRAMPOLINE	0x8000UL	/* for the machine's own APs */

/* Within the firmware area. */
#define FW_ACPI		0xf00000UL
#define FW_EFI		0xf60000UL
#define FW_MAILBOX	0xf80000UL	/* ACPI wakeup mailbox (TDX) */
#define FW_AP_PT	0xf81000UL	/* page tables APs wake up with */
#define FW_AP_GDT	0xf88000UL
#define FW_AP_RESET	0xf89000UL	/* where a CPU gives itself back */
#define FW_SNP		0xf90000UL	/* CC blob, secrets, CPUID page */
#define FW_PV_GHCB	0xff0000UL	/* paravisor's GHCB pages, shared */

#endif
