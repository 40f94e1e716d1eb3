# in: arch/x86/kernel/x86_init.c
/^static bool enc_tlb_flush_required_noop(/d
/^\t\t\.enc_tlb_flush_required/d
s/enc_cache_flush_required_noop(void)/enc_cache_flush_required_noop(bool enc)/
