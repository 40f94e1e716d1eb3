// SPDX-License-Identifier: GPL-2.0 OR MIT
/* No hypercall page: not on Hyper-V. There, a port has one. */

#include <airlock/port.h>

void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa)
{
	(void)cpu;
	(void)gpa;
	return NULL;
}
