// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock linux kexec`: a kernel converts pages and starts another one. The
 * machine sees that one begin, and says what is not private by then; the next
 * kernel reads all memory. linux/guest/kexec is what runs in the guest.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux.h"

struct kexec {
	struct linux_run guest;
	bool crash, midway, anyway, verbose;
	struct launch_host host;	/* while pages are shared */
	char words[192];
	/* what the guest said */
	struct said said;
	char first[64], second[64];	/* releases */
	unsigned int first_cpus, second_cpus;
	unsigned long shared, refused, touched, unmapped, vmcore;
	unsigned int churning;
	/* what the machine said */
	unsigned int kernels;		/* that followed */
	unsigned long left_shared, left_pending;
	char stopped[128];		/* why it went no further */
	bool done;
	struct launch_result result;
};

/* The kernel's function that makes all memory private before the jump. */
static const char *hook_of(enum cvm_platform p)
{
	static const char *const hooks[] = {
		[CVM_TDX] = "tdx_kexec_finish",
		[CVM_SNP] = "snp_kexec_finish",
		[CVM_VTOM] = "hv_vtom_kexec_finish",
		[CVM_TDP] = "hv_vtom_kexec_finish",
		[CVM_NONE] = NULL,
	};

	return p < sizeof(hooks) / sizeof(hooks[0]) ? hooks[p] : NULL;
}

/* ---- what the guest says ---- */

static void console_line(void *context, const char *line)
{
	struct kexec *k = context;
	const char *at = strstr(line, "kexec: ");

	if (!at)
		return;
	at += 7;
	if (sscanf(at, "first kernel %63[^,], %u", k->first,
		   &k->first_cpus) == 2 ||
	    sscanf(at, "second kernel %63[^,], %u", k->second,
		   &k->second_cpus) == 2 ||
	    sscanf(at, "shared %lu pages, %lu", &k->shared,
		   &k->refused) == 2 ||
	    sscanf(at, "churning on %u", &k->churning) == 1 ||
	    sscanf(at, "touched %lu pages, %lu", &k->touched,
		   &k->unmapped) == 2 ||
	    sscanf(at, "vmcore %lu", &k->vmcore) == 1)
		return;
	if (!strcmp(at, "done"))
		k->done = true;
	else if (!strncmp(at, "no ", 3) || !strncmp(at, "not ", 4))
		snprintf(k->stopped, sizeof(k->stopped), "%.120s", at);
}

/* Its counters say the same, but come only with its end. */
static void hear_machine(void *context, const char *line)
{
	struct kexec *k = context;

	if (sscanf(line, "the next kernel begins on cpu %*u at %*x: %lu pages "
		   "left shared, %lu pending", &k->left_shared,
		   &k->left_pending) == 2)
		k->kernels++;
	if (k->verbose || strstr(line, " by the kernel before"))
		printf("  %s\n", line);
}

/* ---- the verdict ---- */

static int judge(const struct kexec *k)
{
	int code = launch_exit(k->result.end);

	if (k->stopped[0])
		return LINUX_USAGE;
	if (code)
		return code;
	return k->done && k->kernels == 1 && !k->left_shared &&
	       !k->left_pending && k->shared && k->touched && !k->result.violations &&
	       (!k->crash || k->vmcore) && (!k->midway || k->churning) ?
	       0 : 1;
}

static bool host_ended_it(const struct kexec *k)
{
	return k->host.kind >= CVM_HOST_FAILING && !k->result.violations &&
	       linux_gave_in(&k->result);
}

static void print_second(const struct kexec *k)
{
	if (!k->kernels) {
		puts("  no second kernel began");
		return;
	}
	printf("  when the second one began %lu pages were shared, %lu "
	       "pending\n", k->left_shared, k->left_pending);
	if (k->second[0])
		printf("  the second one has %u CPUs and read %lu pages\n",
		       k->second_cpus, k->touched);
	else
		puts("  the second one did not come to user space");
	if (k->vmcore)
		printf("  and %lu MiB of the first one's memory through "
		       "/proc/vmcore\n", k->vmcore >> 20);
}

static void print(const struct kexec *k, int verdict)
{
	const struct launch *l = &k->guest.machine.launch;
	const char *hook = hook_of(l->platform);

	printf("Linux %s on %s, %u CPUs, %s%s\n",
	       k->first[0] ? k->first : k->guest.version,
	       launch_platform_name(l->platform), l->cpus,
	       k->crash ? "a panic" : "kexec",
	       k->midway ? ", while every CPU converts pages" : "");
	if (k->stopped[0] && hook && !strcmp(k->stopped + 3, hook)) {
		printf("  this kernel cannot: it has no %s(), and leaves "
		       "what is shared to the next one\n", hook);
	} else if (k->stopped[0]) {
		printf("  %s\n", k->stopped);
	} else {
		printf("  the first kernel made %lu pages shared", k->shared);
		if (k->refused)
			printf(", and %lu were refused", k->refused);
		putchar('\n');
		print_second(k);
	}
	printf("  %s: %s\n", launch_verdict(k->result.end), k->result.why);
	if (verdict == 1 && host_ended_it(k))
		puts("no verdict: the guest ended itself when the host refused");
	else
		puts(verdict == 0 ? "every page was private again" :
		     verdict == 1 ? "NOT SAFE" : "no verdict");
}

static json_t *report(const struct kexec *k, int verdict)
{
	json_t *j = json_pack(
		"{s:s, s:b, s:b, s:i, s:I, s:i, s:I, s:I, s:s, s:i, s:I, s:I, "
		"s:I, s:I}",
		"kernel", k->first, "crash", k->crash, "midway", k->midway,
		"exit", verdict, "shared", (json_int_t)k->shared,
		"kernels", (int)k->kernels,
		"left_shared", (json_int_t)k->left_shared,
		"left_pending", (json_int_t)k->left_pending,
		"second_kernel", k->second, "second_cpus", (int)k->second_cpus,
		"touched", (json_int_t)k->touched,
		"not_mapped", (json_int_t)k->unmapped,
		"vmcore", (json_int_t)k->vmcore,
		"refused", (json_int_t)k->refused);

	if (!j)
		errx(LINUX_USAGE, "out of memory");
	json_object_set_new(j, "machine", machine_json(&k->guest.machine,
						       &k->result, verdict));
	return j;
}

/* ---- options ---- */

enum {
	OPT_CRASH = 256, OPT_MIDWAY, OPT_ANYWAY,
};

static const struct argp_option options[] = {
	{ "crash", OPT_CRASH, NULL, 0,
	  "a panic starts the second kernel, which reads /proc/vmcore for at "
	  "most a minute", 0 },
	{ "midway", OPT_MIDWAY, NULL, 0,
	  "every CPU converts pages meanwhile", 0 },
	{ "anyway", OPT_ANYWAY, NULL, 0,
	  "also a kernel that has no means to make pages private", 0 },
	{ "verbose", 'v', NULL, 0, "the guest's console too", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct kexec *k = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &k->guest;
		break;
	case OPT_CRASH:
		k->crash = true;
		break;
	case OPT_MIDWAY:
		k->midway = true;
		break;
	case OPT_ANYWAY:
		k->anyway = true;
		break;
	case 'v':
		k->verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &linux_argp, 0, "The kernel:", 1 }, { 0 },
};

static const struct argp argp = {
	options, parse, NULL,
	"Convert pages of a guest to shared, have its kernel start the same "
	"kernel again by kexec, and see that nothing stays shared: the machine "
	"says what is when the second kernel begins, and that one reads all "
	"memory.\v"
	"A host that fails or lies does so while the first kernel makes pages "
	"shared, and is honest before and after.\n\n"
	"Exit: 0 every page was private; 1 not so; 2 bad usage, nothing to "
	"boot, or a kernel that cannot do that on this platform; 3 time limit.",
	children, NULL, NULL,
};

static bool prepare(struct kexec *k)
{
	struct launch *l = &k->guest.machine.launch;
	const char *hook = k->anyway ? NULL : hook_of(l->platform);
	char host[LINUX_HOST_WORD];

	k->host = linux_host_later(&k->guest, host);
	snprintf(k->words, sizeof(k->words), "%s%s%s%s%s",
		 hook ? " airlock.hook=" : "", hook ? hook : "",
		 k->crash ? " airlock.crash crashkernel=256M" : "",
		 k->midway ? " airlock.midway" : "", host);
	k->guest.image = "kexec-initrd";
	if (k->guest.patched) {
		warnx("the live patch knows no kexec: --patched and --order are "
		      "not for it");
		return false;
	}
	return linux_prepare(&k->guest, true, k->words);
}

int linux_kexec(int argc, char **argv)
{
	static struct kexec k = {
		.said = { .hear = console_line, .machine = hear_machine,
			  .context = &k },
	};
	int verdict;

	linux_default(&k.guest);
	k.guest.machine.launch.memory = 1024;
	k.guest.machine.launch.time_limit = 300;
	argp_parse(&argp, argc, argv, 0, NULL, &k);
	if (!prepare(&k))
		return LINUX_USAGE;
	k.said.verbose = k.verbose;
	said_launch(&k.said, &k.guest.machine.launch, &k.result);
	verdict = judge(&k);
	print(&k, verdict);
	if (k.guest.machine.json &&
	    !json_write(k.guest.machine.json, report(&k, verdict)))
		verdict = LINUX_USAGE;
	return verdict;
}
