# SPDX-License-Identifier: GPL-2.0
# Kernels built from Debian's source (linux/tools/source, linux/tools/kernel), stock and
# with the series of patches, and what they do on each platform:
#
#   make linux [VERSION=6.12]   6.1, 6.12, 7.3..., newest
#
# build/linux/stock-V/initrd and build/linux/airlock-V/initrd build one without
# booting it. Objects stay, so that a change to a patch costs seconds.

VERSION ?= $(LINUX_DEFAULT)
LINUX_CONFIG := linux/config/guest.config linux/config/needed
LINUX_SERIES := $(wildcard linux/tools/series linux/tools/fit linux/steps/*/* \
	linux/backport/* linux/port/* include/airlock/*.h \
	engine/transition.[ch] engine/order.c)

LINUX_NATIVE := $(wildcard linux/tools/native linux/tools/place \
	linux/native/* linux/native/*/*)

.PHONY: linux linux-kernel-setup
linux-kernel-setup: linux-setup
	@scripts/setup kernel

$(LINUX)/source-%/version: linux/tools/source | linux-kernel-setup
	$(call say,SOURCE,$(@D))
	$(Q)linux/tools/source $* $(@D)

$(LINUX)/stock-%/built: $(LINUX)/source-%/version linux/tools/kernel $(LINUX_CONFIG)
	$(call say,KERNEL,$(@D))
	$(Q)linux/tools/kernel stock $* $(<D)

# After the stock kernel, whose objects are most of it.
$(LINUX)/airlock-%/built: $(LINUX)/source-%/version linux/tools/kernel \
		$(LINUX_CONFIG) $(LINUX_SERIES) | $(LINUX)/stock-%/built
	$(call say,KERNEL,$(@D))
	$(Q)linux/tools/kernel airlock $* $(<D)

$(LINUX)/stock-%/initrd: $(LINUX)/stock-%/built $(LINUX_GUEST_SRC)
	$(call say,GUEST,$@)
	$(Q)linux/tools/initrd $(@D)

$(LINUX)/airlock-%/initrd: $(LINUX)/airlock-%/built $(LINUX_GUEST_SRC)
	$(call say,GUEST,$@)
	$(Q)linux/tools/initrd $(@D)

# The other series, which changes the kernel's own code.
$(LINUX)/native-%/built: $(LINUX)/source-%/version linux/tools/kernel \
		$(LINUX_CONFIG) $(LINUX_NATIVE) | $(LINUX)/stock-%/built
	$(call say,KERNEL,$(@D))
	$(Q)linux/tools/kernel native $* $(<D)

$(LINUX)/native-%/initrd: $(LINUX)/native-%/built $(LINUX_GUEST_SRC)
	$(call say,GUEST,$@)
	$(Q)linux/tools/initrd $(@D)

.PRECIOUS: $(LINUX)/native-%/built $(LINUX)/native-%/initrd
.PRECIOUS: $(LINUX)/source-%/version $(LINUX)/stock-%/built \
	$(LINUX)/airlock-%/built $(LINUX)/stock-%/initrd \
	$(LINUX)/airlock-%/initrd

define linux_built # VERSION
$(foreach k,stock $(if $(wildcard linux/tools/series),airlock),\
	$(LINUX)/$(k)-$(1)/initrd)
endef

linux: $(call linux_built,$(VERSION)) $(B)/airlock
	@linux/tools/boots $(VERSION)

.PHONY: check-linux-kernel
check-linux-kernel: $(call linux_built,$(LINUX_DEFAULT)) $(B)/airlock
	@scripts/t linux-kernel tests/linux/kernel $(LINUX_DEFAULT)

CHECKS_ALL += check-linux-kernel
