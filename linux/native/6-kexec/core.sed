# in: arch/x86/coco/sev/core.c
# if: unshare_all_memory
/^static void unshare_all_memory(void)/,/^}/s/^\t\t\tset_pte_enc(pte, level, (void \*)addr);$/\t\t\tpval_in_doubt = !(pte_flags(*pte) \& _PAGE_PRESENT);\n\t\t\tif (!pval_in_doubt)\n\t\t\t\tset_pte_enc(pte, level, (void *)addr);/
/^static void unshare_all_memory(void)/,/^}/s/^\t\t\tsnp_set_memory_private(addr, npages);$/&\n\t\t\tpval_in_doubt = false;/
/^\tunshare_all_memory();$/i \\tsnp_reset_window();
/^static int pval_one(/,/^}/s/^\tsnp_unmap_private(va);$/&\n\n\tif (rc == PVALIDATE_FAIL_NOUPDATE \&\& pval_in_doubt)\n\t\trc = 0;\n/
