# SPDX-License-Identifier: GPL-2.0
# The proof: transition systems, invariants, obligations, solvers. The command
# is cli/prove.c.

PROVE_SRCS := term instance protocol small invariant proof solver map seam
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

# ---- tests ----

PROVE_TESTS := $(addprefix $(PROVE_DIR)/tests/,agree guards seam)

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
	@scripts/t prove-seam $(PROVE_DIR)/tests/seam
	@scripts/t prove-guards $(PROVE_DIR)/tests/guards
	@scripts/t prove-agree $(PROVE_DIR)/tests/agree --solver z3 3

check-prove-all: check-prove
	@scripts/t prove-all $(B)/airlock prove --platform all
	@scripts/t prove-agree-4 $(PROVE_DIR)/tests/agree 4

# Every order of up to 5 steps, by the small instance alone: some 10 minutes.
check-prove-5: $(PROVE_TESTS)
	@scripts/setup prove
	@scripts/t prove-agree-5 $(PROVE_DIR)/tests/agree --solver none 5

CHECKS += check-prove
CHECKS_ALL += check-prove-all
