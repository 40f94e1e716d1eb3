# SPDX-License-Identifier: GPL-2.0
# What conversions cost in Linux, stock and with Airlock, side by side:
#
#   make bench-linux [VERSION=6.12]
#
# Of the kernels built from source if there are any (make linux), else of
# Debian's, which gets Airlock as a live patch.

BENCH_VERSION = $(or $(VERSION),$(LINUX_DEFAULT))
BENCH_PAIR = $(if $(wildcard $(LINUX)/airlock-$(BENCH_VERSION)/built),\
	stock-$(BENCH_VERSION) airlock-$(BENCH_VERSION),\
	$(BENCH_VERSION) $(BENCH_VERSION))
BENCH_GUESTS = $(patsubst %,$(LINUX)/%/initrd,$(sort $(BENCH_PAIR)))

.PHONY: bench-linux check-linux-bench
bench-linux: $(BENCH_GUESTS) $(B)/airlock
	@linux/tools/bench-run $(BENCH_PAIR)

check-linux-bench: $(BENCH_GUESTS) $(B)/airlock
	@scripts/t linux-bench tests/linux/bench $(BENCH_PAIR)

CHECKS_ALL += check-linux-bench
