// SPDX-License-Identifier: GPL-2.0
/* Words and numbers of a command line, chance, and the debug console. */
#include "io.h"
#include "lib.h"

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

static void put_console(void *arg, char c)
{
	(void)arg;
	outb(0xe9, (u8)c);
}

/* A line (or part of one) to the launcher; lines starting with @ are for it. */
void say(const char *fmt, ...)
{
	static volatile u32 lock;
	va_list ap;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
	va_start(ap, fmt);
	vformat_to(put_console, NULL, fmt, ap);
	va_end(ap);
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}
