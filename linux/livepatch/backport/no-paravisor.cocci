// SPDX-License-Identifier: GPL-2.0
// Before 6.6 the entries of a guest under a paravisor did not change.
@@
@@
- ms_hyperv.paravisor_present
+ false
