// SPDX-License-Identifier: GPL-2.0
/*
 * Runs QEMU and listens to the machine.
 *
 *   our stdin --> pipe --> QEMU stdio (the guest's serial port)
 *   QEMU stdio --> pipe --> console.c --> our stdout
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

#include "console.h"
#include "launch.h"

#define MAX_ARGS	128
#define MAX_VIOLATIONS	64
#define MAX_STATS	64
#define ICOUNT_SHIFT	1

extern const char cvm_machine_image[], cvm_machine_image_end[];

struct run {
	const struct launch *l;
	pid_t pid;
	int machine, input;		/* our ends of two pipes */
	struct console console;
	int monitor;			/* QEMU's, to ask where a guest hangs */
	int signals;
	struct timespec end;
	char line[1024];
	size_t line_used;
	/* what the machine said */
	bool running, ended, passed, cannot;
	char why[512];
	char *violations[MAX_VIOLATIONS];
	unsigned int n_violations;
	struct {
		char name[48];
		uint64_t value;
	} stats[MAX_STATS];
	unsigned int n_stats;
};

static const char *qemu_program(void)
{
	const char *env = getenv("AIRLOCK_QEMU");

	return env ? env : "qemu-system-x86_64";
}

/* The major version, 0 when there is no QEMU. */
static int qemu_version(void)
{
	char command[4200], text[256];
	int major = 0;
	FILE *f;

	snprintf(command, sizeof(command), "'%s' --version 2>/dev/null",
		 qemu_program());
	f = popen(command, "r");
	if (!f)
		return 0;
	if (fgets(text, sizeof(text), f))
		sscanf(text, "QEMU emulator version %d", &major);
	pclose(f);
	return major;
}

static int check_qemu(void)
{
	int major = qemu_version();

	if (!major)
		return launch_error("no QEMU ('%s'); scripts/setup qemu "
				    "installs it", qemu_program());
	if (major < 9)
		return launch_error("QEMU 9 or later is needed, this is %d "
				    "(its TCG has no x2APIC); scripts/setup "
				    "qemu installs one", major);
	return 0;
}

struct args {
	char *v[MAX_ARGS];
	unsigned int n;
};

__attribute__((format(printf, 2, 3)))
static void arg(struct args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->n >= MAX_ARGS - 1)
		return;
	va_start(ap, fmt);
	if (vasprintf(&a->v[a->n], fmt, ap) < 0)
		abort();
	va_end(ap);
	a->v[++a->n] = NULL;
}

static void qemu_args(struct args *a, const struct launch *l, int elf,
		      int image, int machine, int monitor)
{
	arg(a, "%s", qemu_program());
	arg(a, "-nodefaults");
	arg(a, "-no-user-config");
	arg(a, "-display");
	arg(a, "none");
	arg(a, "-no-reboot");
	arg(a, "-machine");
	arg(a, "q35");
	arg(a, "-accel");
	arg(a, "tcg");
	arg(a, "-cpu");
	arg(a, "max,phys-bits=48,+svm,+npt");
	arg(a, "-smp");
	arg(a, "%u", l->cpus + 1);	/* one runs no guest: main.c */
	arg(a, "-m");
	arg(a, "%u", l->memory);
	arg(a, "-kernel");
	arg(a, "/dev/fd/%d", elf);
	arg(a, "-initrd");
	arg(a, "/dev/fd/%d", image);
	arg(a, "-append");
	arg(a, "platform=%u cpus=%u host=%u host_arg=%lu seed=%lu "
	    "deterministic=%u shift=%u lazy=%u iommu=%u isolation=%u",
	    l->platform, l->cpus, l->host, l->host_arg, l->seed,
	    l->deterministic, l->deterministic ? ICOUNT_SHIFT : 0, l->lazy,
	    l->iommu, l->isolation);
	arg(a, "-chardev");
	arg(a, "stdio,id=console,signal=off");
	arg(a, "-serial");
	arg(a, "chardev:console");
	arg(a, "-chardev");
	arg(a, "file,id=machine,path=/dev/fd/%d", machine);
	arg(a, "-device");
	arg(a, "isa-debugcon,iobase=0xe9,chardev=machine");
	arg(a, "-chardev");
	arg(a, "socket,id=monitor,fd=%d", monitor);
	arg(a, "-mon");
	arg(a, "chardev=monitor,mode=readline");
	if (l->iommu) {
		arg(a, "-device");
		arg(a, "intel-iommu,intremap=off");
	}
	if (l->deterministic) {
		arg(a, "-icount");
		arg(a, "shift=%d,sleep=off", ICOUNT_SHIFT);
		arg(a, "-rtc");
		arg(a, "clock=vm,base=2024-01-01T00:00:00");
		arg(a, "-seed");
		arg(a, "%lu", l->seed);
	}
	for (char **p = l->qemu_args; *p; p++)
		arg(a, "%s", *p);
}

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

static void child(struct run *r, int image, const int *console, int machine,
		  int monitor, const sigset_t *old)
{
	struct args a = { .n = 0 };
	pid_t parent = getppid();
	int elf = machine_elf();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || elf < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, old, NULL);
	dup2(console[0], STDIN_FILENO);
	dup2(console[1], STDOUT_FILENO);
	qemu_args(&a, r->l, elf, image, machine, monitor);
	execvp(a.v[0], a.v);
	_exit(127);
}

static bool start(struct run *r, int image)
{
	sigset_t set, old;
	int in[2], out[2], machine[2], monitor[2];

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, &old);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (r->signals < 0 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe(machine) || socketpair(AF_UNIX, SOCK_STREAM, 0, monitor))
		return false;
	fcntl(machine[0], F_SETFD, FD_CLOEXEC);
	fcntl(monitor[0], F_SETFD, FD_CLOEXEC);
	fflush(NULL);
	r->pid = fork();
	if (r->pid < 0)
		return false;
	if (!r->pid)
		child(r, image, (int[]){ in[0], out[1] }, machine[1],
		      monitor[1], &old);
	close(in[0]);
	close(out[1]);
	close(machine[1]);
	close(monitor[1]);
	r->monitor = monitor[0];
	r->input = in[1];
	r->machine = machine[0];
	console_open(&r->console, out[0]);
	fcntl(r->input, F_SETFL, O_NONBLOCK);
	return true;
}

static void add_stat(struct run *r, const char *text)
{
	if (r->n_stats < MAX_STATS &&
	    sscanf(text, "%47s %lu", r->stats[r->n_stats].name,
		   &r->stats[r->n_stats].value) == 2)
		r->n_stats++;
}

__attribute__((format(printf, 2, 3)))
static void tell(struct run *r, const char *fmt, ...)
{
	char line[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_tell(&r->console, line);
}

static void machine_line(struct run *r, const char *s)
{
	if (!strncmp(s, "@stat ", 6)) {
		add_stat(r, s + 6);
	} else if (!strncmp(s, "@violation ", 11)) {
		tell(r, "airlock boot: violation: %s\n", s + 11);
		if (r->n_violations < MAX_VIOLATIONS)
			r->violations[r->n_violations++] = strdup(s + 11);
	} else if (!strncmp(s, "@end ", 5)) {
		r->ended = true;
		r->passed = !strncmp(s + 5, "passed ", 7);
		snprintf(r->why, sizeof(r->why), "%.200s", s + 12);
	} else if (!strncmp(s, "@cannot ", 8)) {
		r->cannot = true;
		snprintf(r->why, sizeof(r->why), "%.200s", s + 8);
	} else if (!strncmp(s, "@running", 8)) {
		r->running = true;
	} else {
		tell(r, "airlock boot: %s\n", s);
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
 * the console. Return: 0 QEMU ended, LAUNCH_TIME_LIMIT, or 128 + a signal to
 * die of.
 */
static int listen_to(struct run *r)
{
	struct console *c = &r->console;
	struct signalfd_siginfo si;

	while (r->machine >= 0 || console_in(c) >= 0 || console_out(c) >= 0) {
		struct pollfd p[5] = {
			{ .fd = r->machine, .events = POLLIN },
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->input < 0 ? -1 : 0, .events = POLLIN },
			{ .fd = console_in(c), .events = POLLIN },
			{ .fd = console_out(c), .events = POLLOUT },
		};
		int ms = remaining_ms(r), n;

		if (!ms)
			return r->machine < 0 ? 0 : LAUNCH_TIME_LIMIT;
		n = poll(p, 5, console_patience(c, ms));
		console_tick(c);
		if (n <= 0)
			continue;
		if (p[3].revents)
			console_read(c);
		if (p[4].revents)
			console_write(c);
		if (p[0].revents)
			hear(r);
		if (p[1].revents && read(r->signals, &si, sizeof(si)) > 0 &&
		    si.ssi_signo != SIGCHLD)
			return 128 + (int)si.ssi_signo;
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
	size_t used = 0, n = strlen(r->why);
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
		put = snprintf(r->why + n, sizeof(r->why) - n, "%scpu %u %s",
			       cpu ? ", " : "; ", cpu, place);
		if (put < 0 || n + (size_t)put >= sizeof(r->why))
			break;
		n += (size_t)put;
		at = rip + 4;
	}
}

static void json_text(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(f, "\\u%04x", *s);
		else
			fputc(*s, f);
	fputc('"', f);
}

static int write_json(const struct run *r, const char *result, int code)
{
	const struct launch *l = r->l;
	FILE *f = fopen(l->json, "w");

	if (!f)
		return launch_error("cannot write '%s': %s", l->json,
				    strerror(errno));
	fprintf(f, "{\n \"platform\": \"%s\",\n \"cpus\": %u,\n", l->platform_name,
		l->cpus);
	fprintf(f, " \"memory\": %u,\n", l->memory);
	fprintf(f, " \"host\": ");
	json_text(f, l->host_name);
	fprintf(f, ",\n \"deterministic\": %s,\n \"seed\": %lu,\n",
		l->deterministic ? "true" : "false", l->seed);
	fprintf(f, " \"exit\": %d,\n \"result\": \"%s\",\n \"why\": ", code,
		result);
	json_text(f, r->why);
	fprintf(f, ",\n \"violations\": [");
	for (unsigned int i = 0; i < r->n_violations; i++) {
		fprintf(f, "%s\n  ", i ? "," : "");
		json_text(f, r->violations[i]);
	}
	fprintf(f, "%s],\n \"stats\": {", r->n_violations ? "\n " : "");
	for (unsigned int i = 0; i < r->n_stats; i++)
		fprintf(f, "%s\n  \"%s\": %lu", i ? "," : "", r->stats[i].name,
			r->stats[i].value);
	fprintf(f, "\n }\n}\n");
	return fclose(f) ? launch_error("cannot write '%s'", l->json) : 0;
}

static void print_stats(const struct run *r)
{
	if (r->l->quiet)
		return;
	for (unsigned int i = 0; i < r->n_stats; i++)
		if (r->stats[i].value)
			fprintf(stderr, "  %-34s %12lu\n", r->stats[i].name,
				r->stats[i].value);
}

/* QEMU ended: what does that mean? */
static int judge(struct run *r, int status, const char **result)
{
	*result = "failed";
	if (r->ended) {
		*result = r->passed ? "passed" : "failed";
		return r->passed ? LAUNCH_PASSED : LAUNCH_FAILED;
	}
	if (r->cannot) {
		*result = "cannot run";
		return LAUNCH_USAGE;
	}
	if (!r->running) {
		*result = "cannot run";
		snprintf(r->why, sizeof(r->why), "QEMU did not start the "
			 "machine (exit %d)", WIFEXITED(status) ?
			 WEXITSTATUS(status) : 128 + WTERMSIG(status));
		return LAUNCH_USAGE;
	}
	snprintf(r->why, sizeof(r->why), "%s",
		 WIFSIGNALED(status) ? "QEMU crashed" : "the guest reset");
	return LAUNCH_FAILED;
}

int launch_run(const struct launch *l, int image)
{
	struct run r = { .l = l };
	const char *result;
	int code, why, status = 0;

	code = check_qemu();
	if (code)
		return code;
	clock_gettime(CLOCK_MONOTONIC, &r.end);
	r.end.tv_sec += l->time_limit;
	if (!start(&r, image))
		return launch_error("cannot start QEMU: %s", strerror(errno));
	why = listen_to(&r);
	if (why == LAUNCH_TIME_LIMIT) {
		snprintf(r.why, sizeof(r.why), "no end within %u s",
			 l->time_limit);
		where(&r);
	}
	if (why)
		kill(r.pid, SIGKILL);
	while (waitpid(r.pid, &status, 0) < 0 && errno == EINTR)
		;
	console_close(&r.console);
	if (why == LAUNCH_TIME_LIMIT) {
		code = why;
		result = "time limit";
	} else if (why) {
		code = LAUNCH_FAILED;
		result = "interrupted";
		snprintf(r.why, sizeof(r.why), "signal %d", why - 128);
	} else {
		code = judge(&r, status, &result);
	}
	fprintf(stderr, "airlock boot: %s: %s\n", result, r.why);
	print_stats(&r);
	if (l->json && write_json(&r, result, code) && !code)
		code = LAUNCH_USAGE;
	for (unsigned int i = 0; i < r.n_violations; i++)
		free(r.violations[i]);
	if (r.machine >= 0)
		close(r.machine);
	close(r.monitor);
	close(r.signals);
	if (r.input >= 0)
		close(r.input);
	return code;
}
