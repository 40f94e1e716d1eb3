// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest sees: folders by 9p, disks, and an initramfs whose /init is
 * linux/guest/run, which is told the rest in files (linux/guest/run/run.h).
 */
#include "run.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- folders and disks ---- */

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && !strcmp(name + n - m, end);
}

static bool check_root(struct run *r)
{
	struct stat st;

	if (!r->pwd && !r->root && !getcwd(r->here, sizeof(r->here))) {
		warn("the current folder");
		return false;
	}
	if (!r->pwd)
		r->pwd = r->root ? "/" : r->here;
	if (*r->pwd != '/') {
		warnx("--pwd '%s' does not begin with /", r->pwd);
		return false;
	}
	if (!r->root)
		r->root = "/";
	if (stat(r->root, &st)) {
		warn("--root '%s'", r->root);
		return false;
	}
	r->image = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	if (!r->image && !S_ISDIR(st.st_mode))
		warnx("--root '%s' is neither a folder nor an image", r->root);
	else if (access(r->root, r->image ? R_OK : R_OK | X_OK))
		warn("--root '%s'", r->root);
	else
		return true;
	return false;
}

/* The image comes first: it is /dev/vda. */
static void add_disks(struct run *r)
{
	struct launch *l = &r->machine.launch;

	if (!r->image)
		return;
	memcpy(r->disk + 1, r->machine.disk, l->disks * sizeof(r->disk[0]));
	r->disk[0] = (struct launch_disk){
		.file = r->root, .qcow2 = ends_with(r->root, ".qcow2"),
	};
	l->disk = r->disk;
	l->disks++;
}

static void add_share(struct run *r, const char *path, const char *tag,
		      bool write)
{
	struct launch *l = &r->machine.launch;

	r->share[l->shares++] = (struct launch_share){
		.path = path, .tag = tag, .write = write,
	};
	l->share = r->share;
}

/* A folder is where it is here, also under another root. */
static bool add_folder(struct run *r, unsigned int i)
{
	char *path = realpath(r->rw[i], NULL);
	struct stat st;

	if (!path || stat(path, &st)) {
		warn("--rw '%s'", r->rw[i]);
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		warnx("--rw '%s' is not a folder", r->rw[i]);
		return false;
	}
	if (access(path, W_OK | X_OK)) {
		warn("--rw '%s'", r->rw[i]);
		return false;
	}
	r->rw[i] = path;
	snprintf(r->tags[i], sizeof(r->tags[i]), "rw%u", i);
	add_share(r, path, r->tags[i], true);
	return true;
}

bool guest_folders(struct run *r)
{
	if (!check_root(r))
		return false;
	if (!r->image)
		add_share(r, r->root, "root", false);
	for (unsigned int i = 0; i < r->n_rw; i++)
		if (!add_folder(r, i))
			return false;
	return true;
}

/* ---- the initramfs ---- */

/* One statement, and a NUL: a name may have any other byte in it. */
__attribute__((format(printf, 2, 3)))
static void say(FILE *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	putc(0, f);
}

static void put_terminal(const struct run *r, FILE *f)
{
	const char *term = getenv("TERM");
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	if (!r->terminal)
		return;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	say(f, "tty %hu %hu", size.ws_row, size.ws_col);
	if (term && *term)
		say(f, "term %s", term);
	if (isatty(STDERR_FILENO))
		say(f, "tty-errors");
}

static void put_config(const struct run *r, FILE *f)
{
	say(f, "pwd %s", r->pwd);
	if (r->user)
		say(f, "user %s", r->user);
	if (r->init)
		say(f, "init");
	if (r->image)
		say(f, "disk");
	if (r->machine.launch.network)
		say(f, "net");
	if (r->kernel.modules[0])
		say(f, "ro modules /lib/modules/%s", r->kernel.release);
	for (unsigned int i = 0; i < r->n_rw; i++)
		say(f, "rw %s %s", r->tags[i], r->rw[i]);
	put_terminal(r, f);
}

static void put_argv(const struct run *r, FILE *f)
{
	for (char **p = r->command; p && *p; p++)
		fwrite(*p, 1, strlen(*p) + 1, f);
}

/* A file in memory: @text is of @n bytes, and malloc()ed. */
struct text {
	char *text;
	size_t n;
};

static struct text text_of(const struct run *r,
			   void (*put)(const struct run *r, FILE *f))
{
	struct text t = { NULL, 0 };
	FILE *f = open_memstream(&t.text, &t.n);

	if (!f)
		err(RUN_USAGE, "no memory");
	put(r, f);
	if (fclose(f))
		err(RUN_USAGE, "no memory");
	return t;
}

bool guest_initrd(struct run *r)
{
	struct text config, argv = text_of(r, put_argv);
	int fd;

	if (r->kernel.modules[0])
		add_share(r, r->kernel.modules, "modules", false);
	add_disks(r);
	config = text_of(r, put_config);
	fd = initrd_make((const struct initrd_file[]){
		{ "airlock", 040755, NULL, 0 },
		{ "airlock/config", 0100644, config.text, config.n },
		{ "airlock/argv", 0100644, argv.text, argv.n },
		{ "init", 0100755, run_init,
		  (size_t)(run_init_end - run_init) },
		{ NULL, 0, NULL, 0 } }, r->kernel.modules_fd);
	free(config.text);
	free(argv.text);
	snprintf(r->initrd, sizeof(r->initrd), "/proc/self/fd/%d", fd);
	return fd >= 0;
}
