// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A context from its config: what is wrong with the arguments, in words, and
 * airlock_init().
 */

#include "engine.h"

/* ---- sizes ---- */

static size_t ledger_words(const struct airlock_config *cfg)
{
	return (size_t)((cfg->memory >> AIRLOCK_PAGE_SHIFT) + 31) / 32;
}

/* Multiples of the alignment of the context; slots are 16 bytes. */
static size_t slots_size(const struct airlock_config *cfg)
{
	return cfg->cpus * sizeof(struct airlock_slot);
}

static const char *check_size(const struct airlock_config *cfg)
{
	if (!cfg->cpus || cfg->cpus > 1 << 20)
		return "cpus: not within 1..1048576";
	if (cfg->memory < AIRLOCK_PAGE_SIZE ||
	    cfg->memory > UINT64_C(1) << 52)
		return "memory: less than a page, or beyond 52 bits";
	return NULL;
}

size_t airlock_size(const struct airlock_config *cfg)
{
	if (!cfg || check_size(cfg))
		return 0;
	return sizeof(struct airlock) + slots_size(cfg) +
	       ledger_words(cfg) * sizeof(uint64_t);
}

/* ---- what is wrong ---- */

static const char *check_machine(const struct airlock_config *cfg)
{
	const uint32_t features = AIRLOCK_F_COHERENT | AIRLOCK_F_NO_EVICT |
		AIRLOCK_F_TDX_RELEASE | AIRLOCK_F_NO_REJOIN;

	if ((unsigned int)cfg->platform >= AIRLOCK_PLATFORMS)
		return "platform: there is none of that number";
	if (cfg->features & ~features)
		return "features: a bit that means nothing";
	if (cfg->memory % AIRLOCK_PAGE_SIZE)
		return "memory: not a multiple of 4K";
	if (cfg->levels != 4 && cfg->levels != 5)
		return "levels: neither 4 nor 5";
	return NULL;
}

/*
 * A table is private. A C-bit that is missing, or a shared bit that is there,
 * lets the host write it: on hardware the walk then ends in garbage.
 */
static const char *check_bits(const struct airlock_config *cfg)
{
	uint64_t enc = UINT64_C(1) << cfg->enc_bit, attr = cfg->table_attr;
	bool c_bit = airlock_platform_ops[cfg->platform]->c_bit;

	if (cfg->memory > enc)
		return "memory: reaches enc_bit";
	if (cfg->root & enc)
		return "root: has the C-bit or shared bit";
	if (cfg->root & ~PTE_ADDR)
		return "root: not the address of a page";
	if ((attr & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW))
		return "table_attr: lacks PRESENT or RW";
	if (c_bit && !(attr & enc))
		return "table_attr: lacks the C-bit";
	if (!c_bit && attr & enc)
		return "table_attr: has the shared bit";
	if (attr & PTE_ADDR & ~enc)
		return "table_attr: has bits of an address";
	if (attr & (PTE_PS | PTE_SPLIT | PTE_NX))
		return "table_attr: has PS, NX, or bit 11, the engine's own";
	return NULL;
}

static const char *check_addresses(const struct airlock_config *cfg)
{
	uint64_t window = cfg->cpus * AIRLOCK_WINDOW_STRIDE;

	if (cfg->window & (SIZE_2M - 1))
		return "window: not aligned to 2M";
	if (airlock_wraps(cfg->window, window >> AIRLOCK_PAGE_SHIFT) ||
	    !airlock_canonical(cfg, cfg->window, window))
		return "window: not canonical from end to end";
	if (cfg->direct_map % AIRLOCK_PAGE_SIZE)
		return "direct_map: not aligned to 4K";
	if (!airlock_canonical(cfg, cfg->direct_map, cfg->memory))
		return "direct_map: not canonical for all of memory";
	return NULL;
}

static const char *check_config(const struct airlock_config *cfg)
{
	const char *wrong = check_size(cfg);

	if (!wrong)
		wrong = check_machine(cfg);
	if (wrong || cfg->platform == AIRLOCK_PLAIN)
		return wrong;
	if (cfg->enc_bit <= AIRLOCK_PAGE_SHIFT || cfg->enc_bit >= 52)
		return "enc_bit: not within 13..51";
	wrong = check_bits(cfg);
	return wrong ? wrong : check_addresses(cfg);
}

static bool is_zero(const uint64_t *p, size_t bytes)
{
	const uint64_t *end = p + bytes / sizeof(*p);

	while (p < end && !*p)
		p++;
	return p == end;
}

const char *airlock_init_check(const void *mem, size_t size,
			       const struct airlock_config *cfg)
{
	const char *wrong;

	if (!cfg)
		return "cfg: NULL";
	wrong = check_config(cfg);
	if (wrong)
		return wrong;
	if (!mem || (uintptr_t)mem % 64)
		return "mem: NULL, or not aligned to 64 bytes";
	if (size < airlock_size(cfg))
		return "size: less than airlock_size()";
	if (!is_zero(mem, airlock_size(cfg)))
		return "mem: not zeroed";
	return NULL;
}

/* ---- a context ---- */

/* Volatile, or a compiler would call memset(). */
static RARE void wipe(void *mem, size_t bytes)
{
	volatile uint64_t *p = mem;

	for (; bytes; bytes -= sizeof(*p))
		*p++ = 0;
}

int airlock_init(struct airlock **out, void *mem, size_t size,
		 const struct airlock_config *cfg)
{
	struct airlock *a = mem;
	int status;

	if (!out || airlock_init_check(mem, size, cfg))
		return AIRLOCK_E_ARG;
	a->cfg = *cfg;
	a->slot = (struct airlock_slot *)(a + 1);
	a->ledger = (uint64_t *)(a->slot + cfg->cpus);
	a->addr = PTE_ADDR;
	if (cfg->platform != AIRLOCK_PLAIN) {
		a->enc = UINT64_C(1) << cfg->enc_bit;
		/* A C-bit says private, the others shared. */
		if (!airlock_ops(a)->c_bit)
			a->enc_shared = a->enc;
		a->addr &= ~a->enc;
		status = airlock_window_init(a);
		if (status) {
			/* As it was: the caller may try again. */
			wipe(a, sizeof(*a) + slots_size(cfg));
			return status;
		}
	}
	*out = a;
	return AIRLOCK_OK;
}
