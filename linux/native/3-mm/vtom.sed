# in: arch/x86/hyperv/ivm.c
/^\tx86_platform.guest.enc_status_change_prepare = hv_vtom_clear_present;$/d
s/^\tint i, pfn, err;$/\tint i, pfn;/
/^\tif (!pfn_array) {$/,/^\t}$/c\\tif (!pfn_array)\n\t\treturn -ENOMEM;
/^\tkfree(pfn_array);$/{n;d}
/^err_set_memory_p:$/,/^\t \*\/$/d
/^\terr = set_memory_p(kbuffer, pagecount);$/,/^\t\tret = err;$/d
