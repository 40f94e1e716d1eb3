# SPDX-License-Identifier: GPL-2.0
# `airlock watch`: build/watch.so, which QEMU loads. The command, watch/cmd, is
# part of build/airlock (cli/build.mk).

WATCH := $(B)/watch
WATCH_LOGIC := core tables tlb flush buffer cache judge order threads history trails names
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

# The same tests without sanitizers, on rules that are broken on purpose: `make
# mutants-watch', or ONLY="NAME ...".
$(WATCH)/units.o: tests/watch/units.c watch/watch.h watch/decode.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WATCH_CFLAGS) -c -o $@ $<

MUTANTS_WATCH = LIST=tests/mutants/watch LIMIT=60 CC='$(CC)' \
	CFLAGS='$(WATCH_CFLAGS)' LDLIBS=-lcmocka \
	OBJS='$(patsubst %,$(WATCH)/%.o,$(WATCH_LOGIC) decode)' \
	tests/mutants/run $(B) $(WATCH)/units.o
.PHONY: mutants-watch check-mutants-watch
mutants-watch: $(WATCH)/units.o $(WATCH_PLUGIN_OBJS)
	@env $(MUTANTS_WATCH) $(ONLY)

check-mutants-watch: $(WATCH)/units.o $(WATCH_PLUGIN_OBJS)
	@scripts/t mutants-watch env $(MUTANTS_WATCH)

# What is said of a finding, and of arguments that make no sense.
.PHONY: check-watch-show check-watch-tree
check-watch-show: linux-guest $(B)/airlock $(B)/watch.so $(B)/guest.elf
	@scripts/t watch-show tests/watch/show

# A kernel that somebody built.
check-watch-tree: linux-guest $(B)/airlock $(B)/watch.so
	@scripts/t watch-tree tests/watch/tree

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
WATCH_QUICK := check-watch-units check-watch-show check-watch-verdicts $(WATCH_CHECKS)

# The long ones: every platform, more CPUs, hosts that misbehave. Half is done
# of what has several pages, whatever the CPUs' timing is.
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
		--platform $(p) $(WATCH_SOME) --only 8 --host failing:3:half))\
	$(eval $(call watch_kernel,$(p)-hostile,alive,\
		--platform $(p) $(WATCH_SOME) --host hostile:7)))
# Eight CPUs are many for the machine that tests: two platforms always.
WATCH_EIGHT = $(call watch_kernel,$(1)-8,safe,\
	--platform $(1) --patched --conversions 4 --cpus 8)
$(foreach p,snp tdx,$(eval $(call WATCH_EIGHT,$(p))))
# A busy disk and network behind an IOMMU.
$(eval $(call watch_kernel,snp-devices,safe,\
	--platform snp --patched --conversions 4 --devices))
# A CPU that is off is asked for no flush.
$(foreach p,snp vtom,$(eval $(call watch_kernel,$(p)-offline,safe,\
	--platform $(p) --patched --conversions 4 --cpus 3 \
	--append airlock.offline)))
WATCH_COMMA := ,
$(eval $(call watch_kernel,no-tlb,stale,--platform snp --conversions 4 \
	--order alias$(WATCH_COMMA)np+flip$(WATCH_COMMA)cache@window$(WATCH_COMMA)notify@window$(WATCH_COMMA)present))
$(eval $(call watch_kernel,6.1-vtom,bare,--platform vtom --kernel 6.1 \
	--conversions 0,$(B)/linux/6.1/initrd))
$(eval $(call watch_kernel,6.1-snp,boot,--platform snp --kernel 6.1 \
	--conversions 0,$(B)/linux/6.1/initrd))

# Break Airlock in Linux on purpose, and the engine's instructions in the
# reference kernel: `make mutants-linux', or some of them by ONLY="NAME ...".
MUTANTS_LINUX = ENGINE_CFLAGS='$(CC) $(ENGINE_CFLAGS) -Iengine' \
	GUEST_LINK='$(LD) $(GUEST_LDFLAGS) -o %s $(GUEST_OBJS) %s \
	$(B)/libairlock.a' tests/mutants-linux/run
.PHONY: mutants-linux
mutants-linux: linux-guest $(B)/airlock $(B)/watch.so $(B)/guest.elf
	@env $(MUTANTS_LINUX) $(ONLY)

# The lab and watch, on the reference kernel.
.PHONY: check-watch-verdicts check-watch-verdicts-all
check-watch-verdicts: $(GUEST_READY) $(B)/watch.so
	@scripts/t watch-verdicts tests/watch/verdicts quick

check-watch-verdicts-all: $(GUEST_READY) $(B)/watch.so
	@scripts/t watch-verdicts-all tests/watch/verdicts all

# One of each kind, that the runner itself is tried.
.PHONY: check-watch-mutants
check-watch-mutants: linux-guest $(B)/airlock $(B)/watch.so $(B)/guest.elf
	@scripts/t watch-mutants env $(MUTANTS_LINUX) only-this-cpu \
		one-line-short close-without-invlpg alias-forgotten

# Those of the engine's instructions: a second each.
.PHONY: check-watch-insn
check-watch-insn: $(B)/airlock $(B)/watch.so $(B)/guest.elf
	@scripts/t watch-insn env $(MUTANTS_LINUX) $$(sed -n \
		's|^@ \([^ ]*\)  *engine/insn/.*|\1|p' tests/mutants-linux/list)

# Runs that differ in whose turn it is; what store buffers may do.
.PHONY: check-watch-schedules check-watch-buffers
check-watch-schedules: $(GUEST_READY) $(B)/watch.so
	@scripts/t watch-schedules tests/watch/schedules

check-watch-buffers: $(GUEST_READY) $(B)/watch.so
	@scripts/t watch-buffers tests/watch/buffers

CHECKS += $(WATCH_QUICK)
CHECKS_ALL += $(WATCH_QUICK) $(WATCH_CHECKS) check-watch-mutants \
	check-mutants-watch \
	check-watch-schedules check-watch-buffers check-watch-tree

# Every named order and every mutant, one boot each: a target of their own.
WATCH_ALWAYS := $(WATCH_CHECKS)
$(foreach p,vtom tdp,$(eval $(call WATCH_EIGHT,$(p))))
SWEEPS += $(filter-out $(WATCH_ALWAYS),$(WATCH_CHECKS)) check-watch-insn check-watch-verdicts-all
.PHONY: check-sweeps
check-sweeps: $(SWEEPS)

.PHONY: bench-watch
bench-watch: linux-guest $(B)/airlock $(B)/watch.so
	@watch/measure $(B)/bench
BENCHES += bench-watch
