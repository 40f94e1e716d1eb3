// SPDX-License-Identifier: GPL-2.0
/* Start of an ELF guest: guest-abi.h has the contract. */
#include "boot/boot.h"
#include "clock.h"
#include "config.h"
#include "layout.h"
#include "lib.h"
#include "platform.h"
#include "power.h"
#include "svm.h"
#include "vcpu.h"
#include "abi/blob.h"

void boot_elf(struct blob *b)
{
	struct vcpu *c = &vcpus[0];
	struct cvm_boot *boot = (void *)BOOT_PARAMS;

	if (b->load < CVM_RAM_BASE || b->load + b->memory_size > (u64)b)
		machine_cannot("the guest (%lx to %lx) does not fit into %lu "
			       "MiB", b->load, b->load + b->memory_size,
			       low_ram_end >> 20);
	memcpy((void *)b->load, (u8 *)b + b->kernel, b->kernel_size);
	memset((void *)(b->load + b->kernel_size), 0,
	       b->memory_size - b->kernel_size);
	memcpy((void *)BOOT_CMDLINE, b->cmdline, sizeof(b->cmdline));
	memset(boot, 0, PAGE_SIZE);
	*boot = (struct cvm_boot){
		.magic = CVM_MAGIC,
		.version = CVM_ABI_VERSION,
		.platform = config.platform,
		.cpus = config.cpus,
		.deterministic = config.deterministic,
		.ram_end = low_ram_end,
		.tsc_khz = tsc_khz,
		.cmdline = BOOT_CMDLINE,
		.image_end = (b->load + b->memory_size + PAGE_SIZE - 1) &
			     PAGE_MASK,
		.seed = config.seed,
	};
	if (platform->confidential) {
		boot->shared_mask = platform->bit_is_private ? 0 : GUEST_BIT;
		boot->private_mask = platform->bit_is_private ? GUEST_BIT : 0;
	}
	build_boot_tables(BOOT_PT);
	enter_long_mode(c, BOOT_PT, BOOT_GDT, b->entry,
			BOOT_STACK + PAGE_SIZE);
	c->r.rdi = BOOT_PARAMS;
	memset(b, 0, PAGE_SIZE);
}
