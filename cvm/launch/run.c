// SPDX-License-Identifier: GPL-2.0
/*
 * Runs QEMU and listens to the machine.
 *
 *   our stdin --> pipe --> QEMU stdio (the guest's serial port)
 *   QEMU stdio --> pipe --> console.c --> our stdout, or a listener
 *   the machine's port 0xe9 --> pipe --> here: lines, @ lines are data
 *
 * QEMU never gets the terminal itself, so it cannot leave it in raw mode, and
 * it dies with this process in every case: PR_SET_PDEATHSIG, a signal we
 * forward as SIGKILL, or the time limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attest.h"
#include "console.h"
#include "parts.h"

extern const char cvm_machine_image[], cvm_machine_image_end[];

struct run {
	const struct launch *l;
	struct launch_result *r;
	pid_t pid;
	int machine, input;		/* our ends of two pipes */
	struct console console;
	int monitor;			/* QEMU's, to ask where a guest hangs */
	struct attest *attest;		/* or NULL */
	int questions;			/* the machine's, or -1 */
	int signals;
	sigset_t old_set;
	struct sigaction old_pipe;
	struct timespec end;
	char line[1024];
	size_t line_used;
	bool running, ended;		/* the machine said so */
};

static int machine_elf(void)
{
	size_t n = (size_t)(cvm_machine_image_end - cvm_machine_image);
	int fd = memfd_create("machine", 0);

	if (fd >= 0 && write(fd, cvm_machine_image, n) != (ssize_t)n) {
		close(fd);
		return -1;
	}
	return fd;
}

__attribute__((noreturn))
static void child(const struct run *r, struct qemu_fds *fds, const int *console,
		  pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fds->machine_elf = machine_elf();
	if (getppid() != parent || fds->machine_elf < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, &r->old_set, NULL);
	sigaction(SIGPIPE, &r->old_pipe, NULL);
	dup2(console[0], STDIN_FILENO);
	dup2(console[1], STDOUT_FILENO);
	qemu_exec(r->l, fds);
	_exit(127);
}

/* Signals are read from a file while QEMU runs. */
static bool take_signals(struct run *r)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	sigaction(SIGPIPE, &ignore, &r->old_pipe);
	sigprocmask(SIG_BLOCK, &set, &r->old_set);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return r->signals >= 0;
}

static void give_signals_back(struct run *r)
{
	struct signalfd_siginfo si;

	while (r->signals >= 0) {	/* what is left is QEMU's end */
		struct pollfd p = { .fd = r->signals, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0 ||
		    read(r->signals, &si, sizeof(si)) <= 0)
			break;
	}
	sigprocmask(SIG_SETMASK, &r->old_set, NULL);
	sigaction(SIGPIPE, &r->old_pipe, NULL);
}

static bool start(struct run *r, int image)
{
	int in[2], out[2], machine[2], monitor[2], questions[2] = { -1, -1 };
	pid_t parent = getpid();

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe(machine) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, monitor) ||
	    (r->attest && socketpair(AF_UNIX, SOCK_STREAM, 0, questions)))
		return false;
	fcntl(machine[0], F_SETFD, FD_CLOEXEC);
	fcntl(monitor[0], F_SETFD, FD_CLOEXEC);
	if (r->attest)
		fcntl(questions[0], F_SETFD, FD_CLOEXEC);
	fflush(NULL);
	r->pid = fork();
	if (r->pid < 0)
		return false;
	if (!r->pid)
		child(r, &(struct qemu_fds){ .image = image,
		      .machine = machine[1], .monitor = monitor[1],
		      .attest = questions[1] },
		      (int[]){ in[0], out[1] }, parent);
	close(in[0]);
	close(out[1]);
	close(machine[1]);
	close(monitor[1]);
	if (r->attest)
		close(questions[1]);
	r->monitor = monitor[0];
	r->questions = questions[0];
	r->input = in[1];
	r->machine = machine[0];
	console_open(&r->console, out[0], r->l);
	if (r->l->listener) {
		close(r->input);
		r->input = -1;
	}
	fcntl(r->input, F_SETFL, O_NONBLOCK);
	return true;
}

static void tell_violation(struct run *r, const struct launch_violation *v)
{
	const struct launch_listener *listen = r->l->listener;
	char text[400], line[420];

	if (listen && listen->violation)
		listen->violation(listen->context, v);
	if (listen)
		return;
	snprintf(line, sizeof(line), "violation: %s",
		 launch_violation_text(v, text, sizeof(text)));
	console_tell(&r->console, line);
}

static void machine_line(struct run *r, const char *line)
{
	struct launch_violation v;

	switch (report_line(r->r, line, &v)) {
	case REPORT_RUNNING:
		r->running = true;
		break;
	case REPORT_VIOLATION:
		tell_violation(r, &v);
		break;
	case REPORT_END:
	case REPORT_CANNOT:
		r->ended = true;
		break;
	case REPORT_OTHER:
		console_tell(&r->console, line);
		break;
	case REPORT_COUNTER:
		break;
	}
}

static void hear(struct run *r)
{
	char buf[4096];
	ssize_t n = read(r->machine, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(r->machine);
		r->machine = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != '\n') {
			if (r->line_used + 1 < sizeof(r->line))
				r->line[r->line_used++] = buf[i];
			continue;
		}
		r->line[r->line_used] = 0;
		r->line_used = 0;
		machine_line(r, r->line);
	}
}

/* Pass on what is typed; what the guest does not take is lost. */
static void type(struct run *r)
{
	char buf[512];
	ssize_t n = read(0, buf, sizeof(buf));

	if (n <= 0 || (write(r->input, buf, (size_t)n) < 0 &&
		       errno == EPIPE)) {
		close(r->input);
		r->input = -1;
	}
}

/* If it asks nonsense it gets no more answers. */
static void answer(struct run *r)
{
	if (attest_hear(r->attest, r->questions))
		return;
	close(r->questions);
	r->questions = -1;
}

static int remaining_ms(const struct run *r)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (r->end.tv_sec - now.tv_sec) * 1000 +
	     (r->end.tv_nsec - now.tv_nsec) / 1000000;
	return ms < 0 ? 0 : (int)ms;
}

/*
 * Until the machine has no more to say, and who reads our stdout has all of
 * the console. Return: 0 QEMU ended, -1 the time is over, or a signal.
 */
static int listen_to(struct run *r)
{
	struct console *c = &r->console;
	struct signalfd_siginfo si;

	while (r->machine >= 0 || console_in(c) >= 0 || console_out(c) >= 0) {
		struct pollfd p[6] = {
			{ .fd = r->machine, .events = POLLIN },
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->input < 0 ? -1 : 0, .events = POLLIN },
			{ .fd = console_in(c), .events = POLLIN },
			{ .fd = console_out(c), .events = POLLOUT },
			{ .fd = r->questions, .events = POLLIN },
		};
		int ms = remaining_ms(r), n;

		if (!ms)
			return r->machine < 0 ? 0 : -1;
		n = poll(p, 6, console_patience(c, ms));
		console_tick(c);
		if (n <= 0)
			continue;
		if (p[3].revents)
			console_read(c);
		if (p[4].revents)
			console_write(c);
		if (p[5].revents)
			answer(r);
		if (p[0].revents)
			hear(r);
		if (p[1].revents && read(r->signals, &si, sizeof(si)) > 0 &&
		    si.ssi_signo != SIGCHLD)
			return (int)si.ssi_signo;
		if (p[2].revents)
			type(r);
	}
	return 0;
}

/*
 * Where a guest that did not end was: ask QEMU's monitor, for half a second.
 * Low addresses are the machine's own: a CPU that was not started, or waits.
 */
static void where(struct run *r)
{
	static const char command[] = "info registers -a\n";
	char text[65536];
	const char *at = text, *rip;
	struct pollfd p = { .fd = r->monitor, .events = POLLIN };
	size_t used = 0, n = strlen(r->r->why);
	ssize_t got;

	if (write(r->monitor, command, sizeof(command) - 1) < 0)
		return;
	while (used + 1 < sizeof(text) && poll(&p, 1, 500) > 0) {
		got = read(r->monitor, text + used, sizeof(text) - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	text[used] = 0;
	at = strstr(at, "RIP=");	/* the machine's own CPU */
	at = at ? at + 4 : "";
	for (unsigned int cpu = 0; (rip = strstr(at, "RIP=")); cpu++) {
		unsigned long v = strtoul(rip + 4, NULL, 16);
		char place[32] = "idle";
		int put;

		if (v < 0x100000 || v >= CVM_RAM_BASE)
			snprintf(place, sizeof(place), "at %lx", v);
		put = snprintf(r->r->why + n, sizeof(r->r->why) - n,
			       "%scpu %u %s", cpu ? ", " : "; ", cpu, place);
		if (put < 0 || n + (size_t)put >= sizeof(r->r->why))
			break;
		n += (size_t)put;
		at = rip + 4;
	}
}

/* QEMU ended: what does that mean if the machine said nothing of an end? */
static void judge(struct run *r, int status)
{
	struct launch_result *to = r->r;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) :
		   128 + WTERMSIG(status);

	if (r->ended)
		return;
	if (!r->running) {
		launch_cannot(to, "QEMU did not start the machine (exit %d)",
			      code);
		return;
	}
	if (WIFSIGNALED(status) || code) {
		to->end = LAUNCH_QEMU_LOST;
		snprintf(to->why, sizeof(to->why), "QEMU crashed");
	} else {
		to->end = LAUNCH_RESET;
		snprintf(to->why, sizeof(to->why), "the guest reset");
	}
}

static void judge_stopped(struct run *r, int why)
{
	struct launch_result *to = r->r;

	if (why > 0) {
		to->end = LAUNCH_INTERRUPTED;
		to->signal = why;
		snprintf(to->why, sizeof(to->why), "signal %d", why);
		return;
	}
	to->end = LAUNCH_TIME_LIMIT;
	snprintf(to->why, sizeof(to->why), "no end within %u s",
		 r->l->time_limit);
	where(r);
}

/* A panic is the reason for what comes after it, if that is nobody's doing. */
static void judge_panic(struct run *r)
{
	const char *panic = console_panic(&r->console);
	struct launch_result *to = r->r;
	char then[sizeof(to->why)];

	if (!panic || (to->end != LAUNCH_RESET && to->end != LAUNCH_TIME_LIMIT
		       && to->end != LAUNCH_TERMINATED &&
		       to->end != LAUNCH_CRASHED))
		return;
	to->end = LAUNCH_PANICKED;
	memcpy(then, to->why, sizeof(then));
	snprintf(to->why, sizeof(to->why), "%s; then: %.300s", panic, then);
}

static void run(struct run *r, int image)
{
	int why, status = 0;

	if (!start(r, image)) {
		launch_cannot(r->r, "cannot start QEMU: %s", strerror(errno));
		return;
	}
	why = listen_to(r);
	if (why) {
		judge_stopped(r, why);
		kill(r->pid, SIGKILL);
	}
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	console_close(&r->console);
	r->r->console_error = r->console.error;
	if (!why)
		judge(r, status);
	judge_panic(r);
	if (r->machine >= 0)
		close(r->machine);
	close(r->monitor);
	if (r->questions >= 0)
		close(r->questions);
	if (r->input >= 0)
		close(r->input);
}

/* Keys and certificates, where there is such a thing. */
static bool start_attest(struct run *r, int image)
{
	const struct launch *l = r->l;

	if (!attest_wanted(l))
		return true;
	r->attest = attest_new(l, r->r, image);
	return r->attest && (!l->certs || attest_write(r->attest, r->r));
}

int launch(const struct launch *l, struct launch_result *result)
{
	struct run r = { .l = l, .r = result, .questions = -1 };
	int image;

	*result = (struct launch_result){ .end = LAUNCH_CANNOT };
	image = image_make(l, result);
	if (image < 0)
		return launch_exit(result->end);
	if (!qemu_check(result) && start_attest(&r, image)) {
		clock_gettime(CLOCK_MONOTONIC, &r.end);
		r.end.tv_sec += l->time_limit;
		if (take_signals(&r))
			run(&r, image);
		else
			launch_cannot(result, "no signalfd: %s",
				      strerror(errno));
		give_signals_back(&r);
		close(r.signals);
	}
	attest_free(r.attest);
	close(image);
	return launch_exit(result->end);
}
