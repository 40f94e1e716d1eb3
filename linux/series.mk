# SPDX-License-Identifier: GPL-2.0
#   make linux-series TREE=DIR [OUT=DIR]   patches for a kernel's source tree

OUT ?= $(LINUX)/series

.PHONY: linux-series
linux-series: linux-kernel-setup
	@[ -n '$(TREE)' ] || { \
		echo 'make linux-series TREE=DIR [OUT=DIR]: whose series?' >&2; \
		exit 2; }
	@linux/tools/series '$(TREE)' '$(OUT)'
	@echo 'in $(OUT)'

# The default, which is the oldest, and the newest that it is for.
LINUX_SERIES_FOR := $(LINUX_DEFAULT) newest

define linux_check_series # VERSION
.PHONY: check-linux-series-$(1)
check-linux-series-$(1): $(LINUX)/source-$(1)/version
	@scripts/t linux-series-$(1) tests/linux/series $(1)
endef
$(foreach v,$(LINUX_SERIES_FOR),$(eval $(call linux_check_series,$(v))))

# What is newest changes by itself, so nothing depends on it.
CHECKS_ALL += $(patsubst %,check-linux-series-%,\
	$(filter-out newest,$(LINUX_SERIES_FOR)))

# KUnit, in the kernel built with it; and of the port that is the live patch.
LINUX_NATIVE := native-$(LINUX_DEFAULT)
define linux_check_kunit # PLATFORM
.PHONY: check-linux-kunit-$(1)
check-linux-kunit-$(1): $(LINUX)/$(LINUX_NATIVE)/initrd $(B)/airlock
	@scripts/t linux-kunit-$(1) tests/linux/kunit $(1) $(LINUX_DEFAULT)
.PHONY: check-linux-kunit-port-$(1)
check-linux-kunit-port-$(1): $(LINUX)/$(LINUX_NATIVE)/initrd $(B)/airlock
	@scripts/t linux-kunit-port-$(1) tests/linux/kunit $(1) \
		$(LINUX_DEFAULT) port
endef
$(foreach p,$(PLATFORMS),$(eval $(call linux_check_kunit,$(p))))

CHECKS_ALL += $(patsubst %,check-linux-kunit-%,\
	$(PLATFORMS) $(addprefix port-,$(PLATFORMS)))

# The storm on that kernel, with 4 CPUs; hosts that fail and lie. Four CPUs of
# which three read all the time are more than two cores can run at once, so the
# 2,000 conversions of each shape have a target of their own.
define linux_check_built # NAME PLATFORM EXPECT OPTIONS
$(call linux_storm,$(1),$(2),built,$(3),--kernel $(LINUX_NATIVE) $(4),\
	$(LINUX)/$(LINUX_NATIVE)/initrd)
endef
LINUX_BUILT_LONG :=
$(foreach p,$(CONFIDENTIAL),\
	$(eval $(call linux_check_built,$(p)-built,$(p),safe,--cpus 4 \
		--conversions 400))\
	$(eval $(call linux_check_built,$(p)-built-failing,$(p),\
		$(if $(filter snp,$(p)),ended,leaked),\
		--host failing:25 $(LINUX_QUICK)))\
	$(eval $(call linux_check_built,$(p)-built-hostile,$(p),alive,\
		--host hostile:7 $(LINUX_QUICK)))\
	$(foreach n,2 4,\
		$(eval $(call linux_check_built,$(p)-built-long-$(n),$(p),safe,\
			--cpus $(n) --time-limit 1800))\
		$(eval LINUX_BUILT_LONG += check-linux-$(p)-built-long-$(n)))\
	$(eval CHECKS_ALL += $(addprefix check-linux-$(p)-,\
		built built-failing built-hostile)))

.PHONY: check-linux-built-long
check-linux-built-long: $(LINUX_BUILT_LONG)
