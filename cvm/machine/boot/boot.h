/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_BOOT_BOOT_H
#define CVM_BOOT_BOOT_H

#include "lib.h"
#include "types.h"

struct blob;

/* Tables are packed: a field may lie anywhere. */
static inline void put32(u64 at, u32 v)
{
	memcpy((void *)at, &v, 4);
}

static inline void put64(u64 at, u64 v)
{
	memcpy((void *)at, &v, 8);
}

void boot_linux(struct blob *b);
void boot_elf(struct blob *b);
void acpi_build(u64 rsdp);
void efi_build(u8 *zero_page, u64 keep_from);

#endif
