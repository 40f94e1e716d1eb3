// SPDX-License-Identifier: GPL-2.0
/*
 * The root of `airlock run': /host, by 9p or from a disk, below /over, which
 * is memory; and the file systems that every root has.
 */
#include "run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void try(int failed, const char *what, const char *where)
{
	if (failed)
		die("%s %s: %s", what, where, strerror(errno));
}

#define OPTIONS_9P "trans=virtio,version=9p2000.L,msize=131072,cache="

static void mount_share(const struct share *s, const char *at)
{
	try(mount(s->tag, at, "9p", s->write ? 0 : MS_RDONLY,
		  s->write ? OPTIONS_9P "mmap" : OPTIONS_9P "loose"),
	    "mount", at);
}

/* ---- a disk ---- */

/* Any file system that Linux knows without help. */
static bool mount_as_any(const char *device)
{
	FILE *f = fopen("/proc/filesystems", "re");
	char line[64];
	bool done = false;

	while (f && !done && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] == '\t')
			done = !mount(device, "/host", line + 1, MS_RDONLY,
				      NULL);
	}
	if (f)
		fclose(f);
	return done;
}

/* A partition for firmware is no root. */
static bool is_root(void)
{
	struct stat st;

	return !lstat("/host/bin", &st) || !lstat("/host/usr", &st) ||
		!lstat("/host/sbin", &st);
}

static void mount_disk(void)
{
	char device[32];
	bool any = false;

	for (int tries = 0; access("/dev/vda", F_OK) && tries < 1000; tries++)
		usleep(10000);
	for (int part = 0; part < 16; part++) {
		snprintf(device, sizeof(device), part ? "/dev/vda%d" :
			 "/dev/vda", part);
		if (access(device, F_OK) || !mount_as_any(device))
			continue;
		if (is_root())
			return;
		any = true;
		umount("/host");
	}
	die(any ? "the image has no root: neither /bin, /sbin nor /usr" :
	    "the image has no file system that this kernel knows");
}

/* ---- the layers ---- */

static void mount_root(const struct config *c)
{
	mkdir("/host", 0755);
	mkdir("/over", 0755);
	mkdir("/new", 0755);
	if (c->disk)
		mount_disk();
	else
		mount_share(&(struct share){ "root", "/", false }, "/host");
	try(mount("over", "/over", "tmpfs", 0, "mode=755"), "mount", "/over");
	mkdir("/over/upper", 0755);
	mkdir("/over/work", 0755);
	try(mount("root", "/new", "overlay", 0, "lowerdir=/host,"
		  "upperdir=/over/upper,workdir=/over/work"), "mount", "/");
}

static void mount_kernel_files(void)
{
	static const struct {
		const char *type, *at, *options;
	} list[] = {
		{ "proc", "/proc", NULL }, { "sysfs", "/sys", NULL },
		{ "devtmpfs", "/dev", NULL },
		{ "devpts", "/dev/pts", "mode=620,ptmxmode=666" },
		{ "tmpfs", "/dev/shm", "mode=1777" },
		{ "tmpfs", "/run", "mode=755" },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	if (!mkdir("/tmp", 01777))
		chmod("/tmp", 01777);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		mkdir(list[i].at, 0755);
		try(mount(list[i].type, list[i].at, list[i].type, 0,
			  list[i].options), "mount", list[i].at);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
			die("%s: %s", links[i][1], strerror(errno));
}

/* Of a path of the host's, what another root does not have. */
static void make_path(const char *path)
{
	char part[4096];

	for (size_t i = 1; path[i - 1] && i < sizeof(part); i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		mkdir(part, 0755);
	}
}

void root_enter(const struct config *c)
{
	mount_root(c);
	try(chdir("/new"), "chdir", "/new");
	try(mount(".", "/", NULL, MS_MOVE, NULL), "move", "/new");
	try(chroot(".") || chdir("/"), "chroot", "/new");
	mount_kernel_files();
	for (unsigned int i = 0; i < c->shares; i++) {
		make_path(c->share[i].path);
		mount_share(&c->share[i], c->share[i].path);
	}
	sethostname("airlock", 7);
}

/* ---- the network, as QEMU's user network has it ---- */

static void set(int fd, const char *name, unsigned long request,
		const char *address)
{
	struct ifreq r = { .ifr_flags = 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (address) {
		inet_pton(AF_INET, address, &in.sin_addr);
		memcpy(&r.ifr_addr, &in, sizeof(in));
	} else {
		r.ifr_flags = IFF_UP | IFF_RUNNING;
	}
	try(ioctl(fd, request, &r), "network", name);
}

static void resolver(void)
{
	int fd;

	mkdir("/etc", 0755);
	unlink("/etc/resolv.conf");
	fd = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	try(fd < 0 || dprintf(fd, "nameserver 10.0.2.3\n") < 0, "write",
	    "/etc/resolv.conf");
	close(fd);
}

void network_up(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET }, gateway = any;
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	try(fd < 0, "no", "network");
	set(fd, "lo", SIOCSIFFLAGS, NULL);
	set(fd, "eth0", SIOCSIFADDR, "10.0.2.15");
	set(fd, "eth0", SIOCSIFNETMASK, "255.255.255.0");
	set(fd, "eth0", SIOCSIFFLAGS, NULL);
	inet_pton(AF_INET, "10.0.2.2", &gateway.sin_addr);
	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	memcpy(&route.rt_gateway, &gateway, sizeof(gateway));
	try(ioctl(fd, SIOCADDRT, &route), "route", "10.0.2.2");
	close(fd);
	resolver();
}
