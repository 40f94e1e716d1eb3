/* SPDX-License-Identifier: GPL-2.0 */
/* What include/airlock/ asks of <stddef.h>, in a kernel. */
#include <linux/types.h>
