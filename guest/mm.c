// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: the pool of page-table pages, the kernel's own page tables, the
 * vmalloc region and its reverse map.
 */
#include "kernel.h"

u64 arena, ram_end;

extern char image_end[];

static u64 direct_start;	/* the direct map begins there */
static u64 pool_next, pool_stop;
static u64 free_list;
static u64 view;		/* 0 while the boot tables map one to one */
static u64 *root;

static volatile u32 pool_lock;

static void lock_pool(void)
{
	while (__atomic_exchange_n(&pool_lock, 1, __ATOMIC_ACQUIRE))
		pause();
}

static void unlock_pool(void)
{
	__atomic_store_n(&pool_lock, 0, __ATOMIC_RELEASE);
}

static void *at(u64 pa)
{
	return (void *)(view + pa);
}

/* Zeroed pages in a row, never given back. */
u64 pool_pages(u64 n)
{
	u64 pa = pool_next;

	if (n * PAGE > pool_stop - pool_next)
		panic("the pool is too small for %lu pages", n);
	pool_next += n * PAGE;
	memset(at(pa), 0, n * PAGE);
	return pa;
}

/* One zeroed page. Return: AIRLOCK_NO_PAGE when there are none. */
u64 page_alloc(void)
{
	u64 pa = AIRLOCK_NO_PAGE;

	lock_pool();
	if (free_list) {
		pa = free_list;
		free_list = *(u64 *)at(pa);
		memset(at(pa), 0, PAGE);
	} else if (pool_next < pool_stop) {
		pa = pool_pages(1);
	}
	unlock_pool();
	return pa;
}

void page_free(u64 pa)
{
	lock_pool();
	*(u64 *)at(pa) = free_list;
	free_list = pa;
	unlock_pool();
}

/* ---- the kernel's tables ---- */

static u64 table_bits(void)
{
	return PTE_P | PTE_W | PTE_A | boot.private_mask;
}

static u64 address(u64 entry)
{
	return entry & PTE_ADDR & ~(boot.private_mask | boot.shared_mask);
}

/* The entry of @va at a level (1 is 4K), making tables on the way. */
static u64 *entry_of(u64 va, unsigned int level)
{
	u64 *t = root;

	for (unsigned int l = 4; l > level; l--) {
		u64 *e = &t[va >> (3 + 9 * l) & 511];

		if (!*e)
			*e = page_alloc() | table_bits();
		t = at(address(*e));
	}
	return &t[va >> (3 + 9 * level) & 511];
}

/* The 4K entry of @va: of the image and of vmalloc. */
u64 *pte_of(u64 va)
{
	return entry_of(va, 1);
}

/* Map a page of the image shared: boot, one CPU. */
void map_shared(u64 va)
{
	*pte_of(va) = (va & ~(PAGE - 1)) | PTE_DATA | boot.shared_mask;
	invlpg(va);
}

static u64 pool_need(void)
{
	struct airlock_config cfg = { .cpus = MAX_CPUS, .memory = ram_end };

	return airlock_size(&cfg) + ram_end / PAGE * 4 + 3 * (LARGE / 2) +
	       (option("small") ? ram_end / 512 : 0);
}

static u64 round_up(u64 v, u64 to)
{
	return (v + to - 1) & ~(to - 1);
}

static void map_image(void)
{
	u64 pa;

	for (pa = CVM_RAM_BASE; pa < (u64)image_end; pa += PAGE)
		*entry_of(pa, 1) = pa | (PTE_DATA & ~(PTE_NX | PTE_G)) |
				   boot.private_mask;
}

static void map_direct(void)
{
	u64 pa;

	/* TCG's INVLPG drops everything where 2M pages are in use, which hides
	 * what a flush forgot. */
	if (option("small")) {
		for (pa = direct_start; pa < ram_end; pa += PAGE)
			*entry_of(DIRECT + pa, 1) = pa | PTE_DATA |
						    boot.private_mask;
		return;
	}
	for (pa = direct_start; pa < ram_end; pa += LARGE)
		*entry_of(DIRECT + pa, 2) = pa | PTE_DATA | PTE_PS |
					    boot.private_mask;
}

/* ---- vmalloc ---- */

static u64 vm_next;
static u32 *vm_of;		/* by page: its vmalloc page number, + 1 */
static u16 *vm_in;		/* by 2M: how many of its pages have one */

static struct {
	u64 va;
	unsigned int n;
} lazy[16];
static unsigned int lazies;

static void vm_init(void)
{
	vm_next = VMALLOC + PAGE;
	vm_of = direct(pool_pages(round_up(ram_end / PAGE * 4, PAGE) / PAGE));
	vm_in = direct(pool_pages(round_up(ram_end / LARGE * 2, PAGE) / PAGE));
}

/* Pages in a row at linear addresses of their own, private. Boot, or by the
 * owner of the pages. */
u64 vmap(const u64 *gpa, unsigned int n)
{
	u64 va;

	port_lock_tables();
	va = vm_next;
	vm_next += (n + 1) * PAGE;		/* a hole behind each area */
	for (unsigned int i = 0; i < n; i++) {
		u64 v = va + i * PAGE;

		*pte_of(v) = gpa[i] | PTE_DATA | boot.private_mask;
		vm_of[gpa[i] / PAGE] = (u32)((v - VMALLOC) / PAGE) + 1;
		vm_in[gpa[i] / LARGE]++;
	}
	port_unlock_tables();
	return va;
}

/* Give an area back, but leave its entries until vm_purge(), as Linux's
 * vunmap() does: the pages are no longer listed as aliases. */
void vunmap_lazily(u64 va, unsigned int n)
{
	port_lock_tables();
	for (unsigned int i = 0; i < n; i++) {
		u64 gpa = address(*pte_of(va + i * PAGE));

		vm_of[gpa / PAGE] = 0;
		vm_in[gpa / LARGE]--;
	}
	if (lazies == sizeof(lazy) / sizeof(lazy[0]))
		panic("too many lazy areas");
	lazy[lazies].va = va;
	lazy[lazies++].n = n;
	port_unlock_tables();
}

/* Unmap what is lazily kept, everywhere. */
void vm_purge(void)
{
	struct airlock_flush f[sizeof(lazy) / sizeof(lazy[0])];
	unsigned int n = 0, i;

	if (!__atomic_load_n(&lazies, __ATOMIC_RELAXED))
		return;
	port_lock_tables();
	for (; n < lazies; n++) {
		for (i = 0; i < lazy[n].n; i++)
			*pte_of(lazy[n].va + i * PAGE) = 0;
		f[n] = (struct airlock_flush){ lazy[n].va, lazy[n].n };
	}
	lazies = 0;
	port_unlock_tables();
	if (n)
		airlock_port_shootdown(f, n);
}

/* How many pages from @i on lie in a row in vmalloc. */
static u64 vm_row(u64 gpa, u64 pages, u64 i)
{
	u32 first = vm_of[gpa / PAGE + i];
	u64 n = 1;

	while (i + n < pages && vm_of[gpa / PAGE + i + n] == first + n)
		n++;
	return n;
}

/* airlock_port_alias(). */
bool vm_alias(u64 va, u64 gpa, u64 pages, unsigned int index,
	      struct airlock_range *alias)
{
	u64 i = 0, n;

	if (va >= VMALLOC && va < WINDOW) {
		*alias = (struct airlock_range){ DIRECT + gpa, pages };
		return !index;
	}
	while (i < pages) {
		u64 next = (gpa + i * PAGE + LARGE) & ~(LARGE - 1);

		if (!vm_in[(gpa + i * PAGE) / LARGE]) {
			i = (next - gpa) / PAGE;
			continue;
		}
		if (!vm_of[gpa / PAGE + i]) {
			i++;
			continue;
		}
		n = vm_row(gpa, pages, i);
		if (!index--) {
			*alias = (struct airlock_range){
				VMALLOC + (vm_of[gpa / PAGE + i] - 1) * PAGE, n
			};
			return true;
		}
		i += n;
	}
	return false;
}

void mm_init(void)
{
	ram_end = boot.ram_end;
	pool_next = round_up((u64)image_end, LARGE);
	direct_start = pool_next;
	arena = round_up(pool_next + pool_need(), LARGE);
	if (arena >= ram_end)
		panic("%lu MiB are too little", ram_end >> 20);
	pool_stop = arena;
	root = (u64 *)pool_pages(1);
	map_image();
	map_direct();
	write_cr3((u64)root | boot.private_mask);
	view = DIRECT;
	root = direct((u64)root);
	vm_init();
}
