# in: arch/x86/mm/pat/set_memory.c
/^\t\/\* Notify hypervisor that we are about to /,/^$/d
s|^\t/\* Notify hypervisor that we have successfully .*|\t/* Have the hypervisor change its side, while no page is present. */|
s/enc_status_change_finish(addr/enc_status_change(addr/
