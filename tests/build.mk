# SPDX-License-Identifier: GPL-2.0
# Tests of the explorer: tests/explore (units), tests/twins (count equality);
# of `make check` itself, and of scripts/setup: tests/harness.

EXPLORE_SRC := lab/search/explore.c lab/search/explore.h
EXPLORE_TEST := $(B)/tests/explore

# The same tests with a table that grows all the time, and with a bad hash.
EXPLORE_AS_plain :=
EXPLORE_AS_small := -DEXPLORE_SEGMENT_BITS=4 -DEXPLORE_CHUNK_BYTES=4096
EXPLORE_AS_weak := -DEXPLORE_SEGMENT_BITS=13 -DEXPLORE_TAG_MASK=3u \
	-DTEST_WEAK_HASH
EXPLORE_PROGRAMS := $(addprefix $(EXPLORE_TEST)/,plain small weak)

# Sanitizers always: what is tested here is memory, and it costs seconds.
$(EXPLORE_PROGRAMS): $(EXPLORE_TEST)/%: tests/explore/explore_test.c \
		$(EXPLORE_SRC) tests/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -fsanitize=address,undefined \
		-fno-sanitize-recover=all -Ilab $(EXPLORE_AS_$*) \
		tests/explore/explore_test.c lab/search/explore.c -lcmocka -o $@

.PHONY: check-explore
check-explore: $(EXPLORE_PROGRAMS)
	@scripts/t explore tests/explore/run $(EXPLORE_PROGRAMS)

CHECKS += check-explore
CHECKS_ALL += check-explore

.PHONY: check-harness check-setup
check-harness:
	@scripts/t harness tests/harness/run

check-setup:
	@scripts/t setup tests/harness/setup

CHECKS += check-harness check-setup
CHECKS_ALL += check-harness check-setup

# The protocol of tests/twins/README in C, and with five faults.
TWINS := $(B)/tests/twins
TWIN_BROKEN := $(addprefix $(TWINS)/twin-broken-,1 2 3 4 5)

define TWIN_BUILD
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -Ilab $(1) tests/twins/twin.c lab/search/explore.c \
		-o $@
endef

# Without sanitizers: its speed is compared with spin's.
$(TWINS)/twin: tests/twins/twin.c $(EXPLORE_SRC) tests/build.mk
	$(call TWIN_BUILD)

$(TWIN_BROKEN): $(TWINS)/twin-broken-%: tests/twins/twin.c $(EXPLORE_SRC) \
		tests/build.mk
	$(call TWIN_BUILD,-DTWIN_BROKEN=$*)

.PHONY: check-twins
check-twins: $(TWINS)/twin $(TWIN_BROKEN)
	@scripts/t twins tests/twins/run $(TWINS)/sets $(TWINS)/twin \
		$(TWIN_BROKEN)

CHECKS += check-twins
CHECKS_ALL += check-twins
