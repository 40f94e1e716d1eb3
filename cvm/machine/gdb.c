// SPDX-License-Identifier: GPL-2.0
/*
 * For QEMU's gdb stub. It reads a virtual address by the guest's page tables
 * alone (QEMU 10.0.2, x86_cpu_get_phys_page_attrs_debug()), and knows neither
 * nested paging nor the C-bit: what is private on SNP is for it at bit 47. So
 * the launcher gives the machine a device, ivshmem, whose memory is the guest's
 * RAM once more. Here it is put at bit 47, and taken away from the guest.
 */
#include "gdb.h"
#include "io.h"
#include "pci.h"

#define IVSHMEM		0x11101af4u	/* QEMU's docs/specs/ivshmem-spec.rst */

static u32 device;			/* as PCI_ADDRESS has it, or 0 */

u32 gdb_setup(void)
{
	device = pci_find(IVSHMEM);
	if (!device)
		return 0;
	pci_write(device + PCI_BAR(2),
		  pci_read(device + PCI_BAR(2)) & PCI_BAR_FLAGS);
	pci_write(device + PCI_BAR(3), GUEST_BIT >> 32);
	return device;
}

bool gdb_hides(u16 port)
{
	return device && (port & ~3u) == PCI_DATA &&
	       (inl(PCI_ADDRESS) & ~0xffu) == device;
}
