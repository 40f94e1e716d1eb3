// SPDX-License-Identifier: GPL-2.0
/* Text, options from the command line, saying things, and the end. */
#include "kernel.h"

void *memset(void *to, int byte, size_t n)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte)
			 : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n)
			 : : "memory");
	return to;
}

bool text_is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

size_t text_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

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
	size_t at = 0, n = text_length(name), i;

	while (at < sizeof(line) - 1) {
		for (i = 0; i < n && line[at + i] == name[i]; i++)
			;
		if (i == n && line[at + i] == '=')
			return &line[at + i + 1];
		if (i == n && !line[at + i])
			return &line[at + i];
		at += text_length(&line[at]) + 1;
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

/* ---- formatting: %s %c %u %lu %x %lx, a width, a minus sign ---- */

struct out {
	char *buf;
	size_t size, n;
};

static void put(struct out *o, char c)
{
	if (o->n + 1 < o->size)
		o->buf[o->n++] = c;
}

static void put_field(struct out *o, const char *s, size_t n,
		      unsigned int width, bool left)
{
	unsigned int pad = n < width ? width - (unsigned int)n : 0;

	for (; !left && pad; pad--)
		put(o, ' ');
	while (n--)
		put(o, *s++);
	for (; pad; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, u64 v, unsigned int base,
		       unsigned int width, bool left)
{
	char b[20];
	unsigned int n = sizeof(b);

	do {
		b[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	put_field(o, b + n, sizeof(b) - n, width, left);
}

static void put_one(struct out *o, const char **fmt, va_list *ap)
{
	bool left = false, is_long = false;
	unsigned int width = 0;
	const char *s;
	char c;

	for (;; (*fmt)++) {
		c = **fmt;
		if (c == '-')
			left = true;
		else if (c >= '0' && c <= '9')
			width = width * 10 + (unsigned int)(c - '0');
		else if (c == 'l')
			is_long = true;
		else
			break;
	}
	switch (c) {
	case 's':
		s = va_arg(*ap, const char *);
		put_field(o, s, text_length(s), width, left);
		break;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	case 'u':
	case 'x':
		put_number(o, is_long ? va_arg(*ap, u64) :
			   va_arg(*ap, unsigned int), c == 'x' ? 16 : 10,
			   width, left);
		break;
	default:
		put(o, c);
	}
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list *ap)
{
	struct out o = { buf, size, 0 };

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt++;
		put_one(&o, &fmt, ap);
	}
	buf[o.n] = '\0';
	return o.n;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vformat(buf, size, fmt, &ap);
	va_end(ap);
	return n;
}

/* A line to the serial console. */
void say(const char *fmt, ...)
{
	static volatile u32 lock;
	char text[200];
	va_list ap;
	size_t i, n;

	va_start(ap, fmt);
	n = vformat(text, sizeof(text), fmt, &ap);
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
	n += vformat(text + n, sizeof(text) - n, fmt, &ap);
	va_end(ap);
	call2(CVM_LOG, (u64)text, n);
	call1(CVM_EXIT, 1);
	for (;;)
		pause();
}
