# in: arch/x86/kernel/x86_init.c
/^static int enc_status_change_prepare_noop(/d
/^\t\t\.enc_status_change_prepare = /d
s/enc_status_change_finish_noop(/enc_status_change_noop(/
s/\.enc_status_change_finish  = enc_status_change_finish_noop/.enc_status_change	   = enc_status_change_noop/
