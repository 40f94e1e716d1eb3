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
