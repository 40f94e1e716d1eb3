# in: arch/x86/include/asm/x86_init.h
/^ \* @enc_tlb_flush_required/d
/(\*enc_tlb_flush_required)/d
s/(\*enc_cache_flush_required)(void)/(*enc_cache_flush_required)(bool enc)/
