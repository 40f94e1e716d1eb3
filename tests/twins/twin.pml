/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reduced transition of tests/twins/README, for spin.
 *
 * The program counter of the converter is the one of its process, the store
 * buffer is a channel. Every transition is one d_step, and what a d_step uses
 * in passing is hidden, so that spin's states are the protocol's states.
 *
 * To be defined: CPUS, PAGES (1 or 2), BUFFER, FENCE (0 or 1), ORDER.
 */

mtype = { none, private, shared, idle, asked, answered };

typedef Pte { bit present = 1; bit enc };
typedef Tlb { mtype page[PAGES] = none };

Pte pte[PAGES];			/* what a page walk sees */
mtype host[PAGES] = private;
Tlb tlb[CPUS];
mtype load[CPUS] = none;	/* the translation a load in flight took */
byte load_page[CPUS];
bit ipi[CPUS];
mtype call = idle;
byte call_page;
chan buffer = [BUFFER] of { byte, bit, bit };

#define away(c)		(c == 0 && call != idle)

inline flush(c)
{
	tlb[c].page[0] = none;
#if PAGES > 1
	tlb[c].page[1] = none
#endif
}

#define FILL(c, p) \
	d_step { tlb[c].page[p] == none && pte[p].present -> \
		 tlb[c].page[p] = (pte[p].enc -> shared : private) }
#define EVICT(c, p) \
	d_step { tlb[c].page[p] != none -> tlb[c].page[p] = none }
#define LOAD(c, p) \
	d_step { load[c] == none && tlb[c].page[p] != none && !away(c) -> \
		 load[c] = tlb[c].page[p]; load_page[c] = p }

active [CPUS] proctype Cpu()
{
	do
	:: FILL(_pid, 0)
	:: EVICT(_pid, 0)
	:: LOAD(_pid, 0)
#if PAGES > 1
	:: FILL(_pid, 1)
	:: EVICT(_pid, 1)
	:: LOAD(_pid, 1)
#endif
	:: d_step { load[_pid] != none ->
		    assert(load[_pid] == host[load_page[_pid]]);
		    load[_pid] = none; load_page[_pid] = 0 }
	:: d_step { ipi[_pid] && load[_pid] == none ->
		    flush(_pid); ipi[_pid] = 0 }
	od
}

active proctype Store_buffer()
{
	do
	:: buffer?0,pte[0].present,pte[0].enc
#if PAGES > 1
	:: buffer?1,pte[1].present,pte[1].enc
#endif
	od
}

active proctype Host()
{
	do
	:: d_step { call == asked ->
		    host[call_page] = shared; call = answered; call_page = 0 }
	:: d_step { call == asked -> call = idle; call_page = 0 }
	od
}

/* What the converter believes it wrote: its stores in program order. */
Pte mine[PAGES];

#define STORE(p, change) \
	d_step { load[0] == none && nfull(buffer) -> \
		 change; buffer!p,mine[p].present,mine[p].enc }
#define NP1(p)		STORE(p, mine[p].present = 0)
#define FLIP1(p)	STORE(p, mine[p].enc = 1)
#define NPFLIP1(p)	STORE(p, mine[p].present = 0; mine[p].enc = 1)
#define PRESENT1(p)	STORE(p, mine[p].present = 1)

/* Asked again as long as the host says RETRY. */
#define NOTIFY1(p) \
retry_##p: \
	if \
	:: d_step { load[0] == none && call == idle && empty(buffer) -> \
		    call = asked; call_page = p }; \
	   goto retry_##p \
	:: d_step { load[0] == none && call == answered -> call = idle } \
	fi

#define SEND(c)		d_step { load[0] == none -> ipi[c] = 1 }
#if FENCE
#define DRAINED		empty(buffer)
#else
#define DRAINED		true
#endif

#if PAGES > 1
#define EACH(x)		x(0); x(1)
#else
#define EACH(x)		x(0)
#endif

#if CPUS > 3
#define SENDS		SEND(1); SEND(2); SEND(3);
#define WAIT		!ipi[1] && !ipi[2] && !ipi[3]
#elif CPUS > 2
#define SENDS		SEND(1); SEND(2);
#define WAIT		!ipi[1] && !ipi[2]
#elif CPUS > 1
#define SENDS		SEND(1);
#define WAIT		!ipi[1]
#else
#define SENDS
#define WAIT		true
#endif

#define NP		EACH(NP1)
#define FLIP		EACH(FLIP1)
#define NPFLIP		EACH(NPFLIP1)
#define PRESENT		EACH(PRESENT1)
#define NOTIFY		EACH(NOTIFY1)
#define TLB \
	d_step { load[0] == none && DRAINED -> flush(0) }; \
	SENDS \
	d_step { load[0] == none && WAIT -> skip }

active proctype Converter()
{
	ORDER;
	/* Not the end of the process: that would be one more transition. */
	false
}
