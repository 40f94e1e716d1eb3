// SPDX-License-Identifier: GPL-2.0
/*
 * What is booted: linux/tools/run-kernel finds it, and says what a kernel
 * cannot do before it is tried.
 */
#include "kernel_find.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Lines "release R", "image FILE", "modules DIR" and "vmlinux FILE". */
static void hear(struct kernel *k, FILE *f)
{
	char line[PATH_MAX + 16];

	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "release ", 8))
			snprintf(k->release, sizeof(k->release), "%.127s",
				 line + 8);
		if (!strncmp(line, "image ", 6))
			snprintf(k->image, sizeof(k->image), "%.4095s",
				 line + 6);
		if (!strncmp(line, "modules ", 8))
			snprintf(k->modules, sizeof(k->modules), "%.4095s",
				 line + 8);
		if (!strncmp(line, "vmlinux ", 8))
			snprintf(k->vmlinux, sizeof(k->vmlinux), "%.4095s",
				 line + 8);
	}
}

static bool ask(struct kernel *k, const struct launch *l, const char *file,
		const char *work)
{
	const char *platform = launch_platform_name(l->platform);
	char modules[32], needs[32];
	struct script s;

	snprintf(k->file, sizeof(k->file), "/proc/self/fd/%d", k->fd);
	snprintf(modules, sizeof(modules), "/proc/self/fd/%d", k->modules_fd);
	snprintf(needs, sizeof(needs), "%s%s%s", k->needs,
		 l->disks ? " disk" : "", l->network ? " net" : "");
	if (!script_begin(&s, (const char *const[]){ file, k->name, work,
			  platform, needs, k->file, modules, k->who, NULL }))
		return false;
	hear(k, s.out);
	return script_end(&s);
}

bool kernel_find(struct kernel *k, const struct launch *l)
{
	char script[PATH_MAX], work[PATH_MAX];

	if (!place_source(script, "linux/tools/run-kernel") ||
	    !place_work(work, "."))
		return false;
	k->fd = memfd_create("kernel", 0);
	k->modules_fd = memfd_create("modules", 0);
	if (k->fd < 0 || k->modules_fd < 0) {
		warn("no memory for a kernel");
		return false;
	}
	return ask(k, l, script, work);
}
