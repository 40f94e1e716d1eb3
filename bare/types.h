/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bare/: what every program needs that runs without an operating system: the
 * emulated machine, the reference kernel, the guest that tests the machine.
 * It knows none of them. Each compiles the files with flags of its own.
 */
#ifndef BARE_TYPES_H
#define BARE_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif
