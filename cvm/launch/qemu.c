// SPDX-License-Identifier: GPL-2.0
/* QEMU: which one, and the arguments that make it the machine. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/attest.h"
#include "parts.h"

#define MAX_ARGS	192
#define ICOUNT_SHIFT	1

static const char *qemu_program(void)
{
	const char *env = getenv("AIRLOCK_QEMU");

	return env ? env : "qemu-system-x86_64";
}

/* The major version, 0 when there is no QEMU. */
static int qemu_version(void)
{
	char command[4200], text[256];
	int major = 0;
	FILE *f;

	snprintf(command, sizeof(command), "'%s' --version 2>/dev/null",
		 qemu_program());
	f = popen(command, "re");
	if (!f)
		return 0;
	if (fgets(text, sizeof(text), f))
		sscanf(text, "QEMU emulator version %d", &major);
	pclose(f);
	return major;
}

int qemu_check(struct launch_result *r)
{
	int major = qemu_version();

	if (!major)
		return launch_cannot(r, "no QEMU ('%s'); scripts/setup qemu "
				     "installs it", qemu_program());
	if (major < 9)
		return launch_cannot(r, "QEMU 9 or later is needed, this is %d "
				     "(its TCG has no x2APIC); scripts/setup "
				     "qemu installs one", major);
	return 0;
}

struct args {
	char *v[MAX_ARGS];
	unsigned int n;
};

__attribute__((format(printf, 2, 3)))
static void arg(struct args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->n >= MAX_ARGS - 1)
		return;
	va_start(ap, fmt);
	if (vasprintf(&a->v[a->n], fmt, ap) < 0)
		abort();
	va_end(ap);
	a->v[++a->n] = NULL;
}

/* An option and its value. */
#define ARG2(a, option, ...) (arg(a, option), arg(a, __VA_ARGS__))

/* A name within QEMU's options, where a comma is written twice. */
static const char *escaped(const char *name)
{
	char *out = malloc(2 * strlen(name) + 1), *to = out;

	if (!out)
		abort();
	for (; *name; name++) {
		if (*name == ',')
			*to++ = ',';
		*to++ = *name;
	}
	*to = 0;
	return out;
}

/* MiB for the machine: page states and tables, 0.8 % of what they are of. */
static unsigned int pool_size(const struct launch *l)
{
	return l->memory <= LAUNCH_LOW_MEMORY ? 0 : l->memory / 128 + 16;
}

/* How long an instruction takes, and so how many there are between ticks. */
static int icount_shift(const struct launch *l)
{
	return l->deterministic ? ICOUNT_SHIFT + (int)(l->schedule % 4) : 0;
}

static void add_cpu_and_memory(struct args *a, const struct launch *l)
{
	unsigned int memory = l->memory + pool_size(l);

	ARG2(a, "-machine", "q35%s%s", l->memory > LAUNCH_LOW_MEMORY ?
	     ",max-ram-below-4g=2G" : "",
	     l->ram_file ? ",memory-backend=ram" : "");
	ARG2(a, "-accel", "tcg");
	ARG2(a, "-cpu", "max,phys-bits=48,+svm,+npt");
	/* One runs no guest: machine/main.c. */
	ARG2(a, "-smp", "%u", l->cpus + 1);
	ARG2(a, "-m", "%u", memory);
	if (l->ram_file)
		ARG2(a, "-object", "memory-backend-file,id=ram,size=%uM,"
		     "mem-path=%s,share=on", memory, escaped(l->ram_file));
	if (l->plugin)
		ARG2(a, "-plugin", "%s", l->plugin);
}

static void add_guest(struct args *a, const struct launch *l,
		      const struct qemu_fds *fds)
{
	ARG2(a, "-kernel", "/dev/fd/%d", fds->machine_elf);
	ARG2(a, "-initrd", "/dev/fd/%d", fds->image);
	ARG2(a, "-append", "platform=%u cpus=%u host=%u host_arg=%lu seed=%lu "
	     "deterministic=%u shift=%d schedule=%lu lazy=%u iommu=%u isolation=%u "
	     "gdb=%u pool=%u attest=%d",
	     l->platform, l->cpus, l->host.kind, l->host.argument, l->seed,
	     l->deterministic, icount_shift(l), l->schedule, l->lazy,
	     l->iommu, l->isolation, !!l->gdb, pool_size(l),
	     fds->attest >= 0);
}

static void add_ports(struct args *a, const struct qemu_fds *fds)
{
	ARG2(a, "-chardev", "stdio,id=console,signal=off");
	ARG2(a, "-serial", "chardev:console");
	ARG2(a, "-chardev", "file,id=machine,path=/dev/fd/%d", fds->machine);
	ARG2(a, "-device", "isa-debugcon,iobase=0xe9,chardev=machine");
	ARG2(a, "-chardev", "socket,id=monitor,fd=%d", fds->monitor);
	ARG2(a, "-mon", "chardev=monitor,mode=readline");
	if (fds->attest < 0)
		return;
	ARG2(a, "-chardev", "socket,id=attest,fd=%d", fds->attest);
	ARG2(a, "-device", "isa-serial,chardev=attest,index=1,iobase=%d,irq=%d",
	     ATTEST_PORT, ATTEST_IRQ);
}

/*
 * Linux bounces what it gives to a device through shared memory if the device
 * says that it is behind an IOMMU, which only the virtio of 1.0 can say.
 */
#define VIRTIO	"iommu_platform=on,disable-legacy=on"

static void add_disk(struct args *a, const struct launch_disk *d,
		     unsigned int i)
{
	char fd[32];
	const char *file = d->file;

	if (!file) {
		snprintf(fd, sizeof(fd), "/dev/fd/%d", d->fd);
		file = fd;
	}
	ARG2(a, "-drive", "if=none,id=disk%u,format=%s,snapshot=%s,file=%s",
	     i, d->qcow2 ? "qcow2" : "raw", d->keep ? "off" : "on", escaped(file));
	ARG2(a, "-device", "virtio-blk-pci,drive=disk%u," VIRTIO, i);
}

static void add_share(struct args *a, const struct launch_share *s,
		      unsigned int i)
{
	ARG2(a, "-fsdev", "local,id=share%u,security_model=none,readonly=%s,"
	     "multidevs=remap,path=%s", i, s->write ? "off" : "on",
	     escaped(s->path));
	ARG2(a, "-device", "virtio-9p-pci,fsdev=share%u,mount_tag=%s," VIRTIO,
	     i, s->tag);
}

static void add_serial_ports(struct args *a, const struct launch *l)
{
	if (l->ports)
		ARG2(a, "-device", "virtio-serial-pci," VIRTIO);
	for (unsigned int i = 0; i < l->ports; i++) {
		const struct launch_port *p = &l->port[i];

		if (p->input)
			ARG2(a, "-chardev", "socket,id=port%u,fd=%d", i, p->fd);
		else
			ARG2(a, "-chardev", "file,id=port%u,path=/dev/fd/%d",
			     i, p->fd);
		ARG2(a, "-device", "virtserialport,chardev=port%u,name=%s", i,
		     p->name);
	}
}

/* No option ROM: nothing here boots from a network. */
static void add_network(struct args *a, const struct launch *l)
{
	char forwards[512] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < l->forwards && n < sizeof(forwards); i++)
		n += (size_t)snprintf(forwards + n, sizeof(forwards) - n,
				      ",hostfwd=tcp:127.0.0.1:%s",
				      l->forward[i]);
	ARG2(a, "-netdev", "user,id=net,restrict=%s,"
	     "guestfwd=tcp:10.0.2.100:7-cmd:cat%s", l->outside ? "off" : "on",
	     forwards);
	ARG2(a, "-device", "virtio-net-pci,netdev=net,romfile=," VIRTIO);
}

/* cvm/machine/gdb.c: on SNP the stub looks for private pages elsewhere. */
static void add_gdb(struct args *a, const struct launch *l)
{
	unsigned int size = 1;

	ARG2(a, "-gdb", "unix:%s,server=on,wait=off", escaped(l->gdb));
	if (l->gdb_wait)
		arg(a, "-S");
	if (l->platform != CVM_SNP)
		return;
	while (size < l->memory)
		size *= 2;
	ARG2(a, "-object", "memory-backend-file,id=private,size=%uM,share=on,"
	     "mem-path=%s", size, escaped(l->ram_file));
	ARG2(a, "-device", "ivshmem-plain,memdev=private");
}

static void add_time(struct args *a, const struct launch *l)
{
	ARG2(a, "-icount", "shift=%d,sleep=off", icount_shift(l));
	ARG2(a, "-rtc", "clock=vm,base=2024-01-01T00:00:00");
	ARG2(a, "-seed", "%lu", l->seed);
}

void qemu_exec(const struct launch *l, const struct qemu_fds *fds)
{
	struct args a = { .n = 0 };

	arg(&a, "%s", qemu_program());
	arg(&a, "-nodefaults");
	arg(&a, "-no-user-config");
	ARG2(&a, "-display", "none");
	arg(&a, "-no-reboot");
	add_cpu_and_memory(&a, l);
	add_guest(&a, l, fds);
	add_ports(&a, fds);
	if (l->iommu)
		ARG2(&a, "-device", "intel-iommu,intremap=off");
	for (unsigned int i = 0; i < l->disks; i++)
		add_disk(&a, &l->disk[i], i);
	for (unsigned int i = 0; i < l->shares; i++)
		add_share(&a, &l->share[i], i);
	add_serial_ports(&a, l);
	if (l->network)
		add_network(&a, l);
	if (l->gdb)
		add_gdb(&a, l);
	if (l->deterministic)
		add_time(&a, l);
	for (const char *const *p = l->qemu_args; p && *p; p++)
		arg(&a, "%s", *p);
	execvp(a.v[0], a.v);
}
