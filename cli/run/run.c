// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock run': a command in a confidential guest whose root is a folder of
 * this host, / if nothing else is said, or a disk image. The guest writes into
 * memory.
 */
#include "cmd.h"
#include "run.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- options ---- */

enum {
	OPT_KERNEL = 256, OPT_ROOT, OPT_PWD, OPT_RW, OPT_USER, OPT_NET,
	OPT_PORT, OPT_WATCH, OPT_DUMP, OPT_GDB, OPT_INIT,
	OPT_CERTS,
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "KERNEL", 0,
	  "a version that `airlock fetch' got or that is installed; a folder "
	  "where one was built; a bzImage; a Debian package of one ["
	  RUN_KERNEL "]", 0 },
	{ "root", OPT_ROOT, "DIR|IMAGE", 0,
	  "the guest's root, a folder or a disk image (raw, or qcow2 if it is "
	  "named so); what it writes there is forgotten [/]", 0 },
	{ "rw", OPT_RW, "DIR", 0,
	  "a folder of this host in which the guest may write; may be given "
	  "again", 0 },
	{ "pwd", OPT_PWD, "DIR", 0,
	  "where the command runs [the current folder, or / with --root]", 0 },
	{ "user", OPT_USER, "NAME", 0,
	  "as whom, in the guest's /etc/passwd [root]", 0 },
	{ "init", OPT_INIT, NULL, 0,
	  "the root's own /sbin/init is started, and COMMAND beside it; the "
	  "guest ends when COMMAND does", 0 },
	{ "net", OPT_NET, "user|none", 0,
	  "a network: what this host reaches as 10.0.2.2 and its name "
	  "servers, or none [none]", 0 },
	{ "port", OPT_PORT, "H:G", 0,
	  "port H of this host, 127.0.0.1, is the guest's port G; with --net "
	  "user; may be given again", 0 },
	{ "watch", OPT_WATCH, NULL, 0,
	  "as `airlock watch' does: what could a stray read have met? It says "
	  "so on stderr, and exits with its code if the command's is 0", 0 },
	{ "gdb", OPT_GDB, "wait", OPTION_ARG_OPTIONAL,
	  "let gdb come in, and say what to type; with =wait the guest's first "
	  "instruction waits for it", 0 },
	{ "dump", OPT_DUMP, "FILE", 0,
	  "the guest's memory, if it dies, as a core for crash or drgn", 0 },
	{ "certs", OPT_CERTS, "DIR", 0,
	  "on snp and tdx: what verifies this guest's attestation, which is "
	  "EMULATED: certificates, and the file launch, whose SHA-384 is the "
	  "measurement", 0 },
	{ "verbose", 'v', NULL, 0, "the guest's console on stderr", 0 },
	{ 0 },
};

static void add_rw(struct run *r, const char *arg, struct argp_state *state)
{
	if (r->n_rw == RUN_FOLDERS)
		argp_error(state, "more than %d of --rw", RUN_FOLDERS);
	r->rw[r->n_rw++] = arg;
}

static void set_network(struct run *r, const char *arg,
			struct argp_state *state)
{
	struct launch *l = &r->machine.launch;

	l->network = l->outside = !strcmp(arg, "user");
	if (!l->network && strcmp(arg, "none"))
		argp_error(state, "--net '%s': not user or none", arg);
}

static void set_gdb(struct run *r, const char *arg, struct argp_state *state)
{
	r->gdb = true;
	r->machine.launch.gdb_wait = arg;
	if (arg && strcmp(arg, "wait"))
		argp_error(state, "--gdb '%s': not wait", arg);
}

static bool is_port(unsigned int port)
{
	return port && port < 65536;
}

static void add_port(struct run *r, const char *arg, struct argp_state *state)
{
	struct launch *l = &r->machine.launch;
	unsigned int here, there;
	char *text, more;

	if (sscanf(arg, "%u:%u%c", &here, &there, &more) != 2 ||
	    !is_port(here) || !is_port(there))
		argp_error(state, "--port '%s': not H:G, two ports", arg);
	if (l->forwards == RUN_FORWARDS)
		argp_error(state, "more than %d of --port", RUN_FORWARDS);
	if (asprintf(&text, "%u-:%u", here, there) < 0)
		err(RUN_USAGE, "no memory");
	r->forward[l->forwards++] = text;
	l->forward = r->forward;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->machine;
		state->child_inputs[1] = &r->machine;
		break;
	case OPT_KERNEL:	r->kernel.name = arg;	break;
	case OPT_ROOT:		r->root = arg;		break;
	case OPT_RW:		add_rw(r, arg, state);	break;
	case OPT_PWD:		r->pwd = arg;		break;
	case OPT_USER:		r->user = arg;		break;
	case OPT_INIT:		r->init = true;		break;
	case OPT_NET:		set_network(r, arg, state); break;
	case OPT_PORT:		add_port(r, arg, state); break;
	case OPT_WATCH:		r->watch = true;	break;
	case OPT_GDB:		set_gdb(r, arg, state);	break;
	case OPT_DUMP:		r->dump = arg;		break;
	case OPT_CERTS:		r->machine.launch.certs = arg; break;
	case 'v':		r->verbose = true;	break;
	case ARGP_KEY_ARG:
		r->command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		if (!r->terminal)
			argp_error(state, "COMMAND is missing");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &machine_argp, 0, "The machine:", 1 },
	{ &disks_argp, 0, "Disks:", 2 }, { 0 },
};

static const struct argp argp = {
	options, parse, "[--] [COMMAND [ARGUMENT...]]",
	"Run a command in a confidential guest that has this host's root, "
	"read-only with a layer of memory above it, and exit with the "
	"command's exit code. It runs there as root, which gives it no right "
	"here. Standard input, output and error are the command's; on a "
	"terminal it has one, and without COMMAND it is a shell.\v"
	"Exit: as the command, 128 + N after signal N; 2 bad usage, or nothing "
	"could run; 122 Linux panicked; 123 the guest ended otherwise, or "
	"broke a rule; 124 time limit.",
	children, NULL, NULL,
};

/* ---- the guest ---- */

static bool prepare(struct run *r)
{
	struct launch *l = &r->machine.launch;
	int n;

	if (l->forwards && !l->network) {
		warnx("--port needs --net user");
		return false;
	}
	if (l->certs && l->platform != CVM_SNP &&
	    l->platform != CVM_TDX) {
		warnx("--certs goes with --platform snp or tdx");
		return false;
	}
	if (r->gdb && l->memory > LAUNCH_LOW_MEMORY) {
		warnx("--gdb goes with --memory %u at most", LAUNCH_LOW_MEMORY);
		return false;
	}
	if (!machine_check(&r->machine) || !guest_folders(r))
		return false;
	r->kernel.needs = r->image ? "run image" : "run root";
	if (!kernel_find(&r->kernel, l) || !guest_initrd(r))
		return false;
	n = snprintf(r->cmdline, sizeof(r->cmdline),
		     "console=ttyS0 panic=%s%s%s%s%s",
		     r->gdb ? "0 nokaslr" : "-1", r->verbose ? "" : " quiet",
		     l->lazy ? " accept_memory=lazy" : "",
		     l->append ? " " : "", l->append ? l->append : "");
	if (n >= (int)sizeof(r->cmdline)) {
		warnx("the kernel's command line is too long");
		return false;
	}
	l->kernel = r->kernel.file;
	l->kernel_name = r->kernel.name;
	l->initrd = r->initrd;
	l->append = r->cmdline;
	l->iommu = true;
	l->attest = r->attest;
	return place_work(r->attest, "attest");
}

/* The console's last bytes are shown when all is lost. */
static void hear_console(void *context, const char *bytes, size_t n)
{
	struct run *r = context;

	if (r->verbose)
		fwrite(bytes, 1, n, stderr);
	if (n > RUN_TAIL) {
		bytes += n - RUN_TAIL;
		n = RUN_TAIL;
	}
	if (r->n_tail + n > RUN_TAIL) {
		size_t drop = r->n_tail + n - RUN_TAIL;

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

static int lost(const struct run *r, const struct launch_result *result,
		int code)
{
	if (!r->verbose && r->n_tail)
		fprintf(stderr, "%.*s\n", (int)r->n_tail, r->tail);
	warnx("%s: %s", launch_verdict(result->end), result->why);
	return code;
}

/* For the machine that is a good end. */
static int without_code(const struct run *r)
{
	if (!r->verbose && r->n_tail)
		fprintf(stderr, "%.*s\n", (int)r->n_tail, r->tail);
	warnx("the guest powered off before the command ended");
	return RUN_LOST;
}

static int judge(const struct run *r, const struct launch_result *result)
{
	int code = files_code(r);

	switch (result->end) {
	case LAUNCH_POWERED_OFF:
		if (code < 0)
			return without_code(r);
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
		return RUN_TIME_LIMIT_CODE;
	case LAUNCH_INTERRUPTED:
		return 128 + result->signal;
	case LAUNCH_PANICKED:
		return lost(r, result, RUN_PANICKED);
	default:
		return lost(r, result, RUN_LOST);
	}
}

/* ---- watched ---- */

static bool begin_watch(const struct run *r, struct watch_run *w)
{
	if (!r->watch)
		return true;
	w->linux_run.machine = r->machine;
	w->linux_run.version = r->kernel.name;
	w->image = r->kernel.image;
	w->ram = r->ram;
	w->no_lab = true;
	w->command = "airlock run --watch";
	w->listener = r->machine.launch.listener;
	snprintf(w->release, sizeof(w->release), "%s",
		 r->kernel.release);
	return watch_around(w);
}

/* Standard output is the command's. */
static int show_watch(struct watch_run *w, int code)
{
	int found;

	if (!w->lines)
		return code;
	w->linux_run.machine.json = NULL;
	fflush(stdout);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	found = watch_show(w);
	fflush(stdout);
	return code ? code : found;
}

static void boot(struct run *r, struct watch_run *w,
		 struct launch_result *result)
{
	if (!r->watch) {
		launch(&r->machine.launch, result);
		return;
	}
	watch_boot(w);
	*result = w->result;
}

int cli_run(int argc, char **argv)
{
	static struct launch_result result;
	static struct watch_run w;
	static struct run r;
	struct launch_listener listener = {
		.context = &r, .console = hear_console,
		.violation = hear_violation,
	};
	int code;

	files_look(&r);
	machine_default(&r.machine, CVM_SNP);
	r.machine.launch.memory = RUN_MEMORY;
	r.machine.launch.time_limit = r.terminal ? 86400 : RUN_TIME_LIMIT;
	r.machine.launch.listener = &listener;
	r.machine.time_text = "3600; a day on a terminal";
	r.kernel.who = "airlock run";
	r.kernel.name = RUN_KERNEL;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &r);
	if (!prepare(&r) || ((r.dump || r.gdb) && !ram_begin(&r)) ||
	    !dump_begin(&r) || !gdb_begin(&r) || !files_open(&r) ||
	    !begin_watch(&r, &w) || !files_start(&r))
		return RUN_USAGE;
	boot(&r, &w, &result);
	files_end(&r);
	code = show_watch(&w, judge(&r, &result));
	if (!dump_end(&r, &result))
		code = RUN_USAGE;
	if (r.machine.json &&
	    !json_write(r.machine.json, machine_json(&r.machine, &result, code)))
		code = RUN_USAGE;
	return code;
}
