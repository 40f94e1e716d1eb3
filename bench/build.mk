# SPDX-License-Identifier: GPL-2.0
# Counts and timings. Each target writes one file in build/bench/.

.PHONY: bench-explorer
bench-explorer: $(B)/tests/twins/twin
	@bench/spin $(B)/bench $(B)/tests/twins/twin

BENCHES += bench-explorer
