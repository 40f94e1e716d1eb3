// SPDX-License-Identifier: GPL-2.0
/*
 * heap DEVICE FOLDER SECONDS READERS [BUFFERS KIB]: an ordinary program, of uid
 * 1000, whose group may open a dma-buf heap, and what it can do to a
 * confidential guest.
 *
 * A child allocates buffers of the heap, which the kernel makes shared with the
 * host, touches them and gives them back. READERS others look symbolic links
 * up. The text of each fills a page of the kernel but for the last byte:
 *
 *   ////////////...///////////zzz\0 | the next page
 *                             ^ 4092: the kernel reads eight bytes from here
 *
 * so the kernel's look-up of the last name reads four bytes of the page behind,
 * whosever that is. Pages of links and free pages alternate, for half of the
 * links are removed first: what the heap takes lies behind a link's page.
 *
 * Every second it says on stdout how far it is: "heap: at S ...".
 *
 * With BUFFERS nobody reads: so many of KIB are made and given back, one after
 * the other, and it says how much memory is gone then: "heap: lost N KiB".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096
#define LINKS		2000
#define BUFFERS		24		/* that are held at a time */
#define MAX_READERS	16
#define USER		1000
#define GROUP		44		/* Debian's video */

/* include/uapi/linux/dma-heap.h */
struct heap_allocation {
	uint64_t len;
	uint32_t fd, fd_flags;
	uint64_t heap_flags;
};

#define HEAP_ALLOC	_IOWR('H', 0, struct heap_allocation)

/* What all processes write, each its own. */
static struct {
	volatile unsigned long looks[MAX_READERS];
	volatile unsigned long buffers, bytes, refused;
	volatile int error;
	volatile bool stop;
} *shared;

static _Noreturn void fail(const char *what)
{
	printf("heap: failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void be_nobody_special(void)
{
	gid_t group = GROUP;

	if (setgroups(1, &group) || setgid(USER) || setuid(USER))
		fail("setuid");
}

/* ---- links ---- */

static char *link_name(char buf[16], char kind, unsigned int n)
{
	snprintf(buf, 16, "%c%u", kind, n);
	return buf;
}

static void make_links(const char *folder)
{
	static char text[PAGE];
	char name[16];

	memset(text, '/', PAGE - 1);
	memcpy(text + PAGE - 4, "zzz", 3);
	if (chdir(folder))
		fail(folder);
	for (unsigned int i = 0; i < LINKS; i++)
		if (symlink(text, link_name(name, 'a', i)) ||
		    symlink(text, link_name(name, 'b', i)))
			fail("symlink");
	for (unsigned int i = 0; i < LINKS; i++)
		unlink(link_name(name, 'b', i));
}

static _Noreturn void look_up(unsigned int me)
{
	uint32_t random = 12345 + 7919 * me;
	char name[16];
	struct stat st;

	while (!shared->stop) {
		random = random * 1103515245 + 12345;
		stat(link_name(name, 'a', (random >> 8) % LINKS), &st);
		shared->looks[me]++;
	}
	_exit(0);
}

/* ---- buffers ---- */

static void touch(int fd, size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return;
	for (size_t i = 0; i < len; i += PAGE)
		p[i] = 1;
	munmap(p, len);
}

static int get_buffer(int heap, size_t len)
{
	struct heap_allocation a = {
		.len = len, .fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (ioctl(heap, HEAP_ALLOC, &a)) {
		shared->error = errno;
		shared->refused++;
		return -1;
	}
	touch((int)a.fd, len);
	shared->buffers++;
	shared->bytes += len;
	return (int)a.fd;
}

static _Noreturn void convert(int heap)
{
	int fd[BUFFERS];

	memset(fd, -1, sizeof(fd));
	for (unsigned int i = 0; !shared->stop; i = (i + 1) % BUFFERS) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = get_buffer(heap, PAGE);
	}
	_exit(0);
}

/* ---- */

static void say(unsigned int second, unsigned int readers)
{
	unsigned long looks = 0;

	for (unsigned int i = 0; i < readers; i++)
		looks += shared->looks[i];
	printf("heap: at %u buffers %lu KiB %lu refused %lu look-ups %lu\n",
	       second, shared->buffers, shared->bytes >> 10, shared->refused,
	       looks);
}

static void begin(int heap, unsigned int readers)
{
	for (unsigned int i = 0; i < readers; i++)
		if (!fork())
			look_up(i);
	if (!fork())
		convert(heap);
}

/* For some seconds, with readers. */
static void race(int heap, const char *folder, unsigned int seconds,
		 unsigned int readers)
{
	make_links(folder);
	begin(heap, readers);
	for (unsigned int s = 1; s <= seconds; s++) {
		sleep(1);
		say(s, readers);
	}
	shared->stop = true;
	while (wait(NULL) > 0)
		;
}

static long free_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	if (kib < 0)
		fail("/proc/meminfo");
	fclose(f);
	return kib;
}

static void make_buffers(int heap, unsigned int n, size_t len)
{
	long before = free_memory();

	while (n--) {
		int fd = get_buffer(heap, len);

		if (fd >= 0)
			close(fd);
	}
	say(0, 0);
	printf("heap: lost %ld KiB\n", before - free_memory());
}

int main(int argc, char **argv)
{
	unsigned int seconds, readers;
	int heap;

	if (argc != 5 && argc != 7)
		return 2;
	seconds = (unsigned int)atoi(argv[3]);
	readers = (unsigned int)atoi(argv[4]);
	if (readers > MAX_READERS)
		readers = MAX_READERS;
	setvbuf(stdout, NULL, _IOLBF, 0);
	be_nobody_special();
	heap = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (heap < 0)
		fail(argv[1]);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	printf("heap: begin uid %u\n", getuid());
	if (argc == 7)
		make_buffers(heap, (unsigned int)atoi(argv[5]),
			     (size_t)atoi(argv[6]) << 10);
	else
		race(heap, argv[2], seconds, readers);
	if (!shared->buffers) {
		errno = shared->error;
		fail("no buffer");
	}
	puts("heap: end");
	return 0;
}
