// SPDX-License-Identifier: GPL-2.0
/* Reads the guest, a Linux bzImage or an ELF, and packs it for the machine. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/blob.h"
#include "attest.h"
#include "parts.h"

#define MIB		(1024UL * 1024)
#define PAGE		4096UL
#define PAGE_UP(n)	(((n) + PAGE - 1) & ~(PAGE - 1))

struct file {
	const char *path, *name;	/* to open, and for messages */
	unsigned char *data;
	size_t size;
};

static bool read_file(struct launch_result *r, struct file *f,
		      const char *what)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		launch_cannot(r, "cannot read the %s '%s': %s", what, f->name,
			     strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		launch_cannot(r, "the %s '%s' is %s", what, f->name,
			     S_ISREG(st.st_mode) ? "empty" : "not a file");
		goto fail;
	}
	f->size = (size_t)st.st_size;
	f->data = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (f->data == MAP_FAILED) {
		f->data = NULL;
		launch_cannot(r, "cannot map '%s': %s", f->name, strerror(errno));
		goto fail;
	}
	close(fd);
	return true;
fail:
	if (fd >= 0)
		close(fd);
	return false;
}

static void close_file(struct file *f)
{
	if (f->data)
		munmap(f->data, f->size);
}

static uint64_t field(const struct file *f, size_t at, unsigned int size)
{
	uint64_t v = 0;

	memcpy(&v, f->data + at, size);
	return v;
}

/*
 * Documentation/arch/x86/boot.rst: the setup header and its 64-bit entry. Not
 * everybody's size of what follows is exact: memtest86+ says 8 bytes too many.
 */
#define SECTOR 512u

static bool check_linux(struct launch_result *r, const struct file *f,
			uint64_t *end)
{
	uint64_t setup, whole;

	if (f->size < 0x1000 || field(f, 0x1fe, 2) != 0xaa55 ||
	    memcmp(f->data + 0x202, "HdrS", 4)) {
		launch_cannot(r, "'%s' is not a kernel (neither a bzImage nor an "
			     "x86-64 ELF)", f->name);
		return false;
	}
	setup = (field(f, 0x1f1, 1) + 1) * 512;
	if (field(f, 0x206, 2) < 0x20c || !(field(f, 0x236, 2) & 1) ||
	    setup >= f->size) {
		launch_cannot(r, "'%s' has no 64-bit entry (boot protocol 2.12)",
			     f->name);
		return false;
	}
	whole = setup + field(f, 0x1f4, 4) * 16;
	if (f->size + SECTOR <= whole) {
		launch_cannot(r, "the kernel '%s' is cut off: %zu of %" PRIu64
			      " bytes", f->name, f->size, whole);
		return false;
	}
	*end = field(f, 0x258, 8) + field(f, 0x260, 4);
	if (field(f, 0x258, 8) < CVM_RAM_BASE ||
	    f->size - setup > field(f, 0x260, 4)) {
		launch_cannot(r, "'%s' does not load at %lu MiB or above", f->name,
			     CVM_RAM_BASE / MIB);
		return false;
	}
	return true;
}

/*
 * A Multiboot header, version 1 or 2, whatever the ELF calls itself: magic, a
 * word or two, and a sum of zero, somewhere at the beginning.
 */
static bool is_multiboot(const struct file *f)
{
	size_t end = f->size < 32768 ? f->size : 32768;

	for (size_t at = 0; at + 16 <= end; at += 4) {
		uint32_t w[4];

		memcpy(w, f->data + at, sizeof(w));
		if ((w[0] == 0x1badb002 && !(w[0] + w[1] + w[2])) ||
		    (w[0] == 0xe85250d6 && !(w[0] + w[1] + w[2] + w[3])))
			return true;
	}
	return false;
}

static bool check_elf_header(struct launch_result *r, const struct file *f,
			     const Elf64_Ehdr *e)
{
	if (e->e_ident[EI_CLASS] == ELFCLASS32 || is_multiboot(f)) {
		launch_cannot(r, "'%s' is %s: the machine enters a kernel in "
			      "64-bit mode", f->name,
			      e->e_ident[EI_CLASS] == ELFCLASS32 ?
			      "a 32-bit ELF" :
			      "for Multiboot, which is 32-bit");
		return false;
	}
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64 ||
	    e->e_type != ET_EXEC || e->e_phentsize != sizeof(Elf64_Phdr) ||
	    e->e_phoff > f->size ||
	    e->e_phnum > (f->size - e->e_phoff) / sizeof(Elf64_Phdr)) {
		launch_cannot(r, "'%s' is not a static x86-64 ELF executable",
			     f->name);
		return false;
	}
	return true;
}

static bool segment_ok(const struct file *f, const Elf64_Phdr *p)
{
	return p->p_filesz <= p->p_memsz && p->p_offset <= f->size &&
	       p->p_filesz <= f->size - p->p_offset &&
	       p->p_paddr >= CVM_RAM_BASE && p->p_paddr < 1UL << 31 &&
	       p->p_memsz < 1UL << 31;
}

/* Flatten an ELF into the bytes from its lowest to its highest address. */
static unsigned char *flatten_elf(struct launch_result *r,
				  const struct file *f, struct blob *b)
{
	uint64_t low = ~0UL, high = 0, file_high = 0;
	const Elf64_Phdr *p;
	unsigned char *flat;
	Elf64_Ehdr e;

	memcpy(&e, f->data, sizeof(e));
	if (!check_elf_header(r, f, &e))
		return NULL;
	p = (const void *)(f->data + e.e_phoff);
	for (int i = 0; i < e.e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !p[i].p_memsz)
			continue;
		if (!segment_ok(f, &p[i])) {
			launch_cannot(r, "'%s': segment %d is not at %lu MiB or "
				     "above, or not in the file", f->name, i,
				     CVM_RAM_BASE / MIB);
			return NULL;
		}
		if (p[i].p_paddr < low)
			low = p[i].p_paddr;
		if (p[i].p_paddr + p[i].p_memsz > high)
			high = p[i].p_paddr + p[i].p_memsz;
		if (p[i].p_paddr + p[i].p_filesz > file_high)
			file_high = p[i].p_paddr + p[i].p_filesz;
	}
	if (low >= high || file_high <= low) {
		launch_cannot(r, "'%s' has nothing to load", f->name);
		return NULL;
	}
	low &= ~(PAGE - 1);
	flat = calloc(1, file_high - low);
	if (!flat) {
		launch_cannot(r, "out of memory");
		return NULL;
	}
	for (int i = 0; i < e.e_phnum; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_memsz)
			memcpy(flat + (p[i].p_paddr - low),
			       f->data + p[i].p_offset, p[i].p_filesz);
	b->load = low;
	b->entry = e.e_entry;
	b->kernel_size = file_high - low;
	b->memory_size = high - low;
	return flat;
}

static bool put(struct launch_result *r, int fd, const void *data, size_t n)
{
	const char *at = data;

	while (n) {
		ssize_t done = write(fd, at, n);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			launch_cannot(r, "cannot write the guest image: %s",
				     strerror(errno));
			return false;
		}
		at += done;
		n -= (size_t)done;
	}
	return true;
}

static bool pad(struct launch_result *r, int fd, size_t n)
{
	static const char zeroes[PAGE];

	return put(r, fd, zeroes, PAGE_UP(n) - n);
}

static bool elf_limits(struct launch_result *r, const struct launch *l)
{
	if (l->cpus <= CVM_ELF_CPUS && l->memory <= CVM_ELF_MEMORY)
		return true;
	launch_cannot(r, "'%s': an ELF guest has at most %d CPUs and %d MiB",
		      l->kernel, CVM_ELF_CPUS, CVM_ELF_MEMORY);
	return false;
}

/* Header, kernel and initrd must all lie in RAM with room for the kernel. */
static bool fits(struct launch_result *r, const struct launch *l,
		 const struct blob *b, const struct file *kernel,
		 const struct file *initrd, uint64_t end)
{
	uint64_t low = (l->memory < LAUNCH_LOW_MEMORY ? l->memory :
			LAUNCH_LOW_MEMORY) * MIB;
	uint64_t need = end + PAGE + PAGE_UP(b->kernel_size) +
			PAGE_UP(initrd->size) + MIB;

	if (need <= low)
		return true;
	if (initrd->size > low / 2)
		launch_cannot(r, "the initrd '%s' (%zu MiB) is too large for %u "
			     "MiB of memory", initrd->name, initrd->size / MIB,
			     l->memory);
	else
		launch_cannot(r, "too little memory: '%s' needs %lu MiB, it has %u",
			     kernel->name, (need + MIB - 1) / MIB,
			     l->memory);
	return false;
}

/* The kernel's kind, where it ends in memory, and what of it is handed over. */
static const unsigned char *read_kernel(struct launch_result *r,
					const struct launch *l,
					const struct file *kernel,
					struct blob *b, uint64_t *end,
					unsigned char **flat)
{
	if (kernel->size > sizeof(Elf64_Ehdr) &&
	    !memcmp(kernel->data, ELFMAG, SELFMAG)) {
		if (!elf_limits(r, l))
			return NULL;
		b->kind = BLOB_ELF;
		*flat = flatten_elf(r, kernel, b);
		*end = b->load + b->memory_size;
		return *flat;
	}
	b->kind = BLOB_LINUX;
	b->kernel_size = kernel->size;
	return check_linux(r, kernel, end) ? kernel->data : NULL;
}

static bool set_append(struct launch_result *r, struct blob *b,
		       const char *append)
{
	if (append && strlen(append) >= sizeof(b->cmdline)) {
		launch_cannot(r, "--append is longer than %zu bytes",
			      sizeof(b->cmdline) - 1);
		return false;
	}
	if (append)
		strcpy(b->cmdline, append);
	return true;
}

static int write_image(struct launch_result *r, const struct blob *b,
		       const void *kernel, const struct file *initrd)
{
	int fd = memfd_create("guest", 0);

	if (fd < 0)
		return launch_cannot(r, "memfd_create: %s", strerror(errno));
	if (put(r, fd, b, sizeof(*b)) && put(r, fd, kernel, b->kernel_size) &&
	    pad(r, fd, b->kernel_size) && put(r, fd, initrd->data, initrd->size)
	    && pad(r, fd, initrd->size))
		return fd;
	close(fd);
	return -1;
}

int image_make(const struct launch *l, struct launch_result *r)
{
	struct file kernel = {
		.path = l->kernel,
		.name = l->kernel_name ? l->kernel_name : l->kernel,
	};
	struct file initrd = { .path = l->initrd, .name = l->initrd };
	struct blob b = { .magic = BLOB_MAGIC, .kernel = PAGE };
	const unsigned char *image = NULL;
	unsigned char *flat = NULL;
	uint64_t end = 0;
	int fd = -1;

	if (read_file(r, &kernel, "kernel"))
		image = read_kernel(r, l, &kernel, &b, &end, &flat);
	if (image && (!initrd.name || read_file(r, &initrd, "initrd")) &&
	    fits(r, l, &b, &kernel, &initrd, end) &&
	    set_append(r, &b, l->append) && attest_vmpck(l, r, &b)) {
		b.initrd = PAGE + PAGE_UP(b.kernel_size);
		b.initrd_size = initrd.size;
		fd = write_image(r, &b, image, &initrd);
	}
	free(flat);
	close_file(&kernel);
	close_file(&initrd);
	return fd;
}
