// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock linux`: Debian's own kernel in the emulated machine.
 *
 * What it boots is a kernel, byte for byte, and an initramfs with two modules,
 * the storm and the live patch. linux/tools/fetch and linux/tools/initrd put
 * them where place_work() says, in linux/VERSION. storm.c judges the storm.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "linux.h"

/* ---- options ---- */

enum {
	OPT_PATCHED = 0x2000, OPT_ORDER, OPT_KERNEL, OPT_SHELL,
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "VERSION", 0,
	  "which of those fetched, or built by `make linux': stock-VERSION, "
	  "airlock-VERSION [" LINUX_VERSION "]", 0 },
	{ "patched", OPT_PATCHED, NULL, 0,
	  "with Airlock in it, as a live patch", 0 },
	{ "order", OPT_ORDER, "STEPS", 0,
	  "with Airlock's steps in another order, such as "
	  "alias,flip,tlb,notify", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct linux_run *l = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &l->machine;
		break;
	case OPT_PATCHED:
		l->patched = true;
		break;
	case OPT_KERNEL:
		l->version = arg;
		break;
	case OPT_ORDER:
		if (strchr(arg, ' '))
			argp_error(state, "--order '%s': no spaces, please",
				   arg);
		l->order = arg;
		l->patched = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child machine_child[] = {
	{ &machine_argp, 0, "The machine:", 2 }, { 0 },
};

const struct argp linux_argp = { .options = options, .parser = parse,
				 .children = machine_child };

void linux_default(struct linux_run *l)
{
	memset(l, 0, sizeof(*l));
	machine_default(&l->machine, CVM_SNP);
	l->machine.launch.name = program_invocation_short_name;
	l->version = LINUX_VERSION;
}

/* ---- what to boot ---- */

/* What comes from `make linux', and not from the archive. */
static const char *built_version(const char *version)
{
	if (!strncmp(version, "stock-", 6))
		return version + 6;
	return strncmp(version, "airlock-", 8) ? NULL : version + 8;
}

static bool find_guest(struct linux_run *l)
{
	const char *built = built_version(l->version);

	if (!place_work(l->kernel, "linux/%s/vmlinuz", l->version) ||
	    !place_work(l->initrd, "linux/%s/initrd", l->version))
		return false;
	if (!access(l->kernel, R_OK) && !access(l->initrd, R_OK))
		return true;
	if (built)
		warnx("no %s kernel here; `make linux VERSION=%s' builds it",
		      l->version, built);
	else
		warnx("no %s kernel here; `airlock linux fetch %s' gets it",
		      l->version, l->version);
	return false;
}

static const char *devices_word(const struct launch *l)
{
	return l->disks && l->network ? " airlock.devices=disk,net" :
	       l->disks ? " airlock.devices=disk" :
	       l->network ? " airlock.devices=net" : "";
}

/*
 * The words that linux/guest/init reads, and few messages: each byte is an
 * exit.
 */
static bool command_line(struct linux_run *l, bool quiet, const char *words)
{
	struct launch *m = &l->machine.launch;
	int n;

	n = snprintf(l->cmdline, sizeof(l->cmdline),
		     "console=ttyS0 panic=-1%s%s%s%s%s%s%s%s%s%s",
		     quiet ? " quiet" : "",
		     m->lazy ? " accept_memory=lazy" : "",
		     l->patched ? " airlock.patched" : "",
		     l->order ? " airlock.order=" : "",
		     l->order ? l->order : "",
		     l->shell ? " airlock.shell" : "", devices_word(m),
		     m->append ? " " : "", m->append ? m->append : "", words);
	m->append = l->cmdline;
	if (n > 0 && (size_t)n < sizeof(l->cmdline))
		return true;
	warnx("the kernel's command line is too long");
	return false;
}

bool linux_prepare(struct linux_run *l, bool quiet, const char *words)
{
	l->machine.launch.kernel = l->kernel;
	l->machine.launch.initrd = l->initrd;
	return machine_check(&l->machine) && find_guest(l) &&
	       command_line(l, quiet, words);
}

/* ---- airlock linux boot ---- */

static error_t parse_boot(int key, char *arg, struct argp_state *state)
{
	struct linux_run *l = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = l;
		state->child_inputs[1] = &l->machine;
		return 0;
	case OPT_SHELL:
		l->shell = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option boot_options[] = {
	{ "shell", OPT_SHELL, NULL, 0, "a shell on the console", 0 },
	{ 0 },
};

static const struct argp_child boot_children[] = {
	{ &linux_argp, 0, "The kernel:", 1 },
	{ &devices_argp, 0, "Devices, behind an IOMMU that lets them reach "
	  "shared pages only:", 3 },
	{ 0 },
};

static const struct argp boot_argp = {
	boot_options, parse_boot, NULL,
	"Boot Debian's kernel in the emulated confidential machine.\v"
	"Exit: 0 the guest powered off and broke no rule; 1 not so; 2 bad "
	"usage, or nothing to boot; 3 time limit.",
	boot_children, NULL, NULL,
};

static int linux_boot(int argc, char **argv)
{
	static struct linux_run l;

	linux_default(&l);
	argp_parse(&boot_argp, argc, argv, 0, NULL, &l);
	if (!linux_prepare(&l, !l.shell, ""))
		return LINUX_USAGE;
	return machine_run(&l.machine, true);
}

/* ---- airlock linux fetch ---- */

static int run_script(const char *script, const char *a, const char *b)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		execl(script, script, a, b, (char *)NULL);
		warn("cannot run %s", script);
		_exit(LINUX_USAGE);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status) ?
	       0 : LINUX_USAGE;
}

static error_t parse_fetch(int key, char *arg, struct argp_state *state)
{
	const char **version = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (state->arg_num || !*arg || *arg == '-' || strchr(arg, '/'))
		argp_error(state, "'%s': it takes one version, such as 6.12",
			   arg);
	*version = arg;
	return 0;
}

static const struct argp fetch_argp = {
	NULL, parse_fetch, "[VERSION]",
	"Get Debian's cloud kernel of that series (6.12, 6.1) or exact version "
	"and its headers with apt, unpack them, and build the modules and the "
	"initramfs that `airlock linux' boots. Nothing is installed.\v"
	"VERSION is " LINUX_VERSION " if it is not given. With -amd64 or "
	"-rt-amd64 behind it, it is the ordinary or the real-time kernel, "
	"which `airlock run' can use.", NULL, NULL, NULL,
};

static int linux_fetch(int argc, char **argv)
{
	char fetch[PATH_MAX], initrd[PATH_MAX], run[PATH_MAX], data[PATH_MAX];
	const char *version = LINUX_VERSION;

	argp_parse(&fetch_argp, argc, argv, 0, NULL, &version);
	if (!place_work(data, "linux/%s", version) ||
	    !place_source(fetch, "linux/tools/fetch") ||
	    !place_source(initrd, "linux/tools/initrd") ||
	    !place_source(run, "linux/tools/run-initrd"))
		return LINUX_USAGE;
	printf("%s: everything goes to %s\n", program_invocation_short_name,
	       data);
	if (run_script(fetch, version, data) || run_script(run, data, NULL))
		return LINUX_USAGE;
	return run_script(initrd, data, NULL);
}

/* ---- */

static const struct command list[] = {
	{ "fetch", "get a kernel with apt, and build the modules for it",
	  linux_fetch },
	{ "boot", "boot it", linux_boot },
	{ "storm", "convert pages while every other CPU reads next to them",
	  linux_storm },
	{ NULL, NULL, NULL },
};

static const struct commands commands = {
	"airlock linux",
	"Debian's own kernel in the emulated confidential machine.",
	"`airlock linux COMMAND --help' tells more; so does airlock(1).", list,
};

int cli_linux(int argc, char **argv)
{
	return commands_run(&commands, argc, argv);
}
