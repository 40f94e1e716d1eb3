// SPDX-License-Identifier: GPL-2.0
/*
 * The storm's disk and network: what the guest says of its traffic, and
 * whether the disk's image agrees. The guest compares what it reads with what
 * it wrote; the image is known here before it boots and when it has ended.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

#define SCRATCH_BYTES	(8u << 20)

/* CRC-32 as zip and Ethernet have it, and busybox's crc32. */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void fill(uint64_t *p, size_t n)
{
	uint64_t x = 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = x;
	}
}

static uint32_t image_crc(int fd)
{
	void *p = mmap(NULL, SCRATCH_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	uint32_t crc;

	if (p == MAP_FAILED)
		return 0;
	crc = crc32_of(p, SCRATCH_BYTES);
	munmap(p, SCRATCH_BYTES);
	return crc;
}

/* Memory, not a file: it is gone with the last process that has it. */
int devices_scratch(void)
{
	int fd = memfd_create("scratch disk", 0);
	void *p;

	if (fd < 0 || ftruncate(fd, SCRATCH_BYTES)) {
		warn("no scratch disk");
		return -1;
	}
	p = mmap(NULL, SCRATCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	if (p == MAP_FAILED) {
		warn("no scratch disk");
		close(fd);
		return -1;
	}
	fill(p, SCRATCH_BYTES / sizeof(uint64_t));
	munmap(p, SCRATCH_BYTES);
	return fd;
}

void devices_begin(struct devices *d, int scratch)
{
	d->image_first = image_crc(scratch);
}

void devices_end(struct devices *d, int scratch, unsigned long blocked)
{
	d->image_last = image_crc(scratch);
	d->blocked = blocked;
}

static void heard_traffic(struct traffic *t, const char *text)
{
	t->heard = sscanf(text, "written %lu read %lu wrong %lu rebinds %lu "
			  "meanwhile %lu", &t->written, &t->read, &t->wrong,
			  &t->rebinds, &t->meanwhile) == 5;
}

void devices_heard(struct devices *d, const char *text)
{
	if (!strncmp(text, "disk ", 5))
		heard_traffic(&d->disk, text + 5);
	else if (!strncmp(text, "net ", 4))
		heard_traffic(&d->net, text + 4);
	else if (!strncmp(text, "no disk", 7))
		d->disk.absent = true;
	else if (!strncmp(text, "no net", 6))
		d->net.absent = true;
	else if (!strncmp(text, "stuck", 5))
		d->stuck = true;
	else
		sscanf(text, "image first %x", &d->guest_first),
		sscanf(text, "image last %x", &d->guest_last);
}

static bool image_right(const struct devices *d)
{
	return d->guest_first == d->image_first &&
	       d->guest_last == d->image_last;
}

static bool traffic_right(const struct traffic *t)
{
	return t->heard && t->written && t->read && !t->wrong;
}

bool devices_absent(const struct devices *d)
{
	return d->disk.absent || d->net.absent;
}

bool devices_busy(const struct devices *d)
{
	return traffic_right(&d->disk) && traffic_right(&d->net) && !d->stuck;
}

bool devices_right(const struct devices *d)
{
	return devices_busy(d) && image_right(d) && !d->blocked;
}

static void print_traffic(const char *name, const struct traffic *t)
{
	if (t->absent)
		printf("  %-8s none: this kernel has no virtio driver for it\n",
		       name);
	if (!t->heard)
		return;
	printf("  %-8s %11.1f %12.1f %12.1f %10lu", name,
	       (double)t->written / (1 << 20), (double)t->read / (1 << 20),
	       (double)t->meanwhile / (1 << 20), t->rebinds);
	if (t->wrong)
		printf("  %lu COMPARISONS WRONG", t->wrong);
	putchar('\n');
}

void devices_print(const struct devices *d, bool ended)
{
	if (ended && !d->disk.heard && !d->net.heard && !devices_absent(d))
		printf("  no word of disk and network: `airlock fetch' "
		       "packs the guest anew\n");
	if (d->disk.heard || d->net.heard)
		printf("  %-8s %11s %12s %12s %10s\n", "device", "MiB written",
		       "MiB read", "in the storm", "rebinds");
	print_traffic("disk", &d->disk);
	print_traffic("network", &d->net);
	if (d->disk.heard)
		printf("  the disk's image %s what the guest read and wrote\n",
		       image_right(d) ? "is" : "IS NOT");
	if (d->stuck)
		printf("  a device does not answer\n");
	printf("  DMA that was blocked: %lu\n", d->blocked);
}

static json_t *json_traffic(const struct traffic *t)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}",
			 "written", (json_int_t)t->written,
			 "read", (json_int_t)t->read,
			 "in_storm", (json_int_t)t->meanwhile,
			 "rebinds", (json_int_t)t->rebinds,
			 "wrong", (json_int_t)t->wrong);
}

json_t *devices_json(const struct devices *d)
{
	return json_pack("{s:o, s:o, s:b, s:b, s:I}",
			 "disk", json_traffic(&d->disk),
			 "network", json_traffic(&d->net),
			 "image_right", image_right(d), "stuck", d->stuck,
			 "dma_blocked", (json_int_t)d->blocked);
}
