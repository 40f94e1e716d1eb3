// SPDX-License-Identifier: GPL-2.0
/*
 * Source lines, where debug information is at hand, and names in a kernel that
 * has no list of them in its memory.
 *
 *   an ELF guest      its own: places are addresses there
 *   Linux             vmlinux beside the bzImage or in its tree, or of Debian's
 *                     debug package: places are function+offset
 *   our modules       as they were built: places are module:function+offset
 *
 * The plugin's lines of JSON get one member more for each place: "at" has
 * "at_line". addr2line, of binutils, is asked once for each file.
 */
#include "words.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST	512			/* places in one go */

struct elf {
	char file[PATH_MAX];
	const char *image;
	size_t size;
	const Elf64_Sym *sym;
	size_t syms;
	const char *names;
	size_t names_size;
	bool module;
	char prefix[32];		/* "module:", which its places have */
};

/* A place that wants a line. */
struct place {
	json_t *o;
	const char *key;
	uint64_t address;
};

struct places {
	const struct elf *elf;
	struct place place[MOST];
	size_t n;
};

/* ---- an ELF file, which may be anything ---- */

static const void *part(const struct elf *e, uint64_t at, uint64_t size)
{
	return at <= e->size && size <= e->size - at ? e->image + at : NULL;
}

/* The same, of what is read eight bytes at a time. */
static const void *aligned(const struct elf *e, uint64_t at, uint64_t size)
{
	return at % 8 ? NULL : part(e, at, size);
}

static const Elf64_Shdr *section(const struct elf *e, uint64_t i)
{
	const Elf64_Ehdr *h = part(e, 0, sizeof(*h));

	return i < h->e_shnum ? aligned(e, h->e_shoff + i * sizeof(Elf64_Shdr),
					sizeof(Elf64_Shdr)) : NULL;
}

static bool find_symbols(struct elf *e)
{
	const Elf64_Ehdr *h = part(e, 0, sizeof(*h));
	const Elf64_Shdr *s, *n;

	if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
	    h->e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	e->module = h->e_type == ET_REL;
	for (unsigned int i = 0; (s = section(e, i)); i++) {
		if (s->sh_type != SHT_SYMTAB)
			continue;
		n = section(e, s->sh_link);
		e->sym = aligned(e, s->sh_offset, s->sh_size);
		e->syms = s->sh_size / sizeof(*e->sym);
		e->names = n ? part(e, n->sh_offset, n->sh_size) : NULL;
		e->names_size = n ? n->sh_size : 0;
		return e->sym && e->names && e->names_size &&
			!e->names[e->names_size - 1];
	}
	return false;
}

static bool elf_open(struct elf *e, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	memset(e, 0, sizeof(*e));
	if (fd < 0)
		return false;
	p = fstat(fd, &st) || st.st_size <= 0 ? MAP_FAILED :
		mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return false;
	e->image = p;
	e->size = (size_t)st.st_size;
	snprintf(e->file, sizeof(e->file), "%s", file);
	return find_symbols(e);
}

static void elf_close(struct elf *e)
{
	if (e->image)
		munmap((void *)(uintptr_t)e->image, e->size);
	e->image = NULL;
}

static const char *name_of(const struct elf *e, const Elf64_Sym *s)
{
	return s->st_name < e->names_size ? e->names + s->st_name : "";
}

/* In a module: of its .text only, which is where addr2line looks. */
static bool counts(const struct elf *e, const Elf64_Sym *s)
{
	const Elf64_Ehdr *h = part(e, 0, sizeof(*h));
	const Elf64_Shdr *in = section(e, s->st_shndx);
	const Elf64_Shdr *names = section(e, h->e_shstrndx);
	const char *name;

	if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || !s->st_shndx)
		return ELF64_ST_TYPE(s->st_info) == STT_NOTYPE &&
			s->st_shndx && !e->module;
	if (!e->module)
		return true;
	name = in && names ? part(e, names->sh_offset + in->sh_name, 6) : NULL;
	return name && !memcmp(name, ".text", 6);
}

/* One of several functions of that name is none. */
static bool address_of(const struct elf *e, const char *name, size_t len,
		       uint64_t *at)
{
	unsigned int found = 0;

	for (size_t i = 0; i < e->syms; i++) {
		const char *n = name_of(e, &e->sym[i]);

		if (strncmp(n, name, len) || n[len] || !counts(e, &e->sym[i]))
			continue;
		found += !found || *at != e->sym[i].st_value;
		*at = e->sym[i].st_value;
	}
	return found == 1;
}

static const Elf64_Sym *symbol_at(const struct elf *e, uint64_t at)
{
	const Elf64_Sym *best = NULL;

	for (size_t i = 0; i < e->syms; i++) {
		const Elf64_Sym *s = &e->sym[i];

		if (counts(e, s) && s->st_value <= at &&
		    (!best || s->st_value > best->st_value))
			best = s;
	}
	return best && (!best->st_size || at - best->st_value < best->st_size) ?
		best : NULL;
}

/* ---- places ---- */

static void note(struct places *p, json_t *o, const char *key, uint64_t at)
{
	if (p->n < MOST)
		p->place[p->n++] = (struct place){ o, key, at };
}

static void look(struct places *p, json_t *o, const char *key)
{
	const struct elf *e = p->elf;
	const char *s = text(o, key), *plus = strchr(s, '+');
	size_t skip = strlen(e->prefix);
	const Elf64_Sym *sym;
	char line_key[32], name[256];
	uint64_t at = 0;

	snprintf(line_key, sizeof(line_key), "%s_line", key);
	if (!*s || json_object_get(o, line_key))
		return;
	if (plus) {
		if (strncmp(s, e->prefix, skip))
			return;
		s += skip;
		if (address_of(e, s, (size_t)(plus - s), &at))
			note(p, o, key, at + strtoull(plus + 1, NULL, 16));
		return;
	}
	at = strtoull(s, NULL, 16);
	sym = e->module ? NULL : symbol_at(e, at);
	if (!sym)
		return;
	snprintf(name, sizeof(name), "%.200s+0x%" PRIx64, name_of(e, sym),
		 at - sym->st_value);
	json_object_set_new(o, key, json_string(name));
	note(p, o, key, at);
}

static void look_everywhere(struct places *p, json_t *o)
{
	static const char *const keys[] = { "at", "caller", "left_by" };
	static const char *const in[] = { "way", "mapped" };
	json_t *e;
	size_t i;

	for (i = 0; i < 3; i++)
		look(p, o, keys[i]);
	for (i = 0; i < 2; i++)
		if (json_object_get(o, in[i]))
			look(p, json_object_get(o, in[i]), "left_by");
	json_array_foreach(json_object_get(o, "events"), i, e)
		look(p, e, "at");
}

/* ---- addr2line ---- */

extern char **environ;

/* Return: what it printed, or NULL. */
static FILE *ask(const struct places *p)
{
	char address[MOST][20], *v[MOST + 8];
	posix_spawn_file_actions_t a;
	FILE *out = tmpfile();
	unsigned int n = 0;
	int status = 1;
	pid_t pid;

	if (!out)
		return NULL;
	v[n++] = (char *)(uintptr_t)"addr2line";
	v[n++] = (char *)(uintptr_t)"-e";
	v[n++] = (char *)(uintptr_t)p->elf->file;
	if (p->elf->module) {
		v[n++] = (char *)(uintptr_t)"-j";
		v[n++] = (char *)(uintptr_t)".text";
	}
	for (size_t i = 0; i < p->n; i++) {
		snprintf(address[i], sizeof(address[i]), "%" PRIx64,
			 p->place[i].address);
		v[n++] = address[i];
	}
	v[n] = NULL;
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_adddup2(&a, fileno(out), 1);
	posix_spawn_file_actions_addopen(&a, 2, "/dev/null", O_WRONLY, 0);
	if (!posix_spawnp(&pid, v[0], &a, NULL, v, environ))
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&a);
	rewind(out);
	if (!status)
		return out;
	fclose(out);
	return NULL;
}

/*
 * From where the kernel was built: the file's own tree, or else no more than
 * the last directory.
 */
static const char *shorter(const struct elf *e, const char *line)
{
	const char *slash, *last = line;
	char root[PATH_MAX];

	for (slash = realpath(e->file, root) ? strrchr(root, '/') : NULL;
	     slash && slash > root; slash = strrchr(root, '/')) {
		size_t n = (size_t)(slash - root) + 1;

		if (!strncmp(root, line, n) && !strstr(line + n, "build/"))
			return line + n;
		root[n - 1] = 0;
	}
	slash = NULL;
	for (const char *s = line; (s = strchr(s, '/')); s++) {
		last = slash ? slash + 1 : line;
		slash = s;
	}
	return last;
}

static void answer(const struct places *p, FILE *from)
{
	char line[PATH_MAX + 64], key[32];

	for (size_t i = 0; i < p->n && fgets(line, sizeof(line), from); i++) {
		const struct place *at = &p->place[i];
		char *colon;

		line[strcspn(line, " \n")] = 0;
		colon = strrchr(line, ':');
		if (!colon || line[0] == '?' || colon[1] == '?' ||
		    !strcmp(colon, ":0"))
			continue;
		snprintf(key, sizeof(key), "%s_line", at->key);
		json_object_set_new(at->o, key,
				    json_string(shorter(p->elf, line)));
	}
}

static void lines_of(json_t *all, const char *file, const char *module)
{
	struct elf e;
	struct places p = { .elf = &e };
	FILE *out;
	json_t *l;
	size_t i;

	if (elf_open(&e, file)) {
		snprintf(e.prefix, sizeof(e.prefix), "%s%s", module,
			 *module ? ":" : "");
		json_array_foreach(all, i, l)
			if (json_object_get(l, "finding"))
				look_everywhere(&p, json_object_get(l, "finding"));
			else if (json_object_get(l, "conversion"))
				look_everywhere(&p, json_object_get(l, "conversion"));
			else if (json_object_get(l, "trail"))
				look_everywhere(&p, json_object_get(l, "trail"));
		out = p.n ? ask(&p) : NULL;
		if (out) {
			answer(&p, out);
			fclose(out);
		}
	}
	elf_close(&e);
}

/* ---- where it may be ---- */

static void beside(json_t *all, const char *kernel)
{
	static const char *const where[] = { "", "../../../" };
	char file[PATH_MAX];
	const char *slash = strrchr(kernel, '/');
	int n = slash ? (int)(slash - kernel) + 1 : 0;

	for (unsigned int i = 0; i < 2; i++)
		if (snprintf(file, sizeof(file), "%.*s%svmlinux", n, kernel,
			     where[i]) < (int)sizeof(file))
			lines_of(all, file, "");
}

static void debian(json_t *all, const char *release)
{
	static const char *const where[] = {
		"/usr/lib/debug/boot/vmlinux-%s",
		"/usr/lib/debug/lib/modules/%s/vmlinux",
	};
	char file[PATH_MAX];

	snprintf(file, sizeof(file), where[0], release);
	lines_of(all, file, "");
	snprintf(file, sizeof(file), where[1], release);
	lines_of(all, file, "");
}

void lines_add(const struct watch_run *r)
{
	static const char *const module[] = { "airlock", "storm" };
	const char *kernel = r->linux_run.machine.launch.kernel;
	char file[PATH_MAX];

	if (!r->is_linux) {
		lines_of(r->lines, kernel, "");
		return;
	}
	beside(r->lines, r->image ? r->image : kernel);
	if (*r->release)
		debian(r->lines, r->release);
	for (unsigned int i = 0; i < 2; i++)
		if (place_work(file, "linux/%s/src/%s/%s.ko",
			       r->linux_run.version, i ? "storm" : "livepatch",
			       module[i]))
			lines_of(r->lines, file, module[i]);
}
