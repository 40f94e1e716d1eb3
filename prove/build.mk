# SPDX-License-Identifier: GPL-2.0
# The proof: transition systems, invariants, obligations, solvers. The command
# is cli/prove.c.

PROVE_SRCS := term instance protocol small invariant proof solver map match \
	seam tell watched window
PROVE_DIR := $(B)/prove$(if $(filter 1,$(RELEASE)),-release)
PROVE_OBJS := $(patsubst %,$(PROVE_DIR)/%.o,$(PROVE_SRCS))
# As what it is linked with: no AddressSanitizer beside the lab's stacks.
PROVE_CFLAGS = $(HOST_CFLAGS) -fno-pie $(LAB_SAN) -Iprove -Ilab

$(PROVE_DIR)/%.o: prove/%.c prove/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(PROVE_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(PROVE_DIR)/*.d)

# Every platform, both directions at once, two solvers.
.PHONY: prove
prove: $(B)/airlock
	@scripts/setup prove
	@$(B)/airlock prove

# The same with a host that may refuse, and the way back.
.PHONY: prove-failing
prove-failing: $(B)/airlock
	@scripts/setup prove
	@$(B)/airlock prove --host failing

# The same with a host that lies.
.PHONY: prove-hostile
prove-hostile: $(B)/airlock
	@scripts/setup prove
	@$(B)/airlock prove --host hostile

# ---- tests ----

PROVE_TESTS := $(addprefix $(PROVE_DIR)/tests/,agree guards seam window)

$(PROVE_DIR)/tests/%.o: tests/prove/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(PROVE_CFLAGS) -Ilab -Iengine -MMD -c -o $@ $<

.SECONDEXPANSION:
$(PROVE_TESTS): %: %.o $(PROVE_OBJS) $$(LAB_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LAB_CFLAGS) $(LAB_LDFLAGS) -o $@ $^ $(LAB_LIBS) -pthread

-include $(wildcard $(PROVE_DIR)/tests/*.d)

.PHONY: check-prove check-prove-all check-prove-5
check-prove: $(B)/airlock $(PROVE_TESTS)
	@scripts/setup prove
	@scripts/t prove tests/prove/run $(B)/airlock
	@scripts/t prove-table tests/prove/table $(B)/airlock README.md
	@scripts/t prove-words tests/prove/words $(B)/airlock
	@scripts/t prove-seam $(PROVE_DIR)/tests/seam
	@scripts/t prove-refine tests/prove/refine $(B)/airlock
	@scripts/t prove-window $(PROVE_DIR)/tests/window
	@scripts/t prove-guards $(PROVE_DIR)/tests/guards
	@scripts/t prove-agree $(PROVE_DIR)/tests/agree --solver z3 3
	@scripts/t prove-agree-failing $(PROVE_DIR)/tests/agree --failing \
		--solver none 1
	@scripts/t prove-agree-hostile $(PROVE_DIR)/tests/agree --hostile \
		--solver none 1

# What a kernel did, beside the proof.
.PHONY: check-prove-watched
check-prove-watched: $(GUEST_READY) $(B)/watch.so
	@scripts/setup prove qemu linux
	@scripts/t prove-watched tests/prove/watched

# Mistakes in the map, the invariants and the engine: the seam must see them.
PROVE_MUTANTS = CC='$(CC)' CFLAGS='$(PROVE_CFLAGS) -Iengine' \
	ENGINE_CFLAGS='$(LAB_ENGINE_CFLAGS)' LDLIBS='$(LAB_SAN) $(LAB_LIBS) \
	$(CLI_LIBS)' OBJS='$(PROVE_DIR)/tests/seam.o $(PROVE_OBJS) \
	$(LAB_OBJS)' CLI_OBJS='$(CLI_OBJS) $(filter %.o,$(CVM_IMAGE)) $(RUN_INIT_IMAGE) \
	$(PROVE_OBJS) \
	$(LAB_OBJS)' \
	tests/prove/mutants $(B)/mutants/prove

check-prove-all: check-prove
	@scripts/t prove-refine-all tests/prove/refine $(B)/airlock all
	@scripts/t prove-mutants env $(PROVE_MUTANTS)
	@scripts/t prove-all $(B)/airlock prove --platform all
	@scripts/t prove-hostile $(B)/airlock prove --host hostile \
		--platform tdx --platform snp --solver z3
	@scripts/t prove-agree-4 $(PROVE_DIR)/tests/agree 4

# Every order of up to 5 steps, by the small instance alone: some 10 minutes.
check-prove-5: $(PROVE_TESTS)
	@scripts/setup prove
	@scripts/t prove-agree-5 $(PROVE_DIR)/tests/agree --solver none 5

CHECKS += check-prove check-prove-watched
CHECKS_ALL += check-prove-all check-prove-watched
