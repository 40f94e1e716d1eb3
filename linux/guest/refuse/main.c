// SPDX-License-Identifier: GPL-2.0
/*
 * One conversion that does not succeed, from when this is loaded on.
 *
 *   host, host_arg   the character of the machine's host, see cvm/abi
 *   split=N          the Nth set_memory_decrypted() says -ENOMEM and does
 *                    nothing, as if no memory were left to split a large page
 *
 * Report: "refuse: denied" when that happens. When it is unloaded the host is
 * honest, and set_memory_decrypted() itself again.
 */
#define pr_fmt(fmt) "refuse: " fmt
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>

#include "abi/guest-abi.h"

static unsigned int host, split;
static ulong host_arg;
module_param(host, uint, 0444);
module_param(host_arg, ulong, 0444);
module_param(split, uint, 0444);

static atomic_t calls;

/* At the function's entry: what returns here has never been in it. */
static int nth(struct kprobe *p, struct pt_regs *regs)
{
	if ((unsigned int)atomic_inc_return(&calls) != split)
		return 0;
	regs->ax = (unsigned long)-ENOMEM;
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += sizeof(long);
	pr_info("denied\n");
	return 1;
}

/*
 * With one, a probe is never made a jump, whose handler cannot return for the
 * function (Documentation/trace/kprobes.rst).
 */
static void stay(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.symbol_name = "set_memory_decrypted", .pre_handler = nth,
	.post_handler = stay,
};

static int __init refuse_init(void)
{
	int err = split ? register_kprobe(&probe) : 0;

	if (err)
		return err;
	if (host)
		cvm_call4(CVM_HOST, host, host_arg, 0, 0);
	pr_info("ready\n");
	return 0;
}

static void __exit refuse_exit(void)
{
	if (host)
		cvm_call4(CVM_HOST, CVM_HOST_KVM, 0, 0, 0);
	if (split)
		unregister_kprobe(&probe);
}

module_init(refuse_init);
module_exit(refuse_exit);
MODULE_DESCRIPTION("A conversion that does not succeed");
MODULE_LICENSE("GPL");
