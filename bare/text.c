// SPDX-License-Identifier: GPL-2.0
/* What a freestanding program misses of a C library. */
#include "text.h"

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

bool text_is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* ---- formatting ---- */

struct out {
	void (*put)(void *arg, char c);
	void *arg;
};

/* Between % and the letter. */
struct how {
	unsigned int width;
	bool left, zeros, wide;
};

static void put_field(const struct out *o, const char *s, size_t n,
		      const struct how *h)
{
	size_t pad = n < h->width ? h->width - n : 0;

	for (; !h->left && pad; pad--)
		o->put(o->arg, ' ');
	while (n--)
		o->put(o->arg, *s++);
	for (; pad; pad--)
		o->put(o->arg, ' ');
}

static void put_number(const struct out *o, u64 v, unsigned int base,
		       bool negative, const struct how *h)
{
	char b[64];
	unsigned int n = sizeof(b);

	do {
		b[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (h->zeros && sizeof(b) - n + negative < h->width && n > 1)
		b[--n] = '0';
	if (negative)
		b[--n] = '-';
	put_field(o, b + n, sizeof(b) - n, h);
}

static const char *read_how(const char *fmt, struct how *h)
{
	*h = (struct how){ 0 };
	for (; *fmt == '-' || *fmt == '0'; fmt++) {
		h->left |= *fmt == '-';
		h->zeros |= *fmt == '0';
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		h->width = h->width * 10 + (unsigned int)(*fmt - '0');
	for (; *fmt == 'l'; fmt++)
		h->wide = true;
	return fmt;
}

static void put_one(const struct out *o, char what, const struct how *h,
		    va_list *ap)
{
	const char *s;
	long v;

	switch (what) {
	case 's':
		s = va_arg(*ap, const char *);
		put_field(o, s, strlen(s), h);
		break;
	case 'd':
		v = h->wide ? va_arg(*ap, long) : va_arg(*ap, int);
		put_number(o, v < 0 ? 0 - (u64)v : (u64)v, 10, v < 0, h);
		break;
	case 'u':
	case 'x':
		put_number(o, h->wide ? va_arg(*ap, u64) : va_arg(*ap, u32),
			   what == 'x' ? 16 : 10, false, h);
		break;
	case 'c':
		o->put(o->arg, (char)va_arg(*ap, int));
		break;
	default:
		o->put(o->arg, what);
	}
}

void vformat_to(void (*put)(void *arg, char c), void *arg, const char *fmt,
		va_list ap)
{
	struct out o = { put, arg };
	struct how h;
	va_list args;

	va_copy(args, ap);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(arg, *fmt);
			continue;
		}
		fmt = read_how(fmt + 1, &h);
		if (!*fmt)
			break;
		put_one(&o, *fmt, &h, &args);
	}
	va_end(args);
}

struct buffer {
	char *text;
	size_t size, used;
};

static void put_buffer(void *arg, char c)
{
	struct buffer *b = arg;

	if (b->used + 1 < b->size)
		b->text[b->used++] = c;
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct buffer b = { .text = buf, .size = size };

	vformat_to(put_buffer, &b, fmt, ap);
	buf[b.used] = '\0';
	return b.used;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vformat(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
