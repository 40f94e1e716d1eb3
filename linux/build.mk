# SPDX-License-Identifier: GPL-2.0
# Airlock in Linux: Debian's kernel, the storm, the live patch, and `airlock
# linux`, which is also build/airlock-linux. Whoever links linux_main() into
# another program links $(LINUX_CMD_OBJS) and $(CVM_BOOT_OBJS).
#
# Modules and the guest's initramfs need Debian's kernel headers: they are
# made by `make linux-guest` and by the targets that boot, not by `make all`.

LINUX := $(B)/linux
LINUX_CMD_OBJS := $(patsubst %,$(LINUX)/%.o,linux_cmd report)
LINUX_GUEST_SRC := $(wildcard linux/*/Kbuild linux/*/*.[ch] linux/*.[ch] \
	engine/transition.[ch] engine/order.c include/airlock/*.h) \
	cvm/guest-abi.h linux/guest linux/init
LINUX_DEFAULT := 6.12

ALL += $(B)/airlock-linux

$(LINUX)/%.o: linux/%.c linux/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -Icvm -MMD -MP -c -o $@ $<

$(B)/airlock-linux: $(LINUX)/linux_main.o $(LINUX_CMD_OBJS) $(CVM_BOOT_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) -o $@ $^

-include $(wildcard $(LINUX)/*.d)

.PHONY: linux-setup linux-guest
linux-setup:
	@scripts/setup qemu linux

$(LINUX)/%/fetched: linux/fetch | linux-setup
	$(call say,FETCH,$(@D))
	$(Q)linux/fetch $* $(@D)

$(LINUX)/%/initrd: $(LINUX)/%/fetched $(LINUX_GUEST_SRC) | linux-setup
	$(call say,GUEST,$@)
	$(Q)linux/guest $(@D)

.PRECIOUS: $(LINUX)/%/fetched $(LINUX)/%/initrd
linux-guest: $(LINUX)/$(LINUX_DEFAULT)/initrd
