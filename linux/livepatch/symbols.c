// SPDX-License-Identifier: GPL-2.0
/*
 * What the port calls and the kernel does not export, looked up by a kprobe,
 * which no product should do; and what a built-in port would add to the
 * kernel's own files.
 */
#include <linux/cc_platform.h>
#include <linux/cpu.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <asm/cpufeature.h>

#include "port.h"

#undef init_mm
#undef max_pfn_mapped
#undef snp_vmpl

struct unexported unexported;

static unsigned long (*lookup)(const char *name);

static int find_lookup(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	int err = register_kprobe(&kp);

	if (err)
		return err;
	lookup = (void *)kp.addr;
	unregister_kprobe(&kp);
	return 0;
}

static bool missing;

static void *find(const char *name)
{
	unsigned long at = lookup(name);

	if (!at) {
		pr_err("this kernel has no %s\n", name);
		missing = true;
	}
	return (void *)at;
}

/* Older kernels have no such key, and look always. */
static struct static_key *checks;

static void find_common(void)
{
	/* Older kernels run at VMPL0 only, and have no such variable. */
	static u8 vmpl0;

	unexported.init_mm = find("init_mm");
	unexported.cc_mkenc = find("cc_mkenc");
	unexported.cc_mkdec = find("cc_mkdec");
	unexported.set_memory_4k = find("set_memory_4k");
	unexported.flush_tlb_kernel_range = find("flush_tlb_kernel_range");
	unexported.flush_tlb_all = find("flush_tlb_all");
	unexported.get_vm_area = find("get_vm_area");
	unexported.max_pfn_mapped = find("max_pfn_mapped");
	unexported.text = find("_text");
	unexported.end = find("_end");
	checks = (struct static_key *)lookup("check_pages_enabled");
	unexported.snp_vmpl = (u8 *)lookup("snp_vmpl") ?: &vmpl0;
}

/* ---- what it would add to the kernel's own files ---- */

/* Of the kernel only the address is taken: it is a struct ghcb_state. */
static struct ghcb *(*sev_get_ghcb)(void *state);
static void (*sev_put_ghcb)(void *state);

int snp_with_ghcb(snp_ghcb_fn fn, void *arg)
{
	struct ghcb *state = NULL;
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = fn(sev_get_ghcb(&state), arg);
	sev_put_ghcb(&state);
	local_irq_restore(flags);
	return ret;
}

static atomic_long_t *nr_shared;

void tdx_count_shared(long pages)
{
	if (nr_shared)
		atomic_long_add(pages, nr_shared);
}

void page_checks_enable(void)
{
	if (!checks || !cpus_read_trylock())
		return;
	static_key_enable_cpuslocked(checks);
	cpus_read_unlock();
}

static void find_platform(void)
{
	if (cc_platform_has(CC_ATTR_GUEST_SEV_SNP)) {
		sev_get_ghcb = find("__sev_get_ghcb");
		sev_put_ghcb = find("__sev_put_ghcb");
	}
#ifdef CONFIG_INTEL_TDX_GUEST
	if (boot_cpu_has(X86_FEATURE_TDX_GUEST)) {
		unexported.tdx_hypercall = find("__tdx_hypercall");
		unexported.tdcall = find("__tdcall");
		nr_shared = (atomic_long_t *)lookup("nr_shared");
	}
#endif
}

int airlock_find_symbols(void)
{
	int err = find_lookup();

	if (err)
		return err;
	find_common();
	find_platform();
	return missing ? -ENOENT : 0;
}
