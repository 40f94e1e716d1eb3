// SPDX-License-Identifier: GPL-2.0
/*
 * jump load|crash KERNEL INITRD COMMANDLINE: kexec_file_load() it, for reboot
 * or for a panic. jump now: start what was loaded. A static program: it is all
 * of user space that the guest has beside busybox.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_file(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long flags = 0;

	if (argc == 2 && !strcmp(argv[1], "now")) {
		reboot((int)LINUX_REBOOT_CMD_KEXEC);
		err(1, "reboot");
	}
	if (argc != 5)
		errx(2, "usage: jump load|crash KERNEL INITRD COMMANDLINE");
	if (!strcmp(argv[1], "crash"))
		flags = KEXEC_FILE_ON_CRASH;
	if (syscall(SYS_kexec_file_load, open_file(argv[2]),
		    open_file(argv[3]), strlen(argv[4]) + 1, argv[4], flags))
		err(1, "kexec_file_load");
	return 0;
}
