// SPDX-License-Identifier: GPL-2.0
/*
 * Source lines of engine steps, by addr2line (binutils). Only traces ask, a
 * few dozen times at most; answers are kept.
 */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT 256

struct kept {
	const void *site;
	char file[64];
	int line;
};

static struct kept kept[KEPT];
static unsigned int nkept;

/* "/long/way/engine/transition.c:12 (discriminator 3)" */
static void parse(char *s, struct kept *k)
{
	char *colon = strrchr(s, ':'), *tail = strstr(s, "engine/");

	if (!colon || !tail || colon < tail)
		return;
	*colon = 0;
	snprintf(k->file, sizeof(k->file), "%s", tail + strlen("engine/"));
	k->line = atoi(colon + 1);
}

void lab_where(const void *site, const char **file, int *line)
{
	char cmd[96], out[512];
	struct kept *k;
	FILE *f;

	*file = NULL;
	*line = 0;
	if (!site)
		return;
	for (k = kept; k < kept + nkept; k++)
		if (k->site == site)
			goto found;
	if (nkept == KEPT)
		return;
	k = &kept[nkept++];
	k->site = site;
	/* The call is before the return address. */
	snprintf(cmd, sizeof(cmd), "addr2line -e /proc/%d/exe %p 2>/dev/null",
		 (int)getpid(), (const void *)((const char *)site - 1));
	f = popen(cmd, "r");
	if (!f)
		return;
	if (fgets(out, sizeof(out), f))
		parse(out, k);
	pclose(f);
found:
	if (k->line) {
		*file = k->file;
		*line = k->line;
	}
}
