// SPDX-License-Identifier: GPL-2.0
#include "port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct machine m;
static uint64_t ghcb_page[512], hv_input[512];
static const uint8_t *data;
static size_t left;

void input_begin(const uint8_t *d, size_t size)
{
	data = d;
	left = size;
}

bool input_left(void)
{
	return left > 0;
}

uint8_t input(void)
{
	return left ? left--, *data++ : 0;
}

_Noreturn void fuzz_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* Shall the host do something else than what is right? Then it is no more
 * honest, and this says what. */
static uint8_t odd(void)
{
	uint8_t b = input();

	m.calls++;
	must(m.calls < 100000);
	if (b)
		m.honest = false;
	return b;
}

static uint64_t any64(void)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < 8; i++)
		v = v << 8 | input();
	return v;
}

/* ---- page tables ---- */

static bool bit_is_private(void)
{
	return m.platform == AIRLOCK_SEV || m.platform == AIRLOCK_SNP;
}

bool is_shared(uint64_t entry)
{
	return !!(entry & ENC) != bit_is_private();
}

static uint64_t private_bit(void)
{
	return bit_is_private() && m.platform ? ENC : 0;
}

static uint64_t *entry_at(uint64_t pa)
{
	uint64_t t = (pa - TABLE_BASE) >> 12;

	must(pa >= TABLE_BASE && t < TABLES && m.used[t] && !(pa & 7));
	return &m.table[t][(pa & 0xfff) / 8];
}

static uint64_t take(void)
{
	for (unsigned int t = 0; t < TABLES; t++)
		if (!m.used[t]) {
			m.used[t] = true;
			memset(m.table[t], 0, sizeof(m.table[t]));
			return TABLE_BASE + (uint64_t)t * 4096;
		}
	return AIRLOCK_NO_PAGE;
}

/* The entry of @level on the way to @va, with tables made on the way. */
static uint64_t *way(uint64_t va, unsigned int level)
{
	uint64_t table = TABLE_BASE;

	for (unsigned int l = 4; ; l--) {
		uint64_t *e = entry_at(table + (va >> (12 + 9 * (l - 1)) & 511)
				       * 8);

		if (l == level)
			return e;
		if (!*e)
			*e = take() | P | RW | private_bit();
		table = *e & ADDR;
	}
}

uint64_t leaf_of(uint64_t va, unsigned int *level)
{
	uint64_t table = TABLE_BASE;

	for (unsigned int l = 4; l; l--) {
		uint64_t e = *entry_at(table +
				       (va >> (12 + 9 * (l - 1)) & 511) * 8);

		*level = l;
		if (l == 1 || (e & PS))
			return e;
		if (!(e & P))
			return 0;
		table = e & ADDR;
	}
	return 0;
}

bool set_shared(unsigned int page, bool shared)
{
	uint64_t va = DIRECT + (uint64_t)page * 4096, *e;
	unsigned int level;

	leaf_of(va, &level);
	if (level != 1)
		return false;
	e = way(va, 1);
	*e = (*e & ~ENC) | (shared == bit_is_private() ? 0 : ENC);
	return true;
}

static void map_memory(void)
{
	uint8_t large = input();

	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t e = (uint64_t)i << 12 | P | RW | private_bit();

		if (!(large >> (i / 512) & 1))
			*way(DIRECT + ((uint64_t)i << 12), 1) = e;
		else if (!(i % 512))
			*way(DIRECT + ((uint64_t)i << 12), 2) = e | PS;
	}
	for (unsigned int i = 0; i < VM_PAGES; i++)
		*way(VMALLOC + ((uint64_t)i << 12), 1) =
			(uint64_t)(VM_FIRST + 2 * i) << 12 | P | RW |
			private_bit();
}

void machine_begin(void)
{
	uint8_t b = input();

	memset(&m, 0, sizeof(m));
	m.platform = (enum airlock_platform)(b % AIRLOCK_PLATFORMS);
	b = input();
	m.features = b & 15;
	m.ghcb = !(b & 16);
	m.hv_page = !(b & 32);
	m.may_convert = true;
	m.honest = true;
	memset(m.valid, 1, sizeof(m.valid));
	m.used[0] = true;
	map_memory();
}

void machine_config(struct airlock_config *c)
{
	*c = (struct airlock_config){
		.platform = m.platform, .features = m.features,
		.enc_bit = ENC_BIT, .levels = 4, .root = TABLE_BASE,
		.table_attr = P | RW | private_bit(),
		.memory = (uint64_t)PAGES << 12, .cpus = 1, .window = WINDOW,
		.direct_map = DIRECT,
	};
}

/* ---- every port ---- */

const uint64_t *airlock_port_table(uint64_t pa)
{
	must(!(pa & 0xfff));
	return entry_at(pa);
}

void airlock_port_pte_write(uint64_t pa, uint64_t entry)
{
	*entry_at(pa) = entry;
}

uint64_t airlock_port_table_alloc(void)
{
	uint64_t pa;

	must(!m.locked && !m.pinned);
	pa = input() == 0xfe ? AIRLOCK_NO_PAGE : take();
	m.starved |= pa == AIRLOCK_NO_PAGE;
	return pa;
}

static bool reachable(uint64_t table, unsigned int level, uint64_t pa)
{
	if (table == pa)
		return true;
	for (unsigned int i = 0; level > 1 && i < 512; i++) {
		uint64_t e = *entry_at(table + i * 8);

		if ((e & P) && !(e & PS) && reachable(e & ADDR, level - 1, pa))
			return true;
	}
	return false;
}

void airlock_port_table_free(uint64_t pa)
{
	must(!m.locked && !m.pinned);
	must(!reachable(TABLE_BASE, 4, pa));
	entry_at(pa);
	m.used[(pa - TABLE_BASE) >> 12] = false;
}

void airlock_port_lock(void)
{
	must(!m.locked && !m.pinned);
	m.locked++;
}

void airlock_port_unlock(void)
{
	must(m.locked);
	m.locked--;
}

unsigned int airlock_port_pin(void)
{
	must(!m.locked && !m.pinned);
	m.pinned++;
	return 0;
}

void airlock_port_unpin(void)
{
	must(m.pinned);
	m.pinned--;
}

bool airlock_port_may_convert(void)
{
	return m.may_convert;
}

void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	must(!m.locked && !m.pinned);
	for (; n; n--, f++)
		must(f->pages && !(f->va & 0xfff));
}

void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	(void)r;
	must(n && !m.locked && !m.pinned);
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	uint64_t first = gpa >> 12;

	must(!m.pinned);
	if (va - VMALLOC < VM_PAGES << 12) {
		*alias = (struct airlock_range){ DIRECT + gpa, pages };
		return !index;
	}
	for (unsigned int i = 0; i < VM_PAGES; i++) {
		uint64_t page = VM_FIRST + 2 * i;

		if (page < first || page >= first + pages || index--)
			continue;
		*alias = (struct airlock_range){
			VMALLOC + ((uint64_t)i << 12), 1 };
		return true;
	}
	return false;
}

void airlock_port_violation(const struct airlock_violation *v)
{
	must(!m.locked && !m.pinned);
	must(v->status >= 96 && v->status < 128);
	m.violations++;
}

/* ---- the host and the instructions ---- */

static bool page_of(uint64_t va, unsigned int *page)
{
	unsigned int level;
	uint64_t e = leaf_of(va, &level), gpa;

	if (!(e & P))
		return false;
	gpa = (e & ADDR) + (level == 2 ? va & 0x1ff000 : 0);
	must(gpa >> 12 < PAGES);
	*page = (unsigned int)(gpa >> 12);
	return true;
}

uint64_t airlock_port_shared_read(const volatile void *p, unsigned int size)
{
	uint64_t v = 0;

	must(m.pinned);
	must(size == 1 || size == 2 || size == 4 || size == 8);
	memcpy(&v, (const void *)(uintptr_t)p, size);
	return v;
}

void airlock_port_invlpg(uint64_t va)
{
	(void)va;
}

void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	must(pages && pages <= 512 && !(va & 0xfff));
}

uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate)
{
	unsigned int page, n = large ? 512 : 1;

	/* Orders that are not safe come here without a mapping. */
	if (!page_of(va, &page))
		return AIRLOCK_PVALIDATE_INPUT;
	must(!large || !(page % 512));
	switch (odd()) {
	case 0:
		break;
	case 1:
		return AIRLOCK_PVALIDATE_CF;
	case 2:
		return AIRLOCK_PVALIDATE_SIZE;
	default:
		return any64();
	}
	if (m.valid[page] == validate)
		return AIRLOCK_PVALIDATE_CF;
	for (unsigned int i = 0; i < n; i++)
		m.valid[page + i] = validate;
	return AIRLOCK_PVALIDATE_OK;
}

void airlock_port_evict(uint64_t va, uint64_t pages)
{
	must(pages && pages <= 512 && !(va & 0xfff));
}

static void host_sets(uint64_t gfn, uint64_t n, bool shared)
{
	if (gfn + n > PAGES || gfn + n < gfn) {
		must(!m.honest);
		return;
	}
	for (; n; n--, gfn++) {
		m.shared[gfn] = shared;
		m.valid[gfn] = false;
	}
}

void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	must(m.pinned && !cpu);
	*gpa = 0x1000;
	return m.ghcb ? ghcb_page : NULL;
}

static uint64_t psc_by_msr(uint64_t msr)
{
	uint64_t op = msr >> 52 & 15;

	if (odd())
		return any64();
	must(op == 1 || op == 2);
	host_sets(msr >> 12 & 0xffffffffff, 1, op == 2);
	return 0x15;
}

uint64_t airlock_port_vmgexit(uint64_t msr)
{
	uint64_t *b = ghcb_page + 0x800 / 8, n;

	must(m.pinned);
	if ((msr & 0xfff) == 0x14)
		return psc_by_msr(msr);
	must(msr == 0x1000 && ghcb_page[0x390 / 8] == 0x80000010);
	n = b[0] >> 16 & 0xffff;
	must(!m.honest || (n < 253 && (b[0] & 0xffff) <= n));
	if (odd()) {
		for (unsigned int i = input() & 3; i; i--)
			ghcb_page[(0x800 / 8 + input()) & 511] = any64();
		if (input() & 1)
			ghcb_page[0x3a0 / 8] = any64();
		return msr;
	}
	for (; (b[0] & 0xffff) <= n && (b[0] & 0xffff) < 253; b[0]++) {
		uint64_t e = b[1 + (b[0] & 0xffff)];

		/* The list is shared memory: a host may read what it wrote. */
		if ((e >> 57) || (e >> 52 & 15) < 1 || (e >> 52 & 15) > 2) {
			must(!m.honest);
			continue;
		}
		host_sets(e >> 12 & 0xffffffffff, e >> 56 & 1 ? 512 : 1,
			  (e >> 52 & 15) == 2);
	}
	return msr;
}

/* ACCEPT and RELEASE are the module's: trusted, if busy at times. */
static uint64_t module(uint64_t leaf, uint64_t rcx)
{
	uint64_t page = rcx >> 12 & 0xffffffffff, level = rcx & 7;
	uint64_t n = level == 0 ? 1 : level == 1 ? 512 : 512 * 512;

	must(level < 3 && (leaf == 6 || leaf == 30));
	switch (odd()) {
	case 0:
		break;
	case 1:
		return UINT64_C(0x8000020000000000);
	case 2:
		return UINT64_C(0xc0000b0b00000000);
	default:
		return any64();
	}
	must(page + n <= PAGES);
	for (uint64_t i = page; i < page + n; i++) {
		if (leaf == 6 && m.valid[i])
			return UINT64_C(0x00000b0a00000000);
		if (m.shared[i]) {	/* the host said that it was not */
			must(!m.honest);
			return UINT64_C(0xc0000b0d00000000);
		}
	}
	memset(&m.valid[page], leaf == 6, n);
	return 0;
}

void airlock_port_tdcall(struct airlock_tdcall *t)
{
	uint64_t gpa = t->r12 & ~ENC;

	if (t->rax) {
		t->rax = module(t->rax, t->rcx);
		return;
	}
	must(m.pinned && t->r11 == 0x10001 && !(t->rcx & ~UINT64_C(0xfc00)));
	switch (odd()) {
	case 0:
		host_sets(gpa >> 12, t->r13 >> 12, t->r12 & ENC);
		t->r10 = 0;
		break;
	case 1:		/* get on by a page, then once more */
		host_sets(gpa >> 12, 1, t->r12 & ENC);
		t->r10 = 1;
		t->r11 = t->r12 + 4096;
		break;
	default:
		t->r10 = input();
		t->r11 = any64();
	}
}

void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa)
{
	must(m.pinned && !cpu);
	*gpa = 0x2000;
	m.starved |= !m.hv_page;
	return m.hv_page ? hv_input : NULL;
}

uint64_t airlock_port_hypercall(uint64_t control, uint64_t in_gpa,
				uint64_t out_gpa)
{
	uint64_t n = control >> 32 & 0xfff, at = control >> 48 & 0xfff;

	(void)out_gpa;
	must(m.pinned && in_gpa == 0x2000 && n <= 510 && at < n);
	if (odd())
		return any64();
	for (; at < n; at++)
		host_sets(hv_input[2 + at], 1, hv_input[1] == 3);
	return n << 32;
}
