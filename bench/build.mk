# SPDX-License-Identifier: GPL-2.0
# Counts and timings. Each target writes one file in build/bench/.

.PHONY: bench-explorer
bench-explorer: $(B)/tests/twins/twin
	@bench/spin $(B)/bench $(B)/tests/twins/twin

BENCHES += bench-explorer

$(LAB_DIR)/bench/lab: bench/lab.c $(LAB_OBJS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LAB_CFLAGS) $(LAB_LDFLAGS) -o $@ $^ $(LAB_LIBS)

.PHONY: bench-lab
bench-lab: $(LAB_DIR)/bench/lab
	@mkdir -p $(B)/bench
	@$< >$(B)/bench/20-lab.tsv

BENCHES += bench-lab
