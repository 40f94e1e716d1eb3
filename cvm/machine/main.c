// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's start: read the configuration, find memory, build the nested
 * page tables, let a platform and a boot protocol prepare CPU 0, run it.
 *
 * QEMU's first CPU runs no guest. When any CPU executes FXRSTOR, XRSTOR or
 * FLDENV, cpu_set_fpus() of QEMU (10.0.2, target/i386/tcg/fpu_helper.c) clears
 * a bit in the first CPU's hflags2, and not atomically: it can undo what VMRUN
 * or an exit writes there just then, and so switch nested paging off in the
 * guest or on in the machine. So CPU n of the guest has APIC ID n + 1, and
 * firmware.c takes APIC ID 0 out of the tables.
 */
#include "io.h"
#include "apic.h"
#include "boot/boot.h"
#include "clock.h"
#include "config.h"
#include "exits.h"
#include "gdb.h"
#include "host.h"
#include "layout.h"
#include "lib.h"
#include "npt.h"
#include "pci.h"
#include "platform.h"
#include "pool.h"
#include "power.h"
#include "smp.h"
#include "svm.h"
#include "trap.h"
#include "vcpu.h"
#include "vtd.h"
#include "world.h"
#include "abi/blob.h"

/* hvm_start_info, Xen's public/arch-x86/hvm/start_info.h, version 1 */
struct start_info {
	u32 magic, version, flags, modules;
	u64 module_list, cmdline, rsdp, memory_map;
	u32 memory_entries, reserved;
};

struct memory_entry {
	u64 address, size;
	u32 type, reserved;
};

struct module {
	u64 address, size, cmdline, reserved;
};

static u64 number(const char *words, const char *name, u64 otherwise)
{
	const char *v;

	return word_value(words, name, &v) ? parse_u64(v, NULL) : otherwise;
}

static void read_config(const char *words)
{
	static const struct platform *const platforms[] = {
#define P(name, id, number, engine, words) [number] = &name##_platform,
		PLATFORMS_MACHINE(P)
#undef P
	};

	config.platform = (enum cvm_platform)number(words, "platform", 0);
	config.cpus = (unsigned int)number(words, "cpus", 1);
	config.host = (enum cvm_host)number(words, "host", 0);
	config.host_arg = number(words, "host_arg", 0);
	config.seed = number(words, "seed", 1);
	config.deterministic = number(words, "deterministic", 0);
	config.icount_shift = (unsigned int)number(words, "shift", 0);
	config.schedule = number(words, "schedule", 0);
	config.lazy = number(words, "lazy", 0);
	config.iommu = number(words, "iommu", 0);
	config.gdb = number(words, "gdb", 0);
	config.attest = number(words, "attest", 0);
	config.pool = number(words, "pool", 0) << 20;
	config.isolation = (unsigned int)number(words, "isolation", 2);
	if (config.platform >= ARRAY_SIZE(platforms) || !config.cpus ||
	    config.cpus > MAX_CPUS)
		machine_cannot("bad configuration '%s'", words);
	platform = platforms[config.platform];
	host_set(config.host, config.host_arg);
}

/* Where the RAM ends that holds @at, and 0 where there is none. */
static u64 find_end(const struct start_info *si, u64 at)
{
	const struct memory_entry *e = (void *)si->memory_map;

	for (u32 i = 0; i < si->memory_entries; i++)
		if (e[i].type == 1 && e[i].address <= at &&
		    e[i].address + e[i].size > at)
			return e[i].address + e[i].size;
	return 0;
}

/*
 * RAM from 1 MiB to 2 GiB, and with --memory above 2048 from 4 GiB on, with
 * more at its end than the guest was promised: the machine's pool. QEMU keeps
 * its ACPI tables at the end of the last low 2 MiB, and they are copied
 * (firmware.c), so that the guest gets it whole.
 */
static void find_ram(const struct start_info *si)
{
	u64 low = find_end(si, MACHINE_BASE), high = find_end(si, HIGH_BASE);

	low_ram_end = (low + LARGE_SIZE - 1) & LARGE_MASK;
	if (low_ram_end > MAX_LOW_RAM)
		low_ram_end = MAX_LOW_RAM;
	ram_end = low_ram_end;
	if (high < HIGH_BASE + config.pool + LARGE_SIZE)
		return;
	ram_end = (high - config.pool) & LARGE_MASK;
	pool_more(ram_end, high);
}

static void check_cpu(void)
{
	u32 r[4];

	cpuid(0x8000000a, 0, r);
	if (!(r[3] & 1))
		machine_cannot("this QEMU's CPU has no nested paging");
	cpuid(0x80000008, 0, r);
	if ((r[0] & 0xff) != GUEST_BIT_NR + 1)
		machine_cannot("this QEMU's CPU has %u physical address bits, "
			       "%u are needed", r[0] & 0xff, GUEST_BIT_NR + 1);
	cpuid(1, 0, r);
	if (!(r[2] & 1u << 21))
		machine_cannot("this QEMU's CPU has no x2APIC");
}

__attribute__((noreturn)) static void ap_main(u64 id)
{
	machine_cpu_up();
	vcpu_run(&vcpus[id]);
}

static void start_aps(void)
{
	for (u32 i = 1; i < config.cpus; i++)
		machine_cpu_start(CVM_APIC_ID(i), ap_main, i, 4);
	memset((void *)TRAMPOLINE, 0, PAGE_SIZE);
}

/* On the guest's CPU 0. */
__attribute__((noreturn)) static void boot(u64 start_info)
{
	const struct start_info *si = (void *)start_info;
	const struct module *m = (void *)si->module_list;
	struct blob *b;

	machine_cpu_up();
	find_ram(si);
	if (!si->modules || memcmp((void *)m->address, BLOB_MAGIC, 8))
		machine_cannot("no guest was handed over");
	b = (void *)m->address;
	elf_guest = b->kind == BLOB_ELF;

	npt_init();
	intercepts_init();
	if (platform->setup)
		platform->setup();
	for (unsigned int i = 0; i < config.cpus; i++)
		vcpu_init(&vcpus[i]);
	acpi_build(si->rsdp);
	start_aps();
	outb(0x21, 0xff);		/* mask the PICs, as firmware does */
	outb(0xa1, 0xff);
	if (elf_guest)
		boot_elf(b);
	else
		boot_linux(b);
	if (config.iommu)
		vtd_setup();
	pci_move_below(config.gdb ? gdb_setup() : 0);
	say("@running\n");
	vcpus[0].go = 1;
	vcpu_run(&vcpus[0]);
}

void machine_main(const struct start_info *si);
void machine_main(const struct start_info *si)
{
	trap_init();
	check_cpu();
	read_config((const char *)si->cmdline);
	pool_init();
	machine_cpu_up();
	calibrate_tsc();
	read_wall_clock();
	machine_cpu_start(CVM_APIC_ID(0), boot, (u64)si, 16);
	halt_forever();
}
