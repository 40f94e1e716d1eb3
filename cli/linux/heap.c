// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock linux heap`: what an ordinary program can do to a guest that has a
 * dma-buf heap of shared buffers (linux/guest/heap). It speaks in lines of the
 * console, "heap: ...".
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux.h"

/* The first kernel that has such a heap is the newest. */
#define HEAP_VERSION	"stock-newest+heap"
#define HEAP_SECONDS	20
#define HEAP_SIZE	10240
/*
 * A refused conversion costs the heap one chunk of a buffer, 1 MiB at most
 * (7.3, drivers/dma-buf/heaps/system_heap.c); what else is gone is noise.
 */
#define CHUNK_KIB	1024
#define NOISE_KIB	1024

struct heap {
	struct linux_run guest;
	unsigned long seconds;
	unsigned long buffers, size;	/* instead of seconds */
	unsigned long split;
	struct launch_host host;	/* for the program's time */
	bool verbose;
	char words[256];
};

/* What the program had done, at a second. */
struct progress {
	unsigned int second;
	unsigned long buffers, kib, refused, looks;
};

struct report {
	const struct heap *h;
	struct said said;
	char release[64], failed[80];
	bool began, ended;
	unsigned long denied;		/* for want of memory to split */
	long lost;			/* KiB */
	struct progress at;
	struct launch_result result;
};

/* ---- what the guest says ---- */

static void heard(struct report *r, const char *text)
{
	struct progress p;

	if (sscanf(text, "at %u buffers %lu KiB %lu refused %lu look-ups %lu",
		   &p.second, &p.buffers, &p.kib, &p.refused, &p.looks) == 5)
		r->at = p;
	else if (!strncmp(text, "symbol ", 7))
		said_symbol(&r->said, text + 7);
	else if (sscanf(text, "lost %ld KiB", &r->lost) == 1)
		return;
	else if (!strncmp(text, "begin", 5))
		r->began = true;
	else if (!strcmp(text, "end"))
		r->ended = true;
	else
		sscanf(text, "failed: %79[^\n]", r->failed);
}

static void console_line(void *context, const char *line)
{
	struct report *r = context;

	if (!strncmp(line, "heap: ", 6))
		heard(r, line + 6);
	else if (strstr(line, "refuse: denied"))
		r->denied++;
	else if (!strncmp(line, "init: ", 6) && !r->release[0])
		sscanf(line + 6, "%63[^,]", r->release);
}

/* ---- the verdict ---- */

static unsigned long refusals(const struct report *r)
{
	return launch_counter(&r->result, "host_refused") + r->denied;
}

static bool leaks(const struct report *r)
{
	return r->lost > (long)(CHUNK_KIB * refusals(r) + NOISE_KIB);
}

static bool host_ended_it(const struct report *r)
{
	return r->h->host.kind >= CVM_HOST_FAILING && !r->result.violations &&
	       linux_gave_in(&r->result);
}

static int judge(const struct report *r)
{
	int code = launch_exit(r->result.end);

	if (code)
		return code;
	if (r->failed[0])
		return LINUX_USAGE;
	return !r->ended || r->result.violations || leaks(r);
}

static void print_verdict(const struct report *r, int verdict)
{
	if (verdict == 0)
		puts("it survived");
	else if (verdict != 1)
		puts("no verdict");
	else if (host_ended_it(r))
		puts("no verdict: the guest ended itself when the host "
		     "refused");
	else if (r->ended && !r->result.violations)
		printf("LEAKS: %lu refused conversion(s) cost %ld KiB\n",
		       refusals(r), r->lost);
	else
		puts(r->began ? "NOT SAFE: a program of uid 1000 ended the "
		     "guest" : "no verdict");
}

static void print(const struct report *r, int verdict)
{
	const struct launch *l = &r->h->guest.machine.launch;
	const struct progress *p = &r->at;

	printf("Linux %s on %s, %u CPUs, %s\n",
	       r->release[0] ? r->release : r->h->guest.version,
	       launch_platform_name(l->platform), l->cpus,
	       linux_origin(&r->h->guest));
	if (r->began)
		printf("  a program of uid 1000, after %u s: %lu buffers, %lu "
		       "KiB, %lu refused; %lu links looked up\n", p->second,
		       p->buffers, p->kib, p->refused, p->looks);
	if (r->h->buffers && r->ended)
		printf("  %lu conversion(s) refused, %ld KiB gone\n",
		       refusals(r), r->lost);
	said_print_bads(&r->said, &r->result, 0);
	if (r->failed[0])
		printf("  %s\n", r->failed);
	printf("  %s: %s\n", launch_verdict(r->result.end), r->result.why);
	print_verdict(r, verdict);
}

static json_t *heap_json(const struct report *r, int verdict)
{
	const struct progress *p = &r->at;
	json_t *j;

	j = json_pack("{s:s, s:i, s:b, s:b, s:i, s:I, s:I, s:I, s:I, s:I}",
		      "kernel", r->release, "exit", verdict, "began", r->began,
		      "ended", r->ended, "seconds", (int)p->second,
		      "buffers", (json_int_t)p->buffers,
		      "kib", (json_int_t)p->kib,
		      "refused", (json_int_t)p->refused,
		      "look_ups", (json_int_t)p->looks,
		      "lost", (json_int_t)r->lost);
	if (!j)
		errx(LINUX_USAGE, "out of memory");
	json_object_set_new(j, "machine", machine_json(&r->h->guest.machine,
						       &r->result, verdict));
	return j;
}

/* ---- options ---- */

enum {
	OPT_SECONDS = 256, OPT_BUFFERS, OPT_SIZE, OPT_SPLIT,
};

static const struct argp_option options[] = {
	{ "seconds", OPT_SECONDS, "N", 0, "for how long [20]", 0 },
	{ "buffers", OPT_BUFFERS, "N", 0,
	  "instead: N buffers, one after the other, and no look-ups; how much "
	  "memory is gone then?", 0 },
	{ "size", OPT_SIZE, "KIB", 0, "of each of these [10240]", 0 },
	{ "split", OPT_SPLIT, "N", 0,
	  "the Nth conversion to shared finds no memory to split a large "
	  "page, and fails", 0 },
	{ "verbose", 'v', NULL, 0, "the guest's console too", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct heap *h = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &h->guest;
		break;
	case OPT_SECONDS:
		h->seconds = option_number(state, "seconds", arg, 1, 3600);
		break;
	case OPT_BUFFERS:
		h->buffers = option_number(state, "buffers", arg, 1, 100000);
		break;
	case OPT_SIZE:
		h->size = option_number(state, "size", arg, 4, 1 << 20);
		break;
	case OPT_SPLIT:
		h->split = option_number(state, "split", arg, 1, 1000000);
		break;
	case 'v':
		h->verbose = true;
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
	"Have a program of uid 1000, whose group may open the dma-buf heap "
	"system_cc_shared, allocate buffers there, which the kernel converts, "
	"while others look up symbolic links that end at a page end. The "
	"kernel is " HEAP_VERSION " if it is not said, and needs such a heap; "
	"native-newest+heap is the same with the series.\v"
	"A host that fails or lies is honest until the program begins.\n\n"
	"Exit: 0 the guest survived; 1 it did not, or lost more memory than the "
	"chunks that were refused; 2 bad usage, or nothing to boot; 3 time "
	"limit.",
	children, NULL, NULL,
};

/* ---- */

/* What linux/guest/init shall do. */
static void set_words(struct heap *h)
{
	char host[LINUX_HOST_WORD], buffers[64] = "", split[40] = "";

	h->host = linux_host_later(&h->guest, host);
	if (h->buffers)
		snprintf(buffers, sizeof(buffers), " airlock.buffers=%lu,%lu",
			 h->buffers, h->size);
	if (h->split)
		snprintf(split, sizeof(split), " airlock.split=%lu", h->split);
	snprintf(h->words, sizeof(h->words), " airlock.heap=%lu%s%s%s",
		 h->seconds, buffers, host, split);
}

int linux_heap(int argc, char **argv)
{
	static struct heap h = { .seconds = HEAP_SECONDS, .size = HEAP_SIZE };
	static struct report r = {
		.h = &h, .said = { .hear = console_line, .context = &r },
	};
	int verdict;

	linux_default(&h.guest);
	h.guest.version = HEAP_VERSION;
	argp_parse(&argp, argc, argv, 0, NULL, &h);
	set_words(&h);
	if (!linux_prepare(&h.guest, !h.verbose, h.words))
		return LINUX_USAGE;
	r.said.verbose = h.verbose;
	said_launch(&r.said, &h.guest.machine.launch, &r.result);
	verdict = judge(&r);
	print(&r, verdict);
	if (h.guest.machine.json &&
	    !json_write(h.guest.machine.json, heap_json(&r, verdict)))
		verdict = LINUX_USAGE;
	return verdict;
}
