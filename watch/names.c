// SPDX-License-Identifier: GPL-2.0
/* Words that the plugin and the command share. */
#include "watch.h"

const char *watch_state_name(enum watch_platform p, enum watch_state s)
{
	switch (s) {
	case STATE_SHARED:
		return "shared";
	case STATE_PENDING:
		return p == WATCH_SNP ? "private, not validated" :
			"private, not accepted";
	case STATE_PRIVATE:
		return "private";
	default:
		return "no memory";
	}
}
