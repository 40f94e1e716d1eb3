# in: arch/x86/hyperv/ivm.c
s/hv_vtom_cache_flush_required(void)/hv_vtom_cache_flush_required(bool enc)/
/^\tx86_platform\.guest\.enc_tlb_flush_required /d
