// SPDX-License-Identifier: GPL-2.0
/*
 * Initramfs archives: Documentation/driver-api/early-userspace/buffer-format.rst
 * has the format. Several may stand behind each other; one that is not packed
 * comes first here, so that it begins at a multiple of 4.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"

static void pad(FILE *f)
{
	while (ftell(f) % 4)
		fputc(0, f);
}

static void add(FILE *f, unsigned int mode, const char *name, const char *text)
{
	size_t n = strlen(text);

	/* inode, mode, uid, gid, links, mtime, size, 4 of devices */
	fprintf(f, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		0, mode, 0, 0, 1, 0, (unsigned int)n, 0, 0, 0, 0,
		(unsigned int)strlen(name) + 1, 0);
	fwrite(name, 1, strlen(name) + 1, f);
	pad(f);
	fwrite(text, 1, n, f);
	pad(f);
}

static bool append(FILE *to, const char *name)
{
	FILE *from = fopen(name, "re");
	char buf[65536];
	size_t n;
	bool ok;

	if (!from)
		return false;
	while ((n = fread(buf, 1, sizeof(buf), from)) > 0)
		fwrite(buf, 1, n, to);
	ok = !ferror(from);
	fclose(from);
	return ok;
}

int initrd_with(const char *base, const char *command)
{
	int fd = memfd_create("initrd", MFD_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");
	bool ok;

	if (!f) {
		warn("no memory for an initramfs");
		return -1;
	}
	add(f, 0100755, "command", command);
	add(f, 0, "TRAILER!!!", "");
	ok = append(f, base);
	if (!ok)
		warn("cannot read '%s'", base);
	if (fclose(f) && ok) {
		warn("cannot write an initramfs");
		ok = false;
	}
	if (ok)
		return fd;
	close(fd);
	return -1;
}
