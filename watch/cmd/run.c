// SPDX-License-Identifier: GPL-2.0
/*
 * Boots the machine with the plugin in QEMU.
 *
 *   the guest's memory   a file that QEMU, the plugin and nobody else maps
 *   watch.so --lines of JSON--> a file, read when QEMU has ended
 */
#include "cmd.h"

#include <elf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "watch.h"

extern const char cvm_machine_image[];

/* The address of a variable of the machine, 0 if it has none such. */
static uint64_t machine_symbol(const char *name)
{
	const char *image = cvm_machine_image;
	const Elf64_Ehdr *h = (const void *)image;
	const Elf64_Shdr *s = (const void *)(image + h->e_shoff);

	for (unsigned int i = 0; i < h->e_shnum; i++) {
		const Elf64_Sym *sym = (const void *)(image + s[i].sh_offset);
		const char *names;

		if (s[i].sh_type != SHT_SYMTAB)
			continue;
		names = image + s[s[i].sh_link].sh_offset;
		for (uint64_t k = 0; k < s[i].sh_size / sizeof(*sym); k++)
			if (!strcmp(names + sym[k].st_name, name))
				return sym[k].st_value;
	}
	return 0;
}

/* QEMU can be built without plugins: Debian's is built with them. */
static bool has_plugins(void)
{
	const char *env = getenv("AIRLOCK_QEMU");
	char command[PATH_MAX + 64], line[256];
	bool any = false, yes = false;
	FILE *f;

	snprintf(command, sizeof(command), "'%s' -help 2>/dev/null",
		 env ? env : "qemu-system-x86_64");
	f = popen(command, "r");
	while (f && fgets(line, sizeof(line), f)) {
		any = true;
		yes |= !strncmp(line, "-plugin", 7);
	}
	if (f)
		pclose(f);
	/* Where there is no QEMU at all, the launcher says so. */
	if (any && !yes)
		warnx("this QEMU has no plugins; Debian's package "
		      "qemu-system-x86 has them (scripts/setup qemu)");
	return !any || yes;
}

static json_t *read_lines(int fd)
{
	json_t *all = json_array();
	char *line = NULL;
	size_t size = 0;
	FILE *in = fdopen(fd, "r");

	while (in && getline(&line, &size, in) > 0) {
		json_t *j = json_loads(line, 0, NULL);

		/* QEMU may have ended in the middle of the last one. */
		if (j)
			json_array_append_new(all, j);
	}
	free(line);
	if (in)
		fclose(in);
	return all;
}

static void show_console(void *context, const char *bytes, size_t n)
{
	(void)context;
	fwrite(bytes, 1, n, stderr);
}

static enum watch_platform platform(enum cvm_platform p)
{
	return p == CVM_TDX ? WATCH_TDX : p == CVM_SNP ? WATCH_SNP :
		p == CVM_VTOM ? WATCH_VTOM : WATCH_TDP;
}

static void run(struct watch_run *r, int ram, int lines)
{
	struct launch *l = &r->linux_run.machine.launch;
	struct launch_listener listener = {
		.console = r->verbose ? show_console : NULL,
	};
	char file[32], plugin[PATH_MAX + 256];

	snprintf(file, sizeof(file), "/dev/fd/%d", ram);
	snprintf(plugin, sizeof(plugin), "%s,out=/dev/fd/%d,ram=%s,states=%lx,"
		 "platform=%u,cpus=%u,from=%s,honest=%d,coherent=%d,evict=%d,"
		 "low=%d,lies=%d",
		 r->plugin, lines, file, machine_symbol("states"),
		 platform(l->platform), l->cpus,
		 r->linux_run.patched ? "module" : "boot", r->honest,
		 r->coherent, !r->no_evict, !r->is_linux, r->lies);
	l->ram_file = file;
	l->plugin = plugin;
	l->listener = &listener;
	l->name = "airlock watch";
	launch(l, &r->result);
	l->ram_file = l->plugin = NULL;
	l->listener = NULL;
}

bool watch_boot(struct watch_run *r)
{
	unsigned int memory = r->linux_run.machine.launch.memory;
	int ram = memfd_create("ram", 0), lines = memfd_create("lines", 0);

	if (!has_plugins())
		return false;
	if (ram < 0 || lines < 0 || ftruncate(ram, (off_t)memory << 20)) {
		warn("no memory for the guest");
		return false;
	}
	run(r, ram, lines);
	close(ram);
	r->lines = read_lines(lines);
	if (launch_exit(r->result.end) != WATCH_USAGE)
		return true;
	warnx("%s", r->result.why);
	return false;
}
