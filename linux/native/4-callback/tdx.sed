# in: arch/x86/coco/tdx/tdx.c
/^static int tdx_enc_status_change_finish(/,/^}/{/^\t\/\*$/,/^\t \*\/$/d}
/^static int tdx_enc_status_change_finish(/,/^}/s/if (!enc && !/if (!/
/^static int tdx_enc_status_change_finish(/{N;s/finish(\(.*\)\n[\t ]*bool enc)/finish(\1 bool enc)/}
s/^static int tdx_enc_status_change_finish(/static int tdx_enc_status_change(/
/^\tx86_platform\.guest\.enc_status_change_prepare = /d
s/enc_status_change_finish  = tdx_enc_status_change_finish/enc_status_change	     = tdx_enc_status_change/
/^\t \* The kernel mapping should match the TDX metadata/,/^\t \*\/$/c\\t * load_unaligned_zeropad() can touch memory *adjacent* to that which is\n\t * owned by the caller, and bad things happen on mismatch:\n\t *\n\t *   - Private mapping => Shared Page  == Guest shutdown\n\t *   - Shared mapping  => Private Page == Recoverable #VE\n\t *\n\t * So there is no mapping at all while enc_status_change() is called.\n\t */
