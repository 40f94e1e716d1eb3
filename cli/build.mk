# SPDX-License-Identifier: GPL-2.0
# The `airlock` command: build/airlock.
#
# No AddressSanitizer here: the lab swaps stacks. The parts that run the
# machine are tested by a program of their own, which has it.

CLI := $(B)/cli$(if $(filter 1,$(RELEASE)),-release)
# `airlock boot' and `airlock linux'
CLI_MACHINE := $(addprefix cli/common/,command machine_options \
	machine_report places initrd script) cli/boot \
	$(addprefix cli/linux/,linux said storm heap kexec devices) \
	$(addprefix cvm/launch/,image qemu run console report attest attest_key attest_snp attest_tdx)
CLI_ALL := $(CLI_MACHINE) $(addprefix cli/,main check question field pool sweep verdicts \
	joined linux_names lanes render svg report json trace replay orders prove kernel) \
	$(addprefix cli/draw/,lanes wrap text svg output) \
	$(addprefix cli/run/,run guest files gdb dump) cli/common/kernel_find \
	$(addprefix cli/here/,here module log)
CLI_ALL += $(addprefix watch/,cmd/cmd cmd/guest cmd/run cmd/join cmd/show cmd/draw cmd/lines cmd/words cmd/write names)
CLI_LIBS := -ljansson -lcrypto -pthread
CLI_OBJS := $(patsubst %,$(CLI)/%.o,$(CLI_ALL))

CLI_INCLUDES := -Iwatch -Iwatch/cmd -Icli -Icli/draw -Icli/common -Icli/linux -Icli/run -Icli/here \
	-Icvm -Icvm/launch
CLI_CFLAGS = $(HOST_CFLAGS) -fno-pie $(LAB_SAN) $(CLI_INCLUDES) -Ilab -Iprove \
	-DAIRLOCK_VERSION='"$(AIRLOCK_VERSION)"'

ALL += $(B)/airlock

# The first process of `airlock run', which needs nothing of the guest's root.
RUN_INIT := $(CLI)/run-init
RUN_INIT_IMAGE := $(CLI)/run_init.o
$(RUN_INIT): $(wildcard linux/guest/run/*.[ch])
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -static -s -o $@ $(filter %.c,$^)

$(RUN_INIT_IMAGE): cli/common/init_image.S $(RUN_INIT)
	$(call say,AS,$@)
	$(Q)$(CC) -c -DRUN_INIT='"$(RUN_INIT)"' -o $@ $<

$(CLI)/%.o: %.c cli/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CLI_CFLAGS) -MMD -MP -c -o $@ $<

# Both kinds of build make the same file: notice when the kind changes.
.PHONY: cli-force
$(B)/airlock.kind: cli-force
	@mkdir -p $(B)
	@echo '$(CLI)' | cmp -s - $@ || echo '$(CLI)' >$@
$(CLI)/cli/main.o: $(B)/airlock.kind

# LAB_OBJS and CVM_IMAGE are known when every build.mk has been read.
.SECONDEXPANSION:
$(B)/airlock: $(CLI_OBJS) $(B)/airlock.kind $$(LAB_OBJS) $$(PROVE_OBJS) \
		$$(CVM_IMAGE) $(RUN_INIT_IMAGE)
	$(call say,LD,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(LAB_LDFLAGS) -no-pie -o $@ \
		$(filter %.o,$^) $(LAB_LIBS) $(CLI_LIBS)

# The same parts with sanitizers always: tests of the launcher use this one.
CLI_ASAN := $(B)/tests/asan
CLI_ASAN_OBJS := $(patsubst %,$(CLI_ASAN)/%.o,$(CLI_MACHINE) tests/cvm/asan)

$(CLI_ASAN)/%.o: %.c cli/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -fsanitize=address,undefined \
		-fno-sanitize-recover=all $(CLI_INCLUDES) -MMD -MP -c -o $@ $<

$(B)/tests/airlock-asan: $(CLI_ASAN_OBJS) $$(CVM_IMAGE)
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ -ljansson -lcrypto

-include $(wildcard $(patsubst %.o,%.d,$(CLI_OBJS) $(CLI_ASAN_OBJS)))

$(B)/tests/json_read: tests/cli/json_read.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -o $@ $< -ljansson

$(B)/tests/cli_wrap: tests/cli/wrap_test.c cli/draw/wrap.c cli/draw/draw.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -Icli/draw -o $@ \
		tests/cli/wrap_test.c cli/draw/wrap.c -lcmocka

.PHONY: check-cli check-cli-wrap
check-cli: $(B)/airlock $(B)/tests/json_read
	@scripts/t cli tests/cli/run $(B)/airlock $(B)/tests/json_read

check-cli-wrap: $(B)/tests/cli_wrap
	@scripts/t cli-wrap tests/explore/run $(B)/tests/cli_wrap

.PHONY: check-cli-places
check-cli-places: $(B)/airlock $(B)/guest.elf
	@scripts/setup qemu
	@scripts/t cli-places tests/cli/places $(B)/airlock $(B)/guest.elf

CHECKS += check-cli check-cli-wrap check-cli-places
CHECKS_ALL += check-cli check-cli-wrap check-cli-places
