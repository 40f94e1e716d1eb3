# in: arch/x86/hyperv/ivm.c
s/guest\.enc_status_change_finish = /guest.enc_status_change = /
