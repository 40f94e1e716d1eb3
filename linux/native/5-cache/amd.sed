# in: arch/x86/mm/mem_encrypt_amd.c
s/amd_enc_cache_flush_required(void)/amd_enc_cache_flush_required(bool enc)/
/^\tx86_platform\.guest\.enc_tlb_flush_required /d
