// SPDX-License-Identifier: GPL-2.0
/* `airlock watch`: options, and where things are. */
#include "cmd.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_INITRD = 0x3000, OPT_CONVERSIONS, OPT_ONLY, OPT_COHERENT,
	OPT_NO_EVICT, OPT_NO_LAB, OPT_ALL, OPT_VERBOSE, OPT_ORDER, OPT_KERNEL, OPT_PATCHED,
	OPT_SVG, OPT_TRACE, OPT_SCHEDULES, OPT_DEVICES,
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "K", 0,
	  "a version that was fetched or built (see `airlock linux'), a "
	  "folder where one was built, a bzImage, a Debian package of one, an "
	  "ELF guest, or `reference' [" LINUX_VERSION "]", 0 },
	{ "initrd", OPT_INITRD, "FILE", 0, "another initramfs", 0 },
	{ "patched", OPT_PATCHED, NULL, 0,
	  "Linux with Airlock in it, as a live patch; watched from there on",
	  0 },
	{ "order", OPT_ORDER, "STEPS", 0,
	  "with its steps in another order; also for the reference kernel",
	  0 },
	{ "conversions", OPT_CONVERSIONS, "N", 0,
	  "of each of the storm's shapes, 0 for none [20]", 0 },
	{ "only", OPT_ONLY, "SHAPE", 0, "512, 1, 8, at-once or vmalloc", 0 },
	{ "devices", OPT_DEVICES, NULL, 0,
	  "a disk and a network, busy while the storm lasts, behind an IOMMU "
	  "that lets them reach shared pages only", 0 },
	{ "schedules", OPT_SCHEDULES, "N", 0,
	  "N runs in which CPUs take turns, each with another seed, from "
	  "--seed on: the same seed gives the same run", 0 },
	{ "coherent", OPT_COHERENT, NULL, 0,
	  "caches are coherent across the C-bit, as some CPUs promise: no "
	  "CLFLUSH is asked for", 0 },
	{ "no-evict", OPT_NO_EVICT, NULL, 0,
	  "the CPU needs no evict reads", 0 },
	{ "all", OPT_ALL, NULL, 0,
	  "every finding in full, not the first three", 0 },
	{ "no-lab", OPT_NO_LAB, NULL, 0,
	  "do not ask the lab about the orders that were seen", 0 },
	{ "svg", OPT_SVG, "FILE", 0, "draw the first finding", 0 },
	{ "trace", OPT_TRACE, "FILE", 0,
	  "what led to each finding, as text (docs/trace.md)", 0 },
	{ "verbose", OPT_VERBOSE, NULL, 0,
	  "the guest's console too, on stderr", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct watch_run *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->linux_run.machine;
		break;
	case OPT_KERNEL:
		r->linux_run.version = arg;
		break;
	case OPT_INITRD:
		r->initrd = arg;
		break;
	case OPT_PATCHED:
		r->linux_run.patched = true;
		break;
	case OPT_ORDER:
		r->linux_run.order = arg;
		break;
	case OPT_CONVERSIONS:
		r->storm = true;
		r->conversions = option_number(state, "conversions", arg, 0,
					       1000000);
		break;
	case OPT_ONLY:
		r->storm = true;
		r->only = arg;
		break;
	case OPT_DEVICES:
		r->devices = true;
		break;
	case OPT_SCHEDULES:
		r->schedules = (unsigned int)option_number(state, "schedules",
							   arg, 1, 1000000);
		break;
	case OPT_COHERENT:
		r->coherent = true;
		break;
	case OPT_NO_EVICT:
		r->no_evict = true;
		break;
	case OPT_ALL:
		r->all = true;
		break;
	case OPT_NO_LAB:
		r->no_lab = true;
		break;
	case OPT_SVG:
		r->svg = arg;
		break;
	case OPT_TRACE:
		r->trace = arg;
		break;
	case OPT_VERBOSE:
		r->verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &machine_argp, 0, "The machine:", 2 }, { 0 },
};

static const struct argp watch_argp = {
	options, parse, NULL,
	"Boot a kernel as it is in the emulated confidential machine, and "
	"watch its page tables, TLBs, cache lines and page states from its "
	"first conversion to its end: what could any stray read, on any CPU, "
	"have met at any moment?\v"
	"Exit: 0 nothing found; 1 a finding; 2 bad usage, or nothing to boot; "
	"3 it ended before the end.", children, NULL, NULL,
};

static bool find_plugin(struct watch_run *r)
{
	bool found = place_is_checkout() ?
		place_work(r->plugin, "watch.so") :
		place_source(r->plugin, "../../lib/airlock/watch.so");

	if (found && !access(r->plugin, R_OK))
		return true;
	warnx("there is no %s", r->plugin);
	return false;
}

/* As it can be pasted again: what a shell could touch is quoted. */
static char *command_of(int argc, char **argv)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,.:/@";
	char *all = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&all, &size);

	if (!f)
		abort();
	fputs("airlock watch", f);
	for (int i = 1; i < argc; i++) {
		bool quote = !*argv[i] || argv[i][strspn(argv[i], plain)];

		fputs(quote ? " '" : " ", f);
		for (const char *p = argv[i]; *p; p++)
			if (*p == '\'')
				fputs("'\\''", f);
			else
				fputc(*p < ' ' ? ' ' : *p, f);
		fputs(quote ? "'" : "", f);
	}
	fclose(f);
	return all;
}

bool watch_around(struct watch_run *r)
{
	if (r->linux_run.machine.launch.platform == CVM_NONE) {
		warnx("--watch: on none there is nothing to be watched");
		return false;
	}
	r->is_linux = true;
	guest_describe(r);
	return find_plugin(r);
}

int cli_watch(int argc, char **argv)
{
	static struct watch_run r;
	int code = WATCH_USAGE;

	linux_default(&r.linux_run);
	r.conversions = 20;
	/* Parsing moves what is in argv. */
	r.command = command_of(argc, argv);
	argp_parse(&watch_argp, argc, argv, 0, NULL, &r);
	if (write_can(r.svg) && write_can(r.trace) &&
	    write_can(r.linux_run.machine.json) && guest_prepare(&r) &&
	    find_plugin(&r) && watch_boot(&r))
		code = watch_show(&r);
	json_decref(r.lines);
	free((char *)r.command);
	return code;
}
