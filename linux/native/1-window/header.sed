# in: arch/x86/include/asm/sev.h
/^void snp_set_memory_shared(/i void *snp_map_private(unsigned long pfn, bool large);
/^void snp_set_memory_shared(/i void snp_unmap_private(void *addr);
/^void snp_set_memory_shared(/i void snp_init_windows(void);
/^static inline void snp_set_memory_shared(/i static inline void snp_init_windows(void) { }
