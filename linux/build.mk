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
	$(wildcard linux/livepatch/*/*) linux/tools/fit \
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

$(LINUX)/%/kexec-initrd: $(LINUX)/%/fetched linux/tools/kexec-initrd \
		$(wildcard linux/guest/kexec/* linux/guest/refuse/*) \
		cvm/abi/guest-abi.h | linux-setup
	$(call say,GUEST,$@)
	$(Q)linux/tools/kexec-initrd $(@D)

.PRECIOUS: $(LINUX)/%/fetched $(LINUX)/%/initrd $(LINUX)/%/kexec-initrd
linux-guest: $(LINUX)/$(LINUX_DEFAULT)/initrd

# ---- tests and the show ----

LINUX_ANSWERS := $(B)/tests/linux/answers
$(LINUX_ANSWERS): tests/linux/answers.c linux/livepatch/port/answers.h \
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
		$(LINUX)/$(LINUX_DEFAULT)-amd64/fetched)
	@scripts/t linux-run-$(1) tests/linux/run $(2) $(3)
endef
$(foreach p,$(PLATFORMS),$(eval $(call linux_run,$(p),command,$(p))))
$(eval $(call linux_run,ends,ends,vtom))
$(eval $(call linux_run,refused,refused,snp))
$(eval $(call linux_run,options,options,none))
$(eval $(call linux_run,image,image,tdp))
$(eval $(call linux_run,tree,tree,vtom))
$(eval $(call linux_run,terminal,terminal,none))
$(eval $(call linux_run,debug,debug,snp))
.PHONY: debug-setup
debug-setup:
	@scripts/setup debug
check-linux-run-debug: debug-setup
LINUX_RUNS := $(patsubst %,check-linux-run-%,$(PLATFORMS) ends options image \
	tree terminal debug)

# Attestation, which is emulated.
define run_attest # WHAT
.PHONY: check-run-attest-$(1)
check-run-attest-$(1): $(B)/airlock $(LINUX)/$(LINUX_DEFAULT)-amd64/fetched
	@scripts/setup host
	@scripts/t run-attest-$(1) tests/linux/attest $(1)
RUN_ATTESTS += check-run-attest-$(1)
endef
RUN_ATTESTS :=
$(foreach w,snp tdx between,$(eval $(call run_attest,$(w))))
.PHONY: check-run-attest
check-run-attest: $(RUN_ATTESTS)

# `airlock storm --here', with modules that dkms built; some minutes, and so a
# target of its own, but for what it says where it cannot begin.
.PHONY: check-linux-here check-linux-here-refused
check-linux-here-refused: $(B)/airlock
	@scripts/t linux-here-refused tests/linux/here refused
check-linux-here: $(LINUX)/$(LINUX_DEFAULT)-amd64/fetched $(B)/airlock
	@scripts/setup dkms
	@scripts/t linux-here tests/linux/here dkms

# Debian's kernels of three series, cloud, ordinary and real-time.
RUN_SERIES := 6.1 6.12 7.3
RUN_KERNELS ?= $(foreach s,$(RUN_SERIES),$(s) $(s)-amd64 $(s)-rt)
.PHONY: check-run-kernels
check-run-kernels: $(B)/airlock \
		$(patsubst %,$(LINUX)/%/fetched,$(RUN_KERNELS))
	@scripts/t run-kernels tests/linux/run-kernels $(RUN_KERNELS)

# A Debian with systemd as the root: some minutes, and a root of 500 MiB.
DEBIAN_ROOT := $(LINUX)/debian-root
$(DEBIAN_ROOT)/done: linux/tools/debian-root
	@scripts/setup fresh
	$(call say,ROOT,$(@D))
	$(Q)linux/tools/debian-root $(@D) stress-ng fio
.PHONY: check-run-systemd
check-run-systemd: $(B)/airlock $(DEBIAN_ROOT)/done \
		$(LINUX)/$(LINUX_DEFAULT)-amd64/fetched
	@scripts/t run-systemd tests/linux/systemd $(DEBIAN_ROOT)/root \
		$(RUN_PLATFORMS)

# `airlock linux kexec': what 6.12 can, and what it cannot.
define linux_kexec # NAME PLATFORM EXPECT OPTIONS
.PHONY: check-linux-kexec-$(1)
check-linux-kexec-$(1): $(LINUX)/$(LINUX_DEFAULT)/kexec-initrd $(B)/airlock
	@scripts/t linux-kexec-$(1) tests/linux/kexec $(2) $(3) $(4)
LINUX_KEXECS += check-linux-kexec-$(1)
endef
LINUX_KEXECS :=
$(eval $(call linux_kexec,tdx,tdx,safe,))
$(eval $(call linux_kexec,tdx-4,tdx,safe,--cpus 4))
$(eval $(call linux_kexec,tdx-midway,tdx,safe,--midway --cpus 4))
$(eval $(call linux_kexec,none,none,safe,))
$(eval $(call linux_kexec,snp,snp,cannot,))
$(eval $(call linux_kexec,vtom,vtom,left,))
.PHONY: check-linux-kexec
check-linux-kexec: $(LINUX_KEXECS)

LINUX_CHECKS := check-linux-run-refused check-linux-here-refused $(patsubst %,check-linux-%,snp-stock $(CONFIDENTIAL) devices-vtom)
LINUX_CHECKS_ALL := $(patsubst %,check-linux-%,tdx-stock vtom-present \
	snp-early snp-lazy tdx-lazy) $(foreach p,$(CONFIDENTIAL),\
	$(patsubst %,check-linux-$(p)-%,long 4 failing half hostile)) \
	$(filter-out $(LINUX_CHECKS),$(LINUX_DEVICES)) $(LINUX_RUNS) check-run-attest-snp check-run-attest-tdx \
	check-linux-kexec-tdx

.PHONY: check-linux check-linux-all
check-linux: $(LINUX_CHECKS)
check-linux-all: $(LINUX_CHECKS) $(LINUX_CHECKS_ALL)

CHECKS += check-linux
CHECKS_ALL += check-linux-all

include linux/kernel.mk
include linux/series.mk
include linux/more.mk
include linux/bench.mk
