/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_BOOT_BOOT_H
#define CVM_BOOT_BOOT_H

#include "types.h"

struct blob;

void boot_linux(struct blob *b);
void boot_elf(struct blob *b);
void acpi_build(u64 rsdp);
void efi_build(u8 *zero_page, u64 keep_from);

#endif
