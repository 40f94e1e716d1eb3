/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_PORT_H
#define FUZZ_PORT_H

/*
 * A machine for the fuzzer, written from the public headers alone: 4 MiB in
 * two chunks of 2M, each mapped by 4K or by 2M leaves in the direct map, some
 * pages of the last chunk a second time; one CPU; a host whose answers are
 * right where the input says 0, and whatever the input says elsewhere.
 */

#include <airlock/port.h>

#define DIRECT		UINT64_C(0xffff888000000000)
#define WINDOW		UINT64_C(0xffffc90000000000)
#define VMALLOC		UINT64_C(0xffffa00000000000)
#define PAGES		1024u		/* of memory */
#define TABLES		48u
#define TABLE_BASE	UINT64_C(0x10000000)
#define VM_FIRST	528u		/* the pages mapped twice: every other */
#define VM_PAGES	8u
#define ENC_BIT		47
#define ENC		(UINT64_C(1) << ENC_BIT)

#define P	UINT64_C(1)
#define RW	UINT64_C(2)
#define PS	UINT64_C(0x80)
#define ADDR	UINT64_C(0x7ffffffff000)	/* below ENC_BIT */

struct machine {
	enum airlock_platform platform;
	uint32_t features;
	bool ghcb, hv_page, may_convert;
	uint64_t table[TABLES][512];
	bool used[TABLES];
	bool shared[PAGES], valid[PAGES];	/* as the host has them */
	bool honest;		/* so far */
	bool starved;		/* no table, or no hypercall page, was to be had */
	unsigned int locked, pinned, violations;
	unsigned int calls;	/* of the host, in this call of the engine */
};

extern struct machine m;

/* The input, byte by byte; 0 behind its end. */
void input_begin(const uint8_t *data, size_t size);
uint8_t input(void);
bool input_left(void);

void machine_begin(void);
void machine_config(struct airlock_config *c);
/* The leaf that maps @va: its entry, at level 1 or 2; 0: none. */
uint64_t leaf_of(uint64_t va, unsigned int *level);
/* Set a page's attribute by hand, as early boot would. False: a large leaf. */
bool set_shared(unsigned int page, bool shared);
bool is_shared(uint64_t entry);

/* What must be so; else it ends here. */
#define must(x)	((x) ? (void)0 : fuzz_failed(#x, __FILE__, __LINE__))
_Noreturn void fuzz_failed(const char *what, const char *file, int line);

#endif
