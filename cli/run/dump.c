// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a guest that died, as an ELF core that crash and drgn open:
 *
 *   PT_NOTE   the kernel's own note, VMCOREINFO: it keeps that ready in a page
 *             of its memory (kernel/vmcore_info.c), where it is found
 *   PT_LOAD   memory by physical address, without what is the machine's; once
 *             more with bit 47, which is in the guest's page tables, so that
 *             who walks them need not know what it means; and the kernel where
 *             its own mapping has it, as kdump does
 *
 * The memory is a file that QEMU maps; it outlives QEMU.
 */
#include "run.h"

#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE		4096u
#define MIB		(1ul << 20)
#define NOTE_ROOM	(16 * PAGE)
#define DATA_AT		((off_t)(PAGE + NOTE_ROOM))
#define VIEW_BIT	(1ul << 47)	/* of the other view of a page */
#define AREAS		3
#define KERNEL_MAP	0xffffffff80000000ul	/* x86's __START_KERNEL_map */
#define KERNEL_MAP_END	0xffffffffc0000000ul	/* the modules begin */

static const char note_name[] = "VMCOREINFO";

struct dump {
	int to;
	off_t at;			/* in the core, of what comes next */
	Elf64_Phdr load[2 * AREAS + 1];
	unsigned int loads;
	char note[NOTE_ROOM + 1];	/* ends with a 0 */
	size_t note_size;
};

/* Its size is a power of 2, as cvm/launch asks for (gdb). */
bool ram_begin(struct run *r)
{
	static char file[32];
	off_t size = MIB;

	while (size < (off_t)(r->machine.launch.memory * MIB))
		size *= 2;
	r->ram = memfd_create("ram", 0);
	if (r->ram < 0 || ftruncate(r->ram, 2 * size)) {
		warn("no memory for the guest");
		return false;
	}
	snprintf(file, sizeof(file), "/dev/fd/%d", r->ram);
	r->machine.launch.ram_file = file;
	return true;
}

bool dump_begin(struct run *r)
{
	if (!r->dump)
		return true;
	r->dump_fd = open(r->dump, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0600);
	if (r->dump_fd >= 0)
		return true;
	warn("--dump '%s'", r->dump);
	return false;
}

/* It begins a page: vmcoreinfo_note is of alloc_pages_exact(). */
static void look_for_note(struct dump *d, const char *page)
{
	const Elf64_Nhdr *h = (const void *)page;
	size_t head = sizeof(*h) + (sizeof(note_name) + 3) / 4 * 4;

	if (h->n_namesz != sizeof(note_name) || h->n_type ||
	    memcmp(h + 1, note_name, sizeof(note_name)) ||
	    memcmp(page + head, "OSRELEASE=", 10))
		return;
	d->note_size = head + (h->n_descsz + 3u) / 4 * 4;
	if (d->note_size > PAGE)	/* as the kernel bounds it */
		d->note_size = 0;
	memcpy(d->note, page, d->note_size);
}

static bool write_at(int fd, const char *from, size_t n, off_t at)
{
	while (n) {
		ssize_t put = pwrite(fd, from, n, at);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			from += put;
			n -= (size_t)put;
			at += put;
		}
	}
	return true;
}

/* Pages of zeros stay holes. */
static bool copy_pages(struct dump *d, const char *buf, size_t n, off_t to)
{
	static const char zeros[PAGE];

	for (size_t i = 0; i < n; i += PAGE) {
		if (!memcmp(buf + i, zeros, PAGE))
			continue;
		look_for_note(d, buf + i);
		if (!write_at(d->to, buf + i, PAGE, to + (off_t)i))
			return false;
	}
	return true;
}

/* @n bytes of the file, a multiple of pages, from @from on. */
static bool copy_area(struct dump *d, int ram, off_t from, off_t n)
{
	static char buf[MIB];
	off_t end = from + n, to = d->at - from;

	for (off_t at = from; (at = lseek(ram, at, SEEK_DATA)) >= 0 &&
	     at < end;) {
		ssize_t got;

		at -= at % PAGE;
		got = pread(ram, buf, end - at < (off_t)MIB ?
			    (size_t)(end - at) : MIB, at);
		if (got < (ssize_t)PAGE)
			return false;
		got -= got % PAGE;
		if (!copy_pages(d, buf, (size_t)got, to + at))
			return false;
		at += got;
	}
	return true;
}

/* Memory at @address, which is at @from in the file. */
static bool add_area(struct dump *d, int ram, uint64_t address, off_t from,
		     uint64_t size)
{
	Elf64_Phdr *p = &d->load[d->loads];

	p[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X,
		.p_offset = (Elf64_Off)d->at, .p_paddr = address,
		.p_filesz = size, .p_memsz = size, .p_align = PAGE,
	};
	p[1] = p[0];
	p[1].p_paddr |= VIEW_BIT;
	d->loads += 2;
	if (!copy_area(d, ram, from, (off_t)size))
		return false;
	d->at += (off_t)size;
	return true;
}

/* A number of the note's, as text behind @name. */
static bool noted(const struct dump *d, const char *name, int base,
		  uint64_t *value)
{
	const char *at = memmem(d->note, d->note_size, name, strlen(name));

	if (at)
		*value = strtoull(at + strlen(name), NULL, base);
	return at;
}

/* Tools find the page tables of it by the kernel's own mapping. */
static void add_kernel(struct dump *d)
{
	uint64_t base, text, from;

	if (!noted(d, "\nNUMBER(phys_base)=", 10, &base) ||
	    !noted(d, "\nSYMBOL(_stext)=", 16, &text))
		return;
	from = text - KERNEL_MAP + base;
	for (unsigned int i = 0; i < 2 * AREAS && i < d->loads; i++) {
		Elf64_Phdr p = d->load[i];
		uint64_t skip = from - p.p_paddr;

		if (from < p.p_paddr || skip >= p.p_memsz)
			continue;
		p.p_vaddr = text;
		p.p_paddr = from;
		p.p_offset += skip;
		p.p_filesz = p.p_memsz - skip;
		if (p.p_filesz > KERNEL_MAP_END - text)
			p.p_filesz = KERNEL_MAP_END - text;
		p.p_memsz = p.p_filesz;
		d->load[d->loads++] = p;
		return;
	}
}

static bool put_headers(const struct dump *d)
{
	Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(e),
		.e_ehsize = sizeof(e), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(d->loads + 1),
	};
	Elf64_Phdr note = {
		.p_type = PT_NOTE, .p_offset = PAGE, .p_filesz = d->note_size,
		.p_memsz = d->note_size, .p_align = 4,
	};

	return write_at(d->to, (char *)&e, sizeof(e), 0) &&
		write_at(d->to, (char *)&note, sizeof(note), sizeof(e)) &&
		write_at(d->to, (const char *)d->load,
			 d->loads * sizeof(note), sizeof(e) + sizeof(note)) &&
		write_at(d->to, d->note, d->note_size, PAGE) &&
		!ftruncate(d->to, d->at);
}

/* cvm/machine/layout.h: from 1 to 15 MiB is the machine itself. */
static bool put_all(struct dump *d, int ram, uint64_t memory)
{
	uint64_t low = LAUNCH_LOW_MEMORY * MIB;

	if (memory < low)
		low = memory;
	if (!add_area(d, ram, 0, 0, MIB) ||
	    !add_area(d, ram, 15 * MIB, 15 * MIB, low - 15 * MIB))
		return false;
	if (memory > low &&
	    !add_area(d, ram, 4096 * MIB, (off_t)low, memory - low))
		return false;
	add_kernel(d);
	return put_headers(d);
}

static bool died(const struct launch_result *result)
{
	return result->end != LAUNCH_POWERED_OFF &&
		result->end != LAUNCH_CANNOT && result->end != LAUNCH_PASSED;
}

bool dump_end(const struct run *r, const struct launch_result *result)
{
	static struct dump d = { .at = DATA_AT };
	struct stat st;
	bool ok;

	if (!r->dump)
		return true;
	d.to = r->dump_fd;
	if (!died(result)) {
		if (!fstat(d.to, &st) && S_ISREG(st.st_mode))
			unlink(r->dump);
		return true;
	}
	ok = put_all(&d, r->ram, r->machine.launch.memory * MIB);
	if (!ok)
		warn("cannot write '%s'", r->dump);
	else if (d.note_size)
		warnx("its memory is in '%s'", r->dump);
	else
		warnx("its memory is in '%s', without VMCOREINFO, which the "
		      "kernel had not yet made", r->dump);
	return ok;
}
