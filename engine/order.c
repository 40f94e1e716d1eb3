// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Orders as data: the names of the steps, the parser, the printer, and every
 * order that has been proposed.
 *
 * The historic ones do their platform work through the range's own mapping
 * (@map), as they did, and all begin with alias: vm_unmap_aliases() came
 * first in every version.
 */

#include "transition.h"

const struct airlock_order airlock_default_order = {
	.nsteps = 7,
	.step = {
		AIRLOCK_STEP_ALIAS,
		AIRLOCK_STEP_NP_FLIP,
		AIRLOCK_STEP_TLB,
		AIRLOCK_STEP_CACHE | AIRLOCK_STEP_WINDOW,
		AIRLOCK_STEP_PREPARE | AIRLOCK_STEP_WINDOW,
		AIRLOCK_STEP_NOTIFY | AIRLOCK_STEP_WINDOW,
		AIRLOCK_STEP_PRESENT,
	},
};

/* By enum airlock_step_kind. */
static const char *const step_names[AIRLOCK_STEP_NOTIFY + 1] = {
	NULL, "alias", "np", "flip", "np+flip", "present", "flip+present",
	"tlb", "cache", "prepare", "notify",
};

#define STEP_KINDS	(AIRLOCK_STEP_NOTIFY + 1)

const char *airlock_step_name(uint8_t step)
{
	uint8_t kind = step & AIRLOCK_STEP_KIND;

	return kind < STEP_KINDS ? step_names[kind] : NULL;
}

static bool takes_window(uint8_t kind)
{
	return kind == AIRLOCK_STEP_CACHE || kind == AIRLOCK_STEP_PREPARE ||
	       kind == AIRLOCK_STEP_NOTIFY;
}

static bool step_ok(uint8_t step)
{
	uint8_t kind = step & AIRLOCK_STEP_KIND;

	return airlock_step_name(step) &&
	       (kind == step || takes_window(kind));
}

/*
 * prepare and notify once each at most, in this order: a host cannot be asked
 * twice for the same page.
 */
int airlock_order_check(const struct airlock_order *order)
{
	unsigned int i, flips = 0, prepares = 0, notifies = 0;
	bool present = true;

	if (!order->nsteps || order->nsteps > AIRLOCK_ORDER_STEPS)
		return AIRLOCK_E_ORDER;
	for (i = 0; i < order->nsteps; i++) {
		uint8_t s = order->step[i];

		if (!step_ok(s))
			return AIRLOCK_E_ORDER;
		s &= AIRLOCK_STEP_KIND;
		flips += s == AIRLOCK_STEP_FLIP || s == AIRLOCK_STEP_NP_FLIP ||
			 s == AIRLOCK_STEP_FLIP_PRESENT;
		prepares += s == AIRLOCK_STEP_PREPARE;
		notifies += s == AIRLOCK_STEP_NOTIFY;
		if (s == AIRLOCK_STEP_PREPARE && notifies)
			return AIRLOCK_E_ORDER;
		if (s == AIRLOCK_STEP_NP || s == AIRLOCK_STEP_NP_FLIP)
			present = false;
		if (s == AIRLOCK_STEP_PRESENT || s == AIRLOCK_STEP_FLIP_PRESENT)
			present = true;
	}
	if (flips != 1 || prepares > 1 || notifies != 1 || !present)
		return AIRLOCK_E_ORDER;
	return AIRLOCK_OK;
}

/* Does @text begin with @word, and does the word end there? Its length. */
static size_t match(const char *text, const char *word)
{
	size_t n = 0;

	while (word[n] && text[n] == word[n])
		n++;
	if (word[n])
		return 0;
	if (text[n] && text[n] != ',' && text[n] != ' ' && text[n] != '@')
		return 0;
	return n;
}

static size_t skip_spaces(const char *text, size_t at)
{
	while (text[at] == ' ')
		at++;
	return at;
}

/* One step with its @map or @window; the length, or 0. */
static size_t parse_step(const char *text, uint8_t *step)
{
	size_t n = 0, m;
	uint8_t kind;

	for (kind = 1; kind < STEP_KINDS && !n; kind++) {
		n = match(text, step_names[kind]);
		*step = kind;
	}
	if (!n || text[n] != '@')
		return n;
	if (!takes_window(*step))
		return 0;
	m = match(text + n, "@window");
	if (m)
		*step |= AIRLOCK_STEP_WINDOW;
	else
		m = match(text + n, "@map");
	return m && text[n + m] != '@' ? n + m : 0;
}

int airlock_order_parse(const char *text, struct airlock_order *order,
			size_t *where)
{
	struct airlock_order o = { 0 };
	size_t at = 0, n = 0;

	if (!text || !order)
		return AIRLOCK_E_ORDER;
	for (;;) {
		at = skip_spaces(text, at);
		if (o.nsteps == AIRLOCK_ORDER_STEPS)
			goto bad;
		n = parse_step(text + at, &o.step[o.nsteps]);
		if (!n)
			goto bad;
		o.nsteps++;
		n = skip_spaces(text, at + n);
		if (text[n] != ',')
			break;
		at = n + 1;
	}
	if (!text[n] && !airlock_order_check(&o)) {
		*order = o;
		return AIRLOCK_OK;
	}
	at = n;
bad:
	if (where)
		*where = at;
	return AIRLOCK_E_ORDER;
}

/* Append as snprintf() would: count everything, write what fits. */
static size_t put(char *buf, size_t size, size_t at, const char *s)
{
	for (; *s; s++, at++)
		if (at + 1 < size)
			buf[at] = *s;
	return at;
}

size_t airlock_order_print(const struct airlock_order *order, char *buf,
			   size_t size)
{
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < order->nsteps && i < AIRLOCK_ORDER_STEPS; i++) {
		const char *name = airlock_step_name(order->step[i]);

		if (i)
			at = put(buf, size, at, ", ");
		at = put(buf, size, at, name ? name : "?");
		if (order->step[i] & AIRLOCK_STEP_WINDOW)
			at = put(buf, size, at, "@window");
	}
	if (size)
		buf[at < size ? at : size - 1] = '\0';
	return at;
}

enum {
	LINUX, RFC, V1, V2, ONE_PASS, ONE_PASS_NOFLUSH, VTOM_68, ARM64, OURS,
	NAMED_ORDERS,
};

const struct airlock_named_order airlock_named_orders[NAMED_ORDERS] = {
	[LINUX] = { "linux",
		"Linux 6.12, __set_memory_enc_pgtable() and its callbacks" },
	[RFC] = { "rfc", "Michael Kelley's RFC of July 2023, seven steps" },
	[V1] = { "v1", "v1 of September 2023: clear and flip in one pass" },
	[V2] = { "v2", "v2 of November 2023, patch 5" },
	[ONE_PASS] = { "one-pass",
		"Rick Edgecombe's idea of August 2023, present with a flush" },
	[ONE_PASS_NOFLUSH] = { "one-pass-noflush",
		"the same idea, present without a flush" },
	[VTOM_68] = { "vtom-6.8", "Hyper-V's callbacks since Linux 6.8" },
	[ARM64] = { "arm64", "arm64's __set_memory_enc_dec()" },
	[OURS] = { "airlock", "the default order of this engine" },
};

const unsigned int airlock_named_order_count = NAMED_ORDERS;

/* By the enum above. NULL: differs by platform, or is not text. */
static const char *const texts[] = {
	[RFC] = "alias, np, tlb, cache, prepare, flip, notify, present",
	[V1] = "alias, cache, np+flip, tlb, notify, present",
	[V2] = "alias, np, tlb, cache, prepare, flip, tlb, notify, present",
	/* set_memory_p() of that time flushed though nothing was present. */
	[ONE_PASS] =
		"alias, np+flip, tlb, cache, prepare, notify, present, tlb",
	[ONE_PASS_NOFLUSH] =
		"alias, np+flip, tlb, cache, prepare, notify, present",
	[VTOM_68] = "alias, np, tlb, flip, tlb, notify, present, tlb",
	[ARM64] = "alias, np+flip, tlb, notify, present, tlb",
	[OURS] = NULL,
};

/*
 * Linux 6.12, arch/x86/mm/pat/set_memory.c: vm_unmap_aliases(); cpa_flush(),
 * which drops TLB entries and then cache lines, if enc_tlb_flush_required();
 * enc_status_change_prepare(); the attribute; cpa_flush() without the caches;
 * enc_status_change_finish(). What differs:
 *
 *   arch/x86/coco/tdx/tdx.c, tdx_tlb_flush_required(): only going to shared.
 *   arch/x86/mm/mem_encrypt_amd.c, amd_enc_tlb_flush_required(): always.
 *   arch/x86/hyperv/ivm.c: never, for its prepare is set_memory_np(), which
 *   flushes by itself, and its finish ends with set_memory_p(), which does.
 */
static const char *linux_text(enum airlock_platform p, enum airlock_to to)
{
	if (p == AIRLOCK_VTOM || p == AIRLOCK_TDP)
		return texts[VTOM_68];
	if (p == AIRLOCK_TDX && to == AIRLOCK_TO_PRIVATE)
		return "alias, prepare, flip, tlb, notify";
	return "alias, tlb, cache, prepare, flip, tlb, notify";
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

int airlock_order_named(const char *name, enum airlock_platform platform,
			enum airlock_to to, struct airlock_order *order)
{
	unsigned int i;

	if (!name || !order)
		return AIRLOCK_E_ORDER;
	for (i = 0; i < airlock_named_order_count; i++)
		if (same(name, airlock_named_orders[i].name))
			break;
	if (i == airlock_named_order_count)
		return AIRLOCK_E_ORDER;
	if (i == OURS) {
		*order = airlock_default_order;
		return AIRLOCK_OK;
	}
	return airlock_order_parse(i == LINUX ? linux_text(platform, to) :
				   texts[i], order, NULL);
}
