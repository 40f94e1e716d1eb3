// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fixup of airlock_load_unaligned_zeropad(), by the rule of Linux,
 * mm/extable.c, ex_handler_zeropad():
 *
 *        word          next word
 *   |.....abc|-------------------|      the load begins at a; the page ends
 *         ^   ^                         after c; the next is not present
 *       rdi   the faulting address
 *
 * The result is abc00000. Only a fault at exactly the next word's start is
 * this one: any other address means that the caller's own memory was missing,
 * and an error code other than 0 that the fault was not a supervisor's read
 * of a page not present. A confidential-computing exception is never mended.
 */

#include <airlock/airlock.h>

extern const char airlock_zeropad_load[], airlock_zeropad_done[];

bool airlock_zeropad_fixup(struct airlock_fault *f)
{
	uint64_t off = f->rdi % 8, word = f->rdi - off;

	if (f->ip != (uintptr_t)airlock_zeropad_load || f->error || !off ||
	    f->address != word + 8)
		return false;
	f->rax = *(const uint64_t *)(uintptr_t)word >> (8 * off);
	f->ip = (uintptr_t)airlock_zeropad_done;
	return true;
}
