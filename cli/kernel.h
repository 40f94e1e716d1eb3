/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CLI_KERNEL_H
#define CLI_KERNEL_H

/* What `airlock watch --json' wrote, for `airlock prove --watched'. */
#include "cli.h"
#include "watched.h"

struct watched_order {
	enum airlock_to to;
	bool named;			/* by watch */
	bool whole;			/* some call returned: else it has no end */
	struct airlock_order order;	/* without `alias', which is no step */
	uint64_t pages;
	unsigned int trails;
};

#define WATCHED_ORDERS 32

struct watched_file {
	json_t *json;
	bool forced;			/* the other order for all */
	const char *other;		/* for those that have none */
	enum airlock_platform platform;
	struct watched_order order[WATCHED_ORDERS];
	unsigned int orders;
};

/*
 * @order: of what watch did not name, or if @forced of everything. False with
 * a message.
 */
bool watched_read(const char *name, const char *order, bool forced,
		  struct watched_file *f);
void watched_free(struct watched_file *f);
/* Each page of this order beside the system; says what came of it. */
bool watched_compare(const struct watched_file *f,
		     const struct watched_order *o, const struct system *s);
/* What was not compared. Return: whether that matters. */
bool watched_rest(const struct watched_file *f);

#endif
