# in: arch/x86/mm/pat/set_memory.c
/^static int __change_page_attr(struct cpa_data \*cpa, int primary)$/,/^}/s/^\tunsigned long address;$/\tunsigned long address, done = 0;/
/^static int __change_page_attr(struct cpa_data \*cpa, int primary)$/,/^}/s/^\tif (level == PG_LEVEL_4K) {$/next_in_row:\n&/
/^static int __change_page_attr(struct cpa_data \*cpa, int primary)$/,/^}/s/^\t\tcpa->pfn = pfn;$/\t\tif (!done++)\n\t\t\tcpa->pfn = pfn;/
/^static int __change_page_attr(struct cpa_data \*cpa, int primary)$/,/^}/s/^\t\tcpa->numpages = 1;$/\t\tif (cpa_row_goes_on(cpa, done, kpte, address)) {\n\t\t\told_pte = *++kpte;\n\t\t\taddress += PAGE_SIZE;\n\t\t\tgoto next_in_row;\n\t\t}\n\n\t\tcpa->numpages = done;/
