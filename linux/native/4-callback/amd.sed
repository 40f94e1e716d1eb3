# in: arch/x86/mm/mem_encrypt_amd.c
/^\tx86_platform\.guest\.enc_status_change_prepare = /d
s/enc_status_change_finish  = amd_enc_status_change_finish/enc_status_change	     = amd_enc_status_change/
