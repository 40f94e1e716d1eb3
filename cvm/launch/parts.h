/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launcher's parts, for each other: image.c reads guests, qemu.c knows
 * QEMU's arguments, run.c runs it, report.c understands the machine.
 */
#ifndef CVM_LAUNCH_PARTS_H
#define CVM_LAUNCH_PARTS_H

#include "launch.h"

/* Set the end to LAUNCH_CANNOT and say why. Return: -1. */
__attribute__((format(printf, 2, 3)))
int launch_cannot(struct launch_result *r, const char *fmt, ...);

/* ---- image.c ---- */

/* A memfd with the guest for the machine (blob.h), or -1: cannot. */
int image_make(const struct launch *l, struct launch_result *r);

/* ---- qemu.c ---- */

/* 0, or -1: cannot. */
int qemu_check(struct launch_result *r);

struct qemu_fds {
	int machine_elf, image;		/* what it boots */
	int machine, monitor;		/* where it is heard and asked */
	int attest;			/* where it asks, or -1 */
};

/*
 * Become QEMU. Return: only if that fails. Called between fork() and exec():
 * it prints nothing.
 */
void qemu_exec(const struct launch *l, const struct qemu_fds *fds);

/* ---- report.c ---- */

/*
 * Take a line of the machine's. Return: what it was; for VIOLATION the last
 * one of @r->violation is it, unless there was no more room.
 */
enum report_line {
	REPORT_RUNNING, REPORT_VIOLATION, REPORT_COUNTER, REPORT_END,
	REPORT_CANNOT, REPORT_OTHER,
};
enum report_line report_line(struct launch_result *r, const char *line,
			     struct launch_violation *v);

#endif
