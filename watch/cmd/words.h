/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_WORDS_H
#define WATCH_WORDS_H

/* What the plugin's lines of JSON say, in words. */
#include "cmd.h"
#include "watch.h"

#define WORDS	1024

/* Members: "" and 0 for one that is not there; numbers are hexadecimal text. */
const char *text(const json_t *o, const char *key);
uint64_t number(const json_t *o, const char *key);

/* The line that says how often the finding @id was there, or NULL. */
json_t *words_count(const json_t *lines, uint64_t id);
/* What it says; where there is none it was once. */
uint64_t words_times(const json_t *lines, uint64_t id);

enum watch_platform words_platform(const struct watch_run *r);
/* "private" or "shared", of an entry. */
const char *words_view(const struct watch_run *r, uint64_t entry);
const char *words_state(const struct watch_run *r, uint64_t state);
/* A way's entry, decoded. Return: @to. */
char *words_entry(const struct watch_run *r, const json_t *way, char *to,
		  size_t size);
/* A place: its function, and its line where that is known. Return: @to. */
char *words_place(const json_t *o, const char *key, char *to, size_t size);

/* Is it of a read that nobody meant, by kind? */
bool words_is_stray(const char *kind);
/* What is wrong, in one sentence. Return: @to. */
char *words_headline(const struct watch_run *r, const json_t *f, char *to,
		     size_t size);
/* The store that left it behind; who may hold it; what is missing. */
char *words_because(const struct watch_run *r, const json_t *f, char *to,
		    size_t size);
char *words_missing(const struct watch_run *r, const json_t *f, char *to,
		    size_t size);

#endif
