/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_LINUX_PORT_H
#define AIRLOCK_LINUX_PORT_H

/*
 * Airlock in Linux: engine/transition.c over the kernel's own means.
 *
 *   glue.c       what transition.c asks for: the call, its stages, the way back
 *   entries.c    page-table entries, and other mappings of the same pages
 *   window.c     a present mapping for this CPU alone
 *   snp.c tdx.c hyperv.c  the platform's work
 *
 * Positions count the pages of a call from 0.
 */

#include <linux/types.h>
#include <linux/bitmap.h>
#include <linux/pgtable.h>

#include "transition.h"

#define LOST_INLINE	512

/*
 * One call of set_memory_encrypted() or set_memory_decrypted().
 *
 * Each platform and direction is a list of stages; all pages go through one
 * before any begins the next. So three numbers say what the host holds:
 *
 *   0          done         doubt          pages
 *   |  stage+1   |     ?      |    stage     |
 */
struct airlock_call {
	unsigned long va;
	unsigned long pages;
	enum airlock_to to;
	bool direct;			/* in the direct map: no walks */
	bool aliased;			/* some page is mapped elsewhere too */
	bool prepared;
	bool lied;
	unsigned int stage;
	unsigned long done;
	unsigned long doubt;
	unsigned long nlost;
	unsigned long *lost;		/* one bit each: in quarantine */
	DECLARE_BITMAP(lost_inline, LOST_INLINE);
};

enum airlock_work {
	WORK_NONE,
	WORK_PSC_PRIVATE, WORK_PSC_SHARED,	/* SNP: ask the host */
	WORK_VALIDATE, WORK_RESCIND,		/* SNP: PVALIDATE */
	WORK_MAP_PRIVATE, WORK_MAP_SHARED,	/* TDX: MapGPA */
	WORK_ACCEPT, WORK_MAP_ACCEPT,		/* TDX: the module */
	WORK_HV_PRIVATE, WORK_HV_SHARED,	/* Hyper-V: visibility */
};

struct airlock_stage {
	enum airlock_work work;
	enum airlock_work back;
};

/*
 * Work on the pages at [from, to). When it fails, pages before @done have
 * been done, those from @doubt on have not.
 */
struct airlock_job {
	struct airlock_call *c;
	unsigned long from, to;
	unsigned long done, doubt;
	bool in_doubt;			/* the host may have done it before */
	bool lied;
};

/* Pages that are physically in a row. */
struct airlock_piece {
	unsigned long pos;
	unsigned long pfn;
	unsigned long pages;
};

struct airlock_counts {
	unsigned long converted, refused, given_up, lies, shootdowns;
};

extern struct airlock_counts airlock_counts;

/* What the kernel does not export: whoever loads the port finds it. */
struct ghcb;
struct tdx_module_args;

struct airlock_kernel {
	struct mm_struct *init_mm;
	u64 (*cc_mkenc)(u64 val);
	u64 (*cc_mkdec)(u64 val);
	int (*set_memory_4k)(unsigned long addr, int numpages);
	void (*flush_tlb_kernel_range)(unsigned long start, unsigned long end);
	void (*flush_tlb_all)(void);
	struct vm_struct *(*get_vm_area)(unsigned long size,
					 unsigned long flags);
	unsigned long *max_pfn_mapped;
	unsigned long image_start, image_end;	/* of the kernel's mapping */
	/* SNP */
	struct ghcb *(*sev_get_ghcb)(void *state);
	void (*sev_put_ghcb)(void *state);
	u8 *snp_vmpl;
	/* TDX */
	u64 (*tdx_hypercall)(struct tdx_module_args *args);
	u64 (*tdcall)(u64 leaf, struct tdx_module_args *args);
	atomic_long_t *nr_shared;
};

extern struct airlock_kernel airlock_kernel;
extern enum airlock_platform airlock_platform;
extern struct airlock_order airlock_order;

/* glue.c */
int airlock_port_init(void);
void airlock_port_exit(void);
int airlock_set_memory(unsigned long addr, int numpages, bool enc);
int airlock_failed(struct airlock_job *j, int status, unsigned long done,
		   unsigned long doubt);
int airlock_lied(struct airlock_job *j, int status, unsigned long done,
		 unsigned long doubt, unsigned long pfn, u64 detail);

/* entries.c */
u64 airlock_attr(bool shared);
int airlock_entries_prepare(struct airlock_call *c);
void airlock_entries_pass(struct airlock_call *c, bool present, u64 attr);
void airlock_entries_widen(struct airlock_call *c);
bool airlock_piece(const struct airlock_call *c, unsigned long from,
		   unsigned long to, struct airlock_piece *p);

/* window.c */
int airlock_window_init(void);
void airlock_window_exit(void);
unsigned long airlock_window_open(unsigned long pfn, bool large, bool shared);
void airlock_window_close(unsigned long va, bool large);

/* snp.c, tdx.c, hyperv.c: stages of a direction, and work. */
unsigned int airlock_snp_stages(enum airlock_to to,
				const struct airlock_stage **stages);
int airlock_snp_work(struct airlock_job *j, enum airlock_work work);
unsigned int airlock_tdx_stages(enum airlock_to to,
				const struct airlock_stage **stages);
int airlock_tdx_work(struct airlock_job *j, enum airlock_work work);
unsigned int airlock_hv_stages(enum airlock_to to,
			       const struct airlock_stage **stages);
int airlock_hv_work(struct airlock_job *j, enum airlock_work work);

#endif
