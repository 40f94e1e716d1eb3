# SPDX-License-Identifier: GPL-2.0
# Airlock in Linux: Debian's kernel, the storm and the live patch, which
# `airlock linux' boots.
#
# Modules and the guest's initramfs need Debian's kernel headers: they are
# made by `make linux-guest` and by the targets that boot, not by `make all`.

LINUX := $(B)/linux
LINUX_GUEST_SRC := $(wildcard linux/*/Kbuild linux/*/*.[ch] \
	linux/guest/*/Kbuild linux/guest/*/*.[ch] \
	engine/transition.[ch] engine/order.c include/airlock/*.h) \
	$(wildcard linux/backport/*) linux/tools/fit \
	cvm/abi/guest-abi.h cvm/abi/platforms.h linux/tools/initrd linux/guest/init linux/guest/traffic
LINUX_DEFAULT := 6.12

.PHONY: linux-setup linux-guest
linux-setup:
	@scripts/setup qemu linux

$(LINUX)/%/fetched: linux/tools/fetch | linux-setup
	$(call say,FETCH,$(@D))
	$(Q)linux/tools/fetch $* $(@D)

$(LINUX)/%/initrd: $(LINUX)/%/fetched $(LINUX_GUEST_SRC) | linux-setup
	$(call say,GUEST,$@)
	$(Q)linux/tools/initrd $(@D)

$(LINUX)/%/run-initrd: $(LINUX)/%/fetched linux/tools/run-initrd linux/guest/run
	$(call say,GUEST,$@)
	$(Q)linux/tools/run-initrd $(@D)

.PRECIOUS: $(LINUX)/%/fetched $(LINUX)/%/initrd $(LINUX)/%/run-initrd
linux-guest: $(LINUX)/$(LINUX_DEFAULT)/initrd

# ---- tests and the show ----

LINUX_ANSWERS := $(B)/tests/linux/answers
$(LINUX_ANSWERS): tests/linux/answers.c linux/port/answers.h \
		include/airlock/airlock.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(HOST_CFLAGS) $(SAN) $< -o $@

.PHONY: check-linux-answers
check-linux-answers: $(LINUX_ANSWERS)
	@scripts/t linux-answers $<
CHECKS += check-linux-answers
CHECKS_ALL += check-linux-answers

define linux_storm # NAME PLATFORM KIND EXPECT OPTIONS [GUEST]
.PHONY: check-linux-$(1)
check-linux-$(1): $(or $(6),linux-guest) $(B)/airlock
	@scripts/t linux-$(1) tests/linux/storm $(2) $(3) $(4) $(5)
endef
COMMA := ,
LINUX_QUICK := --conversions 60
$(eval $(call linux_storm,snp-stock,snp,stock,broken,$(LINUX_QUICK)))
$(foreach p,$(CONFIDENTIAL),\
	$(eval $(call linux_storm,$(p),$(p),patched,safe,$(LINUX_QUICK))))

# The long ones: more CPUs, more conversions, and hosts that misbehave.
$(eval $(call linux_storm,tdx-stock,tdx,stock,broken,$(LINUX_QUICK)))
# A live patch whose order is wrong must be seen to be: today's, and one that
# is present too early.
$(eval $(call linux_storm,vtom-present,vtom,patched,broken,\
	--order alias$(COMMA)flip$(COMMA)tlb$(COMMA)notify $(LINUX_QUICK)))
$(eval $(call linux_storm,snp-early,snp,patched,broken,\
	--order alias$(COMMA)np+flip$(COMMA)tlb$(COMMA)present$(COMMA)notify \
	$(LINUX_QUICK)))
$(foreach p,snp tdx,\
	$(eval $(call linux_storm,$(p)-lazy,$(p),patched,safe,--lazy \
		$(LINUX_QUICK))))
$(foreach p,$(CONFIDENTIAL),\
	$(eval $(call linux_storm,$(p)-long,$(p),patched,safe,))\
	$(eval $(call linux_storm,$(p)-4,$(p),patched,safe,\
		--cpus 4 --conversions 400))\
	$(eval $(call linux_storm,$(p)-failing,$(p),patched,refused,\
		--host failing:25 $(LINUX_QUICK)))\
	$(eval $(call linux_storm,$(p)-half,$(p),patched,refused,\
		--host failing:24:half $(LINUX_QUICK)))\
	$(eval $(call linux_storm,$(p)-hostile,$(p),patched,alive,\
		--host hostile:7 $(LINUX_QUICK))))

# Disk and network: under the storm, on the kernel as it is, with data damaged
# on purpose, and with DMA to private pages.
define linux_devices # NAME PLATFORM WHAT OPTIONS
.PHONY: check-linux-devices-$(1)
check-linux-devices-$(1): linux-guest $(B)/airlock
	@scripts/t linux-devices-$(1) tests/linux/devices $(2) $(3) $(4)
LINUX_DEVICES += check-linux-devices-$(1)
endef
LINUX_DEVICES :=
$(foreach p,$(CONFIDENTIAL),\
	$(eval $(call linux_devices,$(p),$(p),storm,$(LINUX_QUICK)))\
	$(eval $(call linux_devices,$(p)-boot,$(p),boot,)))
$(eval $(call linux_devices,spoiled,vtom,spoiled,$(LINUX_QUICK)))
$(eval $(call linux_devices,blocked,snp,blocked,$(LINUX_QUICK)))
$(eval $(call linux_devices,6.1,snp,boot,--kernel 6.1))
check-linux-devices-6.1: $(LINUX)/6.1/initrd

# `airlock run': an ordinary kernel, whose root is this host's.
define linux_run # NAME WHAT PLATFORM
.PHONY: check-linux-run-$(1)
check-linux-run-$(1): $(B)/airlock $(if $(filter refused,$(2)),,\
		$(LINUX)/$(LINUX_DEFAULT)-amd64/run-initrd)
	@scripts/t linux-run-$(1) tests/linux/run $(2) $(3)
endef
$(foreach p,$(PLATFORMS),$(eval $(call linux_run,$(p),command,$(p))))
$(eval $(call linux_run,ends,ends,vtom))
$(eval $(call linux_run,refused,refused,snp))
LINUX_RUNS := $(patsubst %,check-linux-run-%,$(PLATFORMS) ends)

LINUX_CHECKS := check-linux-run-refused $(patsubst %,check-linux-%,snp-stock $(CONFIDENTIAL) devices-vtom)
LINUX_CHECKS_ALL := $(patsubst %,check-linux-%,tdx-stock vtom-present \
	snp-early snp-lazy tdx-lazy) $(foreach p,$(CONFIDENTIAL),\
	$(patsubst %,check-linux-$(p)-%,long 4 failing half hostile)) \
	$(filter-out $(LINUX_CHECKS),$(LINUX_DEVICES)) $(LINUX_RUNS)

.PHONY: check-linux check-linux-all
check-linux: $(LINUX_CHECKS)
check-linux-all: $(LINUX_CHECKS) $(LINUX_CHECKS_ALL)

CHECKS += check-linux
CHECKS_ALL += check-linux-all

include linux/kernel.mk
include linux/series.mk
include linux/bench.mk
