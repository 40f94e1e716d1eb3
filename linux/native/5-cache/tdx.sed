# in: arch/x86/coco/tdx/tdx.c
/^\tx86_platform\.guest\.enc_tlb_flush_required /d
