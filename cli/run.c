// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock run': a command in a confidential guest whose root is a folder of
 * this host, / if nothing else is said. The guest reads it by 9p and writes
 * into memory. linux/guest/run is its first process.
 *
 *   our stdin --> feed() --> socket --> port airlock.stdin
 *   port airlock.stdout, .stderr --> pipe --> drain() --> our stdout, stderr
 *   port airlock.exit --> pipe --> the exit code, in decimal
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

#define KERNEL		"6.12-amd64"
#define TAIL		4096

/* Exit codes beside the command's own. */
enum {
	RUN_USAGE = 2, RUN_PANICKED = 122, RUN_LOST = 123, RUN_TIME_LIMIT = 124,
};

enum { IN, OUT, ERR, CODE, PORTS };

struct run {
	struct machine machine;
	const char *version, *root, *pwd;
	char **command;
	bool verbose;
	char kernel[PATH_MAX], base[PATH_MAX], initrd[32], here[PATH_MAX];
	char cmdline[1024];
	struct launch_share share;
	struct launch_port port[PORTS];
	int ours[PORTS];		/* the other ends */
	pthread_t drains[2];
	int write_error[2];		/* errno, for stdout and stderr */
	/* the console, its last bytes */
	char tail[TAIL];
	size_t n_tail;
};

/* ---- options ---- */

enum {
	OPT_KERNEL = 256, OPT_ROOT, OPT_PWD,
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "VERSION", 0,
	  "one that `airlock linux fetch' got and that knows 9p, as cloud "
	  "kernels do not [" KERNEL "]", 0 },
	{ "root", OPT_ROOT, "DIR", 0,
	  "the guest's root; what it writes there is forgotten [/]", 0 },
	{ "pwd", OPT_PWD, "DIR", 0,
	  "where in it the command runs [the current folder, or / with --root]",
	  0 },
	{ "verbose", 'v', NULL, 0, "the guest's console on stderr", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->machine;
		break;
	case OPT_KERNEL:	r->version = arg;	break;
	case OPT_ROOT:		r->root = arg;		break;
	case OPT_PWD:		r->pwd = arg;		break;
	case 'v':		r->verbose = true;	break;
	case ARGP_KEY_ARG:
		r->command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "COMMAND is missing");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &machine_argp, 0, "The machine:", 1 }, { 0 },
};

static const struct argp argp = {
	options, parse, "[--] COMMAND [ARGUMENT...]",
	"Run a command in a confidential guest that has this host's root, "
	"read-only with a layer of memory above it, and exit with the "
	"command's exit code. It runs there as root, which gives it no right "
	"here. Standard input, output and error are the command's.\v"
	"Exit: as the command, 128 + N after signal N; 2 bad usage, or nothing "
	"could run; 122 Linux panicked; 123 the guest ended otherwise, or "
	"broke a rule; 124 time limit.",
	children, NULL, NULL,
};

/* ---- the command, as a shell takes it ---- */

static void quote(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	fputc('\'', f);
}

/* Return: malloc()ed. */
static char *command_text(const struct run *r)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		err(RUN_USAGE, "no memory");
	fputs("cd ", f);
	quote(f, r->pwd);
	fputs(" || exit 2; exec", f);
	for (char **p = r->command; *p; p++) {
		fputc(' ', f);
		quote(f, *p);
	}
	fputc('\n', f);
	if (fclose(f))
		err(RUN_USAGE, "no memory");
	return text;
}

/* ---- files ---- */

static bool find_kernel(struct run *r)
{
	if (!place_work(r->kernel, "linux/%s/vmlinuz", r->version) ||
	    !place_work(r->base, "linux/%s/run-initrd", r->version))
		return false;
	if (!access(r->kernel, R_OK) && !access(r->base, R_OK))
		return true;
	if (access(r->kernel, R_OK))
		warnx("no %s kernel here; `airlock linux fetch %s' gets it",
		      r->version, r->version);
	else
		warnx("the %s kernel cannot have its root on the host (9p); "
		      "`airlock linux fetch %s' gets one that can",
		      r->version, KERNEL);
	return false;
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
	if (!r->root)
		r->root = "/";
	if (stat(r->root, &st) || !S_ISDIR(st.st_mode)) {
		warnx("--root '%s' is not a folder", r->root);
		return false;
	}
	return true;
}

static bool prepare(struct run *r)
{
	struct launch *l = &r->machine.launch;
	char *text;
	int fd, n;

	if (!machine_check(&r->machine) || !check_root(r) || !find_kernel(r))
		return false;
	text = command_text(r);
	fd = initrd_with(r->base, text);
	free(text);
	if (fd < 0)
		return false;
	snprintf(r->initrd, sizeof(r->initrd), "/proc/self/fd/%d", fd);
	n = snprintf(r->cmdline, sizeof(r->cmdline),
		     "console=ttyS0 panic=-1%s%s%s%s",
		     r->verbose ? "" : " quiet",
		     l->lazy ? " accept_memory=lazy" : "",
		     l->append ? " " : "", l->append ? l->append : "");
	if (n >= (int)sizeof(r->cmdline)) {
		warnx("the kernel's command line is too long");
		return false;
	}
	r->share = (struct launch_share){ .path = r->root, .tag = "root" };
	l->kernel = r->kernel;
	l->initrd = r->initrd;
	l->append = r->cmdline;
	l->share = &r->share;
	l->shares = 1;
	l->iommu = true;
	return true;
}

/* ---- standard files ---- */

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
	int from, to;
	int *error;
};

/* Of what cannot be written the rest is read and forgotten. */
static void *drain(void *context)
{
	struct copy *c = context;
	char buf[65536];
	ssize_t n;

	while ((n = read(c->from, buf, sizeof(buf))) > 0 ||
	       (n < 0 && errno == EINTR))
		if (n > 0 && !*c->error && !write_all(c->to, buf, (size_t)n))
			*c->error = errno;
	return NULL;
}

static void *feed(void *context)
{
	const struct run *r = context;
	char buf[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0 ||
	       (n < 0 && errno == EINTR))
		if (n > 0 && !write_all(r->ours[IN], buf, (size_t)n))
			break;
	shutdown(r->ours[IN], SHUT_WR);
	return NULL;
}

static bool open_ports(struct run *r)
{
	static const char *const names[PORTS] = {
		[IN] = "airlock.stdin", [OUT] = "airlock.stdout",
		[ERR] = "airlock.stderr", [CODE] = "airlock.exit",
	};
	int fd[2];

	for (unsigned int i = 0; i < PORTS; i++) {
		if (i == IN ? socketpair(AF_UNIX, SOCK_STREAM, 0, fd) :
		    pipe(fd)) {
			warn("no pipe");
			return false;
		}
		fcntl(fd[0], F_SETFD, FD_CLOEXEC);
		r->ours[i] = fd[0];
		r->port[i] = (struct launch_port){
			.name = names[i], .fd = fd[1], .input = i == IN,
		};
	}
	r->machine.launch.port = r->port;
	r->machine.launch.ports = PORTS;
	return true;
}

/* Signals are for the thread that runs the guest. */
static bool start_copies(struct run *r, struct copy copy[2])
{
	sigset_t all, old;
	pthread_t feeder;
	bool ok;

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = !pthread_create(&feeder, NULL, feed, r);
	for (int i = 0; i < 2; i++) {
		copy[i] = (struct copy){ r->ours[OUT + i], STDOUT_FILENO + i,
					 &r->write_error[i] };
		ok = ok && !pthread_create(&r->drains[i], NULL, drain,
					   &copy[i]);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ok)
		warnx("no thread");
	return ok;
}

/* The console's last bytes are shown when all is lost. */
static void hear_console(void *context, const char *bytes, size_t n)
{
	struct run *r = context;

	if (r->verbose)
		fwrite(bytes, 1, n, stderr);
	if (n > TAIL) {
		bytes += n - TAIL;
		n = TAIL;
	}
	if (r->n_tail + n > TAIL) {
		size_t drop = r->n_tail + n - TAIL;

		memmove(r->tail, r->tail + drop, r->n_tail - drop);
		r->n_tail -= drop;
	}
	memcpy(r->tail + r->n_tail, bytes, n);
	r->n_tail += n;
}

static void hear_violation(void *context, const struct launch_violation *v)
{
	char text[400];

	(void)context;
	warnx("violation: %s", launch_violation_text(v, text, sizeof(text)));
}

/* ---- the end ---- */

/* What the guest said, or -1. QEMU is gone: nothing blocks. */
static int command_code(const struct run *r)
{
	char text[16];
	ssize_t n = read(r->ours[CODE], text, sizeof(text) - 1);

	if (n <= 0)
		return -1;
	text[n] = 0;
	return atoi(text) & 255;
}

static int lost(const struct run *r, const struct launch_result *result,
		int code)
{
	if (!r->verbose && r->n_tail)
		fprintf(stderr, "%.*s\n", (int)r->n_tail, r->tail);
	warnx("%s: %s", launch_verdict(result->end), result->why);
	return code;
}

static int judge(const struct run *r, const struct launch_result *result)
{
	int code = command_code(r);

	switch (result->end) {
	case LAUNCH_POWERED_OFF:
		if (code < 0)
			return lost(r, result, RUN_LOST);
		for (int i = 0; i < 2; i++)
			if (r->write_error[i] && r->write_error[i] != EPIPE) {
				errno = r->write_error[i];
				warn("cannot write to std%s", i ? "err" : "out");
				return RUN_USAGE;
			}
		return code;
	case LAUNCH_CANNOT:
	case LAUNCH_QEMU_LOST:
		return lost(r, result, RUN_USAGE);
	case LAUNCH_TIME_LIMIT:
		warnx("%s: %s", launch_verdict(result->end), result->why);
		return RUN_TIME_LIMIT;
	case LAUNCH_INTERRUPTED:
		return 128 + result->signal;
	case LAUNCH_PANICKED:
		return lost(r, result, RUN_PANICKED);
	default:
		return lost(r, result, RUN_LOST);
	}
}

int cli_run(int argc, char **argv)
{
	static struct launch_result result;
	static struct run r;
	struct launch_listener listener = {
		.context = &r, .console = hear_console,
		.violation = hear_violation,
	};
	struct copy copy[2];
	json_t *j;
	int code;

	machine_default(&r.machine, CVM_SNP);
	r.machine.launch.memory = 1024;
	r.machine.launch.time_limit = 3600;
	r.machine.launch.listener = &listener;
	r.version = KERNEL;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &r);
	if (!prepare(&r) || !open_ports(&r) || !start_copies(&r, copy))
		return RUN_USAGE;
	launch(&r.machine.launch, &result);
	for (int i = 0; i < PORTS; i++)
		close(r.port[i].fd);
	for (int i = 0; i < 2; i++)
		pthread_join(r.drains[i], NULL);
	code = judge(&r, &result);
	if (r.machine.json) {
		j = machine_json(&r.machine, &result, code);
		if (!json_write(r.machine.json, j))
			code = RUN_USAGE;
		json_decref(j);
	}
	return code;
}
