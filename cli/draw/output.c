// SPDX-License-Identifier: GPL-2.0
/* Files that a command writes. */
#include "draw.h"

#include <err.h>
#include <string.h>

#define BAD_USAGE	2

FILE *output_open(const char *name)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "w") : stdout;

	if (!f)
		err(BAD_USAGE, "%s", name);
	return f;
}

/* A full disk shows only here. */
void output_close(FILE *f, const char *name)
{
	if (fflush(f) || ferror(f) || (f != stdout && fclose(f)))
		err(BAD_USAGE, "%s", name);
}
