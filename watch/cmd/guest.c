// SPDX-License-Identifier: GPL-2.0
/*
 * What `airlock watch' boots:
 *
 *   a version     of `airlock fetch' or `make linux', with our storm in it
 *   a file        a kernel of the user's, as linux/tools/run-kernel finds it;
 *                 or an ELF guest
 *   reference     guest/
 */
#include "cmd.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_find.h"

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
	r->traffic = r->devices;
	at = (size_t)snprintf(r->words, sizeof(r->words),
		 "%s airlock.storm=%lu airlock.ask%s%s",
		 r->devices ? " airlock.traffic" : "", r->conversions,
		 r->only ? " airlock.only=" : "", r->only ? r->only : "");
	if (r->honest || at >= sizeof(r->words))
		return;
	snprintf(r->words + at, sizeof(r->words) - at,
		 " airlock.host=%u,%lu", h->kind, h->argument);
	h->kind = CVM_HOST_KVM;
}

/* A disk that nobody else has, and a network. */
static bool add_devices(struct watch_run *r)
{
	static struct launch_disk scratch = { .keep = true };
	struct launch *l = &r->linux_run.machine.launch;

	if (!r->devices)
		return true;
	scratch.fd = devices_scratch();
	l->disk = &scratch;
	l->disks = 1;
	l->network = l->iommu = true;
	return scratch.fd >= 0;
}

/* ---- a kernel of the user's ---- */

/* These need modules of ours in the kernel's initramfs. */
static const char *not_for_a_file(const struct watch_run *r)
{
	return r->linux_run.order ? "--order" :
	       r->linux_run.patched ? "--patched" :
	       r->storm && r->only ? "--only" :
	       r->storm && r->conversions ? "--conversions" : NULL;
}

/* linux/guest/run, which loads the drivers there are and powers off. */
static bool make_initrd(struct watch_run *r, int modules)
{
	static const char config[] = "off";
	static char name[32];
	int fd = initrd_make((const struct initrd_file[]){
		{ "airlock", 040755, NULL, 0 },
		{ "airlock/config", 0100644, config, sizeof(config) },
		{ "init", 0100755, run_init,
		  (size_t)(run_init_end - run_init) },
		{ NULL, 0, NULL, 0 } }, modules);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	r->linux_run.machine.launch.initrd = name;
	return fd >= 0;
}

static bool file_command_line(struct watch_run *r)
{
	struct launch *l = &r->linux_run.machine.launch;
	char *to = r->linux_run.cmdline;
	int n = snprintf(to, sizeof(r->linux_run.cmdline),
			 "console=ttyS0 panic=-1 quiet%s%s%s",
			 l->lazy ? " accept_memory=lazy" : "",
			 l->append ? " " : "", l->append ? l->append : "");

	l->append = to;
	if (n > 0 && (size_t)n < sizeof(r->linux_run.cmdline))
		return true;
	warnx("the kernel's command line is too long");
	return false;
}

static bool prepare_foreign_linux(struct watch_run *r)
{
	static struct kernel k = { .who = "airlock watch", .needs = "" };
	struct launch *l = &r->linux_run.machine.launch;
	const char *not = not_for_a_file(r);

	if (not) {
		warnx("%s needs modules built for this kernel; it is for a "
		      "version of `airlock fetch'", not);
		return false;
	}
	r->is_linux = true;
	k.name = r->linux_run.version;
	if (!machine_check(&r->linux_run.machine) || !add_devices(r) ||
	    !kernel_find(&k, l))
		return false;
	l->kernel = k.file;
	l->kernel_name = k.name;
	r->image = k.image;
	snprintf(r->release, sizeof(r->release), "%s", k.release);
	l->initrd = r->initrd;
	return (r->initrd || make_initrd(r, k.modules_fd)) &&
	       file_command_line(r);
}

/* What a guest that is not Linux does not know. False with a message. */
static bool is_plain(const struct watch_run *r, const char *not)
{
	not = r->linux_run.patched ? "--patched" :
	      r->devices ? "--devices" : !r->storm ? not :
	      r->only ? "--only" : "--conversions";
	if (not)
		warnx("%s is for Linux", not);
	return !not;
}

static bool prepare_elf(struct watch_run *r)
{
	struct launch *l = &r->linux_run.machine.launch;

	if (!is_plain(r, r->linux_run.order ? "--order" : NULL))
		return false;
	l->kernel = r->linux_run.version;
	l->initrd = r->initrd;
	return machine_check(&r->linux_run.machine);
}

static bool prepare_file(struct watch_run *r)
{
	return is_elf(r->linux_run.version) ? prepare_elf(r) :
	       prepare_foreign_linux(r);
}

/* ---- what we have ourselves ---- */

static bool prepare_reference(struct watch_run *r)
{
	struct launch *l = &r->linux_run.machine.launch;
	static char guest[PATH_MAX];
	struct linux_run *x = &r->linux_run;

	if (!is_plain(r, r->initrd ? "--initrd" : NULL))
		return false;
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
	if (!add_devices(r) || !linux_prepare(x, true, r->words))
		return false;
	if (r->initrd)
		x->machine.launch.initrd = r->initrd;
	return true;
}

void guest_describe(struct watch_run *r)
{
	const struct launch *l = &r->linux_run.machine.launch;

	r->platform = launch_platform_name(l->platform);
	host_text(&l->host, r->host);
	r->lies = l->host.kind == CVM_HOST_HOSTILE;
	r->honest = l->host.kind != CVM_HOST_FAILING &&
		l->host.kind != CVM_HOST_FAILING_HALF &&
		l->host.kind != CVM_HOST_HOSTILE;
}

/* What has no slash in it may lie here, too, such as `.'. */
static bool is_place(const char *kernel)
{
	return strchr(kernel, '/') || !access(kernel, F_OK);
}

bool guest_prepare(struct watch_run *r)
{
	const struct launch *l = &r->linux_run.machine.launch;
	const char *k = r->linux_run.version;

	if (l->platform == CVM_NONE) {
		warnx("--platform none: there is nothing to be watched");
		return false;
	}
	guest_describe(r);
	return !strcmp(k, "reference") ? prepare_reference(r) :
	       is_place(k) ? prepare_file(r) : prepare_linux(r);
}

