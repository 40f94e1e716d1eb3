// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock linux`: Debian's own kernel in the emulated machine.
 *
 * What it boots lies in build/linux/VERSION, where linux/tools/fetch and linux/tools/initrd
 * put it: a kernel, byte for byte, and an initramfs with two modules, the
 * storm and the live patch. report.c judges the storm.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "linux_cmd.h"

static const char help[] =
"usage: airlock linux fetch [VERSION]\n"
"       airlock linux boot [OPTION ...]\n"
"       airlock linux storm [OPTION ...]\n"
"\n"
"Debian's own cloud kernel in the emulated confidential machine.\n"
"\n"
"fetch gets kernel and headers with apt (nothing is installed) and builds the\n"
"modules. boot boots. storm converts pages between private and shared while\n"
"every other CPU does what the kernel really does: path look-ups and\n"
"load_unaligned_zeropad() at the last bytes before those pages.\n"
"\n"
"  --platform P      tdx, snp, vtom, tdp (TD partitioning) or none [snp]\n"
"  --cpus N          1 to 8 [2]\n"
"  --host NAME       kvm, ve, strict, failing:N, failing:N:half or\n"
"                    hostile:SEED [kvm]\n"
"  --patched         with Airlock in it, as a live patch\n"
"  --order STEPS     with Airlock's steps in another order, such as\n"
"                    alias,flip,tlb,notify\n"
"  --kernel VERSION  which of those fetched, or built by `make linux':\n"
"                    stock-VERSION, airlock-VERSION [6.12]\n"
"  --memory M        MiB [512]\n"
"  --time-limit S    seconds [300; 900 with --devices]\n"
"  --lazy            most memory is unaccepted, until the guest needs it (tdx,\n"
"                    snp)\n"
"  --deterministic   time is instructions\n"
"  --append TEXT     more words for the kernel's command line\n"
"  --json FILE       boot: what the machine saw; storm: the report\n"
"boot only\n"
"  --shell           a shell on the console\n"
"  --disk FILE       a raw image as virtio disk /dev/vda; what the guest\n"
"                    writes there is forgotten\n"
"  --disk-rw FILE    the same, and FILE is changed\n"
"  --net             a virtio network that leads nowhere but to an echo\n"
"                    server, 10.0.2.100 port 7\n"
"storm only (where failing and hostile hosts are honest until it begins)\n"
"  --conversions N   of each shape [2000; 400 with --devices]\n"
"  --only SHAPE      512, 1, 8, at-once or vmalloc\n"
"  --devices         a disk and a network meanwhile, with data that is checked\n"
"  --verbose         the guest's console too\n"
"\n"
"Disk and network are behind an IOMMU that lets them reach shared pages only.\n"
"\n"
"Exit: 0 every page was right and no confidential exception came, 1 not so,\n"
"2 bad usage or nothing to boot, 3 time limit.\n";

int linux_error(const char *fmt, ...)
{
	va_list ap;

	fputs("airlock linux: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return LINUX_USAGE;
}

/* ---- where things are ---- */

/* The directory this program is in. */
static bool own_directory(char *dir, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dir, size - 1);
	char *slash;

	if (n <= 0)
		return false;
	dir[n] = 0;
	slash = strrchr(dir, '/');
	if (!slash)
		return false;
	*slash = 0;
	return true;
}

static bool path(char *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	if (n >= 0 && n < PATH_MAX)
		return true;
	linux_error("a path is too long");
	return false;
}

static int run_script(const char *script, const char *a, const char *b)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		execl(script, script, a, b, (char *)NULL);
		linux_error("cannot run %s: %s", script, strerror(errno));
		_exit(LINUX_USAGE);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status) ?
	       0 : LINUX_USAGE;
}

static int fetch(int argc, char **argv)
{
	const char *version = argc > 1 ? argv[1] : LINUX_VERSION;
	char dir[PATH_MAX], script[PATH_MAX], data[PATH_MAX];
	int code;

	if (argc > 2 || *version == '-' || strchr(version, '/'))
		return linux_error("fetch takes a version, such as 6.12");
	if (!own_directory(dir, sizeof(dir)) ||
	    !path(data, "%s/linux/%s", dir, version) ||
	    !path(script, "%s/../linux/tools/fetch", dir))
		return LINUX_USAGE;
	code = run_script(script, version, data);
	if (code || !path(script, "%s/../linux/tools/initrd", dir))
		return code;
	return run_script(script, data, NULL);
}

/* What comes from `make linux', and not from the archive. */
static const char *built_version(const char *version)
{
	if (!strncmp(version, "stock-", 6))
		return version + 6;
	return strncmp(version, "airlock-", 8) ? NULL : version + 8;
}

static bool find_guest(struct linux_run *l)
{
	const char *built = built_version(l->version);
	char dir[PATH_MAX];

	if (!own_directory(dir, sizeof(dir)) ||
	    !path(l->kernel, "%s/linux/%s/vmlinuz", dir, l->version) ||
	    !path(l->initrd, "%s/linux/%s/initrd", dir, l->version))
		return false;
	if (!access(l->kernel, R_OK) && !access(l->initrd, R_OK))
		return true;
	if (built)
		linux_error("no %s kernel here; `make linux VERSION=%s' builds it",
			    l->version, built);
	else
		linux_error("no %s kernel here; `airlock linux fetch %s' gets it",
			    l->version, l->version);
	return false;
}

/* ---- options ---- */

enum {
	OPT_PLATFORM = 256, OPT_CPUS, OPT_HOST, OPT_MEMORY, OPT_TIME,
	OPT_LAZY, OPT_DETERMINISTIC, OPT_JSON, OPT_PATCHED, OPT_ORDER, OPT_KERNEL,
	OPT_APPEND,
	/* boot only */
	OPT_SHELL, OPT_DISK, OPT_DISK_RW, OPT_NET,
	/* storm only */
	OPT_CONVERSIONS, OPT_ONLY, OPT_DEVICES, OPT_VERBOSE,
};

static const struct option options[] = {
	{ "platform", required_argument, NULL, OPT_PLATFORM },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "time-limit", required_argument, NULL, OPT_TIME },
	{ "lazy", no_argument, NULL, OPT_LAZY },
	{ "deterministic", no_argument, NULL, OPT_DETERMINISTIC },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "patched", no_argument, NULL, OPT_PATCHED },
	{ "order", required_argument, NULL, OPT_ORDER },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "shell", no_argument, NULL, OPT_SHELL },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "disk-rw", required_argument, NULL, OPT_DISK_RW },
	{ "net", no_argument, NULL, OPT_NET },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "conversions", required_argument, NULL, OPT_CONVERSIONS },
	{ "only", required_argument, NULL, OPT_ONLY },
	{ "devices", no_argument, NULL, OPT_DEVICES },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool storm_option(struct linux_run *l, int opt)
{
	char *end;

	switch (opt) {
	case OPT_CONVERSIONS:
		l->conversions = strtoul(optarg, &end, 10);
		if (*optarg < '0' || *optarg > '9' || *end ||
		    l->conversions < 2 || l->conversions > 1000000) {
			linux_error("--conversions '%s': not a number from 2 "
				    "to 1000000", optarg);
			return false;
		}
		return true;
	case OPT_ONLY:
		l->only = optarg;
		return true;
	case OPT_DEVICES:
		l->devices = true;
		return true;
	case OPT_VERBOSE:
		l->verbose = true;
		return true;
	default:
		return false;
	}
}

static bool boot_option(struct linux_run *l, int opt)
{
	switch (opt) {
	case OPT_SHELL:
		l->shell = true;
		return true;
	case OPT_DISK:
	case OPT_DISK_RW:
		l->disk = optarg;
		l->disk_rw = opt == OPT_DISK_RW;
		if (!access(optarg, l->disk_rw ? R_OK | W_OK : R_OK))
			return true;
		linux_error("cannot use '%s': %s", optarg, strerror(errno));
		return false;
	case OPT_NET:
		l->net = true;
		return true;
	default:
		return storm_option(l, opt);
	}
}

static bool parse_option(struct linux_run *l, int opt)
{
	switch (opt) {
	case OPT_PLATFORM:
		l->platform = optarg;
		return true;
	case OPT_CPUS:
		l->cpus = optarg;
		return true;
	case OPT_HOST:
		l->host = optarg;
		return true;
	case OPT_MEMORY:
		l->memory = optarg;
		return true;
	case OPT_TIME:
		l->time_limit = optarg;
		return true;
	case OPT_LAZY:
		l->lazy = true;
		return true;
	case OPT_DETERMINISTIC:
		l->deterministic = true;
		return true;
	case OPT_JSON:
		l->json = optarg;
		return true;
	case OPT_PATCHED:
		l->patched = true;
		return true;
	case OPT_ORDER:
		l->order = optarg;
		l->patched = true;
		if (!strchr(optarg, ' '))
			return true;
		linux_error("--order '%s': no spaces, please", optarg);
		return false;
	case OPT_KERNEL:
		l->version = optarg;
		return true;
	case OPT_APPEND:
		l->append = optarg;
		return true;
	default:
		return boot_option(l, opt);
	}
}

/*
 * A host that fails or lies does so from the storm on: before it, a stock
 * kernel boots, whose answer to any of that is to end the guest.
 */
static void host_word(struct linux_run *l)
{
	static const struct {
		const char *prefix;
		unsigned int kind;	/* enum cvm_host */
	} bad[] = { { "failing:", 3 }, { "hostile:", 5 } };

	l->machine_host = l->host;
	for (unsigned int i = 0; l->storm && i < 2; i++) {
		size_t n = strlen(bad[i].prefix);
		unsigned int kind = bad[i].kind;
		char *end;
		unsigned long arg;

		if (strncmp(l->host, bad[i].prefix, n))
			continue;
		arg = strtoul(l->host + n, &end, 10);
		if (kind == 3 && !strcmp(end, ":half"))
			kind++;
		else if (*end || end == l->host + n)
			return;		/* airlock boot will complain */
		snprintf(l->host_word, sizeof(l->host_word),
			 " airlock.host=%u,%lu", kind, arg);
		l->machine_host = "kvm";
	}
}

static const char *devices_word(const struct linux_run *l)
{
	bool disk = l->disk || l->devices, net = l->net || l->devices;

	return disk && net ? " airlock.devices=disk,net" :
	       disk ? " airlock.devices=disk" :
	       net ? " airlock.devices=net" : "";
}

/* The words that linux/guest/init reads, and few messages: each byte is an exit. */
static bool command_line(struct linux_run *l)
{
	char *at = l->cmdline;
	size_t left = sizeof(l->cmdline);
	int n;

	n = snprintf(at, left, "console=ttyS0 panic=-1%s%s%s%s%s%s%s%s%s%s",
		     l->verbose || l->shell ? "" : " quiet",
		     l->lazy ? " accept_memory=lazy" : "",
		     l->patched ? " airlock.patched" : "",
		     l->order ? " airlock.order=" : "",
		     l->order ? l->order : "",
		     l->shell ? " airlock.shell" : "",
		     devices_word(l),
		     l->devices ? " airlock.traffic" : "",
		     l->append ? " " : "", l->append ? l->append : "");
	if (n > 0 && (size_t)n < left && l->storm) {
		at += n;
		left -= (size_t)n;
		n = snprintf(at, left, " airlock.storm=%lu%s%s%s%s",
			     l->conversions,
			     strcmp(l->platform, "none") ? " airlock.ask" : "",
			     l->only ? " airlock.only=" : "",
			     l->only ? l->only : "", l->host_word);
	}
	if (n > 0 && (size_t)n < left)
		return true;
	linux_error("the kernel's command line is too long");
	return false;
}

/* ---- devices ---- */

/*
 * Linux bounces what it gives to a device through shared memory if the device
 * says that it is behind an IOMMU, which only the virtio of 1.0 can say. No
 * option ROM: nothing here boots from a network.
 */
#define VIRTIO	"iommu_platform=on,disable-legacy=on"

static const char disk_device[] = "virtio-blk-pci,drive=disk," VIRTIO,
		  net_device[] = "virtio-net-pci,netdev=net,romfile=," VIRTIO,
		  net_backend[] = "user,id=net,restrict=on,"
				  "guestfwd=tcp:10.0.2.100:7-cmd:cat";

/* In QEMU's options a comma is written twice. */
static bool disk_backend(const struct linux_run *l, char *out, size_t size)
{
	char *end = out + size - 1;
	const char *from;

	out += snprintf(out, size, "if=none,id=disk,format=raw,snapshot=%s,"
			"file=", l->disk && !l->disk_rw ? "on" : "off");
	if (!l->disk) {
		snprintf(out, (size_t)(end - out), "/dev/fd/%d", l->scratch);
		return true;
	}
	for (from = l->disk; *from && out + 2 < end; from++) {
		if (*from == ',')
			*out++ = ',';
		*out++ = *from;
	}
	*out = 0;
	if (!*from)
		return true;
	linux_error("the disk's name is too long");
	return false;
}

/* Run the machine in this process. */
int linux_boot(const struct linux_run *l, const char *json)
{
	bool disk = l->disk || l->devices, net = l->net || l->devices;
	char *v[40], drive[PATH_MAX];
	int n = 0;

	if (disk && !disk_backend(l, drive, sizeof(drive)))
		return LINUX_USAGE;
#define ARG(s) (v[n++] = (char *)(uintptr_t)(s))
	ARG("boot");
	ARG("--platform"), ARG(l->platform);
	ARG("--cpus"), ARG(l->cpus);
	ARG("--host"), ARG(l->machine_host);
	ARG("--memory"), ARG(l->memory);
	ARG("--time-limit"), ARG(l->time_limit);
	ARG("--kernel"), ARG(l->kernel);
	ARG("--initrd"), ARG(l->initrd);
	ARG("--append"), ARG(l->cmdline);
	if (l->deterministic)
		ARG("--deterministic");
	if (l->lazy)
		ARG("--lazy");
	if (json)
		ARG("--json"), ARG(json);
	if (disk || net)
		ARG("--iommu"), ARG("--");
	if (disk)
		ARG("-drive"), ARG(drive), ARG("-device"), ARG(disk_device);
	if (net)
		ARG("-netdev"), ARG(net_backend),
		ARG("-device"), ARG(net_device);
#undef ARG
	v[n] = NULL;
	return cvm_boot(n, v);
}

int linux_main(int argc, char **argv)
{
	struct linux_run l = {
		.platform = "snp", .cpus = "2", .host = "kvm",
		.memory = "512",
		.version = LINUX_VERSION, .scratch = -1,
	};
	int opt;

	if (argc > 1 && (!strcmp(argv[1], "--help") ||
			 !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		fputs(help, stdout);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "fetch") &&
	    !(argc > 2 && !strcmp(argv[2], "--help")))
		return fetch(argc - 1, argv + 1);
	if (argc < 2 || (strcmp(argv[1], "boot") && strcmp(argv[1], "storm") &&
			 strcmp(argv[1], "fetch")))
		return linux_error("fetch, boot or storm? (see --help)");
	l.storm = !strcmp(argv[1], "storm");
	argc--;
	argv++;
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (opt == '?' ||
		    (l.storm && opt >= OPT_SHELL && opt <= OPT_NET) ||
		    (!l.storm && opt >= OPT_CONVERSIONS))
			return linux_error("bad option '%s' (see --help)",
					   argv[optind - 1]);
		if (!parse_option(&l, opt))
			return LINUX_USAGE;
	}
	if (optind < argc)
		return linux_error("unexpected argument '%s'", argv[optind]);
	if (!l.conversions)
		l.conversions = l.devices ? 400 : 2000;
	if (!l.time_limit)
		l.time_limit = l.devices ? "900" : "300";
	host_word(&l);
	if (!find_guest(&l) || !command_line(&l))
		return LINUX_USAGE;
	if (l.devices && (l.scratch = devices_scratch()) < 0)
		return LINUX_USAGE;
	return l.storm ? linux_storm(&l) : linux_boot(&l, l.json);
}
