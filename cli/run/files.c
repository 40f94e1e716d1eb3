// SPDX-License-Identifier: GPL-2.0
/*
 * The command's standard files, and its exit code.
 *
 *   our stdin --> feed() --> socket --> port airlock.stdin
 *   port airlock.stdout, .stderr --> pipe --> drain() --> our stdout, stderr
 *   port airlock.exit --> pipe --> the exit code, in decimal
 *   the terminal's size --> follow() --> socket --> port airlock.control
 *   nobody reads stdout or stderr --> drain() --> the same
 */
#include "run.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool write_all(int fd, const char *at, size_t n)
{
	while (n) {
		ssize_t put = write(fd, at, n);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (put < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		else if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			at += put;
			n -= (size_t)put;
		}
	}
	return true;
}

struct copy {
	int from, to, control;
	int *error;
};

/*
 * As for any command whose reader is gone (yes | head -1): its next write
 * there ends it.
 */
static void tell_closed(const struct copy *c)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "closed %d\n", c->to);

	write_all(c->control, line, (size_t)n);
}

/* Of what cannot be written the rest is read and forgotten. */
static void *drain(void *context)
{
	struct copy *c = context;
	char buf[65536];
	ssize_t n;

	while ((n = read(c->from, buf, sizeof(buf))) > 0 ||
	       (n < 0 && errno == EINTR))
		if (n > 0 && !*c->error && !write_all(c->to, buf, (size_t)n)) {
			*c->error = errno;
			tell_closed(c);
		}
	return NULL;
}

static void *feed(void *context)
{
	const struct run *r = context;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char buf[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0 ||
	       (n < 0 && (errno == EINTR || errno == EAGAIN))) {
		if (n < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		if (n > 0 && !write_all(r->ours[IN], buf, (size_t)n))
			break;
	}
	shutdown(r->ours[IN], SHUT_WR);
	return NULL;
}

/* Its own thread alone takes SIGWINCH. */
static void *follow(void *context)
{
	const struct run *r = context;
	struct winsize size;
	char line[32];
	sigset_t set;
	int signal, n;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	while (!sigwait(&set, &signal)) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
			continue;
		n = snprintf(line, sizeof(line), "size %hu %hu\n",
			     size.ws_row, size.ws_col);
		if (!write_all(r->ours[CONTROL], line, (size_t)n))
			break;
	}
	return NULL;
}

/* ---- the terminal ---- */

static struct termios *to_restore;

static void restore(void)
{
	if (to_restore)
		tcsetattr(STDIN_FILENO, TCSADRAIN, to_restore);
	to_restore = NULL;
}

/* What is typed is the guest's, Ctrl-C too. */
static void make_raw(struct run *r)
{
	struct termios raw;

	if (!r->terminal || tcgetattr(STDIN_FILENO, &r->old_terminal))
		return;
	raw = r->old_terminal;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	to_restore = &r->old_terminal;
	atexit(restore);
}

void files_look(struct run *r)
{
	r->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* ---- */

bool files_open(struct run *r)
{
	static const char *const names[PORTS] = {
		[IN] = "airlock.stdin", [OUT] = "airlock.stdout",
		[ERR] = "airlock.stderr", [CODE] = "airlock.exit",
		[CONTROL] = "airlock.control",
	};
	int fd[2];

	for (unsigned int i = 0; i < PORTS; i++) {
		bool input = i == IN || i == CONTROL;

		if (input ? socketpair(AF_UNIX, SOCK_STREAM, 0, fd) :
		    pipe(fd)) {
			warn("no pipe");
			return false;
		}
		fcntl(fd[0], F_SETFD, FD_CLOEXEC);
		r->ours[i] = fd[0];
		r->port[i] = (struct launch_port){
			.name = names[i], .fd = fd[1], .input = input,
		};
	}
	r->machine.launch.port = r->port;
	r->machine.launch.ports = PORTS;
	return true;
}

static bool start(pthread_t *thread, void *(*function)(void *), void *context)
{
	int e = pthread_create(thread, NULL, function, context);

	if (e)
		warnx("no thread: %s", strerror(e));
	return !e;
}

/* Signals are for the thread that runs the guest. */
bool files_start(struct run *r)
{
	static struct copy copy[2];
	sigset_t all, old, size;
	pthread_t other;
	bool ok;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&size);
	sigaddset(&size, SIGWINCH);
	sigprocmask(SIG_BLOCK, &size, NULL);
	make_raw(r);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = start(&other, feed, r) &&
		(!r->terminal || start(&other, follow, r));
	for (int i = 0; ok && i < 2; i++) {
		copy[i] = (struct copy){ r->ours[OUT + i], STDOUT_FILENO + i,
					 r->ours[CONTROL],
					 &r->write_error[i] };
		ok = start(&r->drains[i], drain, &copy[i]);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

void files_end(struct run *r)
{
	for (int i = 0; i < PORTS; i++)
		close(r->port[i].fd);
	for (int i = 0; i < 2; i++)
		pthread_join(r->drains[i], NULL);
	restore();
}

int files_code(const struct run *r)
{
	char text[16];
	ssize_t n = read(r->ours[CODE], text, sizeof(text) - 1);

	if (n <= 0)
		return -1;
	text[n] = 0;
	return atoi(text) & 255;
}
