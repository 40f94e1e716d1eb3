// SPDX-License-Identifier: GPL-2.0
/* Findings as files: the first one's picture, and what led to each as text. */
#include "words.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "draw.h"

/* Said before the kernel boots: a run takes a while. */
bool write_can(const char *name)
{
	char dir[PATH_MAX];
	const char *slash = name ? strrchr(name, '/') : NULL;
	struct stat st;

	if (!name || !strcmp(name, "-"))
		return true;
	if (!stat(name, &st)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : 0;
		if (!errno && !access(name, W_OK))
			return true;
	} else {
		snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - name) :
			 1, slash ? name : ".");
		if (!access(*dir ? dir : "/", W_OK | X_OK))
			return true;
	}
	warn("cannot write '%s'", name);
	return false;
}

static bool is(const json_t *f, const char *kind)
{
	return !strcmp(text(f, "kind"), kind);
}

/* A few words, for a title. */
static const char *title(const json_t *f)
{
	return words_is_stray(text(f, "kind")) ?
		"a stray read could meet a page of the other kind" :
		is(f, "outlives") ?
		"a translation could outlive its conversion" :
		is(f, "owner") ? "an instruction may not find its own page" :
		is(f, "line") ? "a dirty cache line could come back" :
		is(f, "evict") ? "a stale cache line could reach a reader" :
		is(f, "given") ? "given to the host and still validated" :
		"old data could be shown";
}

static char *foot(const struct watch_run *r, const json_t *f)
{
	char because[WORDS], missing[WORDS], *all;

	words_because(r, f, because, sizeof(because));
	words_missing(r, f, missing, sizeof(missing));
	if (asprintf(&all, "Because: %s.%s%s%s", because,
		     *missing ? "\nMissing: " : "", missing,
		     *missing ? "." : "") < 0)
		abort();
	return all;
}

static char *head(const struct watch_run *r, const char *kernel,
		  const json_t *f)
{
	char line[WORDS], entry[WORDS], *all;
	const json_t *way = json_object_get(f, "way");

	words_headline(r, f, line, sizeof(line));
	words_entry(r, way, entry, sizeof(entry));
	if (asprintf(&all, "%s on %s, %u CPUs, host %s\n%s\n%s%s%s", kernel,
		     r->platform, r->linux_run.machine.launch.cpus, r->host,
		     line, number(way, "entry") ? "entry " : "",
		     number(way, "entry") ? entry : "",
		     number(way, "entry") ? "\n" : "") < 0)
		abort();
	return all;
}

static void picture(FILE *to, const struct watch_run *r, const char *kernel,
		    const json_t *f)
{
	char *below = head(r, kernel, f), *end = foot(r, f);

	draw_svg(to, r, f, &(struct svg_text){
		"FOUND", title(f), below, end, r->command,
	});
	free(below);
	free(end);
}

/* ---- the trace: docs/trace.md ---- */

static size_t count(const struct watch_run *r)
{
	size_t n = 0, i;
	json_t *l;

	json_array_foreach(r->lines, i, l)
		n += !!json_object_get(l, "finding");
	return n;
}

static void trace(FILE *to, const struct watch_run *r, const char *kernel)
{
	char line[WORDS];
	size_t i, n = 0;
	json_t *l;

	fprintf(to, "airlock-watch-trace 1\nversion %s\nkernel %s\n"
		"platform %s\ncpus %u\nhost %s\ncommand %s\nfindings %zu\n",
		AIRLOCK_VERSION, kernel, r->platform,
		r->linux_run.machine.launch.cpus, r->host, r->command,
		count(r));
	json_array_foreach(r->lines, i, l) {
		const json_t *f = json_object_get(l, "finding");

		if (!f)
			continue;
		fprintf(to, "finding %zu %s %s\n", ++n, text(f, "kind"),
			words_headline(r, f, line, sizeof(line)));
		draw_trace(to, r, f);
		fprintf(to, "because %s\n",
			words_because(r, f, line, sizeof(line)));
		if (*words_missing(r, f, line, sizeof(line)))
			fprintf(to, "missing %s\n", line);
		fprintf(to, "end %zu\n", n);
	}
}

void write_files(const struct watch_run *r, const char *kernel)
{
	const json_t *first = NULL;
	size_t i;
	json_t *l;
	FILE *f;

	json_array_foreach(r->lines, i, l)
		if (!first)
			first = json_object_get(l, "finding");
	if (r->svg && !first) {
		warnx("nothing found: %s is not written", r->svg);
	} else if (r->svg) {
		f = output_open(r->svg);
		picture(f, r, kernel, first);
		output_close(f, r->svg);
	}
	if (r->trace) {
		f = output_open(r->trace);
		trace(f, r, kernel);
		output_close(f, r->trace);
	}
}
