// SPDX-License-Identifier: GPL-2.0
/* The debug port: guest-abi.h says what each call means. */
#include "config.h"
#include "convert.h"
#include "debug.h"
#include "end.h"
#include "gmem.h"
#include "host.h"
#include "io.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "smp.h"
#include "stats.h"
#include "vcpu.h"
#include "vtd.h"

#define FAILED		(~0UL)

/* What the host finds in memory that is not shared: ciphertext. */
static u64 host_read(u64 gpa)
{
	u64 v;

	if (!is_ram(gpa) || (gpa & ~PAGE_MASK) > PAGE_SIZE - 8)
		return 0;
	v = *(u64 *)gpa;
	if ((page_state(gpa) & CVM_STATE_MASK) != CVM_STATE_SHARED)
		v = (v ^ gpa) * 0xd1342543de82ef95UL + 0x2545f4914f6cdd1dUL;
	return v;
}

static u64 host_write(u64 gpa, u64 value)
{
	if (!is_ram(gpa) || (gpa & ~PAGE_MASK) > PAGE_SIZE - 8 ||
	    (page_state(gpa) & CVM_STATE_MASK) != CVM_STATE_SHARED)
		return FAILED;
	*(volatile u64 *)gpa = value;
	count(CVM_N_HOST_WRITES, 1);
	return 0;
}

static u64 states_to_guest(struct vcpu *c, u64 gpa, u64 pages, u64 to)
{
	u8 buf[256];

	if (pages > ram_end / PAGE_SIZE)
		return FAILED;
	while (pages) {
		u64 n = pages < sizeof(buf) ? pages : sizeof(buf);

		for (u64 i = 0; i < n; i++, gpa += PAGE_SIZE)
			buf[i] = is_ram(gpa) ? (u8)page_state(gpa) : 0;
		if (!guest_write(c, to, buf, n))
			return FAILED;
		pages -= n;
		to += n;
	}
	return 0;
}

static u64 log_line(struct vcpu *c, u64 at, u64 n)
{
	char line[201];

	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	if (!guest_read(c, at, line, n))
		return FAILED;
	line[n] = 0;
	for (u64 i = 0; i < n; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = ' ';
	say("guest: %s\n", line);
	return 0;
}

#define COM1		0x3f8
#define COM1_STATUS	0x3fd

/* What a serial driver does, without its exits. */
static u64 print(struct vcpu *c, u64 at, u64 n)
{
	char part[64];

	if (n > PAGE_SIZE)
		return FAILED;
	while (n) {
		u64 now = n < sizeof(part) ? n : sizeof(part);

		if (!guest_read(c, at, part, now))
			return FAILED;
		for (u64 i = 0; i < now; i++) {
			while (!(inb(COM1_STATUS) & 0x20))
				pause();
			outb(COM1, (u8)part[i]);
		}
		at += now;
		n -= now;
	}
	return 0;
}

static u64 start_cpu(struct vcpu *c, u64 id, u64 rip, u64 rsp, u64 rdi)
{
	struct vcpu *t;
	u64 own;

	if (id >= config.cpus || vcpus[id].go)
		return FAILED;
	t = &vcpus[id];
	own = t->v->nested_cr3;
	__asm__ volatile("vmsave" : : "a"(c->vmcb_pa) : "memory");
	memcpy(t->v, c->v, sizeof(*t->v));
	t->v->nested_cr3 = own;
	t->v->inject = 0;
	t->v->rip = rip;
	t->v->rsp = rsp;
	t->v->rflags = 2;
	t->v->gs.base = id;
	t->r = (struct regs){ .rdi = rdi };
	vcpu_go(t);
	return 0;
}

static u64 host_character(u64 new_kind, u64 arg)
{
	if (new_kind > CVM_HOST_HOSTILE)
		return FAILED;
	host_set((enum cvm_host)new_kind, arg);
	return 0;
}

static u64 locked_call(struct vcpu *c, u64 call)
{
	u64 b = c->r.rbx, x = c->r.rcx;

	switch (call) {
	case CVM_PAGE_STATE:
		return is_ram(b) ? page_state(b) : CVM_STATE_NONE;
	case CVM_PAGE_STATES:
		return states_to_guest(c, b & PAGE_MASK, x, c->r.rdx);
	case CVM_HOST_WRITE:
		return host_write(b, x);
	case CVM_HOST_READ:
		return host_read(b);
	case CVM_HOST_CONVERT:
		return host_convert(c, b, (unsigned int)x) ? 0 : FAILED;
	case CVM_HOST:
		return host_character(b, x);
	case CVM_HOST_WRITER:
		host_writer(b, x);
		return 0;
	case CVM_PRINT:
		return print(c, b, x);
	case CVM_START_CPU:
		return start_cpu(c, b, x, c->r.rdx, c->r.rsi);
	default:
		return FAILED;
	}
}

void debug_call(struct vcpu *c)
{
	u64 call = c->v->rax, b = c->r.rbx;

	switch (call) {
	case CVM_VERSION:
		c->v->rax = CVM_ABI_VERSION;
		break;
	case CVM_EXIT:
		if (b)
			machine_end(CVM_END_FAILED,
				    "the guest said it failed");
		machine_end(CVM_END_PASSED, "the guest said it passed");
	case CVM_COUNTER:
		c->v->rax = b < CVM_N_COUNTERS ?
			    counter((enum cvm_counter)b) : FAILED;
		break;
	case CVM_GUEST_TIME:
		c->v->rax = c->guest_time >> config.icount_shift;
		break;
	case CVM_EXPECT:
		vtd_report();
		expect_violations(b);
		c->v->rax = counter(CVM_N_VIOLATIONS);
		break;
	case CVM_HOST_FLUSH:
		set_host_flush(b);
		c->v->rax = 0;
		break;
	case CVM_LOG:
		c->v->rax = log_line(c, b, c->r.rcx);
		break;
	default:
		machine_lock(c);
		c->v->rax = locked_call(c, call);
		machine_unlock();
	}
}
