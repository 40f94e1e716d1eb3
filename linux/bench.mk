# SPDX-License-Identifier: GPL-2.0
# What conversions cost in Linux, as it is and changed, side by side:
#
#   make bench-linux [VERSION=6.12]
#
# Of the kernels built from source, stock and with the series, if there are any
# (make linux), else of Debian's without and with the live patch.

BENCH_VERSION = $(or $(VERSION),$(LINUX_DEFAULT))
BENCH_BUILT = stock-$(BENCH_VERSION) native-$(BENCH_VERSION)
BENCH_LIVE = $(LINUX_DEFAULT) $(LINUX_DEFAULT)
BENCH_PAIR = $(if $(wildcard $(LINUX)/native-$(BENCH_VERSION)/built),\
	$(BENCH_BUILT),$(BENCH_LIVE))
bench_guests = $(patsubst %,$(LINUX)/%/initrd,$(sort $(1)))

.PHONY: bench-linux check-linux-bench check-linux-bench-livepatch
bench-linux: $(call bench_guests,$(BENCH_PAIR)) $(B)/airlock
	@linux/tools/bench-run $(BENCH_PAIR)

# The series, which takes two kernels to be built: a target of its own.
check-linux-bench: $(call bench_guests,$(BENCH_BUILT)) $(B)/airlock
	@scripts/t linux-bench tests/linux/bench $(BENCH_BUILT)

check-linux-bench-livepatch: $(call bench_guests,$(BENCH_LIVE)) $(B)/airlock
	@scripts/t linux-bench-livepatch tests/linux/bench $(BENCH_LIVE)

CHECKS_ALL += check-linux-bench-livepatch
