# SPDX-License-Identifier: GPL-2.0
#   make linux-series TREE=DIR [OUT=DIR]   patches for a kernel's source tree
#   make linux-native TREE=DIR [OUT=DIR]   ... that change the kernel's own code

OUT ?= $(LINUX)/series

.PHONY: linux-series
linux-series: linux-kernel-setup
	@[ -n '$(TREE)' ] || { \
		echo 'make linux-series TREE=DIR [OUT=DIR]: whose series?' >&2; \
		exit 2; }
	@linux/tools/series '$(TREE)' '$(OUT)'
	@echo 'in $(OUT)'

# The oldest, the default and the newest that it is for.
LINUX_SERIES_FOR := 6.1 $(LINUX_DEFAULT) newest

define linux_check_series # VERSION
.PHONY: check-linux-series-$(1)
check-linux-series-$(1): $(LINUX)/source-$(1)/version
	@scripts/t linux-series-$(1) tests/linux/series $(1)
endef
$(foreach v,$(LINUX_SERIES_FOR),$(eval $(call linux_check_series,$(v))))

# What is newest changes by itself, so nothing depends on it.
CHECKS_ALL += $(patsubst %,check-linux-series-%,\
	$(filter-out newest,$(LINUX_SERIES_FOR)))

.PHONY: linux-native
linux-native: linux-kernel-setup
	@[ -n '$(TREE)' ] || { \
		echo 'make linux-native TREE=DIR [OUT=DIR]: whose series?' >&2; \
		exit 2; }
	@linux/tools/native '$(TREE)' '$(OUT)'
	@echo 'in $(OUT)'

define linux_check_native # VERSION
.PHONY: check-linux-native-$(1)
check-linux-native-$(1): $(LINUX)/source-$(1)/version
	@scripts/t linux-native-$(1) tests/linux/native $(1)
endef
$(foreach v,$(LINUX_DEFAULT) newest,$(eval $(call linux_check_native,$(v))))
CHECKS_ALL += check-linux-native-$(LINUX_DEFAULT)

# The kernel built with that, which takes a build of its own: KUnit, the storm
# with 4 CPUs, and a host that refuses.
NATIVE_GUEST := $(LINUX)/native-$(LINUX_DEFAULT)/initrd
define linux_check_native_built # PLATFORM
.PHONY: check-linux-native-$(1)-kunit
check-linux-native-$(1)-kunit: $(NATIVE_GUEST) $(B)/airlock
	@scripts/t linux-native-$(1)-kunit tests/linux/kunit $(1) \
		$(LINUX_DEFAULT) native
$(call linux_storm,native-$(1),$(1),built,safe,\
	--kernel native-$(LINUX_DEFAULT) --cpus 4 --conversions 200,\
	$(NATIVE_GUEST))
$(call linux_storm,native-$(1)-failing,$(1),built,\
	$(if $(filter snp,$(1)),ended,leaked),\
	--kernel native-$(LINUX_DEFAULT) --host failing:25 $(LINUX_QUICK),\
	$(NATIVE_GUEST))
check-linux-native: check-linux-native-$(1)-kunit check-linux-native-$(1) \
	check-linux-native-$(1)-failing
endef
.PHONY: check-linux-native
$(foreach p,$(CONFIDENTIAL),$(eval $(call linux_check_native_built,$(p))))

# KUnit, in the built kernel.
define linux_check_kunit # PLATFORM
.PHONY: check-linux-kunit-$(1)
check-linux-kunit-$(1): $(LINUX)/airlock-$(LINUX_DEFAULT)/initrd \
		$(B)/airlock
	@scripts/t linux-kunit-$(1) tests/linux/kunit $(1) $(LINUX_DEFAULT)
endef
$(foreach p,$(PLATFORMS),$(eval $(call linux_check_kunit,$(p))))

CHECKS_ALL += $(patsubst %,check-linux-kunit-%,$(PLATFORMS))

# Sparse looks at the objects of a tree that is configured.
check-linux-series-$(LINUX_DEFAULT): $(LINUX)/airlock-$(LINUX_DEFAULT)/built

# The whole storm on the built kernel, with 4 CPUs; hosts that fail and lie.
define linux_check_built # NAME PLATFORM EXPECT OPTIONS
$(call linux_storm,$(1),$(2),built,$(3),--kernel airlock-$(LINUX_DEFAULT) $(4),\
	$(LINUX)/airlock-$(LINUX_DEFAULT)/initrd)
CHECKS_ALL += check-linux-$(1)
endef
$(foreach p,$(CONFIDENTIAL),\
	$(eval $(call linux_check_built,$(p)-built,$(p),safe,--cpus 4))\
	$(eval $(call linux_check_built,$(p)-built-failing,$(p),refused,\
		--host failing:25 $(LINUX_QUICK)))\
	$(eval $(call linux_check_built,$(p)-built-hostile,$(p),alive,\
		--host hostile:7 $(LINUX_QUICK))))
