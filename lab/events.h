/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_EVENTS_H
#define LAB_EVENTS_H

#include "search/explore.h"

/* What can happen next; lab.c says what each is. */
enum event { EV_STEP, EV_IPI, EV_READ, EV_ACT, EV_DRAIN, EV_FILL, EV_DROP,
	     EV_LINE, EV_MOVE };

/* Let the event of @label happen in the world in hand, in just that way. */
bool follow(explore_label label);

/* The source line of a return address, from the program's debug data. */
void lab_where(const void *site, const char **file, int *line);

#endif
