// SPDX-License-Identifier: GPL-2.0
/* The start of CPU 0, and the engine's. */
#include "kernel.h"

#define CPUID_SEV	0x8000001f

struct cvm_boot boot;
struct airlock *engine;

static char command_line[2048];

void guest_main(const struct cvm_boot *b);

static void read_boot(const struct cvm_boot *b)
{
	const char *s = (const char *)b->cmdline;

	boot = *b;
	for (size_t i = 0; i < sizeof(command_line) - 1 && s[i]; i++)
		command_line[i] = s[i];
	options_init(command_line);
}

/* CPUID 8000001F: EAX[10] coherent caches, EBX[31] no evict reads. */
static u32 features(void)
{
	u32 r[4], f = 0;

	if (boot.platform == CVM_TDX && option("release"))
		f |= AIRLOCK_F_TDX_RELEASE;
	if (option("no-rejoin"))
		f |= AIRLOCK_F_NO_REJOIN;
	if (boot.platform != CVM_SNP || !platform_cpuid(CPUID_SEV, 0, r))
		return f;
	if (r[0] >> 10 & 1)
		f |= AIRLOCK_F_COHERENT;
	if (r[1] >> 31)
		f |= AIRLOCK_F_NO_EVICT;
	return f;
}

static void engine_init(void)
{
	u64 cr3, bit = boot.shared_mask | boot.private_mask;
	struct airlock_config cfg = {
		.platform = engine_platform(),
		.features = features(),
		.enc_bit = bit ? (unsigned int)__builtin_ctzl(bit) : 0,
		.levels = 4,
		.table_attr = PTE_P | PTE_W | PTE_A | boot.private_mask,
		.memory = ram_end,
		.cpus = boot.cpus,
		.window = WINDOW,
		.direct_map = DIRECT,
		.notify = closed,
	};
	size_t size = airlock_size(&cfg);
	int status;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	cfg.root = cr3 & PTE_ADDR & ~bit;
	status = airlock_init(&engine,
			      direct(pool_pages((size + PAGE - 1) / PAGE)),
			      size, &cfg);
	if (status)
		panic("airlock_init: %s", airlock_strerror(status));
}

void guest_main(const struct cvm_boot *b)
{
	read_boot(b);
	trap_init();
	mm_init();
	port_init();
	smp_init();
	platform_init();
	irq_on();
	engine_init();
	orders_init();
	arena_init();
	smp_start();
	work();
}
