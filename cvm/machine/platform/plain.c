// SPDX-License-Identifier: GPL-2.0
/*
 * No platform: an ordinary VM. Its one view is "private", conversions do not
 * exist, devices are mapped where they are touched.
 */
#include "config.h"
#include "lock.h"
#include "npt.h"
#include "platform.h"

static bool plain_mismatch(struct vcpu *c, const struct access *a)
{
	(void)c;
	(void)a;
	return false;
}

static void plain_mmio(struct vcpu *c, const struct access *a)
{
	machine_lock(c);
	npt_map_device(a->raw);
	machine_unlock();
}

const struct platform none_platform = {
	.name = "none",
	.halts = true,
	.mismatch = plain_mismatch,
	.mmio = plain_mmio,
};
