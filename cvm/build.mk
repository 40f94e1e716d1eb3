# SPDX-License-Identifier: GPL-2.0
# The emulated confidential machine: build/cvm/machine.elf, freestanding, and
# its launcher, build/airlock-boot. Whoever links cvm_boot() into another
# program links $(CVM_BOOT_OBJS).

CVM := $(B)/cvm

CVM_MACHINE_CFLAGS := -std=gnu11 -O2 -g $(WARN) -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) \
	-fno-pic -no-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small \
	-fno-stack-protector -fno-strict-aliasing -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns

CVM_MACHINE_OBJS := $(patsubst %,$(CVM)/machine/%.o,start lib main svm npt \
	gmem cpu smp stats convert host debug plain snp tdx hyperv vtd elf \
	linux firmware)

CVM_BOOT_OBJS := $(patsubst %,$(CVM)/%.o,boot image run machine_image)

ALL += $(B)/airlock-boot

$(CVM)/machine/%.o: cvm/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CVM_MACHINE_CFLAGS) -MMD -MP -c -o $@ $<

$(CVM)/machine/%.o: cvm/%.S cvm/build.mk
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -MMD -MP -c -o $@ $<

$(CVM)/machine.elf: $(CVM_MACHINE_OBJS) cvm/machine.lds
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
		-T cvm/machine.lds -o $@ \
		$(CVM_MACHINE_OBJS)

$(CVM)/machine_image.o: cvm/machine_image.S $(CVM)/machine.elf
	$(call say,AS,$@)
	$(Q)$(CC) -DMACHINE_ELF='"$(CVM)/machine.elf"' -c -o $@ $<

$(patsubst %,$(CVM)/%.o,boot image run boot_main): $(CVM)/%.o: cvm/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -MMD -MP -c -o $@ $<

$(B)/airlock-boot: $(CVM)/boot_main.o $(CVM_BOOT_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) -o $@ $^

-include $(wildcard $(CVM)/*.d $(CVM)/machine/*.d)

# ---- tests ----

CVM_GUEST := $(B)/tests/cvm
CVM_GUEST_OBJS := $(patsubst %,$(CVM_GUEST)/%.o,entry lib rules)

$(CVM_GUEST)/%.o: tests/cvm/guest/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CVM_MACHINE_CFLAGS) -MMD -MP -c -o $@ $<

$(CVM_GUEST)/%.o: tests/cvm/guest/%.S cvm/build.mk
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<

$(CVM_GUEST)/rules.elf: $(CVM_GUEST_OBJS) tests/cvm/guest/guest.lds
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z noexecstack --no-warn-rwx-segments \
		-T tests/cvm/guest/guest.lds -o $@ $(CVM_GUEST_OBJS)

-include $(wildcard $(CVM_GUEST)/*.d)
