# in: arch/x86/hyperv/ivm.c
# if: hv_list_enc
s|^\t \* There's no good way to recover from -ENOMEM here.*|\t * What was to be visible stays on the list: a part of it may be.\n&|
