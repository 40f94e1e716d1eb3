# in: arch/x86/coco/tdx/tdx.c
s/^static bool tdx_enc_status_changed(unsigned long vaddr, int numpages, bool enc)$/static bool tdx_enc_status_changed(phys_addr_t start, phys_addr_t end, bool enc)/
s/if (!tdx_enc_status_changed(addr, pages, true)) {/if (!tdx_enc_status_changed(__pa(addr), __pa(addr + size), true)) {/
