// SPDX-License-Identifier: GPL-2.0
/* What the kernel says, and what is written down. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "here.h"

int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		warn("cannot read the kernel's log, /dev/kmsg");
	else
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* A record: "6,339,5140900,-;storm: begin 4\n", and more about it. */
void log_hear(int fd, void (*hear)(void *context, const char *line),
	      void *context)
{
	char record[8192], *text;
	ssize_t n;

	/* EPIPE: the log came round to records that were not read. */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && (errno == EPIPE || errno == EINTR))) {
		if (n < 0)
			continue;
		record[n] = 0;
		text = strchr(record, ';');
		if (!text)
			continue;
		text[strcspn(text, "\n")] = 0;
		hear(context, text + 1);
	}
}

/* ---- */

static int report = -1;
static bool lost;

bool report_open(const char *name)
{
	report = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (report >= 0)
		return true;
	if (errno == EEXIST)
		warnx("'%s' is there already: move it, or name another with "
		      "--report", name);
	else
		warn("cannot write the report '%s'", name);
	return false;
}

void told(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		n = (int)strlen(line);
	fputs(line, stdout);
	fflush(stdout);
	if (write(report, line, (size_t)n) != n || fdatasync(report))
		lost = true;
}

bool report_close(void)
{
	if (!close(report) && !lost)
		return true;
	warnx("the report could not be written in full");
	return false;
}
