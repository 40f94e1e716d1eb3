// SPDX-License-Identifier: GPL-2.0
/* console.h says what this is for. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

/* A line that has not gone on for so long is a prompt. In milliseconds. */
#define PROMPT_MS	1000

static bool one_file(void)
{
	struct stat out, err;

	return !fstat(STDOUT_FILENO, &out) && !fstat(STDERR_FILENO, &err) &&
	       out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

void console_open(struct console *c, int from, const struct launch *l)
{
	*c = (struct console){
		.from = from, .one_file = one_file(), .listener = l->listener,
		.name = l->name,
	};
}

int console_in(const struct console *c)
{
	return c->used ? -1 : c->from;
}

int console_out(const struct console *c)
{
	return c->used ? STDOUT_FILENO : -1;
}

static long quiet_ms(const struct console *c)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - c->last.tv_sec) * 1000 +
	       (now.tv_nsec - c->last.tv_nsec) / 1000000;
}

int console_patience(const struct console *c, int ms)
{
	long left = PROMPT_MS - quiet_ms(c);

	if (!c->n_held || left >= ms)
		return ms;
	return left < 0 ? 0 : (int)left;
}

static void tell_held(struct console *c)
{
	if (c->n_held)
		fwrite(c->held, 1, c->n_held, stderr);
	c->n_held = 0;
}

static void end_line(struct console *c)
{
	if (c->within && c->one_file)
		fputc('\n', stderr);
	c->within = false;
	tell_held(c);
}

void console_tell(struct console *c, const char *text)
{
	char line[1300];
	size_t n;

	if (c->listener) {
		if (c->listener->line)
			c->listener->line(c->listener->context, text);
		return;
	}
	snprintf(line, sizeof(line), "%s: %s\n", c->name, text);
	n = strlen(line);
	if (c->n_held + n > sizeof(c->held))
		end_line(c);
	if (!c->one_file || !c->within || n > sizeof(c->held)) {
		fputs(line, stderr);
		return;
	}
	memcpy(c->held + c->n_held, line, n);
	c->n_held += n;
}

void console_tick(struct console *c)
{
	if (c->n_held && quiet_ms(c) >= PROMPT_MS)
		end_line(c);
}

static const char panic_text[] = "Kernel panic - not syncing: ";

/* No part of the text is its beginning again, but its first byte. */
static void look_for_panic(struct console *c, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c->panic_matched < sizeof(panic_text) - 1) {
			if (text[i] != panic_text[c->panic_matched])
				c->panic_matched = 0;
			if (text[i] == panic_text[c->panic_matched])
				c->panic_matched++;
		} else if ((unsigned char)text[i] < ' ') {
			c->panic_used = sizeof(c->panic);
		} else if (c->panic_used + 1 < sizeof(c->panic)) {
			c->panic[c->panic_used++] = text[i];
		}
	}
}

const char *console_panic(const struct console *c)
{
	return c->panic_matched < sizeof(panic_text) - 1 ? NULL : c->panic;
}

void console_read(struct console *c)
{
	ssize_t n = read(c->from, c->text, sizeof(c->text));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0) {
		look_for_panic(c, c->text, (size_t)n);
		if (!c->listener)
			c->used = (size_t)n;
		else if (c->listener->console)
			c->listener->console(c->listener->context, c->text,
					     (size_t)n);
		return;
	}
	close(c->from);
	c->from = -1;
}

/*
 * Not more than a pipe with room takes without blocking, which is a page. Of
 * text that nobody reads any more nothing is kept.
 */
void console_write(struct console *c)
{
	const char *end = c->n_held ? memchr(c->text, '\n', c->used) : NULL;
	size_t n = end ? (size_t)(end - c->text) + 1 : c->used;
	ssize_t put = write(STDOUT_FILENO, c->text, n);

	if (put < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (put < 0 && errno != EPIPE)
		c->error = errno;
	c->within = put > 0 && c->text[put - 1] != '\n';
	if (put <= 0)
		put = (ssize_t)c->used;
	c->used -= (size_t)put;
	memmove(c->text, c->text + put, c->used);
	clock_gettime(CLOCK_MONOTONIC, &c->last);
	if (!c->within)
		tell_held(c);
}

void console_close(struct console *c)
{
	struct pollfd p;

	for (;;) {
		p = c->used ?
		    (struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT } :
		    (struct pollfd){ .fd = c->from, .events = POLLIN };
		if (p.fd < 0 || poll(&p, 1, 0) <= 0)
			break;
		if (c->used)
			console_write(c);
		else
			console_read(c);
	}
	end_line(c);
	if (c->from >= 0)
		close(c->from);
	c->from = -1;
}
