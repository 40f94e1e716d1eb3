/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_PCI_H
#define CVM_PCI_H

#include "types.h"

#define PCI_ADDRESS	0xcf8		/* PCI 3.0, 3.2.2.3.2 */
#define PCI_DATA	0xcfc
#define PCI_BAR(n)	(0x10u + 4 * (n))	/* 6.2.5.1 */
#define PCI_BAR_FLAGS	0xfu

/* @at: a device of bus 0, as PCI_ADDRESS has it, and a register. */
u32 pci_read(u32 at);
void pci_write(u32 at, u32 value);
/* The device with these IDs, or 0. */
u32 pci_find(u32 ids);
/* Put memory BARs that are above 4 GiB below, but for those of @not. */
void pci_move_below(u32 not);

#endif
