# in: arch/x86/include/asm/x86_init.h
/^ \* @enc_status_change_prepare/d
/(\*enc_status_change_prepare)/d
s/^ \* @enc_status_change_finish.*/ * @enc_status_change:\t\tChange the encryption status of a range, not present meanwhile/
s/(\*enc_status_change_finish)/(*enc_status_change)/
