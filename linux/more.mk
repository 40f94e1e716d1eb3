# SPDX-License-Identifier: GPL-2.0
# Kernels whose configuration has more than linux/config/guest.config, and what
# is asked of them. Each is a build of some minutes, so nothing depends on them:
#
#  make check-linux-heap [VERSION=newest]   a program and a dma-buf heap
#  make check-linux-kexec-newest            kexec and crash kernels, the series
#  make check-linux-configs                 kernels that look for mistakes

MORE_VERSION = $(if $(filter file,$(origin VERSION)),newest,$(VERSION))

define linux_more # KIND VERSION MORE
$(LINUX)/$(1)-$(2)+$(3)/built: $(LINUX)/source-$(2)/version \
		linux/tools/kernel linux/config/$(3).config $(LINUX_CONFIG) \
		$(if $(filter native,$(1)),$(LINUX_SERIES)) \
		| $(LINUX)/$(1)-$(2)/built
	$(call say,KERNEL,$$(@D))
	$(Q)linux/tools/kernel $(1) $(2)+$(3) $$(<D)
$(LINUX)/$(1)-$(2)+$(3)/initrd: $(LINUX)/$(1)-$(2)+$(3)/built $(LINUX_GUEST_SRC)
	$(call say,GUEST,$$@)
	$(Q)linux/tools/initrd $$(@D)
.PRECIOUS: $(LINUX)/$(1)-$(2)+$(3)/built $(LINUX)/$(1)-$(2)+$(3)/initrd
endef

# ---- the heap, whose conversions are a program's doing ----

$(foreach k,stock native,$(eval $(call linux_more,$(k),$(MORE_VERSION),heap)))

define linux_check_heap # NAME PLATFORM KIND EXPECT OPTIONS
.PHONY: check-linux-heap-$(1)
check-linux-heap-$(1): $(LINUX)/$(3)-$(MORE_VERSION)+heap/initrd $(B)/airlock
	@scripts/t linux-heap-$(1) tests/linux/heap $(2) $(3) $(4) \
		--kernel $(3)-$(MORE_VERSION)+heap $(5)
check-linux-heap: check-linux-heap-$(1)
endef
.PHONY: check-linux-heap
$(foreach p,snp tdx,\
	$(eval $(call linux_check_heap,$(p)-stock,$(p),stock,ends,))\
	$(eval $(call linux_check_heap,$(p)-native,$(p),native,survives,)))

# One conversion of a buffer fails: by the host, or for want of a page table.
define linux_check_chunks # KIND EXPECT-TDX EXPECT-SNP
$(call linux_check_heap,tdx-$(1)-refused,tdx,$(1),$(2),--host failing:1)
$(call linux_check_heap,tdx-$(1)-half,tdx,$(1),$(2),--host failing:3:half)
$(call linux_check_heap,tdx-$(1)-split,tdx,$(1),$(2),--split 4)
$(call linux_check_heap,snp-$(1)-split,snp,$(1),$(3),--split 4)
endef
$(eval $(call linux_check_chunks,stock,leaks,terminates))
$(eval $(call linux_check_chunks,native,keeps,keeps))

# ---- kexec, with the series ----

LINUX_KEXEC := native-$(MORE_VERSION)+kexec
$(eval $(call linux_more,native,$(MORE_VERSION),kexec))
$(LINUX)/$(LINUX_KEXEC)/kexec-initrd: $(LINUX)/$(LINUX_KEXEC)/built \
		linux/tools/kexec-initrd cvm/abi/guest-abi.h \
		$(wildcard linux/guest/kexec/* linux/guest/refuse/*)
	$(call say,GUEST,$@)
	$(Q)linux/tools/kexec-initrd $(@D)
.PRECIOUS: $(LINUX)/$(LINUX_KEXEC)/kexec-initrd

define linux_kexec_newest # NAME PLATFORM EXPECT OPTIONS
.PHONY: check-linux-kexec-newest-$(1)
check-linux-kexec-newest-$(1): $(LINUX)/$(LINUX_KEXEC)/kexec-initrd $(B)/airlock
	@scripts/t linux-kexec-newest-$(1) tests/linux/kexec $(2) $(3) \
		--kernel $(LINUX_KEXEC) $(4)
check-linux-kexec-newest: check-linux-kexec-newest-$(1)
endef
.PHONY: check-linux-kexec-newest
$(foreach p,$(CONFIDENTIAL),\
	$(eval $(call linux_kexec_newest,$(p),$(p),safe,))\
	$(eval $(call linux_kexec_newest,$(p)-midway,$(p),safe,\
		--midway --cpus 4))\
	$(eval $(call linux_kexec_newest,$(p)-crash,$(p),crash,--crash)))
# The second conversion is that of 8 pages. SNP guests end themselves.
$(foreach p,tdx vtom tdp,$(foreach h,2 2:half,\
	$(eval $(call linux_kexec_newest,$(p)-failing-$(subst :,-,$(h)),$(p),\
		refused,--host failing:$(h)))))
$(eval $(call linux_kexec_newest,snp-failing,snp,ended,--host failing:2))

# ---- configurations that look for mistakes, with the series ----

CONFIG_VERSION = $(if $(filter file,$(origin VERSION)),$(LINUX_DEFAULT),$(VERSION))
define linux_config # MORE
$(eval $(call linux_more,native,$(CONFIG_VERSION),$(1)))
.PHONY: check-linux-config-$(1)
check-linux-config-$(1): $(LINUX)/native-$(CONFIG_VERSION)+$(1)/initrd $(B)/airlock
	@scripts/t linux-config-$(1) tests/linux/config $(CONFIG_VERSION)+$(1)
check-linux-configs: check-linux-config-$(1)
endef
.PHONY: check-linux-configs
$(foreach c,lockdep kasan pagealloc kfence rt,$(eval $(call linux_config,$(c))))
