# SPDX-License-Identifier: GPL-2.0
# The reference kernel, build/guest.elf: what `airlock boot` starts without
# --kernel. The engine in it is the library as it is.

GUEST := $(B)/guest
GUEST_CFLAGS := -std=gnu11 -O2 -g $(WARN) -Iinclude -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) \
	-fno-pic -no-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small \
	-fno-stack-protector -fno-strict-aliasing -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	-fno-delete-null-pointer-checks
GUEST_OBJS := $(patsubst %,$(GUEST)/%.o,entry main lib mm trap smp platform \
	port arena readers work storm failing bench)

ALL += $(B)/guest.elf

$(GUEST)/%.o: guest/%.c guest/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUEST)/%.o: guest/%.S guest/build.mk
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -MMD -MP -c -o $@ $<

$(B)/guest.elf: $(GUEST_OBJS) $(B)/libairlock.a guest/guest.lds
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z noexecstack --no-warn-rwx-segments \
		-T guest/guest.lds -o $@ $(GUEST_OBJS) $(B)/libairlock.a

-include $(wildcard $(GUEST)/*.d)

# ---- tests, tables ----

GUEST_READY := $(B)/guest.elf $(B)/airlock-boot
GUEST_CONFIDENTIAL := snp tdx vtom tdp
GUEST_CHECKS :=
GUEST_LONG :=

.PHONY: guest-qemu
guest-qemu:
	@scripts/setup qemu

define guest_check # LIST NAME COMMAND
.PHONY: check-guest-$(2)
check-guest-$(2): guest-qemu $(GUEST_READY)
	@scripts/t guest-$(2) $(3)
$(1) += check-guest-$(2)
endef
$(eval $(call guest_check,GUEST_CHECKS,none,tests/guest/run storm none 2 4))
$(foreach p,$(GUEST_CONFIDENTIAL),\
	$(eval $(call guest_check,GUEST_CHECKS,$(p),tests/guest/run storm $(p) 2 4))\
	$(eval $(call guest_check,GUEST_CHECKS,failing-$(p),tests/guest/run failing $(p)))\
	$(eval $(call guest_check,GUEST_CHECKS,hostile-$(p),tests/guest/run hostile $(p) 1 3))\
	$(eval $(call guest_check,GUEST_LONG,hostile-long-$(p),tests/guest/run hostile $(p) 4 24))\
	$(eval $(call guest_check,GUEST_LONG,variants-$(p),tests/guest/run variants $(p)))\
	$(eval $(call guest_check,GUEST_LONG,long-$(p),tests/guest/run long $(p))))
$(eval $(call guest_check,GUEST_CHECKS,mutants,tests/guest/run mutants))
$(eval $(call guest_check,GUEST_CHECKS,verdicts,tests/guest/verdicts quick))
$(eval $(call guest_check,GUEST_LONG,verdicts-all,tests/guest/verdicts all))
check-guest-verdicts check-guest-verdicts-all: $(B)/airlock

.PHONY: check-guest check-guest-long
check-guest: $(GUEST_CHECKS)
check-guest-long: $(GUEST_CHECKS) $(GUEST_LONG)
CHECKS += check-guest
CHECKS_ALL += check-guest-long

.PHONY: run-guest bench-guest
run-guest: guest-qemu $(GUEST_READY)
	@guest/compare
RUNS += run-guest

bench-guest: guest-qemu $(GUEST_READY)
	@guest/measure $(B)/bench
BENCHES += bench-guest
