// SPDX-License-Identifier: GPL-2.0
/* Text, options from the command line, saying things, and the end. */
#include "kernel.h"

/* ---- options: NAME=VALUE or NAME="VALUE WITH SPACES" ---- */

static char line[2048];

/* Cut the command line into strings, each ending in a null byte. */
void options_init(const char *text)
{
	bool quoted = false;
	size_t i, n = 0;

	for (i = 0; text[i] && n < sizeof(line) - 2; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else
			line[n++] = text[i] == ' ' && !quoted ? '\0' : text[i];
	}
	line[n] = line[n + 1] = '\0';
}

const char *option(const char *name)
{
	size_t at = 0, n = strlen(name), i;

	while (at < sizeof(line) - 1) {
		for (i = 0; i < n && line[at + i] == name[i]; i++)
			;
		if (i == n && line[at + i] == '=')
			return &line[at + i + 1];
		if (i == n && !line[at + i])
			return &line[at + i];
		at += strlen(&line[at]) + 1;
	}
	return NULL;
}

u64 option_number(const char *name, u64 otherwise)
{
	const char *s = option(name);
	u64 v = 0;

	if (!s || *s < '0' || *s > '9')
		return otherwise;
	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (u64)(*s - '0');
	return v;
}

/* A line to the serial console. */
void say(const char *fmt, ...)
{
	static volatile u32 lock;
	char text[200];
	va_list ap;
	size_t i, n;

	va_start(ap, fmt);
	n = vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
	for (i = 0; i < n; i++)
		platform_put(text[i]);
	platform_put('\r');
	platform_put('\n');
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/*
 * The end. By the debug port: the console may be what is broken, and on SNP
 * this CPU's GHCB may be in use.
 */
void panic(const char *fmt, ...)
{
	static u32 ended;
	char text[200];
	va_list ap;
	size_t n;

	irq_save();
	while (__atomic_exchange_n(&ended, 1, __ATOMIC_SEQ_CST))
		pause();
	n = format(text, sizeof(text), "panic on CPU %u: ", this_cpu()->id);
	va_start(ap, fmt);
	n += vformat(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	call2(CVM_LOG, (u64)text, n);
	call1(CVM_EXIT, 1);
	for (;;)
		pause();
}
