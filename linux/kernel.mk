# SPDX-License-Identifier: GPL-2.0
# Kernels built from Debian's source (linux/tools/source, linux/tools/kernel), stock and
# with the series of patches, and what they do on each platform:
#
#   make linux [VERSION=6.12]   6.1, 6.12, 7.3..., newest
#
# build/linux/stock-V/initrd and build/linux/native-V/initrd build one without
# booting it. Objects stay, so that a change to a patch costs seconds.

VERSION ?= $(LINUX_DEFAULT)
LINUX_CONFIG := linux/config/guest.config linux/config/needed
LINUX_SERIES := $(wildcard linux/tools/series linux/tools/place \
	linux/native/* linux/native/*/* linux/after/*/*)

.PHONY: linux linux-kernel-setup
linux-kernel-setup: linux-setup
	@scripts/setup kernel

$(LINUX)/source-%/version: linux/tools/source | linux-kernel-setup
	$(call say,SOURCE,$(@D))
	$(Q)linux/tools/source $* $(@D)

$(LINUX)/stock-%/built: $(LINUX)/source-%/version linux/tools/kernel $(LINUX_CONFIG)
	$(call say,KERNEL,$(@D))
	$(Q)linux/tools/kernel stock $* $(<D)

$(LINUX)/native-%/built: $(LINUX)/source-%/version linux/tools/kernel \
		$(LINUX_CONFIG) $(LINUX_SERIES)
	$(call say,KERNEL,$(@D))
	$(Q)linux/tools/kernel native $* $(<D)

$(LINUX)/stock-%/initrd: $(LINUX)/stock-%/built $(LINUX_GUEST_SRC)
	$(call say,GUEST,$@)
	$(Q)linux/tools/initrd $(@D)

$(LINUX)/native-%/initrd: $(LINUX)/native-%/built $(LINUX_GUEST_SRC)
	$(call say,GUEST,$@)
	$(Q)linux/tools/initrd $(@D)

.PRECIOUS: $(LINUX)/source-%/version \
	$(LINUX)/stock-%/built $(LINUX)/native-%/built \
	$(LINUX)/stock-%/initrd $(LINUX)/native-%/initrd

# There is no series for 6.1.
define linux_built # VERSION
$(foreach k,stock $(if $(filter 6.1,$(1)),,native),$(LINUX)/$(k)-$(1)/initrd)
endef

linux: $(call linux_built,$(VERSION)) $(B)/airlock
	@linux/tools/boots $(VERSION)

# Two whole kernels are many minutes: what needs the stock one too is a target
# of its own. Debian's is seen to fail all the same.
.PHONY: check-linux-kernel check-linux-kernel-stock
check-linux-kernel: $(LINUX)/native-$(LINUX_DEFAULT)/initrd $(B)/airlock
	@scripts/t linux-kernel tests/linux/kernel $(LINUX_DEFAULT) native
check-linux-kernel-stock: $(LINUX)/stock-$(LINUX_DEFAULT)/initrd $(B)/airlock
	@scripts/t linux-kernel-stock tests/linux/kernel $(LINUX_DEFAULT) stock

CHECKS_ALL += check-linux-kernel
