/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the machine tells its launcher through port 0xe9, a line each:
 *
 *   @running                 the guest starts
 *   @violation CPU RIP CR3 GPA STATE WHAT
 *                            CPU in decimal, -1 for a device; the others are
 *                            hexadecimal, STATE is one of CVM_STATE_*
 *   @stat NAME VALUE         a counter, at the end
 *   @end HOW WHY             HOW is a word of CVM_ENDS
 *   @cannot WHY              the machine itself cannot run
 *
 * Any other line is for the user to read. WHAT and WHY are the rest of it.
 */
#ifndef CVM_REPORT_H
#define CVM_REPORT_H

/* How a guest ended, by the machine's account. E(NAME, word) */
#define CVM_ENDS(E) \
	E(PASSED, "passed")		/* the guest said so */ \
	E(POWERED_OFF, "powered-off") \
	E(FAILED, "failed")		/* the guest said so */ \
	E(RESET, "reset")		/* the guest asked for a reset */ \
	E(TERMINATED, "terminated")	/* it asked its host for its end */ \
	E(CRASHED, "crashed")		/* it cannot go on: a triple fault */ \
	E(VIOLATED, "violated")		/* it broke a rule */ \
	E(FORCED, "forced")		/* the host took a page, or lied */

enum cvm_end {
#define E(name, word) CVM_END_##name,
	CVM_ENDS(E)
#undef E
	CVM_END_COUNT
};

#endif
