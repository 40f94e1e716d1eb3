# SPDX-License-Identifier: GPL-2.0
# The lab: the engine's own sources, compiled as they are, on simulated CPUs.

LAB_SRCS := $(addprefix lab/search/,explore.c intern.c ends.c) \
	$(addprefix lab/machine/,choose.c frames.c host.c mmu.c props.c \
	spots.c) \
	$(addprefix lab/,engine.c step.c setup.c lab.c narrate.c because.c \
	where.c verdict.c)
# Everything but the instructions, which the lab's machine supplies itself.
LAB_ENGINE_SRCS = $(filter-out engine/insn/%,$(ENGINE_SRCS))

# No AddressSanitizer where stacks are saved and put back.
ifneq ($(RELEASE),1)
LAB_SAN := -fsanitize=undefined -fno-sanitize-recover=all
LAB_DIR := $(B)/lab
else
LAB_DIR := $(B)/lab-release
endif
LAB_CFLAGS := $(HOST_CFLAGS) -Ilab -fno-pie $(LAB_SAN)
# Frames as small as they come: they are part of every state.
LAB_ENGINE_CFLAGS = -std=gnu11 -O2 -g $(WARN) -Iinclude -ffreestanding \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-pie
LAB_LIBS := -lxxhash
LAB_LDFLAGS := -no-pie $(LAB_SAN)

LAB_ENGINE_OBJS = $(patsubst %,$(LAB_DIR)/%.o,$(LAB_ENGINE_SRCS))
LAB_OBJS = $(patsubst %,$(LAB_DIR)/%.o,$(LAB_SRCS) lab/coro.S) \
	$(LAB_ENGINE_OBJS)

$(LAB_DIR)/lab/%.c.o: lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_CFLAGS) -MMD -c -o $@ $<

$(LAB_DIR)/lab/%.S.o: lab/%.S
	@mkdir -p $(@D)
	$(call say,AS,$@)
	$(Q)$(CC) -c -o $@ $<

$(LAB_DIR)/engine/%.c.o: engine/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_ENGINE_CFLAGS) -MMD -c -o $@ $<

$(LAB_DIR)/engine/%.S.o: engine/%.S
	@mkdir -p $(@D)
	$(call say,AS,$@)
	$(Q)$(CC) -Iinclude -c -o $@ $<

-include $(wildcard $(LAB_DIR)/*/*.d $(LAB_DIR)/*/*/*.d)

# ---- tests ----

LAB_TESTS := $(patsubst %,$(LAB_DIR)/tests/%,suite reduction)

$(LAB_DIR)/tests/%.o: tests/lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_CFLAGS) -MMD -c -o $@ $<

$(LAB_TESTS): %: %.o $(LAB_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LAB_LDFLAGS) -o $@ $^ $(LAB_LIBS)

# Parts that run no engine, with AddressSanitizer.
$(LAB_DIR)/tests/parts: tests/lab/parts.c lab/search/ends.c lab/search/intern.c $(KIND)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(SAN) -Ilab -o $@ $(filter %.c,$^) \
		$(LAB_LIBS) -lcmocka

CHECKS += check-lab
CHECKS_ALL += check-mutants
.PHONY: check-lab check-mutants mutants
check-lab: $(LAB_TESTS) $(LAB_DIR)/tests/parts
	@scripts/t lab-parts $(LAB_DIR)/tests/parts
	@scripts/t lab-rooms tests/lab/rooms $(LAB_DIR)
	@scripts/t lab-suite $(LAB_DIR)/tests/suite
	@scripts/t lab-reduction $(LAB_DIR)/tests/reduction

MUTANTS = CC='$(CC)' CFLAGS='$(LAB_ENGINE_CFLAGS)' LDLIBS='$(LAB_SAN) \
	$(LAB_LIBS)' OBJS='$(LAB_OBJS)' tests/mutants/run $(LAB_DIR) \
	$(LAB_DIR)/tests/suite.o

check-mutants: $(LAB_TESTS)
	@scripts/t mutants env $(MUTANTS)

# Others, in long ranges: minutes of CPU.
.PHONY: check-mutants-more
check-mutants-more: $(LAB_TESTS)
	@scripts/t mutants-more env LIST=tests/mutants/more $(MUTANTS)

# Every mutant and what killed it; `make mutants ONLY="name ..."` for some.
# LIST=tests/mutants/more has others.
mutants: $(LAB_TESTS)
	@env LIST='$(or $(LIST),tests/mutants/list)' $(MUTANTS) $(ONLY)

# Mutants by rule, of every function of the engine: hours. It goes on where it
# stopped. N=300 draws so many, SEED=7 others, SECONDS=240 stops after that,
# ONLY="name ...".
.PHONY: mutants-all
mutants-all: $(LAB_TESTS) $(ENGINE_TEST_OBJ) \
		$(ENGINE_TESTS:%=$(ENGINE_TEST)/tests/engine/test_%.c.o)
	@$(MAKE) --no-print-directory QUIET=1 fuzz-setup $(FUZZ)
	@env CC='$(CC)' OBJS='$(LAB_OBJS)' SUITE='$(LAB_DIR)/tests/suite.o' \
		LAB_CFLAGS='$(LAB_ENGINE_CFLAGS)' \
		LAB_LIBS='$(LAB_SAN) $(LAB_LIBS)' \
		TESTS='$(ENGINE_TESTS:%=$(ENGINE_TEST)/tests/engine/test_%.c.o)' \
		TEST_OBJS='$(ENGINE_TEST_OBJ)' \
		TEST_CFLAGS='$(ENGINE_TEST_CFLAGS)' \
		CLANG='$(CLANG)' FUZZ_OBJS='$(FUZZ_OBJ)' \
		FUZZ_CFLAGS='$(FUZZ_CFLAGS)' FUZZ_SAN='$(FUZZ_SAN)' \
		FILES='$(filter %.c,$(LAB_ENGINE_SRCS))' tests/mutants/all \
		$(addprefix -n ,$(N)) $(addprefix -r ,$(SEED)) \
		$(addprefix -s ,$(SECONDS)) $(ONLY)

# ---- bench ----

$(LAB_DIR)/bench/lab: bench/lab.c $(LAB_OBJS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LAB_CFLAGS) $(LAB_LDFLAGS) -o $@ $^ $(LAB_LIBS)

.PHONY: bench-lab
bench-lab: $(LAB_DIR)/bench/lab
	@mkdir -p $(B)/bench
	@$< >$(B)/bench/20-lab.tsv

BENCHES += bench-lab

-include $(wildcard $(LAB_DIR)/tests/*.d)
