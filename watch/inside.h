/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_INSIDE_H
#define WATCH_INSIDE_H

/* What the files of the logic share. */
#include "watch.h"

#define NONE		UINT32_MAX
#define ROOT_SLOTS	512
#define MAX_FINDINGS	256
#define MAX_CONVERSIONS	512
#define HISTORY		1024u

/* Is the store that took an entry away in memory yet? buffer.c */
enum seen {
	SEEN,
	BUFFERED,		/* it may be in the store buffer of its CPU */
	OVERTAKEN,		/* ... and an IPI has left meanwhile */
	LATE,			/* in memory now, and only the next IPI is */
};				/* sure to come after it */

struct link {
	uint64_t va;
	uint32_t next;		/* of the same table, or free */
	bool live;
	uint32_t cpus;		/* cached: who may hold the entry above */
	uint64_t since;		/* ... if it has not flushed since */
	uint64_t rip;		/* ... and who took the table away */
	enum seen seen;
	uint8_t writer;		/* the CPU whose store that is */
};

struct table {
	uint64_t gpa;
	unsigned int level;
	uint32_t links;		/* the first */
	uint32_t places;	/* how many there are */
	uint64_t shadow[512];
	uint32_t next[512];	/* nodes that map the same frame */
};

struct stale {
	uint64_t va, entry, since, rip;
	unsigned int level;
	uint32_t cpus;
	uint64_t born;
	uint32_t early;		/* who has flushed it before it was seen */
	enum seen seen;
	uint8_t writer;
	uint32_t next_va, next_frame;	/* in hash chains */
};

/* Something whose store may not be in memory: a link, or a stale. */
struct unseen {
	bool is_link;
	uint32_t index;
};

#define PENDING_MAX	64u
struct invlpgb {
	uint64_t va, count, stride, until;
	bool all, global, tables;
};

/* The conversion that a thread is in. */
struct doing {
	bool converting;
	uint64_t va, pages, thread;
	struct watch_conversion now;
};

/* What is known of a CPU. */
struct cpu {
	bool on;
	uint64_t cr3;
	uint64_t flushed;	/* everything, at that time */
	uint64_t flushed_some;	/* all that is not global */
	uint64_t rip;		/* of the last call to host or module */
	uint64_t at;		/* of its last special instruction */
	uint64_t thread;	/* ... whose stack it was on; 0: not known */
	bool pcids;		/* CR4.PCIDE */
	/* INVLPGBs not waited for yet */
	struct invlpgb pending[PENDING_MAX];
	unsigned int n_pending;
	/* its store buffer, oldest first */
	struct unseen *unseen;
	unsigned int n_unseen, unseen_room;
	struct doing doing;
};

/* Of a thread that does not run: threads.c */
struct aside {
	uint64_t task;			/* 0: unused */
	unsigned int cpu;		/* where it ran */
	struct doing doing;
};

#define ASIDES	16u

#define HASH	4096u

struct watch {
	struct watch_config cfg;
	void (*found)(void *ctx, const struct watch_finding *f);
	void *ctx;
	bool on;
	bool lied;			/* the host did something by itself */
	bool returning;			/* a conversion is just over */
	bool calls;			/* conversions are seen to begin */
	uint64_t time;
	uint64_t frames;
	uint32_t on_mask;
	struct cpu cpu[WATCH_CPUS];
	struct aside aside[ASIDES];
	unsigned int asides;

	/* tables.c */
	struct table **table;
	uint32_t tables, tables_room, free_table;
	uint32_t cached;		/* links that are not live */
	uint32_t *table_of;		/* by frame: NONE, or a table */
	uint8_t *pgd;			/* by frame: some CPU's CR3 */
	struct link *link;
	uint32_t links, links_room, free_link;
	uint64_t root[ROOT_SLOTS];	/* gpa of the table, 0: none */
	uint32_t *leaf4, *leaf2;	/* by frame, by 2M: the first node */
	uint32_t leaf1[64];		/* by 1G */
	uint64_t direct;		/* va - pa of the direct map */
	bool has_direct;

	/* tlb.c */
	struct stale *stale;
	uint32_t stales, stales_room;
	uint32_t by_va[3][HASH], by_frame[3][HASH];

	/* cache.c, judge.c: by frame */
	uint64_t *flushed;		/* lines, since it was settled */
	uint8_t *flags;			/* FRAME_*: below */
	uint64_t evicts_due;
	uint32_t unseen;		/* of all CPUs */

	struct trails *trails;		/* trails.c; NULL: not wanted */

	struct watch_event event[HISTORY];
	uint64_t events;		/* ever: the last HISTORY are there */
	struct watch_finding finding[MAX_FINDINGS];
	unsigned int findings;
	struct watch_conversion conversion[MAX_CONVERSIONS];
	unsigned int conversions;
	struct watch_counts counts;
};

/* flags[] */
#define FRAME_TRACKED	1u		/* has changed state since the begin */
#define FRAME_EVICT_1	2u		/* the evict read of its first line is due */
#define FRAME_EVICT_2	4u		/* ... of its last line */
#define FRAME_STATE	0x30u		/* the state it had, to see changes */
#define FRAME_STATE_SHIFT 4
#define FRAME_BUSY	0x80u		/* in a conversion that has not ended */
#define FRAME_WAS_SHARED 0x40u	/* ... when it was last in use */

static inline uint64_t span(unsigned int level)
{
	return WATCH_PAGE << (9 * level);
}

static inline bool is_leaf(uint64_t e, unsigned int level)
{
	return (e & ENTRY_P) && (!level || (e & ENTRY_LARGE));
}

static inline uint64_t entry_pa(uint64_t e, unsigned int level)
{
	return e & WATCH_ADDR & ~(span(level) - 1);
}

static inline bool is_private(const struct watch *w, uint64_t e)
{
	return !(e & WATCH_BIT) == (w->cfg.platform != WATCH_SNP);
}

static inline enum watch_state state_of(const struct watch *w, uint64_t frame)
{
	return frame < w->frames ? w->cfg.states[frame] & STATE_MASK : 0;
}

/* The host did something to it that nobody asked for. */
static inline bool by_host(const struct watch *w, uint64_t frame)
{
	return w->cfg.states[frame] & STATE_BY_HOST;
}

static inline uint64_t entry_read(const struct watch *w, uint64_t pa)
{
	return pa + 8 <= w->cfg.ram_size ?
	       *(const volatile uint64_t *)(w->cfg.ram + pa) : 0;
}

/* tables.c */
void tables_init(struct watch *w);
void tables_free(struct watch *w);
void tables_root(struct watch *w, unsigned int cpu, uint64_t cr3);
void tables_store(struct watch *w, unsigned int cpu, uint64_t pa,
		  unsigned int size, uint64_t rip);
void tables_prune(struct watch *w);
void tables_find_direct(struct watch *w);
uint64_t link_held(const struct watch *w, const struct link *l);
/* Call @fn for each way to the frame that is in the tables or cached. */
typedef void (*way_fn)(struct watch *w, const struct watch_way *way,
		       uint64_t frame, void *arg);
void tables_ways(struct watch *w, uint64_t frame, way_fn fn, void *arg);
/* Ways by which @cpu can come to @va; also those that end in nothing. */
void tables_walks(struct watch *w, unsigned int cpu, uint64_t va, way_fn fn,
		  void *arg);

/* tlb.c */
void tlb_init(struct watch *w);
void tlb_free(struct watch *w);
/* By a store of @cpu's. */
void tlb_left(struct watch *w, unsigned int cpu, uint64_t va, uint64_t entry,
	      unsigned int level, uint32_t cpus, uint64_t rip);
uint32_t held(const struct watch *w, uint32_t cpus, uint64_t since,
	      bool global);
/* Of those CPUs: whose flush drops what was taken away by this store? */
uint32_t flush_counts(uint32_t cpus, enum seen seen, uint8_t writer);
void tlb_ways(struct watch *w, uint64_t frame, way_fn fn, void *arg);
void tlb_at(struct watch *w, uint64_t va, way_fn fn, void *arg);
/* A flush of one address. */
struct drop {
	uint32_t cpus;
	uint64_t va;
	uint64_t until;		/* what was taken away later stays */
	bool global, other;	/* entries that are, and that are not */
	bool tables;		/* what leads to tables, too */
};
void tlb_drop(struct watch *w, const struct drop *d);

/* core.c */
void cpu_on(struct watch *w, unsigned int cpu);

/* buffer.c */
void buffer_store(struct watch *w, unsigned int cpu, bool is_link,
		  uint32_t index);
void buffer_free(struct watch *w);
/* It is there no more, or at another place. */
void buffer_dropped(struct watch *w, bool is_link, uint32_t index);
/* @cpu changes the entry of @va at @level: it has seen those above. */
void buffer_way(struct watch *w, unsigned int cpu, uint64_t va,
		unsigned int level);
void buffer_moved(struct watch *w, uint8_t writer, uint32_t from,
		  uint32_t to);

/* cache.c */
void cache_store(struct watch *w, uint64_t pa, unsigned int size);
void cache_settle(struct watch *w, uint64_t frame, enum watch_state s);
void cache_state(struct watch *w, uint64_t frame, enum watch_state old,
		 enum watch_state new, unsigned int cpu);

/* judge.c */
uint64_t frame_at(const struct watch *w, uint64_t va);
void judge_frame(struct watch *w, uint64_t frame, unsigned int cpu,
		 uint64_t rip);
void judge_leaf(struct watch *w, uint64_t entry, unsigned int level,
		unsigned int cpu, uint64_t rip);
void judge_owner(struct watch *w, unsigned int cpu, uint64_t va,
		 bool private_only, const char *what, uint64_t rip);
void judge_return(struct watch *w, unsigned int cpu);
void report(struct watch *w, const struct watch_finding *f);

/* history.c */
void history_add(struct watch *w, const struct watch_event *e);

/* trails.c */
void trails_entry(struct watch *w, unsigned int cpu, uint64_t va, uint64_t size,
		uint64_t rip, bool flip);
void trails_drain(struct watch *w, unsigned int cpu);
bool trails_want_drains(const struct watch *w);
void trails_ipi(struct watch *w, unsigned int cpu);
/* Of one address, or EVENT_NOWHERE: of entries that are global, or not. */
void trails_flush(struct watch *w, unsigned int cpu, uint64_t va, bool global,
		bool other);
/* TRAIL_CACHE or TRAIL_EVICT of the whole page, last by @va. */
void trails_lines(struct watch *w, unsigned int cpu, uint64_t frame,
		uint64_t va, enum watch_trail_kind kind, bool shared);
void trails_pvalidate(struct watch *w, unsigned int cpu, uint64_t va,
		    uint64_t size);
void trails_state(struct watch *w, unsigned int cpu, uint64_t frame,
		enum watch_state old, enum watch_state new, bool asked);
void trails_convert(struct watch *w, unsigned int cpu,
		  const struct watch_range *r, unsigned int n, bool to_shared,
		  uint64_t caller);
/* @how: its order, or NULL. */
void trails_return(struct watch *w, unsigned int cpu, bool failed,
		 const struct watch_conversion *how);
/* The guest has ended, and this call has not. */
void trails_ended(struct watch *w, unsigned int call, unsigned int cpu,
		  const struct watch_conversion *how);
void trails_lost(struct watch *w, unsigned int cpu);
void trails_cpu_off(struct watch *w);
/* The call of @from is that of @to now; an aside's is behind the CPUs'. */
void trails_switch(struct watch *w, unsigned int from, unsigned int to);
void trails_free(struct watch *w);

/* order.c */
void order_entry(struct watch *w, unsigned int cpu, uint64_t va,
		 uint64_t old, uint64_t new, unsigned int level);
/* Is the address of the range's own mapping, or of the direct map? */
bool order_maps(const struct watch *w, unsigned int cpu, uint64_t va);
void order_step(struct watch *w, unsigned int cpu, uint8_t step);
/* The conversion of that CPU: what it does from here on is not known. */
void order_lost(struct watch *w, unsigned int cpu);
bool order_covers(const struct watch *w, unsigned int cpu, uint64_t va);
void order_state(struct watch *w, unsigned int cpu, enum watch_state old,
		 enum watch_state new);

#endif
