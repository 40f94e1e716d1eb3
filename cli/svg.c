// SPDX-License-Identifier: GPL-2.0
/* A counterexample as SVG. */
#include "cli.h"

#include <stdlib.h>

void svg_write(FILE *to, const struct question *q, const struct answer *a)
{
	char *steps = order_text(&q->cfg.order, true), *below, *end;
	char *bounds = question_bounds(q), *command = question_command(q);
	struct lanes *l = lanes_new(q, a);

	if (asprintf(&below, "order %s on %s, to %s: %s\nexplored: %s\n",
		     q->order, platform_name(q->cfg.platform),
		     to_name(q->cfg.to), steps, bounds) < 0 ||
	    asprintf(&end, "Step %zu: %s.", a->v.nevents,
		     answer_sentence(a)) < 0)
		abort();
	svg_lanes(to, l, &(struct svg_text){
		"UNSAFE", lab_bad_sentence(a->v.bad), below, end, command,
	});
	lanes_free(l);
	free(end);
	free(below);
	free(command);
	free(bounds);
	free(steps);
}
