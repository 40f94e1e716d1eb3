# in: arch/x86/coco/sev/shared.c arch/x86/coco/sev/core.c
/^static void pval_pages(/,/^}/{/^\tunsigned long vaddr;$/d}
/^static void pval_pages(/,/^}/{/^\t\tvaddr = /d}
/^static void pval_pages(/,/^}/s/unsigned long vaddr_end = vaddr + PMD_SIZE;/u64 pfn_end = pfn + PTRS_PER_PTE;/
/^static void pval_pages(/,/^}/s/for (; vaddr < vaddr_end; vaddr += PAGE_SIZE, pfn++)/for (; pfn < pfn_end; pfn++)/
/^static void pval_pages(/,/^}/s/pvalidate(vaddr, /pval_one(pfn, /
