// SPDX-License-Identifier: GPL-2.0
/* The members of a question's configuration, by name. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number when @choice is NULL, else one of the words. */
struct field_info {
	const char *name;
	const char *const *choice;
	unsigned int min, max;
};

static const char *const platforms[] = {
	[AIRLOCK_PLAIN] = "plain", [AIRLOCK_SEV] = "sev",
	[AIRLOCK_SNP] = "snp", [AIRLOCK_TDX] = "tdx",
	[AIRLOCK_VTOM] = "vtom", [AIRLOCK_TDP] = "tdp", NULL,
};
static const char *const directions[] = {
	[AIRLOCK_TO_PRIVATE] = "private", [AIRLOCK_TO_SHARED] = "shared", NULL,
};
static const char *const overlaps[] = {
	[LAB_OVERLAP_NONE] = "none", [LAB_OVERLAP_LEAF] = "leaf",
	[LAB_OVERLAP_SAME] = "same", NULL,
};
static const char *const hosts[] = {
	[LAB_HOST_BENIGN] = "benign", [LAB_HOST_FAILING] = "failing",
	[LAB_HOST_HOSTILE] = "hostile", [LAB_HOST_SLOW] = "slow", NULL,
};
static const char *const leaves[] = { "4k", "2m", NULL };
static const char *const mappings[] = { "direct", "vmalloc", "lazy", NULL };
static const char *const flushes[] = { "ipi", "broadcast", "unsynced", NULL };
static const char *const no_yes[] = { "no", "yes", NULL };

static const struct field_info fields[FIELD_COUNT] = {
	[FIELD_PLATFORM] = { "platform", platforms, 0, 0 },
	[FIELD_TO] = { "to", directions, 0, 0 },
	[FIELD_CPUS] = { "cpus", NULL, 1, LAB_MAX_CPUS },
	[FIELD_CONVERTERS] = { "converters", NULL, 1, LAB_MAX_CPUS },
	[FIELD_OVERLAP] = { "overlap", overlaps, 0, 0 },
	[FIELD_PAGES] = { "pages", NULL, 1, LAB_MAX_PAGES },
	[FIELD_RANGES] = { "ranges", NULL, 1, 2 },
	[FIELD_ROUNDS] = { "rounds", NULL, 1, 4 },
	[FIELD_LEAF] = { "leaf", leaves, 0, 0 },
	[FIELD_MAPPING] = { "mapping", mappings, 0, 0 },
	[FIELD_HOST] = { "host", hosts, 0, 0 },
	[FIELD_ACTS] = { "acts", NULL, 0, 3 },
	[FIELD_INTERRUPTS] = { "interrupts", no_yes, 0, 0 },
	[FIELD_MIGRATIONS] = { "migrations", NULL, 0, 3 },
	[FIELD_FLUSH] = { "flush", flushes, 0, 0 },
	[FIELD_RECLAIM] = { "reclaim", no_yes, 0, 0 },
	[FIELD_STORE_BUFFER] = { "store-buffer", NULL, 0, 8 },
	[FIELD_COHERENT] = { "coherent", no_yes, 0, 0 },
	[FIELD_NO_EVICT] = { "no-evict", no_yes, 0, 0 },
	[FIELD_TDX_RELEASE] = { "tdx-release", no_yes, 0, 0 },
	[FIELD_REDUCTION] = { "reduction", no_yes, 0, 0 },
};

const enum airlock_platform all_platforms[] = {
	AIRLOCK_TDX, AIRLOCK_SNP, AIRLOCK_VTOM, AIRLOCK_TDP, AIRLOCK_SEV,
};
const unsigned int all_platform_count =
	sizeof(all_platforms) / sizeof(all_platforms[0]);

const char *platform_name(enum airlock_platform p)
{
	return p < AIRLOCK_PLATFORMS ? platforms[p] : "none";
}

const char *to_name(enum airlock_to to)
{
	return directions[to == AIRLOCK_TO_SHARED];
}

const char *field_name(enum field f)
{
	return fields[f].name;
}

enum field field_find(const char *name)
{
	enum field f = 0;

	while (f < FIELD_COUNT && strcmp(fields[f].name, name))
		f++;
	return f;
}

static uint32_t feature_of(enum field f)
{
	return f == FIELD_COHERENT ? AIRLOCK_F_COHERENT :
		f == FIELD_NO_EVICT ? AIRLOCK_F_NO_EVICT :
		AIRLOCK_F_TDX_RELEASE;
}

unsigned int field_get(const struct lab_config *cfg, enum field f)
{
	switch (f) {
	case FIELD_PLATFORM:		return cfg->platform;
	case FIELD_TO:			return cfg->to;
	case FIELD_CPUS:		return cfg->cpus;
	case FIELD_CONVERTERS:		return cfg->converters;
	case FIELD_OVERLAP:		return cfg->overlap;
	case FIELD_PAGES:		return cfg->pages;
	case FIELD_RANGES:		return cfg->ranges;
	case FIELD_ROUNDS:		return cfg->rounds;
	case FIELD_LEAF:		return cfg->leaf_2m;
	case FIELD_MAPPING:		return cfg->lazy ? 2 : cfg->vmalloc;
	case FIELD_HOST:		return cfg->host;
	case FIELD_ACTS:		return cfg->acts;
	case FIELD_INTERRUPTS:		return cfg->interrupts;
	case FIELD_MIGRATIONS:		return cfg->migrations;
	case FIELD_FLUSH:		return cfg->flush;
	case FIELD_RECLAIM:		return cfg->reclaim;
	case FIELD_STORE_BUFFER:	return cfg->store_buffer;
	case FIELD_REDUCTION:		return cfg->reduce;
	default:			return (cfg->features &
						feature_of(f)) != 0;
	}
}

static void set_feature(struct lab_config *cfg, uint32_t bit, bool on)
{
	cfg->features = on ? cfg->features | bit : cfg->features & ~bit;
}

void field_set(struct lab_config *cfg, enum field f, unsigned int v)
{
	switch (f) {
	case FIELD_PLATFORM:
		cfg->platform = (enum airlock_platform)v;
		break;
	case FIELD_TO:		 cfg->to = (enum airlock_to)v;	break;
	case FIELD_CPUS:	 cfg->cpus = v;			break;
	case FIELD_CONVERTERS:	 cfg->converters = v;		break;
	case FIELD_OVERLAP:	 cfg->overlap = (enum lab_overlap)v; break;
	case FIELD_PAGES:	 cfg->pages = v;		break;
	case FIELD_RANGES:	 cfg->ranges = v;		break;
	case FIELD_ROUNDS:	 cfg->rounds = v;		break;
	case FIELD_LEAF:	 cfg->leaf_2m = v;		break;
	case FIELD_MAPPING:
		cfg->vmalloc = v == 1;
		cfg->lazy = v == 2;
		break;
	case FIELD_HOST:	 cfg->host = (enum lab_host)v;	break;
	case FIELD_ACTS:	 cfg->acts = v;			break;
	case FIELD_INTERRUPTS:	 cfg->interrupts = v;		break;
	case FIELD_MIGRATIONS:	 cfg->migrations = v;		break;
	case FIELD_FLUSH:	 cfg->flush = (enum lab_flush)v; break;
	case FIELD_RECLAIM:	 cfg->reclaim = v;		break;
	case FIELD_STORE_BUFFER: cfg->store_buffer = v;		break;
	case FIELD_REDUCTION:	 cfg->reduce = v;		break;
	default:		 set_feature(cfg, feature_of(f), v);
	}
}

const char *field_text(const struct lab_config *cfg, enum field f,
		       char buf[FIELD_TEXT])
{
	unsigned int v = field_get(cfg, f);

	if (fields[f].choice)
		snprintf(buf, FIELD_TEXT, "%s", fields[f].choice[v]);
	else
		snprintf(buf, FIELD_TEXT, "%u", v);
	return buf;
}

static bool parse_number(const struct field_info *i, const char *text,
			 unsigned int *v)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < i->min ||
	    n > i->max)
		return false;
	*v = (unsigned int)n;
	return true;
}

static bool parse_choice(const struct field_info *i, const char *text,
			 unsigned int *v)
{
	for (*v = 0; i->choice[*v]; ++*v)
		if (!strcmp(text, i->choice[*v]))
			return true;
	return false;
}

bool field_parse(struct lab_config *cfg, enum field f, const char *text)
{
	const struct field_info *i = &fields[f];
	unsigned int v;

	/* What the machine's benign host does is called that, too. */
	if (f == FIELD_HOST && !strcmp(text, "kvm"))
		text = "benign";
	if (!(i->choice ? parse_choice : parse_number)(i, text, &v))
		return false;
	field_set(cfg, f, v);
	return true;
}

bool platform_parse(const char *text, enum airlock_platform *p)
{
	unsigned int v;

	if (!parse_choice(&fields[FIELD_PLATFORM], text, &v) ||
	    v == AIRLOCK_PLAIN)
		return false;
	*p = (enum airlock_platform)v;
	return true;
}

const char *field_values(enum field f, char *buf, size_t size)
{
	const struct field_info *i = &fields[f];
	size_t at = 0;

	if (!i->choice) {
		snprintf(buf, size, "%u to %u", i->min, i->max);
		return buf;
	}
	for (unsigned int k = 0; i->choice[k] && at < size; k++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", !k ? "" :
				       i->choice[k + 1] ? ", " : " or ",
				       i->choice[k]);
	return buf;
}

void field_options(FILE *to, const struct lab_config *cfg,
		   const struct lab_config *base)
{
	char text[FIELD_TEXT];

	for (enum field f = FIELD_CPUS; f < FIELD_COUNT; f++) {
		if (field_get(cfg, f) == field_get(base, f))
			continue;
		if (fields[f].choice == no_yes)
			fprintf(to, " --%s%s", field_get(cfg, f) ? "" : "no-",
				fields[f].name);
		else
			fprintf(to, " --%s %s", fields[f].name,
				field_text(cfg, f, text));
	}
}
