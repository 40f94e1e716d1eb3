# SPDX-License-Identifier: GPL-2.0
# The `airlock` command: build/airlock.
#
# No AddressSanitizer here: the lab swaps stacks. So the files of cvm/ that
# `airlock boot` needs are compiled once more, without it.
#
# BOOT= leaves `airlock boot` out, and `airlock linux` with it.

CLI := $(B)/cli$(if $(filter 1,$(RELEASE)),-release)
CLI_SRCS := main check question field pool lanes wrap render svg report json \
	trace replay orders
CLI_OBJS := $(patsubst %,$(CLI)/%.o,$(CLI_SRCS))
BOOT ?= $(wildcard cvm/launch/boot.c)
LINUX_CMD := $(if $(BOOT),$(wildcard cli/linux/linux_cmd.c))

CLI_CFLAGS = $(HOST_CFLAGS) -fno-pie $(LAB_SAN) -Icli -Ilab -Icvm -Icvm/launch \
	-DAIRLOCK_VERSION='"$(AIRLOCK_VERSION)"' $(if $(BOOT),-DCLI_BOOT) \
	$(if $(LINUX_CMD),-Icli/linux -DCLI_LINUX)
CLI_BOOT_OBJS = $(if $(BOOT),$(patsubst $(CVM)/%,$(CLI)/cvm/%,$(filter-out \
	%/machine_image.o,$(CVM_BOOT_OBJS))) $(CVM)/launch/machine_image.o) \
	$(if $(LINUX_CMD),$(patsubst $(LINUX)/%,$(CLI)/linux/%,$(LINUX_CMD_OBJS)))

ALL += $(B)/airlock

$(CLI)/%.o: cli/%.c cli/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

$(CLI)/cvm/%.o: cvm/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

$(CLI)/linux/%.o: cli/linux/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

# Both kinds of build make the same file: notice when the kind changes.
.PHONY: cli-force
$(B)/airlock.kind: cli-force
	@mkdir -p $(B)
	@echo '$(CLI) $(BOOT)' | cmp -s - $@ || echo '$(CLI) $(BOOT)' >$@
$(CLI)/main.o: $(B)/airlock.kind

# LAB_OBJS and CVM_BOOT_OBJS are known when every build.mk has been read.
.SECONDEXPANSION:
$(B)/airlock: $(CLI_OBJS) $(B)/airlock.kind $$(LAB_OBJS) $$(CLI_BOOT_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(LAB_LDFLAGS) -no-pie -o $@ \
		$(filter %.o,$^) $(LAB_LIBS) -ljansson

-include $(wildcard $(CLI)/*.d $(CLI)/cvm/*/*.d $(CLI)/linux/*.d)

$(B)/tests/json_read: tests/cli/json_read.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -o $@ $< -ljansson

$(B)/tests/cli_wrap: tests/cli/wrap_test.c cli/wrap.c cli/cli.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -Icli -Ilab -o $@ \
		tests/cli/wrap_test.c cli/wrap.c -lcmocka

.PHONY: check-cli check-cli-wrap
check-cli: $(B)/airlock $(B)/tests/json_read
	@scripts/t cli tests/cli/run $(B)/airlock $(B)/tests/json_read

check-cli-wrap: $(B)/tests/cli_wrap
	@scripts/t cli-wrap tests/explore/run $(B)/tests/cli_wrap

CHECKS += check-cli check-cli-wrap
CHECKS_ALL += check-cli check-cli-wrap
