// SPDX-License-Identifier: GPL-2.0
/*
 * Airlock in a kernel that was built without it, as a live patch.
 *
 * For evaluation: symbols that the kernel does not export are looked up by a
 * kprobe, which no product should do.
 */
#define pr_fmt(fmt) "airlock: " fmt
#include <linux/cc_platform.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/mshyperv.h>

#include "port.h"

#define COUNT(name) module_param_named(name, airlock_counts.name, ulong, 0444)
COUNT(converted);
COUNT(refused);
COUNT(given_up);
COUNT(lies);
COUNT(shootdowns);

static char *order;
module_param(order, charp, 0444);
MODULE_PARM_DESC(order, "steps, to see what becomes of another order");

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

static void find_common(struct airlock_kernel *k)
{
	k->init_mm = find("init_mm");
	k->cc_mkenc = find("cc_mkenc");
	k->cc_mkdec = find("cc_mkdec");
	k->set_memory_4k = find("set_memory_4k");
	k->flush_tlb_kernel_range = find("flush_tlb_kernel_range");
	k->flush_tlb_all = find("flush_tlb_all");
	k->get_vm_area = find("get_vm_area");
	k->max_pfn_mapped = find("max_pfn_mapped");
	k->image_start = (unsigned long)find("_text");
	k->image_end = ALIGN((unsigned long)find("_end"), PMD_SIZE);
}

static void find_snp(struct airlock_kernel *k)
{
	k->sev_get_ghcb = find("__sev_get_ghcb");
	k->sev_put_ghcb = find("__sev_put_ghcb");
	/* Older kernels run at VMPL0 only, and have no such variable. */
	k->snp_vmpl = (u8 *)lookup("snp_vmpl");
}

static void find_tdx(struct airlock_kernel *k)
{
	k->tdx_hypercall = find("__tdx_hypercall");
	k->tdcall = find("__tdcall");
	k->nr_shared = (atomic_long_t *)lookup("nr_shared");
}

static enum airlock_platform platform(void)
{
	if (hv_is_isolation_supported() && ms_hyperv.paravisor_present)
		return cc_platform_has(CC_ATTR_MEM_ENCRYPT) ? AIRLOCK_VTOM :
		       AIRLOCK_PLAIN;
	if (cc_platform_has(CC_ATTR_GUEST_SEV_SNP))
		return AIRLOCK_SNP;
	if (boot_cpu_has(X86_FEATURE_TDX_GUEST))
		return AIRLOCK_TDX;
	return AIRLOCK_PLAIN;
}

static int find_all(struct airlock_kernel *k)
{
	int err = find_lookup();

	if (err)
		return err;
	find_common(k);
	airlock_platform = platform();
	if (airlock_platform == AIRLOCK_PLAIN)
		return -ENODEV;
	if (airlock_platform == AIRLOCK_SNP)
		find_snp(k);
	if (airlock_platform == AIRLOCK_TDX)
		find_tdx(k);
	if (missing)
		return -ENOENT;
	if (k->snp_vmpl && *k->snp_vmpl) {
		pr_err("under an SVSM PVALIDATE is not ours to do\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "__set_memory_enc_pgtable",
		.new_func = airlock_set_memory,
	},
	{ }
};

static struct klp_object objects[] = {
	{ .funcs = funcs },		/* of vmlinux */
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int __init patch_init(void)
{
	int err = find_all(&airlock_kernel);

	airlock_order = airlock_default_order;
	if (order && airlock_order_parse(order, &airlock_order, NULL))
		return -EINVAL;
	if (!err)
		err = airlock_port_init();
	if (err)
		return err;
	err = klp_enable_patch(&patch);
	if (err)
		airlock_port_exit();
	return err;
}

static void __exit patch_exit(void)
{
	airlock_port_exit();
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("Private/shared transitions with pages not present");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
