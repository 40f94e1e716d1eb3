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
	OPT_LIST,
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "VERSION", 0,
	  "which of those fetched, or built by `make linux': stock-VERSION, "
	  "native-VERSION [" LINUX_VERSION "]", 0 },
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
	l->image = "initrd";
}

/* ---- what to boot ---- */

/* What comes from `make linux', and not from the archive. */
static const char *built_version(const char *version)
{
	if (!strncmp(version, "stock-", 6))
		return version + 6;
	return strncmp(version, "native-", 7) ? NULL : version + 7;
}

/* What linux/tools/kernel built has its kind in the name. */
const char *linux_origin(const struct linux_run *l)
{
	if (l->patched)
		return "with Airlock";
	if (!strncmp(l->version, "native-", 7))
		return "built with the series";
	if (!strncmp(l->version, "stock-", 6))
		return "built without the series";
	return "as Debian built it";
}

static bool find_guest(struct linux_run *l)
{
	const char *built = built_version(l->version);

	if (!place_work(l->kernel, "linux/%s/vmlinuz", l->version) ||
	    !place_work(l->initrd, "linux/%s/%s", l->version, l->image))
		return false;
	if (!access(l->kernel, R_OK) && !access(l->initrd, R_OK))
		return true;
	if (built && strchr(built, '+'))
		warnx("no %s kernel here; `make build/linux/%s/initrd' builds "
		      "it", l->version, l->version);
	else if (built)
		warnx("no %s kernel here; `make linux VERSION=%s' builds it",
		      l->version, built);
	else
		warnx("no %s kernel here; `airlock fetch %s' gets it",
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

/* What its configuration cannot do, if that lies there. */
static bool check_kernel(const struct linux_run *l)
{
	const struct launch *m = &l->machine.launch;
	char file[PATH_MAX], config[PATH_MAX], needs[32], text[1024] = "";
	struct script s;

	if (!place_source(file, "linux/tools/lacks") ||
	    !place_work(config, "linux/%s/headers/.config", l->version))
		return false;
	if (access(config, R_OK))
		return true;
	snprintf(needs, sizeof(needs), "%s%s%s", m->disks ? "disk " : "",
		 m->network ? "net " : "", l->patched ? "patch" : "");
	if (!script_begin(&s, (const char *const[]){ file, l->version, config,
			  launch_platform_name(m->platform), needs, NULL }))
		return false;
	if (fgets(text, sizeof(text), s.out))
		warnx("%.*s", (int)strcspn(text, "\n"), text);
	return script_end(&s) && !*text;
}

bool linux_prepare(struct linux_run *l, bool quiet, const char *words)
{
	l->machine.launch.kernel = l->kernel;
	l->machine.launch.initrd = l->initrd;
	return machine_check(&l->machine) && find_guest(l) &&
	       check_kernel(l) && command_line(l, quiet, words);
}

struct launch_host linux_host_later(struct linux_run *l,
				    char word[LINUX_HOST_WORD])
{
	struct launch_host h = l->machine.launch.host;

	*word = 0;
	if (h.kind < CVM_HOST_FAILING)
		return h;
	snprintf(word, LINUX_HOST_WORD, " airlock.host=%u,%lu", h.kind,
		 h.argument);
	l->machine.launch.host = (struct launch_host){ .kind = CVM_HOST_KVM };
	return h;
}

/*
 * Linux on SNP asks for its end where a page-state change is refused (reason
 * 1) or PVALIDATE finds one that the host only claimed (2). A stray read that
 * it has no fixup for is set 0.
 */
bool linux_gave_in(const struct launch_result *r)
{
	const char *set = strstr(r->why, "set 1, reason ");

	return r->end == LAUNCH_TERMINATED && set &&
	       (!strcmp(set, "set 1, reason 1") ||
		!strcmp(set, "set 1, reason 2"));
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

/* ---- airlock fetch ---- */

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

struct fetch {
	const char *version;
	bool list;
};

static error_t parse_fetch(int key, char *arg, struct argp_state *state)
{
	struct fetch *f = state->input;

	if (key == OPT_LIST) {
		f->list = true;
		return 0;
	}
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (state->arg_num || !*arg || *arg == '-' || strchr(arg, '/'))
		argp_error(state, "'%s': it takes one version, such as 6.12",
			   arg);
	f->version = arg;
	return 0;
}

static const struct argp_option fetch_options[] = {
	{ "list", OPT_LIST, NULL, 0,
	  "what the archive has: a series, its newest release, and what may "
	  "stand behind the version", 0 },
	{ 0 },
};

static const struct argp fetch_argp = {
	fetch_options, parse_fetch, "[VERSION]",
	"Get a kernel of Debian's with apt, of a series (6.12, 6.1) or exact "
	"version, from any suite that the archive has, unpack it, and build "
	"the modules and the initramfs that `airlock linux' boots. Nothing is "
	"installed.\v"
	"VERSION is " LINUX_VERSION " if it is not given. It is the cloud "
	"kernel; with -amd64 or -rt behind it the ordinary or the real-time "
	"kernel, which `airlock run' can use.", NULL, NULL, NULL,
};

static int fetch_list(const char *fetch)
{
	char data[PATH_MAX];

	if (!place_work(data, "linux"))
		return LINUX_USAGE;
	return run_script(fetch, "--list", data);
}

/* A kernel of a later release may have tools that do not run here. */
static int build_guest(const char *data, const char *version)
{
	char script[PATH_MAX], kexec[PATH_MAX];

	if (!place_source(script, "linux/tools/initrd") ||
	    !place_source(kexec, "linux/tools/kexec-initrd"))
		return LINUX_USAGE;
	if (!run_script(script, data, NULL))
		return run_script(kexec, data, NULL);
	if (!strstr(version, "-amd64") && !strstr(version, "-rt"))
		return LINUX_USAGE;
	warnx("`airlock run --kernel %s' works; `airlock linux' and `watch' "
	      "do not, without these modules", version);
	return 0;
}

int cli_fetch(int argc, char **argv)
{
	struct fetch f = { .version = LINUX_VERSION };
	char fetch[PATH_MAX], data[PATH_MAX];

	argp_parse(&fetch_argp, argc, argv, 0, NULL, &f);
	if (!place_work(data, "linux/%s", f.version) ||
	    !place_source(fetch, "linux/tools/fetch"))
		return LINUX_USAGE;
	if (f.list)
		return fetch_list(fetch);
	printf("%s: everything goes to %s\n", program_invocation_short_name,
	       data);
	if (run_script(fetch, f.version, data))
		return LINUX_USAGE;
	return build_guest(data, f.version);
}

/* ---- */

static const struct command list[] = {
	{ "fetch", "get a kernel with apt, and build the modules for it",
	  cli_fetch },
	{ "boot", "boot it", linux_boot },
	{ "storm", "convert pages while every other CPU reads next to them",
	  linux_storm },
	{ "heap", "a program of uid 1000 converts pages, others look links up",
	  linux_heap },
	{ "kexec", "start another kernel, and see that no page stays shared",
	  linux_kexec },
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
