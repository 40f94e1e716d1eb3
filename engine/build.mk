# SPDX-License-Identifier: GPL-2.0
# The engine: a freestanding static library, by gcc and by clang.
#
# Other rooms compile the same files with flags of their own: ENGINE_SRCS is
# the engine proper, ENGINE_INSN the default instructions, one archive member
# each, which a port replaces by defining the function.

ENGINE_SRCS := engine/transition.c engine/order.c engine/pagetable.c \
	engine/window.c engine/ledger.c engine/backend.c engine/host.c \
	engine/config.c engine/context.c engine/zeropad.c engine/zeropad.S \
	engine/platform/plain.c engine/platform/snp.c engine/platform/tdx.c \
	engine/platform/hyperv.c
ENGINE_INSN := $(sort $(wildcard engine/insn/*.c))
ENGINE_CFLAGS := -std=gnu11 -O2 -g $(WARN) -Iinclude -ffreestanding \
	-nostdlib -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fpie -Wframe-larger-than=896
ENGINE_HDRS := include/airlock/airlock.h include/airlock/port.h \
	engine/engine.h engine/transition.h

ENGINE_OBJ := $(patsubst %,%.o,$(basename $(ENGINE_SRCS:.S=_s.S)) \
	$(basename $(ENGINE_INSN)))

LIBAIRLOCK := $(B)/libairlock.a
LIBAIRLOCK_CLANG := $(B)/clang/libairlock.a
ALL += $(LIBAIRLOCK) $(if $(shell command -v $(CLANG)),$(LIBAIRLOCK_CLANG))

$(LIBAIRLOCK): $(addprefix $(B)/,$(ENGINE_OBJ))
$(LIBAIRLOCK_CLANG): $(addprefix $(B)/clang/,$(ENGINE_OBJ))
$(LIBAIRLOCK) $(LIBAIRLOCK_CLANG):
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/engine/%.o: engine/%.c $(ENGINE_HDRS) engine/build.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ENGINE_CFLAGS) -c $< -o $@

$(B)/engine/%_s.o: engine/%.S engine/build.mk
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ENGINE_CFLAGS) -c $< -o $@

$(B)/clang/engine/%.o: engine/%.c $(ENGINE_HDRS) engine/build.mk
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(ENGINE_CFLAGS) -c $< -o $@

$(B)/clang/engine/%_s.o: engine/%.S engine/build.mk
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(ENGINE_CFLAGS) -c $< -o $@

AIRLOCK_VERSION := 0.1.0

# Tests: the same files, with sanitizers, on a port that polices them.
ENGINE_TEST := $(B)/tests/engine
ENGINE_TEST_CFLAGS := $(HOST_CFLAGS) -fsanitize=address,undefined \
	-fno-sanitize-recover=all -Wno-missing-field-initializers
ENGINE_TEST_OBJ := $(patsubst %,$(ENGINE_TEST)/%.o,$(ENGINE_SRCS)) \
	$(ENGINE_TEST)/tests/engine/world.c.o
ENGINE_TESTS := convert fail order zeropad

$(ENGINE_TEST)/%.o: % $(ENGINE_HDRS) tests/engine/world.h engine/build.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ENGINE_TEST_CFLAGS) -c $< -o $@

$(ENGINE_TEST)/test_%: $(ENGINE_TEST)/tests/engine/test_%.c.o \
		$(ENGINE_TEST_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(ENGINE_TEST_CFLAGS) $^ -lcmocka -o $@

ENGINE_CHECKS := $(addprefix check-engine-,$(ENGINE_TESTS))
.PHONY: $(ENGINE_CHECKS)
$(ENGINE_CHECKS): check-engine-%: $(ENGINE_TEST)/test_%
	@scripts/t engine-$* $<
.SECONDARY: $(ENGINE_TEST_OBJ)

.PHONY: check-engine-symbols
check-engine-symbols: $(LIBAIRLOCK) $(LIBAIRLOCK_CLANG)
	@scripts/t engine-symbols tests/engine/symbols \
		include/airlock/port.h $^

.PHONY: check-engine-stack
check-engine-stack: $(LIBAIRLOCK) $(LIBAIRLOCK_CLANG)
	@scripts/t engine-stack tests/engine/stack \
		include/airlock/port.h $^

CHECKS += $(ENGINE_CHECKS) check-engine-symbols check-engine-stack
CHECKS_ALL += $(ENGINE_CHECKS) check-engine-symbols check-engine-stack
.SECONDARY: $(ENGINE_TESTS:%=$(ENGINE_TEST)/tests/engine/test_%.c.o)

# What a conversion costs, for callgrind: see tests/engine/cost.c.
ENGINE_COST := $(ENGINE_TEST)/cost
$(ENGINE_COST): tests/engine/cost.c $(LIBAIRLOCK)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(HOST_CFLAGS) $< $(LIBAIRLOCK) -o $@

.PHONY: bench-engine
bench-engine: $(ENGINE_COST)
	@mkdir -p $(B)/bench
	@tests/engine/bench $< >$(B)/bench/30-engine.tsv

BENCHES += bench-engine
