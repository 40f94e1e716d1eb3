# SPDX-License-Identifier: GPL-2.0
# `airlock watch`: build/watch.so, which QEMU loads. The command, watch/cmd, is
# part of build/airlock (cli/build.mk).

WATCH := $(B)/watch
WATCH_LOGIC := core tables tlb cache judge order names
WATCH_PLUGIN_OBJS := $(patsubst %,$(WATCH)/%.o,$(WATCH_LOGIC) decode ksyms modsyms \
	plugin emit)
WATCH_CFLAGS := $(HOST_CFLAGS) -Iwatch

ALL += $(B)/watch.so

# No sanitizers: QEMU has none.
$(WATCH_PLUGIN_OBJS): $(WATCH)/%.o: watch/%.c watch/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WATCH_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

# GLib's and QEMU's functions are QEMU's own.
$(B)/watch.so: $(WATCH_PLUGIN_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -o $@ $^

-include $(wildcard $(WATCH)/*.d)

# ---- tests ----

# Sanitizers always: what is tested here is memory, and it costs seconds.
$(B)/tests/watch: tests/watch/units.c $(patsubst %,watch/%.c,$(WATCH_LOGIC) \
		decode) watch/watch.h watch/inside.h watch/decode.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WATCH_CFLAGS) -fsanitize=address,undefined \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$^) -lcmocka

.PHONY: check-watch-units
check-watch-units: $(B)/tests/watch
	@scripts/t watch-units tests/explore/run $(B)/tests/watch

# What a kernel is said to do: tests/watch/kernel has what to expect.
define watch_kernel # NAME EXPECT OPTIONS [GUEST]
.PHONY: check-watch-$(1)
check-watch-$(1): $(or $(4),linux-guest) $(B)/airlock $(B)/watch.so
	@scripts/t watch-$(1) tests/watch/kernel $(2) $(3)
WATCH_CHECKS += check-watch-$(1)
endef
WATCH_CHECKS :=
$(eval $(call watch_kernel,snp-stock,boot,--platform snp --conversions 0))
$(eval $(call watch_kernel,snp,safe,--platform snp --patched --conversions 4))
WATCH_QUICK := check-watch-units check-watch-verdicts $(WATCH_CHECKS)

# The long ones: every platform, more CPUs, hosts that misbehave.
WATCH_SOME := --patched --conversions 6
$(eval $(call watch_kernel,tdx-stock,boot,--platform tdx --conversions 0))
$(eval $(call watch_kernel,vtom-stock,safe,--platform vtom))
$(eval $(call watch_kernel,tdp-stock,safe,--platform tdp))
$(foreach p,tdx vtom tdp,\
	$(eval $(call watch_kernel,$(p),safe,--platform $(p) $(WATCH_SOME))))
$(foreach p,snp tdx vtom tdp,\
	$(eval $(call watch_kernel,$(p)-1,safe,\
		--platform $(p) $(WATCH_SOME) --cpus 1))\
	$(eval $(call watch_kernel,$(p)-4,safe,\
		--platform $(p) $(WATCH_SOME) --cpus 4))\
	$(eval $(call watch_kernel,$(p)-failing,safe,\
		--platform $(p) $(WATCH_SOME) --host failing:25))\
	$(eval $(call watch_kernel,$(p)-half,safe,\
		--platform $(p) $(WATCH_SOME) --host failing:24:half))\
	$(eval $(call watch_kernel,$(p)-hostile,alive,\
		--platform $(p) $(WATCH_SOME) --host hostile:7)))
WATCH_COMMA := ,
$(eval $(call watch_kernel,no-tlb,stale,--platform snp --conversions 4 \
	--order alias$(WATCH_COMMA)np+flip$(WATCH_COMMA)cache@window$(WATCH_COMMA)notify@window$(WATCH_COMMA)present))
$(eval $(call watch_kernel,6.1-vtom,bare,--platform vtom --kernel 6.1 \
	--conversions 0,$(B)/linux/6.1/initrd))
$(eval $(call watch_kernel,6.1-snp,boot,--platform snp --kernel 6.1 \
	--conversions 0,$(B)/linux/6.1/initrd))

# Break Airlock in Linux on purpose: `make mutants-linux', or some of them by
# MUTANTS="NAME ...".
.PHONY: mutants-linux
mutants-linux: linux-guest $(B)/airlock $(B)/watch.so
	@tests/mutants-linux/run $(MUTANTS)

# The lab and watch, on the reference kernel.
.PHONY: check-watch-verdicts check-watch-verdicts-all
check-watch-verdicts: $(GUEST_READY) $(B)/watch.so
	@scripts/t watch-verdicts tests/watch/verdicts quick

check-watch-verdicts-all: $(GUEST_READY) $(B)/watch.so
	@scripts/t watch-verdicts-all tests/watch/verdicts all

# One of each kind, that the runner itself is tried.
.PHONY: check-watch-mutants
check-watch-mutants: linux-guest $(B)/airlock $(B)/watch.so
	@scripts/t watch-mutants tests/mutants-linux/run only-this-cpu \
		one-line-short close-without-invlpg alias-forgotten

CHECKS += $(WATCH_QUICK)
CHECKS_ALL += $(WATCH_QUICK) $(WATCH_CHECKS) check-watch-mutants \
	check-watch-verdicts-all

.PHONY: bench-watch
bench-watch: linux-guest $(B)/airlock $(B)/watch.so
	@watch/measure $(B)/bench
BENCHES += bench-watch
