// SPDX-License-Identifier: GPL-2.0
/*
 * The command and its standard files. A port can be opened once only, and the
 * command may want to open /dev/stdout: it gets pipes, or a terminal, and a
 * process of ours for each carries the bytes.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS 64

struct who {
	const char *name, *home, *shell;
	uid_t uid;
	gid_t gid, groups[GROUPS];
	size_t n_groups;
};

/* ---- carriers ---- */

/* What this carrier reads. */
static int source;

/* Nothing more shall come: what is left, and then the end. */
static void wake(int signal)
{
	(void)signal;
	fcntl(source, F_SETFL, O_NONBLOCK);
}

/* Until the end, or until nothing is left after wake(). */
static void carry(int from, int to)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0 ||
	       (n < 0 && errno == EINTR)) {
		for (ssize_t at = 0, put; at < n; at += put) {
			put = write(to, buf + at, (size_t)(n - at));
			if (put < 0 && errno != EINTR)
				return;
			if (put < 0)
				put = 0;
		}
	}
}

static pid_t carrier(int from, int to, int not_here)
{
	struct sigaction act = { .sa_handler = wake };
	pid_t pid;

	source = from;
	sigaction(SIGUSR1, &act, NULL);
	pid = fork();
	if (pid < 0)
		die("no process: %s", strerror(errno));
	if (pid)
		return pid;
	if (not_here >= 0)
		close(not_here);
	/* A command that reads nothing ends this one, and nothing else. */
	signal(SIGPIPE, SIG_DFL);
	carry(from, to);
	_exit(0);
}

/* The command is gone: what it left is carried, not what others may add. */
static void finish(pid_t pid)
{
	int status;

	kill(pid, SIGUSR1);
	waitpid(pid, &status, 0);
}

/*
 * The host's lines: "size ROWS COLUMNS" of its terminal; "closed N", where
 * nobody reads what this carrier, which alone holds the command's pipe, brings.
 */
static void follow(int control, int terminal, const pid_t carriers[3])
{
	struct winsize size = { .ws_row = 0 };
	FILE *f;
	char line[64];
	int n;

	if (fork())
		return;
	f = fdopen(control, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "closed %d", &n) == 1 && n > 0 && n < 3)
			kill(carriers[n], SIGKILL);
		else if (sscanf(line, "size %hu %hu", &size.ws_row,
				&size.ws_col) == 2)
			ioctl(terminal, TIOCSWINSZ, &size);
	_exit(0);
}

/* ---- the user ---- */

static void add_groups(struct who *w)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g;

	w->groups[w->n_groups++] = w->gid;
	while (f && (g = fgetgrent(f)))
		for (char **m = g->gr_mem; *m; m++)
			if (!strcmp(*m, w->name) && w->n_groups < GROUPS)
				w->groups[w->n_groups++] = g->gr_gid;
	if (f)
		fclose(f);
}

static void find_user(const struct config *c, struct who *w)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p = NULL;

	*w = (struct who){ .name = "root", .home = "/root",
			   .shell = "/bin/sh" };
	while (f && (p = fgetpwent(f)))
		if (!strcmp(p->pw_name, c->user ? c->user : "root"))
			break;
	if (p) {
		w->name = strdup(p->pw_name);
		w->home = strdup(p->pw_dir);
		w->uid = p->pw_uid;
		w->gid = p->pw_gid;
		if (*p->pw_shell && !access(p->pw_shell, X_OK))
			w->shell = strdup(p->pw_shell);
	} else if (c->user) {
		die("the root knows no user '%s'", c->user);
	}
	if (f)
		fclose(f);
	add_groups(w);
}

static void become(const struct who *w)
{
	if (setgroups(w->n_groups, w->groups) || setgid(w->gid) ||
	    setuid(w->uid)) {
		dprintf(2, "airlock run: in the guest: user '%s': %s\n",
			w->name, strerror(errno));
		_exit(2);
	}
}

/* ---- the command ---- */

static void set_environment(const struct config *c, const struct who *w)
{
	clearenv();
	setenv("HOME", w->home, 1);
	setenv("USER", w->name, 1);
	setenv("LOGNAME", w->name, 1);
	setenv("SHELL", w->shell, 1);
	setenv("TERM", c->term, 1);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
	       "/sbin:/bin", 1);
}

__attribute__((noreturn))
static void start(const struct config *c, const struct who *w,
		  const int files[3])
{
	char *shell[] = { strdup(w->shell), NULL };
	char *const *argv = c->argv ? c->argv : shell;

	setsid();
	for (int i = 0; i < 3; i++)
		dup2(files[i], i);
	if (c->tty)
		ioctl(0, TIOCSCTTY, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	set_environment(c, w);
	become(w);
	if (chdir(c->pwd)) {
		dprintf(2, "airlock run: in the guest: cd %s: %s\n", c->pwd,
			strerror(errno));
		_exit(2);
	}
	execvp(argv[0], argv);
	dprintf(2, "airlock run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* FILES: the command's ends; OURS: what is carried. */
static void make_pipes(const struct who *w, int files[3], int ours[3])
{
	for (int i = 0; i < 3; i++) {
		int p[2];

		if (pipe2(p, O_CLOEXEC))
			die("no pipe: %s", strerror(errno));
		files[i] = p[!!i];
		ours[i] = p[!i];
		/* Whoever it belongs to may open it again. */
		if (fchown(files[i], w->uid, w->gid))
			die("fchown: %s", strerror(errno));
	}
}

static void make_terminal(const struct config *c, const struct who *w,
			  int files[3], int ours[3])
{
	struct winsize size = { .ws_row = c->rows, .ws_col = c->columns };
	int us = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), them;
	char *name;

	name = us < 0 || unlockpt(us) ? NULL : ptsname(us);
	them = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (them < 0 || fchown(them, w->uid, w->gid))
		die("no terminal: %s", strerror(errno));
	ioctl(us, TIOCSWINSZ, &size);
	files[0] = files[1] = them;
	ours[0] = ours[1] = us;
	if (!c->tty_errors)
		return;
	close(files[2]);
	files[2] = them;
}

static int wait_for(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = wait(&status);
	while (got != pid && (got > 0 || errno == EINTR));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
		WEXITSTATUS(status);
}

/* A pipe's end is its carrier's alone: without it the command gets SIGPIPE. */
static void start_carriers(const struct config *c, const int port[PORTS],
			   const int ours[3], pid_t carriers[3])
{
	carriers[1] = carrier(ours[1], port[PORT_OUT], c->tty ? -1 : ours[0]);
	if (!c->tty)
		close(ours[1]);
	carriers[2] = carrier(ours[2], port[PORT_ERR], ours[0]);
	close(ours[2]);
	carriers[0] = carrier(port[PORT_IN], ours[0], -1);
	if (!c->tty)
		close(ours[0]);
	follow(port[PORT_CONTROL], ours[0], carriers);
}

int command_run(const struct config *c, const int port[PORTS])
{
	int files[3], ours[3], code;
	pid_t pid, carriers[3];
	struct who w;

	find_user(c, &w);
	make_pipes(&w, files, ours);
	if (c->tty)
		make_terminal(c, &w, files, ours);
	pid = fork();
	if (pid < 0)
		die("no process: %s", strerror(errno));
	if (!pid)
		start(c, &w, files);
	for (int i = 0; i < 3; i++)
		close(files[i]);
	start_carriers(c, port, ours, carriers);
	code = wait_for(pid);
	finish(carriers[1]);
	finish(carriers[2]);
	return code;
}
