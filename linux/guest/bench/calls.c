// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts for function calls, which is how a CPU is told to drop its TLB.
 * /proc/interrupts says how many each CPU took: row CAL, a column a CPU.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bench.h"

#define TEXT	65536

static struct file *file;

/* By a process: threads of the kernel need not see what is mounted. */
int calls_open(void)
{
	file = filp_open("/proc/interrupts", O_RDONLY, 0);
	return PTR_ERR_OR_ZERO(file);
}

void calls_close(void)
{
	filp_close(file, NULL);
}

static ssize_t read_text(char *text)
{
	ssize_t n, all = 0;
	loff_t at = 0;

	do {
		n = kernel_read(file, text + all, TEXT - 1 - all, &at);
		if (n > 0)
			all += n;
	} while (n > 0);
	text[all] = 0;
	return n < 0 ? n : all;
}

/* The sum of the columns but the first. */
static u64 sum_row(const char *p)
{
	u64 column, sum = 0;
	bool first = true;

	for (;;) {
		while (*p == ' ')
			p++;
		if (*p < '0' || *p > '9')
			return sum;
		for (column = 0; *p >= '0' && *p <= '9'; p++)
			column = column * 10 + (*p - '0');
		if (!first)
			sum += column;
		first = false;
	}
}

int calls_count(u64 *calls)
{
	char *text = kmalloc(TEXT, GFP_KERNEL), *row;
	ssize_t n = text ? read_text(text) : -ENOMEM;

	row = n > 0 ? strstr(text, "CAL:") : NULL;
	if (row)
		*calls = sum_row(row + 4);
	kfree(text);
	return n < 0 ? n : row ? 0 : -ENOENT;
}
