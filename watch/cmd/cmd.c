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
};

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "K", 0,
	  "a version that was fetched or built (see `airlock linux'), a "
	  "bzImage, an ELF guest, or `reference' [" LINUX_VERSION "]", 0 },
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
	{ "coherent", OPT_COHERENT, NULL, 0,
	  "caches are coherent across the C-bit, as some CPUs promise: no "
	  "CLFLUSH is asked for", 0 },
	{ "no-evict", OPT_NO_EVICT, NULL, 0,
	  "the CPU needs no evict reads", 0 },
	{ "all", OPT_ALL, NULL, 0,
	  "every finding in full, not the first three", 0 },
	{ "no-lab", OPT_NO_LAB, NULL, 0,
	  "do not ask the lab about the orders that were seen", 0 },
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
		r->conversions = option_number(state, "conversions", arg, 0,
					       1000000);
		break;
	case OPT_ONLY:
		r->only = arg;
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

/* ---- where things are ---- */

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

static void read_release(struct watch_run *r)
{
	char name[PATH_MAX];
	FILE *f = place_work(name, "linux/%s/release",
			     r->linux_run.version) ? fopen(name, "r") : NULL;

	if (!f)
		return;
	if (fgets(r->release, sizeof(r->release), f))
		r->release[strcspn(r->release, "\n")] = 0;
	fclose(f);
}

static bool is_elf(const char *name)
{
	char magic[4] = "";
	FILE *f = fopen(name, "r");
	bool elf = f && fread(magic, 1, 4, f) == 4 &&
		!memcmp(magic, "\177ELF", 4);

	if (f)
		fclose(f);
	return elf;
}

/*
 * A host that fails or lies does so from the storm on, as in `airlock linux
 * storm': a stock kernel ends itself at any of that.
 */
static void storm_words(struct watch_run *r)
{
	struct launch_host *h = &r->linux_run.machine.launch.host;
	size_t at;

	if (!r->conversions)
		return;
	at = (size_t)snprintf(r->words, sizeof(r->words),
		 " airlock.storm=%lu airlock.ask%s%s", r->conversions,
		 r->only ? " airlock.only=" : "", r->only ? r->only : "");
	if (r->honest || at >= sizeof(r->words))
		return;
	snprintf(r->words + at, sizeof(r->words) - at,
		 " airlock.host=%u,%lu", h->kind, h->argument);
	h->kind = CVM_HOST_KVM;
}

/* A file of the user's, booted as it is. */
static bool prepare_file(struct watch_run *r)
{
	struct launch *l = &r->linux_run.machine.launch;
	const char *k = r->linux_run.version;

	l->kernel = k;
	l->initrd = r->initrd;
	r->is_linux = !is_elf(k);
	if (r->is_linux && !l->append)
		l->append = "console=ttyS0 panic=-1 quiet";
	if (access(k, R_OK)) {
		warn("%s", k);
		return false;
	}
	return machine_check(&r->linux_run.machine);
}

static bool prepare_reference(struct watch_run *r)
{
	struct launch *l = &r->linux_run.machine.launch;
	static char guest[PATH_MAX];
	struct linux_run *x = &r->linux_run;

	r->reference = true;
	l->kernel = guest;
	snprintf(x->cmdline, sizeof(x->cmdline), "%s%s%s%s",
		 x->order ? "order=\"" : "", x->order ? x->order : "",
		 x->order ? "\" " : "", l->append ? l->append : "");
	l->append = x->cmdline;
	return place_guest(guest) && machine_check(&x->machine);
}

static bool prepare_linux(struct watch_run *r)
{
	struct linux_run *x = &r->linux_run;

	r->is_linux = true;
	if (x->order && strchr(x->order, ' ')) {
		warnx("--order '%s': no spaces, please", x->order);
		return false;
	}
	x->patched |= !!x->order;
	storm_words(r);
	read_release(r);
	if (!linux_prepare(x, true, r->words))
		return false;
	if (r->initrd)
		x->machine.launch.initrd = r->initrd;
	return true;
}

static bool prepare(struct watch_run *r)
{
	const struct launch *l = &r->linux_run.machine.launch;
	const char *k = r->linux_run.version;
	bool ok;

	if (l->platform == CVM_NONE) {
		warnx("--platform none: there is nothing to be watched");
		return false;
	}
	r->platform = launch_platform_name(l->platform);
	host_text(&l->host, r->host);
	r->lies = l->host.kind == CVM_HOST_HOSTILE;
	r->honest = l->host.kind != CVM_HOST_FAILING &&
		l->host.kind != CVM_HOST_FAILING_HALF &&
		l->host.kind != CVM_HOST_HOSTILE;
	ok = !strcmp(k, "reference") ? prepare_reference(r) :
		strchr(k, '/') ? prepare_file(r) : prepare_linux(r);
	if (ok && !r->is_linux && r->linux_run.patched) {
		warnx("--patched is for Linux");
		return false;
	}
	return ok;
}

int cli_watch(int argc, char **argv)
{
	static struct watch_run r;
	int code = WATCH_USAGE;

	linux_default(&r.linux_run);
	r.conversions = 20;
	argp_parse(&watch_argp, argc, argv, 0, NULL, &r);
	if (prepare(&r) && find_plugin(&r) && watch_boot(&r))
		code = watch_show(&r);
	json_decref(r.lines);
	return code;
}
