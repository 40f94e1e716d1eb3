// SPDX-License-Identifier: GPL-2.0
/*
 * Modules, by modprobe and insmod of kmod: they unpack what is compressed. What
 * the kernel has against one becomes a sentence that says what to do.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "here.h"

#define WORDS	(MODULE_WORDS + 4)

/* In the child. Root's PATH may lack them. */
static void execute(char *const *argv, int out)
{
	dup2(out, STDERR_FILENO);
	setenv("LC_ALL", "C", 1);
	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 &&
	       ((n = read(fd, text + used, size - 1 - used)) > 0 ||
		(n < 0 && errno == EINTR)))
		used += n > 0 ? (size_t)n : 0;
	text[used] = 0;
}

/* Run it. Return: its exit code; @said: what it wrote to stderr. */
static int run(char *const *argv, char *said, size_t size)
{
	int fd[2], status = -1;
	pid_t pid;

	*said = 0;
	fflush(NULL);
	if (pipe2(fd, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid)
		execute(argv, fd[1]);
	close(fd[1]);
	if (pid > 0)
		read_all(fd[0], said, size);
	close(fd[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- why not ---- */

static const struct {
	const char *said, *means;
} reasons[] = {
	{ "No such device", "this is not a confidential guest that it is for" },
	{ "Key was rejected", "Secure Boot wants it signed with a key that "
	  "this machine knows (docs/hardware.md)" },
	{ "Required key not", "Secure Boot wants it signed with a key that "
	  "this machine knows (docs/hardware.md)" },
	{ "Operation not permitted", "the kernel is locked down, or this is a "
	  "container" },
	{ "Invalid module format", "it was built for another kernel; `dkms "
	  "autoinstall' builds it for this one" },
	{ "Exec format error", "it was built for another kernel; `dkms "
	  "autoinstall' builds it for this one" },
	{ "Cannot allocate memory", "no 4 MiB in a row are free" },
	{ "File exists", "it is loaded, and in use" },
};

/* dkms had nothing to build it against, or was not there. */
static void say_missing(const char *name)
{
	char build[300];
	struct utsname u;

	uname(&u);
	snprintf(build, sizeof(build), "/lib/modules/%.200s/build", u.release);
	if (access(build, F_OK))
		warnx("no module '%s', nor headers to build it with: install "
		      "linux-headers-%s, and airlock-dkms", name, u.release);
	else
		warnx("no module '%s' for %s: airlock-dkms has it; `dkms "
		      "status' says what became of it", name, u.release);
}

/* The last line, and of that what is behind the last ": ". */
static const char *last_words(char *said)
{
	size_t n = strlen(said);
	char *at;

	while (n && said[n - 1] == '\n')
		said[--n] = 0;
	at = strrchr(said, '\n');
	said = at ? at + 1 : said;
	while ((at = strstr(said, ": ")))
		said = at + 2;
	return said;
}

static void say_why(const char *name, char *said)
{
	const char *words;

	if (strstr(said, "not found in directory")) {
		say_missing(name);
		return;
	}
	words = last_words(said);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strstr(words, reasons[i].said)) {
			warnx("the kernel refused '%s' (%s): %s", name, words,
			      reasons[i].means);
			return;
		}
	warnx("'%s' could not be loaded: %s", name, words);
}

/* ---- */

bool module_load(const char *dir, const char *name, const char *const *words)
{
	char file[PATH_MAX], said[2048], *argv[WORDS];
	unsigned int n = 0;

	snprintf(file, sizeof(file), "%s/%s.ko", dir ? dir : "", name);
	if (dir && access(file, R_OK)) {
		warn("no module '%s'", file);
		return false;
	}
	argv[n++] = (char *)(dir ? "insmod" : "modprobe");
	argv[n++] = dir ? file : (char *)name;
	for (; *words && n < WORDS - 1; words++)
		argv[n++] = (char *)*words;
	argv[n] = NULL;
	if (!run(argv, said, sizeof(said)))
		return true;
	say_why(name, said);
	return false;
}

void module_unload(const char *name)
{
	char said[256];
	char *argv[] = { (char *)"rmmod", (char *)name, NULL };

	run(argv, said, sizeof(said));
}
