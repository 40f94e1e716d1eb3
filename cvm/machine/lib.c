// SPDX-License-Identifier: GPL-2.0
/* What a freestanding program misses of a C library, and the debug console. */
#include "io.h"
#include "lib.h"

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n)
			 : : "memory");
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte)
			 : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Find "name=" at the start of a word of @s. */
bool word_value(const char *s, const char *name, const char **value)
{
	size_t n = strlen(name);

	for (; *s; s++) {
		if (!memcmp(s, name, n) && s[n] == '=') {
			*value = s + n + 1;
			return true;
		}
		while (*s && *s != ' ')
			s++;
		if (!*s)
			break;
	}
	return false;
}

u64 parse_u64(const char *s, const char **end)
{
	u64 v = 0;

	while (*s >= '0' && *s <= '9')
		v = v * 10 + (u64)(*s++ - '0');
	if (end)
		*end = s;
	return v;
}

/* xorshift64*, Marsaglia/Vigna; any state but 0 */
u64 random64(u64 *state)
{
	u64 x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dUL;
}

struct out {
	char *buf;			/* NULL: the debug console */
	size_t size, used;
};

static void put(struct out *o, char ch)
{
	if (!o->buf)
		outb(0xe9, (u8)ch);
	else if (o->used + 1 < o->size)
		o->buf[o->used++] = ch;
}

static void put_number(struct out *o, u64 v, unsigned int base, int width,
		       char pad, bool negative)
{
	char b[32];
	int i = 0;

	do {
		b[i++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (negative)
		b[i++] = '-';
	while (i < width)
		b[i++] = pad;
	while (i)
		put(o, b[--i]);
}

static void put_format(struct out *o, const char *f, va_list ap)
{
	for (; *f; f++) {
		char pad = ' ';
		int width = 0;
		bool wide = false;

		if (*f != '%') {
			put(o, *f);
			continue;
		}
		if (*++f == '0')
			pad = '0';
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + (*f - '0');
		for (; *f == 'l'; f++)
			wide = true;
		switch (*f) {
		case 'x':
		case 'u': {
			u64 v = wide ? va_arg(ap, u64) : va_arg(ap, u32);

			put_number(o, v, *f == 'x' ? 16 : 10, width, pad,
				   false);
			break;
		}
		case 'd': {
			long v = wide ? va_arg(ap, long) : va_arg(ap, int);

			put_number(o, (u64)(v < 0 ? -v : v), 10, width, pad,
				   v < 0);
			break;
		}
		case 's': {
			const char *s = va_arg(ap, const char *);

			while (*s)
				put(o, *s++);
			break;
		}
		case 'c':
			put(o, (char)va_arg(ap, int));
			break;
		default:
			put(o, *f);
		}
	}
}

void vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };

	put_format(&o, fmt, ap);
	buf[o.used] = 0;
}

/* A line (or part of one) to the launcher; lines starting with @ are for it. */
void say(const char *fmt, ...)
{
	static volatile u32 lock;
	struct out o = { .buf = NULL };
	va_list ap;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
	va_start(ap, fmt);
	put_format(&o, fmt, ap);
	va_end(ap);
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}
