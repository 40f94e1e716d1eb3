/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_UNEXPORTED_H
#define AIRLOCK_UNEXPORTED_H

/*
 * The port is written as code of the kernel itself. In a module, this header,
 * included before anything else, has it call what main.c finds by name.
 */
#define pr_fmt(fmt) "airlock: " fmt
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>
#include <asm/coco.h>
#include <asm/page_types.h>
#include <asm/sections.h>
#include <asm/sev.h>
#include <asm/shared/tdx.h>
#include <asm/tlbflush.h>

struct unexported {
	struct mm_struct *init_mm;
	u64 (*cc_mkenc)(u64 val);
	u64 (*cc_mkdec)(u64 val);
	int (*set_memory_4k)(unsigned long addr, int numpages);
	void (*flush_tlb_kernel_range)(unsigned long start, unsigned long end);
	void (*flush_tlb_all)(void);
	struct vm_struct *(*get_vm_area)(unsigned long size,
					 unsigned long flags);
	unsigned long *max_pfn_mapped;
	char *text, *end;
	u8 *snp_vmpl;
#ifdef CONFIG_INTEL_TDX_GUEST
	typeof(__tdx_hypercall) *tdx_hypercall;
	typeof(__tdcall) *tdcall;
#endif
};

extern struct unexported unexported;

int airlock_find_symbols(void);
void page_checks_enable(void);

#define init_mm			(*unexported.init_mm)
#define cc_mkenc(val)		unexported.cc_mkenc(val)
#define cc_mkdec(val)		unexported.cc_mkdec(val)
#define set_memory_4k(a, n)	unexported.set_memory_4k(a, n)
#define flush_tlb_kernel_range(start, end) \
				unexported.flush_tlb_kernel_range(start, end)
#define flush_tlb_all()		unexported.flush_tlb_all()
#define get_vm_area(size, f)	unexported.get_vm_area(size, f)
#define max_pfn_mapped		(*unexported.max_pfn_mapped)
#define _text			unexported.text
#define _end			unexported.end
#define snp_vmpl		(*unexported.snp_vmpl)
#define __tdx_hypercall		unexported.tdx_hypercall
#define __tdcall		unexported.tdcall

#endif
