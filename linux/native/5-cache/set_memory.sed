# in: arch/x86/mm/pat/set_memory.c
/^\tif (x86_platform\.guest\.enc_tlb_flush_required(enc) &&$/,+1c\\tif (x86_platform.guest.enc_cache_flush_required(enc))
