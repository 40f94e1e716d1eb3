// SPDX-License-Identifier: GPL-2.0
/*
 * Devices where the guest can reach them. SeaBIOS puts 64-bit BARs near the
 * end of the address space when there is RAM above 4 GiB, or a BAR that is too
 * large to be below. There the machine maps nothing, and to the guest a bit of
 * the address may be the C-bit.
 */
#include "io.h"
#include "pci.h"

#define ENABLE		(1u << 31)
#define SLOTS		32u
#define BAR_IS_64	4u
#define BELOW		0xe0000000u	/* QEMU gives the hole to its PCI bus */

u32 pci_read(u32 at)
{
	outl(PCI_ADDRESS, at);
	return inl(PCI_DATA);
}

void pci_write(u32 at, u32 value)
{
	outl(PCI_ADDRESS, at);
	outl(PCI_DATA, value);
}

u32 pci_find(u32 ids)
{
	for (u32 slot = 0; slot < SLOTS; slot++)
		if (pci_read(ENABLE | slot << 11) == ids)
			return ENABLE | slot << 11;
	return 0;
}

static u32 move_bar(u32 bar, u32 to)
{
	u32 low = pci_read(bar), size;

	if ((low & 7) != BAR_IS_64 || !pci_read(bar + 4))
		return to;
	pci_write(bar, ~0u);
	size = -(pci_read(bar) & ~PCI_BAR_FLAGS);
	to = (to + size - 1) & -size;
	pci_write(bar, to | (low & PCI_BAR_FLAGS));
	pci_write(bar + 4, 0);
	return to + size;
}

void pci_move_below(u32 not)
{
	u32 to = BELOW;

	for (u32 slot = 0; slot < SLOTS; slot++) {
		u32 at = ENABLE | slot << 11;

		if (at == not || pci_read(at) == ~0u)
			continue;
		for (u32 i = 0; i < 5; i++)
			to = move_bar(at + PCI_BAR(i), to);
	}
}
