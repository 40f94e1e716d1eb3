// SPDX-License-Identifier: GPL-2.0
/*
 * Engines on stacks of their own, and the port they call.
 *
 * Each converting CPU runs the engine's own code on a stack at a fixed
 * address. A port call that other CPUs or the host could notice stops it:
 * the request goes to the explorer, the bytes of the stack become part of the
 * state, and later, perhaps many times and in many worlds, it is put back and
 * goes on with a reply. Calls that nobody else can notice are answered at
 * once, from the world in hand.
 *
 * The port polices the contract of port.h as it goes.
 */
#include "engine.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STACKS	((uint8_t *)0x300000000000)
#define CONTEXT	((uint8_t *)0x300001000000)

void lab_switch(void **save, void *load);

struct engine engine;

static uint64_t turns;
static volatile uint64_t turn;	/* a word: one store */
static void (*at_once)(unsigned int cpu, const struct req *r);
static void *sched_sp, *engine_sp;
static struct req request;
static struct local scratch;
static bool comm_live;
/* Words read since the host last ran: it can change one in between. */
static uint64_t fetched[8];

static uint8_t *stack_top(unsigned int cpu)
{
	return STACKS + (cpu + 1) * (size_t)LAB_STACK;
}

static void map_fixed(void *at, size_t size)
{
	void *p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		       MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != at)
		err(3, "lab: cannot map %p", at);
}

static enum airlock_page holds(uint32_t gfn)
{
	ctx_load();
	return airlock_page(engine.a, (uint64_t)gfn << 12);
}

/*
 * The engine's memory stays mapped once it is: labs come and go in one
 * process, one at a time.
 */
void engine_init(void (*now)(unsigned int cpu, const struct req *r))
{
	static bool mapped;

	at_once = now;
	lab->holds = holds;
	if (!mapped) {
		map_fixed(STACKS, LAB_MAX_CPUS * (size_t)LAB_STACK);
		map_fixed(CONTEXT, LAB_CTX);
		map_fixed(LAB_COMM, LAB_MAX_CPUS * 4096ul);
		mapped = true;
	}
	memset(CONTEXT, 0, LAB_CTX);
	memset(LAB_COMM, 0, LAB_MAX_CPUS * 4096ul);
	lab->setup = true;
	engine.ctx_loaded = UINT32_MAX;
	if (airlock_size(&engine.cfg) > LAB_CTX)
		errx(3, "lab: the engine's context takes %zu bytes",
		     airlock_size(&engine.cfg));
	if (airlock_init(&engine.a, CONTEXT, LAB_CTX, &engine.cfg))
		errx(1, "lab: airlock_init() failed");
	engine.ctx_size = (uint32_t)airlock_size(&engine.cfg);
}

uint64_t lab_engine_turn(void)
{
	return turn;
}

const struct local *local_of(unsigned int cpu)
{
	return intern_get(lab->blobs, lab->w.local_id[cpu]);
}

void ctx_load(void)
{
	if (engine.ctx_loaded == lab->w.ctx_id)
		return;
	memcpy(CONTEXT, intern_get(lab->blobs, lab->w.ctx_id), engine.ctx_size);
	engine.ctx_loaded = lab->w.ctx_id;
}

void engine_start(unsigned int cpu)
{
	memset(&scratch, 0, LOCAL_HEAD);
	scratch.req.kind = REQ_START;
	lab->w.local_id[cpu] = intern(lab->blobs, &scratch, LOCAL_HEAD);
}

static bool rule(bool ok, const char *what)
{
	if (!ok && !lab->setup)
		bad(LAB_BAD_PORT, "%s", what);
	return ok;
}

void ctx_keep(void)
{
	if (engine.ctx_loaded != UINT32_MAX &&
	    !memcmp(CONTEXT, intern_get(lab->blobs, engine.ctx_loaded),
		    engine.ctx_size))
		return;
	/* Between two port calls nothing else runs here; elsewhere it does. */
	rule(lab->w.m.lock == (int8_t)lab->cpu,
	     "changes what the lock protects without holding it");
	lab->w.ctx_id = intern(lab->blobs, CONTEXT, engine.ctx_size);
	engine.ctx_loaded = lab->w.ctx_id;
}

/* The first frame of an engine's stack. */
static void entry(void)
{
	const struct lab_config *c = &lab->cfg;
	unsigned int cpu = lab->cpu;
	struct airlock_outcome out = { 0 };

	for (;;) {
		if (c->reclaim)
			airlock_reclaim_all(engine.a, &out);
		else
			airlock_convert_order(engine.a, lab->range[cpu],
					      lab->nranges[cpu],
					      direction(lab, cpu), &c->order,
					      &out);
		memset(&request, 0, sizeof(request));
		request.kind = REQ_RETURN;
		request.outcome.status = out.status;
		request.outcome.converted = out.converted;
		request.outcome.reverted = out.reverted;
		request.outcome.quarantined = out.quarantined;
		lab_switch(&engine_sp, sched_sp);
	}
}

static void save_local(unsigned int cpu)
{
	size_t depth = (size_t)(stack_top(cpu) - (uint8_t *)engine_sp);
	uint32_t size;

	memset(&scratch, 0, LOCAL_HEAD);
	scratch.req = request;
	if (request.kind == REQ_RETURN &&
	    round_of(&lab->w.m, cpu) + 1 >= lab->cfg.rounds)
		depth = 0;	/* it never goes on */
	if (depth > LAB_LOCAL)
		errx(3, "lab: the engine uses %zu bytes of stack", depth);
	if (comm_live)
		scratch.comm = intern(lab->blobs, comm_page(cpu), 4096) + 1ull;
	scratch.depth = (uint32_t)depth;
	memcpy(scratch.stack, engine_sp, depth);
	size = (uint32_t)(LOCAL_HEAD + depth);
	lab->w.local_id[cpu] = intern(lab->blobs, &scratch, size);
}

/*
 * Below the saved bytes the stack is cleared, so that what a deeper call
 * leaves uninitialised is the same in every world.
 */
#define CLEARED 6144u

void engine_load(unsigned int cpu)
{
	const struct local *l = local_of(cpu);

	lab->cpu = cpu;
	comm_live = l->comm != 0;
	if (comm_live)
		memcpy(comm_page(cpu),
		       intern_get(lab->blobs, (uint32_t)(l->comm - 1)), 4096);
}

void engine_resume(unsigned int cpu)
{
	const struct local *l = local_of(cpu);
	uint8_t *top = stack_top(cpu);

	ctx_load();
	if (l->req.kind == REQ_START) {
		/* rbp .. r15, the entry, and a return address never used */
		void **sp = (void **)(void *)(top - 64);

		memset(top - CLEARED, 0, CLEARED);
		sp[6] = (void *)entry;
		engine_sp = sp;
	} else {
		engine_sp = top - l->depth;
		memcpy(engine_sp, l->stack, l->depth);
		memset((uint8_t *)engine_sp - CLEARED, 0, CLEARED);
	}
	memset(fetched, 0, sizeof(fetched));
	turn = ++turns;
	lab_switch(&sched_sp, engine_sp);
	turn = 0;
	ctx_keep();
	save_local(cpu);
}

/* Every byte of a request is part of a state: begin with none set. */
static struct req *new_request(enum req_kind kind, const void *site)
{
	memset(&request, 0, sizeof(request));
	request.kind = kind;
	request.site = site;
	return &request;
}

static uint64_t ask(void)
{
	if (lab->setup)
		at_once(lab->cpu, &request);
	else
		lab_switch(&engine_sp, sched_sp);
	return engine.reply;
}

static uint64_t ask_simply(enum req_kind kind, const void *site)
{
	new_request(kind, site);
	return ask();
}

#define HERE __builtin_return_address(0)

static bool locked(void)
{
	return lab->w.m.lock == (int8_t)lab->cpu;
}

/* ---- page tables ---- */

const uint64_t *airlock_port_table(uint64_t pa)
{
	static uint64_t page[512];
	const struct hw *h = &lab->w.hw[lab->cpu];

	memcpy(page, table_page((unsigned int)(pa >> 12) - GFN_TABLES),
	       sizeof(page));
	for (unsigned int i = 0; !lab->setup && i < h->nsb; i++)
		if (h->sb[i].pa >> 12 == pa >> 12)
			page[(h->sb[i].pa & 0xfff) / 8] = h->sb[i].val;
	return page;
}

void airlock_port_pte_write(uint64_t pa, uint64_t entry_value)
{
	struct req *r;

	if (lab->setup) {
		pte_now(pa, entry_value);
	} else if (table_reachable(pa)) {
		r = new_request(REQ_PTE, HERE);
		r->pte.pa = pa;
		r->pte.val = entry_value;
		ask();
	} else {
		pte_store(lab->cpu, pa, entry_value);
	}
}

static uint64_t take_table(void)
{
	static const uint64_t zero[512];

	for (unsigned int t = 0; t < LAB_TABLES; t++) {
		if (lab->w.m.used >> t & 1)
			continue;
		lab->w.m.used |= UINT32_C(1) << t;
		lab->w.t.id[t] = intern(lab->pages, zero, sizeof(zero));
		return table_gpa(t);
	}
	errx(3, "lab: more than %d page-table pages", LAB_TABLES);
}

uint64_t lab_take_table(void)
{
	lab->w.mach_dirty = lab->w.tables_dirty = true;
	return take_table();
}

uint64_t airlock_port_table_alloc(void)
{
	if (lab->setup)
		return take_table();
	rule(!locked(), "allocates under the lock");
	rule(!lab->w.hw[lab->cpu].pinned, "allocates while pinned");
	return ask_simply(REQ_ALLOC, HERE);
}

void airlock_port_table_free(uint64_t pa)
{
	rule(!locked(), "frees a page-table page under the lock");
	new_request(REQ_FREE, HERE)->free.pa = pa;
	ask();
}

void airlock_port_lock(void)
{
	if (lab->setup)
		return;
	rule(!locked(), "takes the lock twice");
	rule(!lab->w.hw[lab->cpu].pinned, "takes the lock while pinned");
	ask_simply(REQ_LOCK, HERE);
}

void airlock_port_unlock(void)
{
	if (lab->setup)
		return;
	rule(locked(), "gives back a lock it does not hold");
	ask_simply(REQ_UNLOCK, HERE);
}

unsigned int airlock_port_pin(void)
{
	if (lab->setup)
		return lab->cpu;
	rule(!lab->w.hw[lab->cpu].pinned, "pins twice");
	lab->w.hw[lab->cpu].pinned = 1;
	lab->w.hw_dirty[lab->cpu] = true;
	return cpu_id(lab->cpu);
}

void airlock_port_unpin(void)
{
	if (lab->setup)
		return;
	rule(lab->w.hw[lab->cpu].pinned, "unpins without a pin");
	lab->w.hw[lab->cpu].pinned = 0;
	lab->w.hw_dirty[lab->cpu] = true;
	/* Whatever comes next may write there. */
	memset(comm_page(lab->cpu), 0xcc, 4096);
	comm_live = false;
}

bool airlock_port_may_convert(void)
{
	return true;
}

void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	struct hw *h = &lab->w.hw[lab->cpu];

	if (lab->setup)
		return;
	rule(!locked(), "shootdown under the lock");
	rule(!h->pinned, "shootdown while pinned");
	rule(n < LAB_FLUSH, "shootdown of too many ranges");
	h->nflush = (uint8_t)(n < LAB_FLUSH ? n : 0);
	h->flush_all = !h->nflush;
	for (unsigned int i = 0; i < h->nflush; i++)
		h->flush[i] = (struct vrange){ va_vpn(f[i].va),
					       (uint32_t)f[i].pages };
	lab->w.hw_dirty[lab->cpu] = true;
	ask_simply(REQ_SHOOTDOWN, HERE);
}

static bool listed(const struct airlock_range *r, unsigned int n, uint32_t gfn)
{
	uint32_t page;

	for (unsigned int k = 0; k < n; k++)
		for (uint64_t i = 0; i < r[k].pages; i++)
			if (spot_gfn(va_vpn(r[k].va) + (uint32_t)i, &page) &&
			    page == gfn)
				return true;
	return false;
}

/* Flush what TLBs hold of aliases that are gone. */
void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	struct hw *h = &lab->w.hw[lab->cpu];

	if (lab->setup || !lab->cfg.lazy)
		return;
	rule(!locked(), "drops aliases under the lock");
	rule(!h->pinned, "drops aliases while pinned");
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].role == SPOT_LAZY && h->nflush < LAB_FLUSH &&
		    listed(r, n, lab->spot[s].gfn))
			h->flush[h->nflush++] = (struct vrange){
				lab->spot[s].vpn, 1 };
	if (!h->nflush)
		return;
	lab->w.hw_dirty[lab->cpu] = true;
	ask_simply(REQ_SHOOTDOWN, HERE);
}

/* The other mapping of a frame that a spot of this role has. */
static bool other_mapping(uint64_t va, uint64_t gpa, uint64_t *out)
{
	uint32_t vpn = va_vpn(va), gfn = (uint32_t)(gpa >> 12);

	for (unsigned int s = 0; s < lab->nspots; s++) {
		const struct spot *p = &lab->spot[s];

		if (p->gfn == gfn && p->vpn != vpn &&
		    (p->role == SPOT_RANGE || p->role == SPOT_ALIAS)) {
			*out = vpn_va(p->vpn);
			return true;
		}
	}
	return false;
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	unsigned int found = 0;

	if (!lab->cfg.vmalloc)
		return false;
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t o;

		if (!other_mapping(va + (i << 12), gpa + (i << 12), &o))
			continue;
		if (found && alias->va + (alias->pages << 12) == o) {
			alias->pages++;
			continue;
		}
		if (found++ == index + 1)
			return true;
		*alias = (struct airlock_range){ o, 1 };
	}
	return found == index + 1;
}

void airlock_port_violation(const struct airlock_violation *v)
{
	struct req *r;

	rule(!locked(), "reports a violation under the lock");
	rule(!lab->w.hw[lab->cpu].pinned, "reports a violation while pinned");
	r = new_request(REQ_VIOLATION, HERE);
	r->violation.status = (uint64_t)v->status;
	r->violation.gpa = v->gpa;
	r->violation.pages = v->pages;
	ask();
}

/* ---- platforms ---- */

static void *comm(bool hv, unsigned int cpu, uint64_t *gpa)
{
	rule(cpu == cpu_id(lab->cpu), "asks for another CPU's page");
	rule(lab->w.hw[lab->cpu].pinned, "asks for a CPU's page, not pinned");
	memset(comm_page(lab->cpu), 0, 4096);
	comm_live = true;
	*gpa = (uint64_t)comm_gfn(hv, lab->cpu) << 12;
	return comm_page(lab->cpu);
}

void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	return comm(false, cpu, gpa);
}

void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa)
{
	return comm(true, cpu, gpa);
}

static void fetch_once(uint64_t offset)
{
	uint64_t bit = UINT64_C(1) << (offset / 8 % 64);

	rule(!(fetched[offset / 512 % 8] & bit),
	     "reads a word twice that the host can change in between");
	fetched[offset / 512 % 8] |= bit;
}

uint64_t airlock_port_shared_read(const volatile void *p, unsigned int size)
{
	uint64_t v = 0, offset;
	const uint8_t *at = (const uint8_t *)(uintptr_t)p;
	struct req *r;

	offset = (uint64_t)(at - (uint8_t *)comm_page(lab->cpu));
	if (lab->cfg.host == LAB_HOST_HOSTILE) {
		r = new_request(REQ_SHARED_READ, HERE);
		r->shared_read.offset = offset;
		r->shared_read.size = size;
		ask();
	} else {
		fetch_once(offset);
	}
	memcpy(&v, at, size);
	return v;
}

/* ---- instructions ---- */

void airlock_port_invlpg(uint64_t va)
{
	if (lab->setup)
		return;
	/* Elsewhere the next CPU, or the next CR3, would not know of it. */
	rule(lab->w.hw[lab->cpu].pinned || lab->cfg.reclaim,
	     "INVLPG where it is not pinned");
	new_request(REQ_INVLPG, HERE)->invlpg.va = va;
	ask();
}

void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	struct req *r = new_request(REQ_CACHE, HERE);

	r->lines.va = va;
	r->lines.pages = pages;
	ask();
}

uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate)
{
	struct req *r = new_request(REQ_PVALIDATE, HERE);

	r->pvalidate.va = va;
	r->pvalidate.large = large;
	r->pvalidate.validate = validate;
	return ask();
}

void airlock_port_evict(uint64_t va, uint64_t pages)
{
	struct req *r = new_request(REQ_EVICT, HERE);

	r->lines.va = va;
	r->lines.pages = pages;
	ask();
}

uint64_t airlock_port_vmgexit(uint64_t msr)
{
	new_request(REQ_VMGEXIT, HERE)->vmgexit.msr = msr;
	return ask();
}

void airlock_port_tdcall(struct airlock_tdcall *t)
{
	new_request(REQ_TDCALL, HERE)->td = *t;
	ask();
	*t = engine.reply_td;
}

uint64_t airlock_port_hypercall(uint64_t control, uint64_t in_gpa,
				uint64_t out_gpa)
{
	struct req *r = new_request(REQ_HYPERCALL, HERE);

	r->hypercall.control = control;
	r->hypercall.in = in_gpa;
	r->hypercall.out = out_gpa;
	return ask();
}
