// SPDX-License-Identifier: GPL-2.0
/* `airlock boot`: a guest in the emulated confidential machine. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

enum {
	OPT_KERNEL = 256, OPT_INITRD, OPT_ORDER, OPT_IOMMU, OPT_ISOLATION,
	OPT_RAM_FILE, OPT_PLUGIN,
};

struct boot {
	struct machine machine;
	const char *order;
	bool quiet;
	char guest[PATH_MAX], command_line[2048];
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "FILE", 0,
	  "a Linux bzImage or an ELF guest [the reference kernel]", 0 },
	{ "initrd", OPT_INITRD, "FILE", 0, "for Linux", 0 },
	{ "order", OPT_ORDER, "ORDER", 0,
	  "by which the reference kernel converts: a name or steps, see "
	  "`airlock orders' [airlock]", 0 },
	{ "iommu", OPT_IOMMU, NULL, 0, "devices reach shared pages only (VT-d)",
	  0 },
	{ "isolation", OPT_ISOLATION, "NAME", 0,
	  "vtom: what is under the paravisor, vbs or snp [snp]", 0 },
	{ "ram-file", OPT_RAM_FILE, "FILE", 0,
	  "keep the guest's memory in FILE, for others to look at", 0 },
	{ "plugin", OPT_PLUGIN, "FILE[,NAME=VALUE...]", 0,
	  "a plugin for QEMU", 0 },
	{ "quiet", 'q', NULL, 0, "no counters on stderr", 0 },
	{ 0 },
};

static void set_isolation(struct launch *l, const char *arg,
			  struct argp_state *state)
{
	static const char *const names[] = { "none", "vbs", "snp" };

	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(arg, names[i])) {
			l->isolation = i;
			return;
		}
	argp_error(state, "--isolation '%s': not vbs or snp", arg);
}

/* What stands after -- is QEMU's. */
static void take_rest(struct boot *b, const char *arg,
		      struct argp_state *state)
{
	if (!state->quoted || state->next <= state->quoted)
		argp_error(state, "unexpected argument '%s'", arg);
	b->machine.launch.qemu_args =
		(const char *const *)&state->argv[state->next - 1];
	state->next = state->argc;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct boot *b = state->input;
	struct launch *l = &b->machine.launch;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &b->machine;
		state->child_inputs[1] = &b->machine;
		break;
	case OPT_KERNEL:	l->kernel = arg;		break;
	case OPT_INITRD:	l->initrd = arg;		break;
	case OPT_ORDER:		b->order = arg;			break;
	case OPT_IOMMU:		l->iommu = true;		break;
	case OPT_ISOLATION:	set_isolation(l, arg, state);	break;
	case OPT_RAM_FILE:	l->ram_file = arg;		break;
	case OPT_PLUGIN:	l->plugin = arg;		break;
	case 'q':		b->quiet = true;		break;
	case ARGP_KEY_ARG:	take_rest(b, arg, state);	break;
	default:		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &machine_argp, 0, "The machine:", 1 },
	{ &devices_argp, 0, "Devices, behind an IOMMU that lets them reach "
	  "shared pages only:", 2 },
	{ 0 },
};

static const struct argp argp = {
	options, parse, "[-- QEMU-ARGUMENT...]",
	"Boot a guest in the emulated confidential machine. Its console is the "
	"terminal; the machine speaks on stderr.\v"
	"Exit: 0 the guest passed: it said so, or powered off, and broke no "
	"rule; 1 it failed, reset, panicked or broke a rule; 2 bad usage, or "
	"nothing could run; 3 time limit. The last line says which, and "
	"\"end\" in the JSON report.",
	children, NULL, NULL,
};

/* The reference kernel reads order="..." on its command line. */
static bool add_order(struct boot *b)
{
	struct launch *l = &b->machine.launch;
	int n;

	if (!b->order)
		return true;
	if (strchr(b->order, '"')) {
		warnx("--order '%s': not an order", b->order);
		return false;
	}
	n = snprintf(b->command_line, sizeof(b->command_line),
		     "order=\"%s\" %s", b->order, l->append ? l->append : "");
	if (n >= (int)sizeof(b->command_line)) {
		warnx("--order and --append are too long");
		return false;
	}
	l->append = b->command_line;
	return true;
}

static bool check(struct boot *b)
{
	struct launch *l = &b->machine.launch;

	if (l->kernel && b->order) {
		warnx("--order is for the reference kernel");
		return false;
	}
	if (!l->kernel && (l->initrd || l->lazy)) {
		warnx("--initrd and --lazy go with --kernel");
		return false;
	}
	if (!machine_check(&b->machine) || !add_order(b))
		return false;
	if (l->kernel)
		return true;
	l->kernel = b->guest;
	return place_guest(b->guest);
}

int cli_boot(int argc, char **argv)
{
	static struct boot b;

	machine_default(&b.machine, CVM_NONE);
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &b);
	b.machine.launch.name = argv[0];
	return check(&b) ? machine_run(&b.machine, !b.quiet) : 2;
}
