// SPDX-License-Identifier: GPL-2.0
/*
 * Pages for kexec to turn back, and a look at all memory afterwards.
 *
 *   share   converts pages to shared and keeps them so: in the direct map of
 *           each size, and in vmalloc space
 *   churn   a thread on every CPU converts pages to and fro until the kernel
 *           refuses, which is when it is about to start the next one
 *   touch   reads every page of RAM as this kernel has it mapped, but for its
 *           own bss, which is what `bss' says, by physical addresses: a part
 *           of that is shared on SNP (.bss..decrypted), while the direct map has
 *           it private, with or without kexec
 *
 * Report, for programs to read:
 *   kexec: shared N pages, M refused
 *   kexec: churning on N cpus
 *   kexec: touched N pages, M not mapped
 */
#define pr_fmt(fmt) "kexec: " fmt
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/set_memory.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

static bool share, churn, touch;
static unsigned long bss[2];
module_param(share, bool, 0444);
module_param(churn, bool, 0444);
module_param(touch, bool, 0444);
module_param_array(bss, ulong, NULL, 0444);

/*
 * They stay allocated, and what they are, to the end of this kernel: also what
 * it refused, as 6.12 on TDX does in vmalloc space.
 */
static unsigned int refused;

static unsigned int share_pages(void *va, unsigned int pages)
{
	if (!va)
		return 0;
	if (set_memory_decrypted((unsigned long)va, pages)) {
		refused += pages;
		return 0;
	}
	memset(va, 0x5c, pages * PAGE_SIZE);
	return pages;
}

static void share_some(void)
{
	static const unsigned int orders[] = { 0, 3, 9 };
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		n += share_pages((void *)__get_free_pages(GFP_KERNEL,
							  orders[i]),
				 1u << orders[i]);
	n += share_pages(vmalloc(8 * PAGE_SIZE), 8);
	pr_info("shared %u pages, %u refused\n", n, refused);
}

static atomic_t churning;

static int churn_thread(void *arg)
{
	unsigned long va = __get_free_pages(GFP_KERNEL, 3);
	unsigned int n;

	if (!va)
		return -ENOMEM;
	for (n = 0; !set_memory_decrypted(va, 8) &&
	     !set_memory_encrypted(va, 8); n++) {
		if (!n)
			atomic_inc(&churning);
		cond_resched();
	}
	/* The pages are in doubt: nobody gets them. */
	while (!kthread_should_stop())
		schedule_timeout_idle(HZ);
	return 0;
}

static int churn_all(void)
{
	unsigned int n = 0;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct task_struct *t;

		t = kthread_create_on_cpu(churn_thread, NULL, cpu, "churn/%u");
		if (IS_ERR(t))
			break;
		wake_up_process(t);
		n++;
	}
	cpus_read_unlock();
	while (atomic_read(&churning) < n)
		msleep(1);
	pr_info("churning on %u cpus\n", n);
	return 0;
}

#define MOST_MEMORY	(32UL << 30)	/* the machine has 16 GiB at most */

static bool in_bss(unsigned long pfn)
{
	return pfn >= PFN_DOWN(bss[0]) && pfn < PFN_UP(bss[1]);
}

static void touch_all(void)
{
	unsigned long pfn, pages = 0, unmapped = 0;
	u64 word;

	for (pfn = 0; pfn < MOST_MEMORY >> PAGE_SHIFT; pfn++) {
		if (!pfn_valid(pfn)) {
			pfn |= PAGES_PER_SECTION - 1;
			continue;
		}
		if (!page_is_ram(pfn) || in_bss(pfn))
			continue;
		if (copy_from_kernel_nofault(&word, pfn_to_kaddr(pfn),
					     sizeof(word)))
			unmapped++;
		else
			pages++;
		if (!(pfn % 4096))
			cond_resched();
	}
	pr_info("touched %lu pages, %lu not mapped\n", pages, unmapped);
}

static int __init kexec_init(void)
{
	if (share)
		share_some();
	if (touch)
		touch_all();
	return churn ? churn_all() : 0;
}

/* It stays: its threads do. */
module_init(kexec_init);
MODULE_DESCRIPTION("Pages for kexec to turn back");
MODULE_LICENSE("GPL");
