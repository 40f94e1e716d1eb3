// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

uint64_t airlock_port_shared_read(const volatile void *p, unsigned int size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)p;
	case 2:
		return *(const volatile uint16_t *)p;
	case 4:
		return *(const volatile uint32_t *)p;
	default:
		return *(const volatile uint64_t *)p;
	}
}
