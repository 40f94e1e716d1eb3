// SPDX-License-Identifier: GPL-2.0
/* `airlock boot`: options. image.c reads the guest, run.c runs QEMU. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "launch.h"

#define MAX_CPUS	8
#define MIN_MEMORY	64
#define MAX_MEMORY	2048

static const char help[] =
"usage: airlock boot [OPTION ...] [-- QEMU ARGUMENT ...]\n"
"\n"
"Boot a guest in the emulated confidential machine.\n"
"\n"
"  --platform P      " PLATFORMS_CONFIDENTIAL(PLATFORM_LISTED) "or none [none]\n"
"  --cpus N          1 to 8 [2]\n"
"  --memory M        MiB, 64 to 2048 [512]\n"
"  --host NAME       kvm, ve, strict, failing:N, failing:N:half or\n"
"                    hostile:SEED [kvm]\n"
"  --time-limit S    seconds [300]\n"
"  --deterministic   time is instructions: equal runs are bit-identical\n"
"  --seed S          the same, with another seed [1]\n"
"  --json FILE       what the machine saw\n"
"  --kernel FILE     a Linux bzImage or an ELF guest [the reference kernel]\n"
"  --initrd FILE     for Linux\n"
"  --append TEXT     the guest's command line\n"
"  --order ORDER     by which the reference kernel converts: a name or steps,\n"
"                    see `airlock orders' [airlock]\n"
"  --lazy            Linux finds most memory unaccepted (append\n"
"                    efi=noruntime)\n"
"  --iommu           devices reach shared pages only (VT-d)\n"
"  --isolation NAME  vtom: what is under the paravisor, vbs or snp [snp]\n"
"  --quiet           no statistics on stderr\n"
"\n"
"The guest's console is the terminal; the machine speaks on stderr.\n"
"Exit: 0 the guest passed, 1 it failed or broke a rule, 2 bad usage, 3 time\n"
"limit.\n";

int launch_error(const char *fmt, ...)
{
	va_list ap;

	fputs("airlock boot: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return LAUNCH_USAGE;
}

/* A whole decimal number within bounds, or false with a message. */
static bool number(const char *option, const char *text, uint64_t min,
		   uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *value >= min &&
	    *value <= max)
		return true;
	if (max == UINT64_MAX)
		launch_error("%s '%s': not a number", option, text);
	else
		launch_error("%s '%s': not a number from %lu to %lu", option,
			     text, min, max);
	return false;
}

static bool small(const char *option, const char *text, unsigned int min,
		  unsigned int max, unsigned int *value)
{
	uint64_t v;

	if (!number(option, text, min, max, &v))
		return false;
	*value = (unsigned int)v;
	return true;
}

static bool choose(const char *option, const char *text,
		   const char *const *names, unsigned int *value)
{
	for (unsigned int i = 0; names[i]; i++)
		if (!strcmp(text, names[i])) {
			*value = i;
			return true;
		}
	launch_error("%s '%s': unknown", option, text);
	return false;
}

static bool parse_host(struct launch *l, const char *text)
{
	static const char *const plain[] = { "kvm", "ve", "strict" };
	char n[32];
	size_t used;

	l->host_name = text;
	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(text, plain[i])) {
			l->host = i;
			return true;
		}
	if (!strncmp(text, "hostile:", 8)) {
		l->host = CVM_HOST_HOSTILE;
		return number("--host hostile:SEED", text + 8, 0, UINT64_MAX,
			      &l->host_arg);
	}
	if (!strncmp(text, "failing:", 8)) {
		l->host = CVM_HOST_FAILING;
		used = strcspn(text + 8, ":");
		if (!strcmp(text + 8 + used, ":half"))
			l->host = CVM_HOST_FAILING_HALF;
		else if (text[8 + used])
			used = sizeof(n);
		if (used < sizeof(n)) {
			memcpy(n, text + 8, used);
			n[used] = 0;
			return number("--host failing:N", n, 1, UINT64_MAX,
				      &l->host_arg);
		}
	}
	launch_error("--host '%s': not kvm, ve, strict, failing:N[:half] or "
		     "hostile:SEED", text);
	return false;
}

enum {
	OPT_PLATFORM = 256, OPT_CPUS, OPT_MEMORY, OPT_HOST, OPT_TIME, OPT_SEED,
	OPT_DETERMINISTIC, OPT_JSON, OPT_KERNEL, OPT_INITRD, OPT_APPEND,
	OPT_LAZY, OPT_IOMMU, OPT_ISOLATION, OPT_QUIET, OPT_ORDER,
};

static const struct option options[] = {
	{ "platform", required_argument, NULL, OPT_PLATFORM },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "time-limit", required_argument, NULL, OPT_TIME },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "deterministic", no_argument, NULL, OPT_DETERMINISTIC },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "order", required_argument, NULL, OPT_ORDER },
	{ "lazy", no_argument, NULL, OPT_LAZY },
	{ "iommu", no_argument, NULL, OPT_IOMMU },
	{ "isolation", required_argument, NULL, OPT_ISOLATION },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_option(struct launch *l, int opt)
{
	static const char *const platforms[] = {
		PLATFORMS_MACHINE(PLATFORM_NAME) NULL,
	}, *const isolations[] = { "none", "vbs", "snp", NULL };
	unsigned int v;

	switch (opt) {
	case OPT_PLATFORM:
		if (!choose("--platform", optarg, platforms, &v))
			return false;
		l->platform = v;
		l->platform_name = platforms[v];
		return true;
	case OPT_CPUS:
		return small("--cpus", optarg, 1, MAX_CPUS, &l->cpus);
	case OPT_MEMORY:
		return small("--memory", optarg, MIN_MEMORY, MAX_MEMORY,
			     &l->memory);
	case OPT_HOST:
		return parse_host(l, optarg);
	case OPT_TIME:
		return small("--time-limit", optarg, 1, 86400, &l->time_limit);
	case OPT_SEED:
		l->deterministic = true;
		return number("--seed", optarg, 0, UINT64_MAX, &l->seed);
	case OPT_DETERMINISTIC:
		l->deterministic = true;
		return true;
	case OPT_ISOLATION:
		return choose("--isolation", optarg, isolations,
			      &l->isolation);
	case OPT_JSON:
		l->json = optarg;
		return true;
	case OPT_KERNEL:
		l->kernel = optarg;
		return true;
	case OPT_INITRD:
		l->initrd = optarg;
		return true;
	case OPT_APPEND:
		l->append = optarg;
		return true;
	case OPT_ORDER:
		l->order = optarg;
		return true;
	case OPT_LAZY:
		l->lazy = true;
		return true;
	case OPT_IOMMU:
		l->iommu = true;
		return true;
	case OPT_QUIET:
		l->quiet = true;
		return true;
	default:
		return false;
	}
}

/* guest.elf: $AIRLOCK_GUEST, beside this program, or installed. */
static bool find_guest(struct launch *l)
{
	const char *env = getenv("AIRLOCK_GUEST");
	char dir[PATH_MAX];
	ssize_t n;

	if (env) {
		l->kernel = env;
		return true;
	}
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	if (n > 0) {
		static const char *const places[] = {
			"", "../lib/airlock/",
		};

		dir[n] = 0;
		*strrchr(dir, '/') = 0;
		for (size_t i = 0; i < 2; i++) {
			n = snprintf(l->guest_path, sizeof(l->guest_path),
				     "%s/%sguest.elf", dir, places[i]);
			if (n < (ssize_t)sizeof(l->guest_path) &&
			    !access(l->guest_path, R_OK)) {
				l->kernel = l->guest_path;
				return true;
			}
		}
	}
	launch_error("there is no reference kernel (guest.elf) beside this "
		     "program; give --kernel");
	return false;
}

/* The reference kernel reads order="..." on its command line. */
static bool add_order(struct launch *l)
{
	const char *more = l->append ? l->append : "";
	int n;

	if (!l->order)
		return true;
	if (strchr(l->order, '"')) {
		launch_error("--order '%s': not an order", l->order);
		return false;
	}
	n = snprintf(l->command_line, sizeof(l->command_line),
		     "order=\"%s\" %s", l->order, more);
	if (n >= (int)sizeof(l->command_line)) {
		launch_error("--order and --append are too long");
		return false;
	}
	l->append = l->command_line;
	return true;
}

static bool check(struct launch *l)
{
	if (l->kernel && l->order) {
		launch_error("--order is for the reference kernel");
		return false;
	}
	if (!add_order(l))
		return false;
	if (!l->kernel && (l->initrd || l->lazy)) {
		launch_error("--initrd and --lazy go with --kernel");
		return false;
	}
	if (!l->kernel && !find_guest(l))
		return false;
	if (l->lazy && l->platform != CVM_TDX && l->platform != CVM_SNP) {
		launch_error("--lazy: only tdx and snp guests accept memory");
		return false;
	}
	if (l->memory % 2) {
		launch_error("--memory %u: not a multiple of 2", l->memory);
		return false;
	}
	return true;
}

/* Without one of them the next file that is opened would be taken for it. */
static void open_standard_files(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	if (fd >= 0)
		close(fd);
}

int cvm_boot(int argc, char **argv)
{
	struct launch l = {
		.platform_name = "none", .host_name = "kvm", .cpus = 2,
		.memory = 512, .time_limit = 300, .seed = 1, .isolation = 2,
	};
	int opt, image, code;

	open_standard_files();
	optind = 0;		/* start over: another getopt may have run */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (opt == '?')
			return launch_error("bad option '%s' (see --help)",
					    argv[optind - 1]);
		if (!parse_option(&l, opt))
			return LAUNCH_USAGE;
	}
	if (optind < argc && strcmp(argv[optind - 1], "--"))
		return launch_error("unexpected argument '%s'", argv[optind]);
	l.qemu_args = argv + optind;
	if (!check(&l))
		return LAUNCH_USAGE;
	image = launch_image(&l);
	if (image < 0)
		return LAUNCH_USAGE;
	code = launch_run(&l, image);
	close(image);
	return code;
}
