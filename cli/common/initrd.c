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

static void add(FILE *f, const struct initrd_file *i)
{
	/* inode, mode, uid, gid, links, mtime, size, 4 of devices */
	fprintf(f, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		0, i->mode, 0, 0, 1, 0, (unsigned int)i->size, 0, 0, 0, 0,
		(unsigned int)strlen(i->name) + 1, 0);
	fwrite(i->name, 1, strlen(i->name) + 1, f);
	pad(f);
	if (i->size)
		fwrite(i->data, 1, i->size, f);
	pad(f);
}

static bool append(FILE *to, int from)
{
	char buf[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		fwrite(buf, 1, (size_t)n, to);
		at += n;
	}
	return !n;
}

int initrd_make(const struct initrd_file *files, int more)
{
	int fd = memfd_create("initrd", MFD_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");
	bool ok;

	if (!f) {
		warn("no memory for an initramfs");
		return -1;
	}
	for (; files->name; files++)
		add(f, files);
	add(f, &(struct initrd_file){ "TRAILER!!!", 0, NULL, 0 });
	ok = append(f, more);
	if (fclose(f))
		ok = false;
	if (ok)
		return fd;
	warn("cannot write an initramfs");
	close(fd);
	return -1;
}
