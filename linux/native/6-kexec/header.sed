# in: arch/x86/include/asm/sev.h
# if: unshare_all_memory
# where: arch/x86/coco/sev/core.c
/^void snp_unmap_private(/a void snp_reset_window(void);
