// SPDX-License-Identifier: GPL-2.0
/*
 * A trace in words: runs it again, event by event, and says what each did and
 * what it changed.
 */
#include "engine.h"
#include "events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const bad_names[LAB_BAD_COUNT] = {
	[LAB_BAD_NONE] = "none",
	[LAB_BAD_EXCEPTION] = "confidential-exception",
	[LAB_BAD_ENGINE_FAULT] = "engine-fault",
	[LAB_BAD_STALE] = "stale-translation",
	[LAB_BAD_CACHE] = "wrong-key-line",
	[LAB_BAD_EVICT] = "stale-line",
	[LAB_BAD_BYSTANDER] = "bystander",
	[LAB_BAD_THOUGHT_PRIVATE] = "thought-private",
	[LAB_BAD_THOUGHT_SHARED] = "thought-shared",
	[LAB_BAD_CONTRACT] = "failure-contract",
	[LAB_BAD_PORT] = "port-rule",
	[LAB_BAD_TWO_SIZES] = "two-page-sizes",
	[LAB_BAD_FREED_TABLE] = "freed-table",
	[LAB_BAD_PROTOCOL] = "platform-protocol",
	[LAB_BAD_ACCEPT_TWICE] = "accepted-twice",
	[LAB_BAD_ENDLESS] = "endless",
	[LAB_BAD_WINDOW] = "window-guard",
	[LAB_BAD_HOOK] = "unreported-violation",
	[LAB_BAD_FALSE_ALARM] = "false-alarm",
	[LAB_BAD_DATA] = "wrong-bytes",
};

static const char *const bad_sentences[LAB_BAD_COUNT] = {
	[LAB_BAD_NONE] = "nothing is wrong",
	[LAB_BAD_EXCEPTION] = "a confidential-computing exception reaches a CPU",
	[LAB_BAD_ENGINE_FAULT] = "the conversion itself faults",
	[LAB_BAD_STALE] = "a translation of the former state outlives the call",
	[LAB_BAD_CACHE] = "a dirty cache line is written back under the wrong key",
	[LAB_BAD_EVICT] = "a stale cache line can reach a reader",
	[LAB_BAD_BYSTANDER] = "a page outside the range is hit",
	[LAB_BAD_THOUGHT_PRIVATE] = "the guest holds for private what is not",
	[LAB_BAD_THOUGHT_SHARED] = "the guest holds for shared what is not",
	[LAB_BAD_CONTRACT] = "outcome, tables and ledger do not agree",
	[LAB_BAD_PORT] = "a rule of port.h is broken",
	[LAB_BAD_TWO_SIZES] = "a TLB can hold two sizes of one page that differ",
	[LAB_BAD_FREED_TABLE] = "a page-table page is freed that a CPU can still walk",
	[LAB_BAD_PROTOCOL] = "a rule of the platform is broken",
	[LAB_BAD_ACCEPT_TWICE] = "a page is accepted or validated twice",
	[LAB_BAD_ENDLESS] = "the call may never end",
	[LAB_BAD_WINDOW] = "the page before a window is mapped",
	[LAB_BAD_HOOK] = "a lie of the host goes unreported",
	[LAB_BAD_FALSE_ALARM] = "an honest host is reported as a liar",
	[LAB_BAD_DATA] = "a stray read returns another page's bytes",
};

const char *lab_bad_name(unsigned int b)
{
	return b < LAB_BAD_COUNT ? bad_names[b] : "unknown";
}

const char *lab_bad_sentence(unsigned int b)
{
	return b < LAB_BAD_COUNT ? bad_sentences[b] : "unknown";
}

/* A word each, and where that is needed what it means. */
static const char *const bad_words[LAB_BAD_COUNT] = {
	[LAB_BAD_NONE] = "safe",
	[LAB_BAD_ENGINE_FAULT] = "fault",
	[LAB_BAD_STALE] = "stale",
	[LAB_BAD_CACHE] = "cache",
	[LAB_BAD_EVICT] = "evict",
	[LAB_BAD_BYSTANDER] = "neighbour",
	[LAB_BAD_THOUGHT_PRIVATE] = "belief",
	[LAB_BAD_THOUGHT_SHARED] = "belief",
	[LAB_BAD_CONTRACT] = "contract",
	[LAB_BAD_PORT] = "port",
	[LAB_BAD_TWO_SIZES] = "sizes",
	[LAB_BAD_FREED_TABLE] = "freed",
	[LAB_BAD_PROTOCOL] = "rule",
	[LAB_BAD_ACCEPT_TWICE] = "twice",
	[LAB_BAD_ENDLESS] = "endless",
	[LAB_BAD_WINDOW] = "window",
	[LAB_BAD_HOOK] = "silent",
	[LAB_BAD_FALSE_ALARM] = "alarm",
	[LAB_BAD_DATA] = "bytes",
};

static const char *const exceptions[][2] = {
	[LAB_EXCEPTION_NONE] = { "exception", "an exception reaches a CPU" },
	[LAB_EXCEPTION_VC] = { "#VC",
		"a read takes #VC, which no kernel handles well" },
	[LAB_EXCEPTION_VE] = { "#VE",
		"a read takes #VE, which no kernel handles well" },
	[LAB_EXCEPTION_LOST] = { "lost",
		"a read makes the TDX module or the paravisor end the guest" },
};

const char *lab_bad_word(unsigned int b, enum lab_exception e)
{
	return b == LAB_BAD_EXCEPTION ? exceptions[e][0] :
		b < LAB_BAD_COUNT ? bad_words[b] : "unknown";
}

const char *lab_bad_meaning(unsigned int b, enum lab_exception e)
{
	if (b == LAB_BAD_EXCEPTION)
		return exceptions[e][1];
	if (b == LAB_BAD_ENGINE_FAULT)
		return "an instruction of the order itself meets no mapping";
	if (b == LAB_BAD_THOUGHT_PRIVATE || b == LAB_BAD_THOUGHT_SHARED)
		return "the guest holds for private or shared what is not";
	return lab_bad_sentence(b);
}

/* ---- names ---- */

/* An entry on the way to @vpn, or beside it in the same table. */
struct place {
	unsigned int level;	/* 0: there is none */
	uint64_t at;		/* the entry of the way, in that table */
};

static struct place place_of(uint64_t pa, uint32_t vpn)
{
	uint64_t va = vpn_va(vpn), table = table_gpa(0);

	for (unsigned int l = 4; l > 0; l--) {
		uint64_t at = table + (va >> (12 + 9 * (l - 1)) & 511) * 8, e;

		if (table == (pa & ~UINT64_C(0xfff)))
			return (struct place){ l, at };
		e = pte_visible(lab->cpu, at);
		if (!(e & PTE_ADDR) || (e & PTE_PS))
			break;
		table = e & PTE_ADDR & ~(UINT64_C(1) << LAB_ENC_BIT);
	}
	return (struct place){ 0, 0 };
}

/*
 * An entry by the page that it is on the way to, found by walking there: "PTE
 * of page 0". One that is on the way to no page of interest: by its number in
 * a table that is, or in one that hangs nowhere at that time.
 */
static const char *pte_name(uint64_t pa)
{
	static const char *const kind[] = { "", "PTE", "PDE", "PDPTE",
					    "PML4E" };
	static char buf[80];
	unsigned int index = (unsigned int)(pa & 0xfff) / 8;

	snprintf(buf, sizeof(buf), "entry %u of unlinked table %u", index,
		 (unsigned int)((pa >> 12) - GFN_TABLES));
	for (unsigned int s = 0; s < lab->nspots; s++) {
		struct place p = place_of(pa, lab->spot[s].vpn);

		if (!p.level)
			continue;
		if (p.at == pa) {
			snprintf(buf, sizeof(buf), "%s of %s", kind[p.level],
				 lab->spot[s].name);
			return buf;
		}
		snprintf(buf, sizeof(buf), "%s %u, in the table of %s",
			 kind[p.level], index, lab->spot[s].name);
	}
	return buf;
}

/* A table that hangs nowhere yet is a split's, of small entries. */
static bool is_large(uint64_t pa, uint64_t e)
{
	unsigned int level = 1;

	for (unsigned int s = 0; s < lab->nspots && level < 2; s++)
		level = place_of(pa, lab->spot[s].vpn).level;
	return level > 1 && (e & PTE_PS);
}

static const char *pte_text(uint64_t pa, uint64_t e, char *buf, size_t size)
{
	bool set = e >> LAB_ENC_BIT & 1;
	bool priv = lab->cfg.platform == AIRLOCK_PLAIN ||
		set == pte_private_set(lab->cfg.platform);

	if (!e)
		snprintf(buf, size, "empty");
	else
		snprintf(buf, size, "%s, %s%s", e & PTE_P ? "P" : "not P",
			 priv ? "private" : "shared",
			 is_large(pa, e) ? ", 2M" : "");
	return buf;
}

static const char *view_name(uint8_t v)
{
	return v == VIEW_PRIVATE ? "private" : "shared";
}

/* ---- what a step did ---- */

static void tell_tdcall(const struct req *r, char *buf, size_t n)
{
	uint64_t bit = UINT64_C(1) << LAB_ENC_BIT;

	if (r->td.rax == 0)
		snprintf(buf, n, "MapGPA(%s .. %llu page(s), %s)",
			 page_name((uint32_t)((r->td.r12 & ~bit) >> 12)),
			 (unsigned long long)r->td.r13 >> 12,
			 r->td.r12 & bit ? "shared" : "private");
	else
		snprintf(buf, n, "%s(%s%s)", r->td.rax == 6 ?
			 "TDG.MEM.PAGE.ACCEPT" : "TDG.MEM.PAGE.RELEASE",
			 page_name((uint32_t)(r->td.rcx >> 12)),
			 r->td.rcx & 7 ? ", 2M" : "");
}

static void tell_flush(unsigned int cpu, char *buf, size_t n)
{
	const struct hw *h = &lab->w.hw[cpu];

	if (lab->cfg.flush == LAB_FLUSH_UNSYNCED)
		snprintf(buf, n, "INVLPGB, and a TLBSYNC that waits for no CPU");
	else if (h->sent)
		snprintf(buf, n, "shootdown complete: every CPU has flushed");
	else if (lab->cfg.flush == LAB_FLUSH_BROADCAST)
		snprintf(buf, n, "INVLPGB of %u range(s): flushes here", h->nflush);
	else if (h->flush_all)
		snprintf(buf, n, "shootdown of everything: flushes, sends IPIs");
	else
		snprintf(buf, n, "shootdown of %u range(s): flushes, sends IPIs",
			 h->nflush);
}

static void tell_return(const struct req *r, char *buf, size_t n)
{
	snprintf(buf, n, "returns %s: %llu converted, %llu reverted, %llu quarantined",
		 r->outcome.status ? airlock_strerror(r->outcome.status) : "OK",
		 (unsigned long long)r->outcome.converted,
		 (unsigned long long)r->outcome.reverted,
		 (unsigned long long)r->outcome.quarantined);
}

static void tell_pte(unsigned int cpu, const struct req *r, char *buf,
		     size_t n)
{
	char a[40], b[40];

	lab->cpu = cpu;
	snprintf(buf, n, "%s: %s -> %s", pte_name(r->pte.pa),
		 pte_text(r->pte.pa, pte_visible(cpu, r->pte.pa), a,
			  sizeof(a)),
		 pte_text(r->pte.pa, r->pte.val, b, sizeof(b)));
}

static void tell_step(unsigned int cpu, const struct req *r, char *buf,
		      size_t n)
{
	switch (r->kind) {
	case REQ_START:
		if (lab->cfg.reclaim) {
			snprintf(buf, n, "calls airlock_reclaim_all()");
			break;
		}
		snprintf(buf, n, "calls airlock_convert(%u page(s), %s)",
			 lab->cfg.pages, direction(lab, cpu) == AIRLOCK_TO_SHARED ?
			 "to shared" : "to private");
		break;
	case REQ_LOCK:
		snprintf(buf, n, "takes the lock");
		break;
	case REQ_UNLOCK:
		snprintf(buf, n, "gives the lock back");
		break;
	case REQ_PTE:
		tell_pte(cpu, r, buf, n);
		break;
	case REQ_ALLOC:
		snprintf(buf, n, "allocates a page-table page");
		break;
	case REQ_FREE:
		snprintf(buf, n, "frees page-table page %u",
			 (unsigned int)((r->free.pa >> 12) - GFN_TABLES));
		break;
	case REQ_SHOOTDOWN:
		tell_flush(cpu, buf, n);
		break;
	case REQ_INVLPG:
		snprintf(buf, n, "INVLPG %s", va_name(r->invlpg.va));
		break;
	case REQ_CACHE:
		snprintf(buf, n, "CLFLUSH %s, %llu page(s)",
			 va_name(r->lines.va),
			 (unsigned long long)r->lines.pages);
		break;
	case REQ_PVALIDATE:
		snprintf(buf, n, "PVALIDATE(%s, %s, %s)",
			 va_name(r->pvalidate.va),
			 r->pvalidate.large ? "2M" : "4K",
			 r->pvalidate.validate ? "validate" : "rescind");
		break;
	case REQ_EVICT:
		snprintf(buf, n, "evict reads of %s, %llu page(s)",
			 va_name(r->lines.va),
			 (unsigned long long)r->lines.pages);
		break;
	case REQ_VMGEXIT:
		snprintf(buf, n, "VMGEXIT: page-state change");
		break;
	case REQ_TDCALL:
		tell_tdcall(r, buf, n);
		break;
	case REQ_HYPERCALL:
		snprintf(buf, n, "hypercall: page visibility, %llu page(s)",
			 (unsigned long long)r->hypercall.control >> 32 & 0xfff);
		break;
	case REQ_SHARED_READ:
		snprintf(buf, n, "reads the host's answer");
		break;
	case REQ_VIOLATION:
		snprintf(buf, n, "reports: %s", airlock_strerror((int)r->violation.status));
		break;
	case REQ_RETURN:
		tell_return(r, buf, n);
		break;
	default:
		snprintf(buf, n, "goes on");
	}
}

static void tell(enum event ev, unsigned int cpu, unsigned int a,
		 struct lab_event *e)
{
	const struct spot *p = spot_number(a < lab->nspots || a >= ROW ? a :
					   0);
	size_t n = sizeof(e->text);
	const struct tlbe *t = &lab->w.hw[cpu].tlb[a % LAB_TLB];

	e->actor = (int)cpu_id(cpu);
	switch (ev) {
	case EV_STEP:
		tell_step(cpu, &local_of(cpu)->req, e->text, n);
		lab_where(local_of(cpu)->req.site, &e->file, &e->line);
		break;
	case EV_IPI:
		snprintf(e->text, n, lab->cfg.flush == LAB_FLUSH_IPI ?
			 "flush IPI from CPU%u: flushes, answers" :
			 "INVLPGB of CPU%u arrives: flushes", cpu_id(a));
		break;
	case EV_READ:
		snprintf(e->text, n, p->role == SPOT_BYSTANDER ?
			 "uses %s" : "stray read runs into %s", p->name);
		break;
	case EV_ACT:
		e->actor = LAB_HOST_ACTOR;
		snprintf(e->text, n, "acts unasked");
		break;
	case EV_DRAIN:
		snprintf(e->text, n, "oldest store leaves the store buffer");
		break;
	case EV_FILL:
		snprintf(e->text, n, "TLB takes %s, by speculation", p->name);
		break;
	case EV_DROP:
		snprintf(e->text, n, "TLB drops %s", va_name(vpn_va(t->vpn)));
		break;
	case EV_LINE:
		e->actor = LAB_HOST_ACTOR;
		snprintf(e->text, n, "the cache writes %s back", p->name);
		break;
	case EV_MOVE:
		snprintf(e->text, n, "its thread is taken off and goes on on CPU%u",
			 cpu_id(a));
		break;
	}
}

/* ---- what changed ---- */

struct out {
	char *p;
	size_t left;
};

static void line(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void line(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p, o->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 1 >= o->left) {
		*o->p = 0;
		o->left = 0;
		return;
	}
	o->p += n;
	*o->p++ = '\n';
	*o->p = 0;
	o->left -= (size_t)n + 1;
}

static const char *frame_text(uint16_t f, char *buf, size_t n)
{
	bool snp = lab->cfg.platform == AIRLOCK_SNP;

	if (!has_host_state())
		snprintf(buf, n, "memory");
	else if (f & F_SHARED)
		snprintf(buf, n, "shared");
	else
		snprintf(buf, n, "private, %s%s", f & F_VALID ? "" : "not ",
			 snp ? "validated" : "accepted");
	if (f & (F_DIRTY_P | F_DIRTY_S))
		snprintf(buf + strlen(buf), n - strlen(buf), ", dirty %s line",
			 f & F_DIRTY_P ? "private" : "shared");
	if (f & F_STALE_LINE)
		snprintf(buf + strlen(buf), n - strlen(buf), ", stale line");
	return buf;
}

static uint16_t flags_of(const struct mach *m, uint32_t gfn)
{
	unsigned int i = m->nruns;

	while (i > 1 && m->run[i - 1].gfn > gfn)
		i--;
	return m->run[i - 1].flags;
}

static void frame_changes(const struct mach *was, struct out *o)
{
	char a[80], b[80];

	for (unsigned int s = 0; s < lab->nspots; s++) {
		const struct spot *p = &lab->spot[s];
		uint16_t f = flags_of(was, p->gfn), g = frame_get(p->gfn);

		if (p->role != SPOT_RANGE && p->role != SPOT_BYSTANDER)
			continue;
		frame_text(f, a, sizeof(a));
		frame_text(g, b, sizeof(b));
		if (strcmp(a, b))
			line(o, "host holds %s: %s -> %s", p->name, a, b);
	}
}

static bool holds(const struct hw *h, const struct tlbe *e)
{
	for (unsigned int i = 0; i < h->ntlb; i++)
		if (!memcmp(&h->tlb[i], e, sizeof(*e)))
			return true;
	return false;
}

static const char *and_more(const struct tlbe *e)
{
	static char buf[32];

	buf[0] = 0;
	if (e->many > 1)
		snprintf(buf, sizeof(buf), " and %u more", e->many - 1u);
	return buf;
}

static void tlb_changes(unsigned int c, const struct hw *was, struct out *o)
{
	const struct hw *now = &lab->w.hw[c];
	const char *size[] = { "", "4K", "2M", "1G" };

	for (unsigned int i = 0; i < now->ntlb; i++)
		if (!holds(was, &now->tlb[i]))
			line(o, "CPU%u TLB + %s%s: %s, %s", cpu_id(c),
			     va_name(vpn_va(now->tlb[i].vpn)),
			     and_more(&now->tlb[i]),
			     view_name(now->tlb[i].view),
			     size[now->tlb[i].level & 3]);
	for (unsigned int i = 0; i < was->ntlb; i++)
		if (!holds(now, &was->tlb[i]))
			line(o, "CPU%u TLB - %s%s: %s", cpu_id(c),
			     va_name(vpn_va(was->tlb[i].vpn)),
			     and_more(&was->tlb[i]),
			     view_name(was->tlb[i].view));
}

/* More than these at once are told as their number. */
#define TOLD 8

static void pte_changes(const struct tables *was, struct out *o)
{
	char a[40], b[40];

	for (unsigned int t = 0; t < LAB_TABLES; t++) {
		const uint64_t *x = intern_get(lab->pages, was->id[t]);
		const uint64_t *y = table_page(t);
		unsigned int n = 0;

		for (unsigned int i = 0; x != y && i < 512; i++)
			n += x[i] != y[i];
		if (n > TOLD)
			line(o, "memory: %u entries of page-table page %u are written",
			     n, t);
		for (unsigned int i = 0; n <= TOLD && x != y && i < 512; i++)
			if (x[i] != y[i])
				line(o, "memory: %s: %s -> %s",
				     pte_name(table_gpa(t) + i * 8),
				     pte_text(table_gpa(t) + i * 8, x[i], a,
					      sizeof(a)),
				     pte_text(table_gpa(t) + i * 8, y[i], b,
					      sizeof(b)));
	}
}

static void changes(const struct world *was, struct lab_event *e)
{
	struct out o = { e->change, sizeof(e->change) };

	e->change[0] = 0;
	if (e->lie)
		line(&o, "host LIES: act %u of %u",
		     lab->cfg.acts - lab->w.m.acts, lab->cfg.acts);
	pte_changes(&was->t, &o);
	frame_changes(&was->m, &o);
	for (unsigned int c = 0; c < lab->cfg.cpus; c++)
		if (was->hw[c].id == lab->w.hw[c].id)
			tlb_changes(c, &was->hw[c], &o);
}

/* ---- replay ---- */

void lab_replay_begin(struct lab *l)
{
	memcpy(l->now, l->initial, l->words * sizeof(l->now[0]));
}

static bool possible(enum event ev, unsigned int cpu, unsigned int a)
{
	const struct world *w = &lab->w;
	bool is_cpu = cpu < lab->cfg.cpus;

	switch (ev) {
	case EV_STEP:
		return cpu < lab->cfg.converters && step_enabled(cpu);
	case EV_IPI:
		return is_cpu && a < lab->cfg.converters &&
			(w->hw[a].waiting >> cpu & 1) &&
			(!w->hw[cpu].pinned || lab->cfg.interrupts ||
			 lab->cfg.flush != LAB_FLUSH_IPI);
	case EV_READ:
		if (a >= ROW)
			return is_cpu && has_row() && a - ROW < lab->cfg.pages;
		return is_cpu && a < lab->nspots;
	case EV_FILL:
		return is_cpu && a < lab->nspots;
	case EV_ACT:
		return a < host_acts();
	case EV_DRAIN:
		return is_cpu && w->hw[cpu].nsb;
	case EV_DROP:
		return is_cpu && a < w->hw[cpu].ntlb;
	case EV_LINE:
		return a < lab->nspots;
	case EV_MOVE:
		return cpu < lab->cfg.converters && a >= lab->cfg.converters &&
			a < lab->cfg.cpus && movable(w, cpu);
	}
	return false;
}

static void stuck_event(struct lab_event *e)
{
	e->bad = LAB_BAD_ENDLESS;
	snprintf(e->text, sizeof(e->text), "no CPU can go on");
	snprintf(e->why, sizeof(e->why), "deadlock: no converting CPU can go on");
}

bool lab_replay_step(struct lab *l, explore_label label, struct lab_event *e)
{
	static struct world was;
	enum event ev = (enum event)(label & 15);
	unsigned int cpu = label >> 4 & 15, a = label >> 8 & 0xfff;
	bool ok;

	memset(e, 0, sizeof(*e));
	e->label = label;
	world_load(l->now);
	if (ev == EV_STEP && cpu == 15) {
		stuck_event(e);
		return true;
	}
	if (!possible(ev, cpu, a))
		return false;
	was = l->w;
	l->narrate = true;
	l->said[0] = l->w.why[0] = 0;
	tell(ev, cpu, a, e);
	e->walked = ev == EV_READ && walk(cpu, spot_number(a)->vpn).present;
	ok = follow(label);
	if (ok) {
		e->lie = l->w.m.acts < was.m.acts;
		changes(&was, e);
		if (l->said[0])
			snprintf(e->text + strlen(e->text),
				 sizeof(e->text) - strlen(e->text), "%s%s",
				 ": ", l->said);
		e->bad = l->w.bad;
		e->exception = l->w.exception;
		snprintf(e->why, sizeof(e->why), "%s", l->w.why);
		if (!l->w.bad)
			world_save(l->now);
	}
	l->narrate = false;
	return ok;
}
