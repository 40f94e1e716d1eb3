/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_ENGINE_H
#define LAB_ENGINE_H

/*
 * Engines on the lab's machine, and what they ask of it.
 *
 *   local     the saved stack of a CPU that runs the engine, and its request
 *   request   the port call at which it stopped
 */

#include <airlock/port.h>
#include "machine/machine.h"

#define LAB_STACK	(32u << 10)	/* bytes of an engine stack */
#define LAB_LOCAL	(12u << 10)	/* bytes of it a state can hold */
#define LAB_CTX		(16u << 10)	/* bytes of an engine context */

/* Where an engine stopped. */
enum req_kind {
	REQ_NONE,
	REQ_START,
	REQ_LOCK,
	REQ_UNLOCK,
	REQ_PTE,
	REQ_ALLOC,
	REQ_FREE,
	REQ_SHOOTDOWN,		/* send, then wait until everyone flushed */
	REQ_INVLPG,
	REQ_CACHE,
	REQ_PVALIDATE,
	REQ_EVICT,
	REQ_VMGEXIT,
	REQ_TDCALL,
	REQ_HYPERCALL,
	REQ_SHARED_READ,
	REQ_VIOLATION,
	REQ_RETURN,		/* airlock_convert_order() came back */
	REQ_DONE,		/* and was judged */
	REQ_KINDS
};

struct req {
	uint32_t kind;
	uint32_t pad;
	const void *site;	/* return address into the engine */
	union {
		struct { uint64_t pa, val; } pte;
		struct { uint64_t pa; } free;
		struct { uint64_t va; } invlpg;
		struct { uint64_t va, pages; } lines;	/* CACHE, EVICT */
		struct { uint64_t va, large, validate; } pvalidate;
		struct { uint64_t msr; } vmgexit;
		struct { uint64_t control, in, out; } hypercall;
		struct { uint64_t offset, size; } shared_read;
		struct { uint64_t status, gpa, pages; } violation;
		struct airlock_tdcall td;
		struct airlock_outcome outcome;		/* RETURN */
	};
};

/* A local, as interned: the request, then the bytes of the stack. */
struct local {
	struct req req;
	uint64_t comm;		/* interned comm page + 1, 0: none live */
	uint32_t depth;		/* bytes of stack */
	uint32_t pad;
	uint8_t stack[LAB_LOCAL];
};
#define LOCAL_HEAD	offsetof(struct local, stack)

/* What runs: one engine, one context, at a fixed address. */
struct engine {
	struct airlock *a;
	struct airlock_config cfg;
	uint64_t reply;			/* to the request in hand */
	struct airlock_tdcall reply_td;
	uint32_t ctx_loaded;		/* ctx in the fixed memory */
	uint32_t ctx_size;
};

extern struct engine engine;

/* @now: carries out a request at once, while the first state is made. */
void engine_init(void (*now)(unsigned int cpu, const struct req *r));
void engine_start(unsigned int cpu);
void engine_load(unsigned int cpu);	/* before the request is carried out */
void engine_resume(unsigned int cpu);	/* after: on to the next request */
uint64_t lab_take_table(void);
const struct local *local_of(unsigned int cpu);
void ctx_load(void);
void ctx_keep(void);

/* setup.c */
bool setup(const char **why);

/* lab.c */
void world_load(const uint32_t *s);
void world_save(uint32_t *s);
bool movable(const struct world *w, unsigned int cpu);

/* step.c: a CPU carries out its request */
bool step_enabled(unsigned int cpu);
void step(unsigned int cpu);
void take_ipi(unsigned int cpu, unsigned int from);
void request_now(unsigned int cpu, const struct req *r);	/* setup */

#endif
