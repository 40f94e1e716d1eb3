// SPDX-License-Identifier: GPL-2.0 OR MIT
/* No GHCB page: page-state changes go by the MSR. */

#include <airlock/port.h>

void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	(void)cpu;
	(void)gpa;
	return NULL;
}
