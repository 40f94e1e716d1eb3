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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "watch.h"

_Static_assert(WATCH_CPUS >= LAUNCH_MAX_CPUS,
	       "a CPU that is not watched would be called safe");

extern const char cvm_machine_image[];

/* The address of a symbol in an ELF file, 0 if it has none such. */
static uint64_t elf_symbol(const char *image, const char *name)
{
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

/* An ELF guest that has the engine in it: where it is called. */
static uint64_t guest_call(const struct watch_run *r)
{
	int fd = r->reference ? open(r->linux_run.machine.launch.kernel,
				     O_RDONLY) : -1;
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint64_t at = 0;
	void *p;

	if (size > 0) {
		p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED) {
			at = elf_symbol(p, "airlock_convert_order");
			munmap(p, (size_t)size);
		}
	}
	if (fd >= 0)
		close(fd);
	return at;
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

static void console_line(struct watch_run *r)
{
	r->line[r->line_used] = 0;
	r->line_used = 0;
	if (!strncmp(r->line, "traffic: ", 9))
		devices_heard(&r->busy, r->line + 9);
}

static void console(void *context, const char *bytes, size_t n)
{
	struct watch_run *r = context;

	if (r->verbose)
		fwrite(bytes, 1, n, stderr);
	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '\n')
			console_line(r);
		else if (bytes[i] != '\r' &&
			 r->line_used + 1 < sizeof(r->line))
			r->line[r->line_used++] = bytes[i];
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
		.context = r, .console = console,
	};
	char file[32], plugin[PATH_MAX + 256];

	snprintf(file, sizeof(file), "/dev/fd/%d", ram);
	snprintf(plugin, sizeof(plugin), "%s,out=/dev/fd/%d,ram=%s,states=%lx,"
		 "platform=%u,cpus=%u,from=%s,honest=%d,coherent=%d,evict=%d,"
		 "low=%d,lies=%d,turns=%d,trails=%d,call=%lx",
		 r->plugin, lines, file, elf_symbol(cvm_machine_image, "states"),
		 platform(l->platform), l->cpus,
		 r->linux_run.patched ? "module" : "boot", r->honest,
		 r->coherent, !r->no_evict, !r->is_linux, r->lies,
		 l->deterministic, !!r->linux_run.machine.json, guest_call(r));
	l->ram_file = file;
	l->plugin = plugin;
	l->listener = r->listener ? r->listener : &listener;
	l->name = "airlock watch";
	launch(l, &r->result);
	l->ram_file = l->plugin = NULL;
	l->listener = NULL;
}

/* One run. NULL with a message. */
static json_t *boot(struct watch_run *r)
{
	unsigned int memory = r->linux_run.machine.launch.memory;
	int ram = r->ram ? dup(r->ram) : memfd_create("ram", 0);
	int lines = memfd_create("lines", 0);

	if (ram < 0 || lines < 0 ||
	    (!r->ram && ftruncate(ram, (off_t)memory << 20))) {
		warn("no memory for the guest");
		return NULL;
	}
	r->busy = (struct devices){ .stuck = false };
	run(r, ram, lines);
	r->idle |= r->traffic && !devices_busy(&r->busy);
	close(ram);
	return read_lines(lines);
}

/* What is bad outweighs what says nothing, and that what is good. */
static unsigned int weight(const struct launch_result *r)
{
	unsigned int code = (unsigned int)launch_exit(r->end);

	return r->end == LAUNCH_VIOLATED ? 3 : code == WATCH_ENDED ? 2 : !!code;
}

static void progress(const struct watch_run *r, unsigned int i)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%u of %u runs%s", i, r->schedules,
			i < r->schedules ? "" : "\r\33[K");
}

/* Turns are taken by the seed: the same seed gives the same run. */
static bool boot_schedules(struct watch_run *r)
{
	struct launch *l = &r->linux_run.machine.launch;
	struct launch_result worst = { .end = LAUNCH_CANNOT };
	uint64_t first = l->seed;

	l->deterministic = true;
	for (unsigned int i = 0; i < r->schedules; i++) {
		json_t *lines;

		progress(r, i);
		l->seed = first + i;
		l->schedule = l->seed + 1;
		lines = boot(r);
		if (!lines)
			return false;
		join_run(r->lines, lines, l->seed);
		json_decref(lines);
		r->ran++;
		if (!i || weight(&r->result) > weight(&worst))
			worst = r->result;
		if (r->result.end == LAUNCH_INTERRUPTED ||
		    launch_exit(r->result.end) == WATCH_USAGE)
			break;
	}
	progress(r, r->schedules);
	l->seed = first;
	r->result = worst;
	return true;
}

bool watch_boot(struct watch_run *r)
{
	if (!has_plugins())
		return false;
	if (r->schedules) {
		r->lines = json_array();
		if (!boot_schedules(r))
			return false;
	} else {
		r->lines = boot(r);
	}
	if (r->lines && launch_exit(r->result.end) != WATCH_USAGE)
		return true;
	if (r->lines)
		warnx("%s", r->result.why);
	return false;
}
