// SPDX-License-Identifier: GPL-2.0
/*
 * What is open inside one event, what it broke, and what it says of itself.
 */
#include "machine.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>

struct lab *lab;

/* ---- choices ---- */

#define CHOICES 12

static unsigned int choice[CHOICES], choice_max[CHOICES];
static unsigned int nchoice, at;
static uint64_t forced;		/* replay: the digits to follow */
static bool following;

unsigned int choose(unsigned int n)
{
	unsigned int c;

	if (n <= 1 || lab->setup)
		return 0;
	if (at == CHOICES)
		errx(3, "lab: more than %d choices in one event", CHOICES);
	if (at == nchoice)
		choice[nchoice++] = 0;
	choice_max[at] = n;
	if (following) {
		choice[at] = (unsigned int)(forced % n);
		forced /= n;
	}
	c = choice[at++];
	return c < n ? c : 0;
}

void choice_begin(void)
{
	nchoice = at = 0;
}

void choice_again(void)
{
	at = 0;
}

/* The next way this event can turn out. */
bool choice_next(void)
{
	for (nchoice = at; nchoice; nchoice--)
		if (++choice[nchoice - 1] < choice_max[nchoice - 1])
			return true;
	return false;
}

uint64_t choice_digits(unsigned int bits)
{
	uint64_t digits = 0, weight = 1;

	for (unsigned int i = 0; i < nchoice; i++) {
		digits += choice[i] * weight;
		weight *= choice_max[i];
	}
	if (weight >> bits)
		errx(3, "lab: an event with too many choices");
	return digits;
}

void choice_follow(uint64_t digits)
{
	choice_begin();
	forced = digits;
	following = true;
}

/* Return: whether all of the digits were asked for. */
bool choice_followed(void)
{
	following = false;
	return forced == 0;
}

/* ---- judgement and narration ---- */

void bad(unsigned int what, const char *fmt, ...)
{
	va_list ap;

	if (lab->w.bad || lab->setup)
		return;
	lab->w.bad = what;
	if (!lab->narrate)
		return;
	va_start(ap, fmt);
	vsnprintf(lab->w.why, sizeof(lab->w.why), fmt, ap);
	va_end(ap);
}

void say(const char *fmt, ...)
{
	va_list ap;

	if (!lab->narrate)
		return;
	va_start(ap, fmt);
	vsnprintf(lab->said, sizeof(lab->said), fmt, ap);
	va_end(ap);
}
