// SPDX-License-Identifier: GPL-2.0
/* What this machine is: set once, before the guest runs. */
#include "config.h"

struct config config;
const struct platform *platform;
u64 low_ram_end, ram_end;
bool elf_guest;
