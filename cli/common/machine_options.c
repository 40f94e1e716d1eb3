// SPDX-License-Identifier: GPL-2.0
/* Options of the machine, the same words in every subcommand that runs it. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

enum {
	OPT_PLATFORM = 0x1000, OPT_CPUS, OPT_MEMORY, OPT_HOST, OPT_TIME,
	OPT_DETERMINISTIC, OPT_SEED, OPT_LAZY, OPT_APPEND, OPT_JSON,
	OPT_DISK, OPT_DISK_RW, OPT_NET,
};

static const struct argp_option machine_options[] = {
	{ "platform", OPT_PLATFORM, "NAME", 0,
	  PLATFORMS_CONFIDENTIAL(PLATFORM_LISTED) "or none", 0 },
	{ "cpus", OPT_CPUS, "N", 0, "1 to 16", 0 },
	{ "memory", OPT_MEMORY, "M", 0, "MiB, or as 6G: 64 to 16384", 0 },
	{ "host", OPT_HOST, "KIND", 0,
	  "benign (does as KVM does), failing:N, failing:N:half (refuses the "
	  "Nth call, or half of it), hostile:SEED (lies), ve (tells the guest "
	  "of a wrong access) or strict (stops at one) [benign]", 0 },
	{ "time-limit", OPT_TIME, "S", 0, "seconds", 0 },
	{ "deterministic", OPT_DETERMINISTIC, NULL, 0,
	  "time is instructions: equal runs are the same to the bit", 0 },
	{ "seed", OPT_SEED, "S", 0, "the same, with another seed [1]", 0 },
	{ "lazy", OPT_LAZY, NULL, 0,
	  "Linux finds most memory unaccepted, until it needs it (tdx, snp)",
	  0 },
	{ "append", OPT_APPEND, "TEXT", 0, "more for the guest's command line",
	  0 },
	{ "json", OPT_JSON, "FILE", 0, "write a report; - is stdout", 0 },
	{ 0 },
};

static const struct argp_option disks_options[] = {
	{ "disk", OPT_DISK, "FILE", 0,
	  "a raw image as a virtio disk, /dev/vda and so on; what the guest "
	  "writes there is forgotten", 0 },
	{ "disk-rw", OPT_DISK_RW, "FILE", 0, "the same, and FILE is changed",
	  0 },
	{ 0 },
};

static const struct argp_option devices_options[] = {
	{ "net", OPT_NET, NULL, 0,
	  "a virtio network that leads nowhere but to an echo server, "
	  "10.0.2.100 port 7", 0 },
	{ 0 },
};

void machine_default(struct machine *m, enum cvm_platform p)
{
	*m = (struct machine){
		.launch = {
			.platform = p, .cpus = 2, .memory = 512,
			.time_limit = 300, .seed = 1, .isolation = 2,
			.name = "airlock",
		},
	};
}

static bool number(const char *text, uint64_t min, uint64_t max,
		   uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno &&
	       *value >= min && *value <= max;
}

uint64_t option_number(struct argp_state *state, const char *option,
		       const char *text, uint64_t min, uint64_t max)
{
	uint64_t v;

	if (number(text, min, max, &v))
		return v;
	if (max == UINT64_MAX)
		argp_error(state, "--%s '%s': not a number", option, text);
	else
		argp_error(state, "--%s '%s': not a number from %lu to %lu",
			   option, text, min, max);
	return 0;
}

/* ---- the host ---- */

static const struct {
	const char *word;
	enum cvm_host kind;
} hosts[] = {
	{ "benign", CVM_HOST_KVM }, { "ve", CVM_HOST_VE },
	{ "strict", CVM_HOST_STRICT },
	{ "kvm", CVM_HOST_KVM },	/* another name */
};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))

static bool parse_failing(const char *text, struct launch_host *h)
{
	size_t used = strcspn(text, ":");
	char n[24];

	h->kind = CVM_HOST_FAILING;
	if (!strcmp(text + used, ":half"))
		h->kind = CVM_HOST_FAILING_HALF;
	else if (text[used])
		return false;
	if (used >= sizeof(n))
		return false;
	memcpy(n, text, used);
	n[used] = 0;
	return number(n, 1, UINT64_MAX, &h->argument);
}

static bool parse_host(const char *text, struct launch_host *h)
{
	*h = (struct launch_host){ .argument = 1 };
	for (size_t i = 0; i < HOSTS; i++)
		if (!strcmp(text, hosts[i].word)) {
			h->kind = hosts[i].kind;
			h->argument = 0;
			return true;
		}
	if (!strncmp(text, "failing:", 8))
		return parse_failing(text + 8, h);
	h->kind = CVM_HOST_FAILING;
	if (!strcmp(text, "failing"))
		return true;
	h->kind = CVM_HOST_HOSTILE;
	return !strcmp(text, "hostile") || (!strncmp(text, "hostile:", 8) &&
		number(text + 8, 0, UINT64_MAX, &h->argument));
}

const char *host_text(const struct launch_host *h, char buf[HOST_TEXT])
{
	for (size_t i = 0; i < HOSTS; i++)
		if (hosts[i].kind == h->kind) {
			snprintf(buf, HOST_TEXT, "%s", hosts[i].word);
			return buf;
		}
	snprintf(buf, HOST_TEXT, "%s:%lu%s",
		 h->kind == CVM_HOST_HOSTILE ? "hostile" : "failing",
		 h->argument,
		 h->kind == CVM_HOST_FAILING_HALF ? ":half" : "");
	return buf;
}

/* ---- */

/* MiB; M behind it says the same, G makes it GiB. */
static unsigned int memory(struct argp_state *state, const char *arg)
{
	size_t n = strlen(arg);
	char text[8] = "";
	uint64_t m;

	if (n && n < sizeof(text) && strchr("MG", arg[n - 1])) {
		memcpy(text, arg, n - 1);
		if (number(text, 1, LAUNCH_MAX_MEMORY, &m)) {
			m <<= arg[n - 1] == 'G' ? 10 : 0;
			if (m >= LAUNCH_MIN_MEMORY && m <= LAUNCH_MAX_MEMORY &&
			    m % 2 == 0)
				return (unsigned int)m;
		}
	}
	m = option_number(state, "memory", arg, LAUNCH_MIN_MEMORY,
			  LAUNCH_MAX_MEMORY);
	if (m % 2)
		argp_error(state, "--memory %lu: not a multiple of 2", m);
	return (unsigned int)m;
}

static error_t parse_machine(int key, char *arg, struct argp_state *state)
{
	struct machine *m = state->input;
	struct launch *l = &m->launch;

	switch (key) {
	case ARGP_KEY_INIT:	m->at_first = *l;		break;
	case OPT_PLATFORM:
		if (!launch_platform_parse(arg, &l->platform))
			argp_error(state, "--platform '%s': not "
				   PLATFORMS_CONFIDENTIAL(PLATFORM_LISTED)
				   "or none", arg);
		break;
	case OPT_CPUS:
		l->cpus = (unsigned int)option_number(state, "cpus", arg, 1,
						      LAUNCH_MAX_CPUS);
		break;
	case OPT_MEMORY:
		l->memory = memory(state, arg);
		break;
	case OPT_HOST:
		if (!parse_host(arg, &l->host))
			argp_error(state, "--host '%s': not benign, "
				   "failing:N, hostile:SEED, ve or strict",
				   arg);
		break;
	case OPT_TIME:
		l->time_limit = (unsigned int)
			option_number(state, "time-limit", arg, 1, 86400);
		break;
	case OPT_SEED:
		l->seed = option_number(state, "seed", arg, 0, UINT64_MAX);
		l->deterministic = true;
		break;
	case OPT_DETERMINISTIC: l->deterministic = true;	break;
	case OPT_LAZY:		l->lazy = true;			break;
	case OPT_APPEND:	l->append = arg;		break;
	case OPT_JSON:		m->json = arg;			break;
	default:		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void add_disk(struct machine *m, const char *file, bool keep,
		     struct argp_state *state)
{
	struct launch *l = &m->launch;

	if (access(file, keep ? R_OK | W_OK : R_OK))
		argp_failure(state, argp_err_exit_status, 0,
			     "cannot use '%s': %s", file, strerror(errno));
	if (l->disks == MACHINE_DISKS)
		argp_error(state, "more than %d disks", MACHINE_DISKS);
	m->disk[l->disks++] = (struct launch_disk){
		.file = file, .keep = keep,
	};
	l->disk = m->disk;
	l->iommu = true;
}

static error_t parse_devices(int key, char *arg, struct argp_state *state)
{
	struct machine *m = state->input;

	switch (key) {
	case OPT_DISK:
	case OPT_DISK_RW:
		add_disk(m, arg, key == OPT_DISK_RW, state);
		return 0;
	case OPT_NET:
		m->launch.network = m->launch.iommu = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What a command begins with, which is not the same in all of them. */
static char *with_default(const char *doc, const char *value)
{
	char *text;

	if (asprintf(&text, "%s [%s]", doc, value) < 0)
		err(2, "no memory");
	return text;
}

static char *machine_help(int key, const char *text, void *input)
{
	const struct machine *m = input;
	const struct launch *l = &m->at_first;
	char value[24];

	if (key == OPT_PLATFORM)
		return with_default(text, launch_platform_name(l->platform));
	if (key == OPT_TIME && m->time_text)
		return with_default(text, m->time_text);
	if (key != OPT_CPUS && key != OPT_MEMORY && key != OPT_TIME)
		return (char *)text;
	snprintf(value, sizeof(value), "%u", key == OPT_CPUS ? l->cpus :
		 key == OPT_MEMORY ? l->memory : l->time_limit);
	return with_default(text, value);
}

const struct argp machine_argp = { .options = machine_options,
				   .parser = parse_machine,
				   .help_filter = machine_help };
/* The same for the network, whose child the disks are. */
static error_t parse_network(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_INIT)
		return parse_devices(key, arg, state);
	state->child_inputs[0] = state->input;
	return 0;
}

const struct argp disks_argp = { .options = disks_options,
				 .parser = parse_devices };
static const struct argp_child disks_child[] = {
	{ &disks_argp, 0, NULL, 0 }, { 0 },
};
const struct argp devices_argp = { .options = devices_options,
				   .parser = parse_network,
				   .children = disks_child };

bool machine_check(const struct machine *m)
{
	if (!m->launch.lazy || m->launch.platform == CVM_TDX ||
	    m->launch.platform == CVM_SNP)
		return true;
	warnx("--lazy: only tdx and snp guests accept memory");
	return false;
}
