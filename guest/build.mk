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
	port arena readers work storm failing bench bare/text)

# The archive's instructions, but by way of guest/port.c.
GUEST_WRAPS := $(addprefix --wrap=airlock_port_,invlpg pvalidate evict vmgexit \
	cache_flush)

GUEST_LDFLAGS := -nostdlib -static -z noexecstack --no-warn-rwx-segments \
	$(GUEST_WRAPS) -T guest/guest.lds

ALL += $(B)/guest.elf

$(GUEST)/%.o: guest/%.c guest/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUEST)/bare/%.o: bare/%.c guest/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(GUEST)/%.o: guest/%.S guest/build.mk
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -MMD -MP -c -o $@ $<

$(B)/guest.elf: $(GUEST_OBJS) $(B)/libairlock.a guest/guest.lds
	$(call say,LD,$@)
	$(Q)$(LD) $(GUEST_LDFLAGS) -o $@ $(GUEST_OBJS) $(B)/libairlock.a

-include $(wildcard $(GUEST)/*.d $(GUEST)/bare/*.d)

# ---- tests, tables ----

GUEST_READY := $(B)/guest.elf $(B)/airlock
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
guest = $(eval $(call guest_check,$(1),$(2),$(3)))
$(call guest,GUEST_CHECKS,instructions,tests/guest/instructions \
	include/airlock/port.h $(B)/guest $(B)/guest.elf)
$(call guest,GUEST_CHECKS,none,tests/guest/run storm none 2 4)
define guest_platform
$(call guest,GUEST_CHECKS,$(1),tests/guest/run storm $(1) 2 4)
$(call guest,GUEST_CHECKS,failing-$(1),tests/guest/run failing $(1))
$(call guest,GUEST_CHECKS,hostile-$(1),tests/guest/run hostile $(1) 1 3)
$(call guest,GUEST_LONG,seeds-$(1),tests/guest/run hostile $(1) 4 24)
$(call guest,GUEST_LONG,variants-$(1),tests/guest/run variants $(1))
$(call guest,GUEST_LONG,long-$(1),tests/guest/run long $(1))
endef
$(foreach p,$(CONFIDENTIAL),$(call guest_platform,$(p)))
$(call guest,GUEST_CHECKS,mutants,tests/guest/run mutants)
$(call guest,GUEST_CHECKS,verdicts,tests/guest/verdicts quick)
$(call guest,SWEEPS,verdicts-all,tests/guest/verdicts all)
check-guest-verdicts check-guest-verdicts-all: $(B)/airlock

.PHONY: check-guest check-guest-long
check-guest: $(GUEST_CHECKS)
check-guest-long: $(GUEST_CHECKS) $(GUEST_LONG)
CHECKS += check-guest
CHECKS_ALL += check-guest-long

.PHONY: bench-guest
bench-guest: guest-qemu $(GUEST_READY)
	@guest/measure $(B)/bench
BENCHES += bench-guest
