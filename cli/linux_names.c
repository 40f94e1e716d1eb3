// SPDX-License-Identifier: GPL-2.0
/*
 * Linux's order, told in Linux's functions: which function of Linux 6.12 does
 * what the engine does at an event. Sources: arch/x86/mm/pat/set_memory.c,
 * __set_memory_enc_pgtable(); arch/x86/coco/tdx/tdx.c; arch/x86/mm/
 * mem_encrypt_amd.c and arch/x86/coco/sev/; arch/x86/hyperv/ivm.c.
 */
#include "cli.h"

#include <string.h>

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

/* The kinds of step that an event may be part of, by what it did. */
static bool part_of(const struct lab_event *e, uint8_t kind)
{
	const char *t = e->text;
	bool pass = kind >= AIRLOCK_STEP_NP &&
		kind <= AIRLOCK_STEP_FLIP_PRESENT;

	if (begins(t, "shootdown"))
		return kind == AIRLOCK_STEP_TLB;
	if (begins(t, "CLFLUSH"))
		return kind == AIRLOCK_STEP_CACHE;
	if (begins(t, "PTE") || begins(t, "PDE"))
		return pass;
	if (begins(t, "PVALIDATE") || begins(t, "evict") ||
	    begins(t, "VMGEXIT") || begins(t, "MapGPA") ||
	    begins(t, "TDG") || begins(t, "hypercall") ||
	    begins(t, "reads the host"))
		return kind == AIRLOCK_STEP_PREPARE ||
			kind == AIRLOCK_STEP_NOTIFY;
	return false;
}

static const char *hypervisor(const struct lab_config *c, const char *text)
{
	switch (c->platform) {
	case AIRLOCK_SNP:
		return begins(text, "VMGEXIT") || begins(text, "reads") ?
			"vmgexit_psc()" : begins(text, "PVALIDATE") ?
			"pvalidate_pages()" : "snp_set_memory_private()";
	case AIRLOCK_TDX:
		return begins(text, "MapGPA") ? "tdx_map_gpa()" :
			"tdx_accept_memory()";
	default:
		return "hv_mark_gpa_visibility()";
	}
}

static const char *function(const struct lab_config *c, uint8_t kind,
			    const char *text)
{
	bool hv = c->platform == AIRLOCK_VTOM || c->platform == AIRLOCK_TDP;

	switch (kind) {
	case AIRLOCK_STEP_TLB:
	case AIRLOCK_STEP_CACHE:
		return "cpa_flush()";
	case AIRLOCK_STEP_NP:
		return "set_memory_np()";
	case AIRLOCK_STEP_PRESENT:
		return "set_memory_p()";
	case AIRLOCK_STEP_FLIP:
		return "__change_page_attr_set_clr()";
	case AIRLOCK_STEP_PREPARE:
	case AIRLOCK_STEP_NOTIFY:
		return hv ? "hv_mark_gpa_visibility()" : hypervisor(c, text);
	}
	return NULL;
}

const char *linux_function(const struct question *q,
			   const struct lab_event *e, unsigned int *at)
{
	const struct airlock_order *o = &q->cfg.order;
	bool again = begins(e->text, "shootdown complete");

	if (strcmp(q->order, "linux"))
		return NULL;
	if (begins(e->text, "calls airlock_convert")) {
		*at = 0;
		return "__set_memory_enc_pgtable()";
	}
	/* An order's steps come one after the other; a flush is one step. */
	for (unsigned int i = *at; i < o->nsteps; i++) {
		uint8_t kind = o->step[i] & AIRLOCK_STEP_KIND;

		if (!part_of(e, kind))
			continue;
		*at = again ? i + 1 : i;
		return function(&q->cfg, kind, e->text);
	}
	return NULL;
}
