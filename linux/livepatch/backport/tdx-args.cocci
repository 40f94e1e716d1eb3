// SPDX-License-Identifier: GPL-2.0
// Before 6.7 the TDX calls took their arguments in other ways.
@@
identifier args;
identifier pfn, level;
@@
- struct tdx_module_args args = { .rcx = PFN_PHYS(pfn) | level, };
  ...
- __tdcall(TDG_MEM_PAGE_ACCEPT, &args)
+ __tdx_module_call(TDG_MEM_PAGE_ACCEPT, PFN_PHYS(pfn) | level,
+		    0, 0, 0, NULL)

@@
@@
- struct tdx_module_args
+ struct tdx_hypercall_args

@@
expression args;
@@
- __tdx_hypercall(args)
+ __tdx_hypercall(args, TDX_HCALL_HAS_OUTPUT)

@@
@@
 #include <asm/shared/tdx.h>
+#include <asm/tdx.h>
