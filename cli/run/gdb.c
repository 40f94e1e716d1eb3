// SPDX-License-Identifier: GPL-2.0
/* A place for QEMU's gdb stub, and what to type to reach it. */
#include "run.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[PATH_MAX], stub[PATH_MAX + 8];

static void clean(void)
{
	unlink(stub);
	rmdir(folder);
}

/* Nobody else may enter it: who reaches the stub has the guest. */
static bool make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/airlock.XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		warn("--gdb: no folder for its socket, %s", folder);
		return false;
	}
	snprintf(stub, sizeof(stub), "%s/gdb", folder);
	atexit(clean);
	return true;
}

/*
 * QEMU's first CPU is the machine's, and so is gdb's first thread: the guest's
 * memory is not to be seen from there.
 */
static void say(const struct run *r)
{
	warnx("gdb %s -ex 'target remote %s' -ex 'thread 2'",
	      r->kernel.vmlinux[0] ? r->kernel.vmlinux : "VMLINUX", stub);
	if (!r->kernel.vmlinux[0])
		warnx("no vmlinux of %s is here; Debian's is in the package "
		      "linux-image-%s-dbg", r->kernel.release, r->kernel.release);
}

bool gdb_begin(struct run *r)
{
	struct launch *l = &r->machine.launch;

	if (!r->gdb)
		return true;
	if (!make_folder())
		return false;
	l->gdb = stub;
	say(r);
	return true;
}
