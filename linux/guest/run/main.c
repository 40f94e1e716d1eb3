// SPDX-License-Identifier: GPL-2.0
/* run.h says what this is. */
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int port[PORTS] = { -1, -1, -1, -1, -1 };
static struct config config;

__attribute__((noreturn))
static void end(int code)
{
	/* Linux panics then, which whoever watches it sees. */
	if (config.off && code)
		_exit(code);
	if (port[PORT_EXIT] >= 0)
		dprintf(port[PORT_EXIT], "%d\n", code);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* Where there is no port yet, the console is what there is. */
void die(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int to = port[PORT_ERR];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (to < 0)
		to = open("/dev/console", O_WRONLY | O_CLOEXEC);
	dprintf(to, "airlock run: in the guest: %s\n", text);
	end(2);
}

static void mount_early(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("sys", "/sys", "sysfs", 0, NULL) ||
	    (mount("dev", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY))
		die("no /proc, /sys or /dev: %s", strerror(errno));
}

/* ---- what the host said ---- */

/* A whole file, and a NUL behind it; or NULL. It is never freed. */
static char *read_all(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return NULL;
	*size = (size_t)st.st_size;
	text = calloc(1, *size + 1);
	if (!text || read(fd, text, *size) != st.st_size)
		die("cannot read %s", name);
	close(fd);
	return text;
}

static void take_share(struct config *c, char *text, bool write)
{
	char *path = strchr(text, ' ');

	if (!path || c->shares == MAX_MOUNTS)
		die("share '%s'", text);
	*path++ = 0;
	c->share[c->shares++] = (struct share){ text, path, write };
}

static void take(struct config *c, const char *word, char *rest)
{
	if (!strcmp(word, "off"))
		c->off = true;
	else if (!strcmp(word, "disk"))
		c->disk = true;
	else if (!strcmp(word, "net"))
		c->net = true;
	else if (!strcmp(word, "init"))
		c->init = true;
	else if (!strcmp(word, "pwd"))
		c->pwd = rest;
	else if (!strcmp(word, "user"))
		c->user = rest;
	else if (!strcmp(word, "term"))
		c->term = rest;
	else if (!strcmp(word, "tty"))
		c->tty = sscanf(rest, "%hu %hu", &c->rows, &c->columns) == 2;
	else if (!strcmp(word, "tty-errors"))
		c->tty_errors = true;
	else if (!strcmp(word, "ro"))
		take_share(c, rest, false);
	else if (!strcmp(word, "rw"))
		take_share(c, rest, true);
	else
		die("what is '%s'?", word);
}

static char *const *read_argv(void)
{
	size_t size, n = 0;
	char *text = read_all("/airlock/argv", &size);
	char **argv;

	if (!text)
		return NULL;
	argv = calloc(size + 1, sizeof(*argv));
	if (!argv)
		die("no memory");
	for (char *at = text; at < text + size; at += strlen(at) + 1)
		argv[n++] = at;
	return argv;
}

static void read_config(struct config *c)
{
	size_t size;
	char *text = read_all("/airlock/config", &size);

	*c = (struct config){ .pwd = "/", .term = "dumb" };
	for (char *at = text, *next; at && at < text + size; at = next) {
		char *rest = at, *word;

		next = at + strlen(at) + 1;
		word = strsep(&rest, " ");
		take(c, word, rest ? rest : next - 1);
	}
	c->argv = read_argv();
}

/* ---- modules and ports ---- */

static void load_modules(void)
{
	size_t size;
	char *list = read_all("/airlock/modules/list", &size), *name;
	char path[256];

	while (list && (name = strsep(&list, "\n"))) {
		int fd;

		if (!*name)
			continue;
		snprintf(path, sizeof(path), "/airlock/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) &&
			       errno != EEXIST))
			die("module %s: %s", name, strerror(errno));
		close(fd);
	}
}

/* The device of the port that has this name, or -1. */
static int find_port(const char *name, int flags)
{
	static const char where[] = "/sys/class/virtio-ports";
	char path[512], text[64];
	DIR *dir = opendir(where);
	struct dirent *d;
	int fd = -1;

	while (dir && fd < 0 && (d = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s/name", where, d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!f)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", d->d_name);
		if (fgets(text, sizeof(text), f) &&
		    !strncmp(text, name, strlen(name)) &&
		    text[strlen(name)] == '\n')
			fd = open(path, flags | O_CLOEXEC);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* They come up one after the other. */
static void open_ports(void)
{
	static const char *const names[PORTS] = {
		"airlock.stdin", "airlock.stdout", "airlock.stderr",
		"airlock.exit", "airlock.control",
	};

	for (int i = 0; i < PORTS; i++) {
		for (int tries = 0; port[i] < 0 && tries < 6000; tries++) {
			port[i] = find_port(names[i], i == PORT_IN ||
					    i == PORT_CONTROL ? O_RDONLY :
					    O_WRONLY);
			if (port[i] < 0)
				usleep(10000);
		}
		if (port[i] < 0)
			die("no port %s", names[i]);
	}
}

/* Where Linux itself looks, but for a shell. */
static void become_init(void)
{
	static const char *const names[] = {
		"/sbin/init", "/etc/init", "/bin/init",
	};
	pid_t pid;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (access(names[i], X_OK))
			continue;
		pid = fork();
		if (pid < 0)
			die("no process: %s", strerror(errno));
		if (!pid)
			return;
		execl(names[i], names[i], NULL);
		die("%s: %s", names[i], strerror(errno));
	}
	die("the root has no /sbin/init");
}

int main(void)
{
	read_config(&config);
	if (!config.off)
		mount_early();
	load_modules();
	if (config.off)
		end(0);
	open_ports();
	root_enter(&config);
	if (config.net)
		network_up();
	if (config.init)
		become_init();
	end(command_run(&config, port));
}
