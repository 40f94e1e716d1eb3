// SPDX-License-Identifier: GPL-2.0
/* TDG.VP.VMCALL: what the guest asks the host for. */
#include "config.h"
#include "convert.h"
#include "cpu.h"
#include "end.h"
#include "host.h"
#include "lock.h"
#include "npt.h"
#include "platform/tdx/parts.h"
#include "vcpu.h"

#define MAP_ACTS (1u << HOST_REFUSE | 1u << HOST_HALF | 1u << HOST_LIE | \
		  1u << HOST_LIE_HALF | 1u << HOST_EARLY | 1u << HOST_SPIN | \
		  1u << HOST_OUTSIDE | 1u << HOST_STRAY | 1u << HOST_SMALL | \
		  1u << HOST_TWICE)

static u64 map_lie(struct vcpu *c, u64 bit, u64 gpa, u64 size,
		   enum host_act act)
{
	switch (act) {
	case HOST_REFUSE:
		c->r.r11 = gpa | bit;
		return VMCALL_INVALID;
	case HOST_SPIN:
		c->r.r11 = gpa | bit;
		return VMCALL_RETRY;
	case HOST_OUTSIDE:
		c->r.r11 = host_random() >> 33 & 1 ? gpa + size + PAGE_SIZE :
						     gpa - PAGE_SIZE;
		c->r.r11 |= bit;
		return VMCALL_RETRY;
	case HOST_STRAY:
		c->r.r11 = host_random();
		return host_random() >> 33 & 1 ? host_random() | 2 :
						 VMCALL_RETRY;
	default:				/* HOST_LIE */
		host_lied(gpa, size / PAGE_SIZE);
		c->r.r11 = 0;
		return 0;
	}
}

static u64 map_pages(struct vcpu *c, u64 bit, u64 gpa, u64 size,
		     enum host_act act)
{
	bool part = act == HOST_HALF || act == HOST_LIE_HALF ||
		    act == HOST_EARLY;
	u64 pages = size / PAGE_SIZE, done = part ? pages / 2 : pages;

	convert_pages(gpa, done, bit, act != HOST_SMALL);
	count_conversion(bit, done);
	if (act == HOST_TWICE && !bit)
		convert_twice(gpa);
	convert_finish(c);
	if (act == HOST_LIE_HALF)
		host_lied(gpa + done * PAGE_SIZE, pages - done);
	c->r.r11 = (gpa + done * PAGE_SIZE) | bit;
	if (act == HOST_HALF)
		return VMCALL_INVALID;
	if (act == HOST_EARLY && done < pages)
		return VMCALL_RETRY;
	c->r.r11 = 0;
	return 0;
}

static u64 map_gpa(struct vcpu *c)
{
	u64 bit = c->r.r12 & GUEST_BIT, gpa = c->r.r12 & ~GUEST_BIT;
	u64 size = c->r.r13, result;
	enum host_act act;

	c->r.r11 = c->r.r12;
	if ((gpa | size) & ~PAGE_MASK)
		return VMCALL_ALIGN;
	if (!size || gpa >= ram_end || size > ram_end - gpa)
		return VMCALL_INVALID;
	machine_lock(c);
	/* A few of them, the first and the last too; one page only once. */
	for (u64 i = 0; i < 4 && i < size / PAGE_SIZE; i++)
		host_hears_of(gpa + (size - PAGE_SIZE) * i / 3);
	act = host_decide(MAP_ACTS);
	switch (act) {
	case HOST_REFUSE:
	case HOST_SPIN:
	case HOST_OUTSIDE:
	case HOST_STRAY:
	case HOST_LIE:
		result = map_lie(c, bit, gpa, size, act);
		break;
	default:
		result = map_pages(c, bit, gpa, size, act);
	}
	machine_unlock();
	return result;
}

static u64 vmcall_io(struct vcpu *c)
{
	unsigned int size = (unsigned int)c->r.r12;
	u16 port = (u16)c->r.r14;

	if (size != 1 && size != 2 && size != 4)
		return VMCALL_INVALID;
	if (c->r.r13)
		port_write(c, port, size, c->r.r15);
	else
		c->r.r11 = port_read(port, size);
	return 0;
}

static u64 vmcall_mmio(struct vcpu *c)
{
	u64 at = c->r.r14 & ~GUEST_BIT;
	unsigned int size = (unsigned int)c->r.r12;

	if (!is_device(at) || (size != 1 && size != 2 && size != 4 &&
					 size != 8))
		return VMCALL_INVALID;
	if (c->r.r13)
		mmio_write(at, size, c->r.r15);
	else
		c->r.r11 = mmio_read(at, size);
	return 0;
}

static u64 vmcall_cpuid(struct vcpu *c)
{
	u32 r[4];

	guest_cpuid(c, (u32)c->r.r12, (u32)c->r.r13, r);
	c->r.r12 = r[0];
	c->r.r13 = r[1];
	c->r.r14 = r[2];
	c->r.r15 = r[3];
	return 0;
}

static u64 vmcall_halt(struct vcpu *c)
{
	if (c->r.r12)			/* interrupts blocked: for ever */
		vcpu_park(c);
	wait_interrupt(c);
	return 0;
}

__attribute__((noreturn)) static void report_fatal(struct vcpu *c)
{
	u64 words[9] = { c->r.r14, c->r.r15, c->r.rbx, c->r.rdi, c->r.rsi,
			 c->r.r8, c->r.r9, c->r.rdx, 0 };
	char *text = (char *)words;

	for (unsigned int i = 0; i < 64 && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	guest_terminated(c, "the guest reports a fatal error %lx '%s'",
			 c->r.r12, text);
}

u64 vmcall(struct vcpu *c)
{
	switch (c->r.r11) {
	case REASON_CPUID:
		return vmcall_cpuid(c);
	case REASON_HLT:
		return vmcall_halt(c);
	case REASON_IO:
		return vmcall_io(c);
	case REASON_RDMSR:
		return guest_rdmsr(c, (u32)c->r.r12, &c->r.r11) ?
		       0 : VMCALL_INVALID;
	case REASON_WRMSR:
		return guest_wrmsr(c, (u32)c->r.r12, c->r.r13) ?
		       0 : VMCALL_INVALID;
	case REASON_EPT_VIOLATION:
		return vmcall_mmio(c);
	case 0x10000:			/* GetTdVmCallInfo */
		c->r.r11 = c->r.r12 = c->r.r13 = c->r.r14 = 0;
		return 0;
	case 0x10001:
		return map_gpa(c);
	case 0x10002:
		return config.attest ? get_quote(c) : VMCALL_INVALID;
	case 0x10003:
		report_fatal(c);
	default:
		return VMCALL_INVALID;
	}
}
