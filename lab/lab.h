/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

/*
 * The lab: a simulated SMP confidential machine that runs engine/ unchanged,
 * and every interleaving of it. This header is what the command line and the
 * tests use; machine.h is the inside.
 */

#include <airlock/airlock.h>
#include <stdio.h>
#include "search/explore.h"

#define LAB_MAX_CPUS	4
#define LAB_MAX_PAGES	1024
#define LAB_FEW_PAGES	24	/* of more, not each is a spot */

enum lab_host {
	LAB_HOST_BENIGN		= 0,
	LAB_HOST_FAILING	= 1,
	LAB_HOST_HOSTILE	= 2,
	LAB_HOST_SLOW		= 3,	/* honest, and as awkward as it may be */
};

/* How a port's shootdown reaches other CPUs. */
enum lab_flush {
	LAB_FLUSH_IPI		= 0,
	LAB_FLUSH_BROADCAST	= 1,	/* INVLPGB, then TLBSYNC */
	LAB_FLUSH_UNSYNCED	= 2,	/* TLBSYNC does not wait */
};

enum lab_overlap {
	LAB_OVERLAP_NONE	= 0,	/* converters: a leaf of its own each */
	LAB_OVERLAP_LEAF	= 1,	/* disjoint pages of one 2M leaf */
	LAB_OVERLAP_SAME	= 2,	/* the same pages; one is refused */
};

/**
 * struct lab_config - one question to the lab
 * @order: steps to run
 * @cpus: all of them do stray reads; the first @converters also convert
 * @pages: 4K pages in each of its ranges
 * @ranges: ranges in each call, 1 or 2, in different 2M chunks
 * @leaf_2m: the range lies in 2M leaves: with @pages of 512 it is one whole
 *	leaf, otherwise a part of one
 * @first: where in its first 2M a range of many pages begins
 * @mixed: with @leaf_2m, the first 2M is mapped by 4K leaves
 * @vmalloc: convert through a second, scattered mapping; the direct map is
 *	its alias
 * @lazy: each page had an alias that was unmapped and not flushed: no entry
 *	has it, TLBs may, until the port is asked to drop aliases
 * @together: with @vmalloc, the pages lie physically in a row
 * @interrupts: stray reads and IPIs reach a CPU that is pinned or holds the
 *	lock, too: the port leaves interrupts on
 * @migrations: how many times a thread that converts is taken off its CPU,
 *	where it is not pinned, and goes on on another one
 * @flush: how a shootdown is done
 * @reclaim: the call is airlock_reclaim_all(), of what was shared and noted
 * @features: enum airlock_feature that the machine has. None is the worst
 *	machine: caches not coherent, evict reads needed.
 * @fails: how many calls the failing host fails; 0 is once
 * @acts: how many times the hostile host acts on its own, or lies
 * @store_buffer: entries of a CPU's store buffer
 * @no_mmio: a TDX host converts on a mismatched access, and does not take the
 *	address for MMIO, which raises #VE
 * @reduce: explore one representative of what cannot be told apart
 * @count: if the answer is "safe" and small, count what it stands for
 * @brief: a counterexample need not be the shortest there is
 */
struct lab_config {
	enum airlock_platform platform;
	enum airlock_to to;
	struct airlock_order order;
	unsigned int cpus;
	unsigned int converters;
	enum lab_overlap overlap;
	unsigned int pages;
	unsigned int ranges;
	bool leaf_2m;
	unsigned int first;
	bool mixed;
	bool vmalloc;
	bool together;
	bool lazy;
	bool interrupts;
	unsigned int migrations;
	enum lab_flush flush;
	bool reclaim;
	enum lab_host host;
	uint32_t features;
	unsigned int acts;
	unsigned int fails;
	unsigned int store_buffer;
	bool no_mmio;
	bool reduce;
	bool count;
	bool brief;
	unsigned int rounds;	/* calls a converter makes: there, back, there */
};

/* What can be wrong. The number is part of the trace format. */
enum lab_bad {
	LAB_BAD_NONE		= 0,
	LAB_BAD_EXCEPTION	= 1,	/* #VE, #VC, paravisor, TD exit */
	LAB_BAD_ENGINE_FAULT	= 2,	/* the engine touched what is not there */
	LAB_BAD_STALE		= 3,	/* a translation outlived the call */
	LAB_BAD_CACHE		= 4,	/* a line under the wrong key */
	LAB_BAD_EVICT		= 5,	/* a stale line can reach a reader */
	LAB_BAD_BYSTANDER	= 6,	/* a page outside the range was hit */
	LAB_BAD_THOUGHT_PRIVATE	= 7,	/* ledger says private, machine not */
	LAB_BAD_THOUGHT_SHARED	= 8,
	LAB_BAD_CONTRACT	= 9,	/* outcome, tables and ledger disagree */
	LAB_BAD_PORT		= 10,	/* a rule of port.h broken */
	LAB_BAD_TWO_SIZES	= 11,	/* TLB: two sizes, two translations */
	LAB_BAD_FREED_TABLE	= 12,	/* freed, but a CPU can still walk it */
	LAB_BAD_PROTOCOL	= 13,	/* a rule of the platform broken */
	LAB_BAD_ACCEPT_TWICE	= 14,
	LAB_BAD_ENDLESS		= 15,	/* host calls without bound */
	LAB_BAD_WINDOW		= 16,	/* the page before a window is mapped */
	LAB_BAD_HOOK		= 17,	/* a violation the engine saw, unreported */
	LAB_BAD_FALSE_ALARM	= 18,	/* honest host reported as a liar */
	LAB_BAD_DATA		= 19,	/* a stray read returned wrong bytes */
	LAB_BAD_COUNT
};

/* Which exception it was that LAB_BAD_EXCEPTION speaks of. */
enum lab_exception {
	LAB_EXCEPTION_NONE	= 0,
	LAB_EXCEPTION_VC	= 1,
	LAB_EXCEPTION_VE	= 2,
	LAB_EXCEPTION_LOST	= 3,	/* nobody handles it: the guest ends */
};

const char *lab_bad_name(unsigned int bad);
const char *lab_bad_sentence(unsigned int bad);
/* What went wrong in one word, for a table; and what the word means. */
const char *lab_bad_word(unsigned int bad, enum lab_exception e);
const char *lab_bad_meaning(unsigned int bad, enum lab_exception e);

struct lab;

/**
 * lab_new() - build the machine and the initial state of a question
 * Only one lab exists in a process at a time: the engine's memory is at fixed
 * addresses, so that states compare.
 * Return: NULL, with @why set, if the question makes no sense.
 */
struct lab *lab_new(const struct lab_config *cfg, const char **why);
void lab_free(struct lab *l);
const struct explore_model *lab_model(const struct lab *l);

/* Everything interned beside the explorer's own vectors, in bytes. */
uint64_t lab_intern_bytes(const struct lab *l);

/*
 * One event of a trace, in words. @actor is a CPU number, or LAB_HOST_ACTOR.
 */
#define LAB_HOST_ACTOR	(-1)

struct lab_event {
	int actor;
	explore_label label;
	const char *file;	/* engine source, where an engine step */
	int line;
	char text[160];		/* what it did */
	char change[400];	/* what changed, one line each, decoded */
	uint32_t bad;		/* enum lab_bad, for the last event */
	enum lab_exception exception;
	char why[320];		/* what exactly was wrong, for the last event */
	char because[240];	/* and which steps brought it about, or empty */
	bool lie;		/* the host lied, or acted unasked */
	bool walked;		/* a stray read: the tables map that page */
};

/**
 * lab_replay_begin(), lab_replay_step() - run a trace again, event by event
 * Return: false when @label is not possible in the present state: the code no
 * longer does what it did when the trace was written.
 */
void lab_replay_begin(struct lab *l);
bool lab_replay_step(struct lab *l, explore_label label, struct lab_event *ev);
/* All have been replayed: fill in what the last one says of the others. */
void lab_because(struct lab_event *e, size_t n);

/**
 * struct lab_verdict - the answer to a question
 * @result: EXPLORE_DONE is "safe: all N states", and nothing else is
 * @stats: of the exploration that decided
 * @bytes_per_state: memory for everything
 * @accesses: how many accesses were judged: each translation that a CPU could
 *	use for a page, in each state
 * @plain_states: safe with reduction: the states without it. 0: not counted
 * @plain_more: there are more than those; counting stopped there
 * @event, @nevents: the counterexample, if @result is BAD or DEADLOCK
 * @shortest: found without reduction, so no counterexample has fewer events;
 *	otherwise the search without reduction hit a limit, and this one is the
 *	shortest of the reduced machine
 * @host_chose: unsafe only because a host may raise #VE where KVM converts the
 *	page; with one that converts, all states are safe
 * @why: @result is LIMIT and no state was explored: the question was refused
 */
struct lab_verdict {
	enum explore_result result;
	struct explore_stats stats;
	uint64_t bytes_per_state;
	uint64_t accesses;
	uint64_t plain_states;
	bool plain_more;
	enum lab_exception exception;
	struct lab_event *event;
	size_t nevents;
	bool shortest;
	bool host_chose;
	uint32_t bad;
	const char *why;
};

/**
 * lab_check() - answer a question
 * With cfg->reduce a counterexample is looked for again without reduction, by
 * which it becomes the shortest there is.
 * Return: 0; -1 for a question that makes no sense, with @v->why set.
 */
int lab_check(const struct lab_config *cfg, const struct explore_limits *lim,
	      struct lab_verdict *v);
void lab_verdict_free(struct lab_verdict *v);

/*
 * The number of the present turn of an engine, 0 while none runs; may be asked
 * in a signal handler.
 */
uint64_t lab_engine_turn(void);

/* Accesses judged since lab_new(). */
uint64_t lab_accesses(const struct lab *l);

/* The question that most people have: 2 CPUs, 2 pages, worst machine. */
void lab_config_default(struct lab_config *cfg);

/*
 * Property states: what a reader or a bystander can meet, whatever the
 * reduction. After exploring with lab_observe(l, true), the set of them as a
 * count and an order-independent hash.
 */
void lab_observe(struct lab *l, bool on);
void lab_observations(const struct lab *l, uint64_t *count, uint64_t *hash);

#endif
