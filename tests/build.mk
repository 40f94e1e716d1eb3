# SPDX-License-Identifier: GPL-2.0
# Tests of the explorer: tests/explore (units), tests/twins (count equality);
# of the lab's verdicts, by a rule of their own: tests/oracle; of `make check`
# itself, and of scripts/setup: tests/harness.

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

# Verdicts against the rule: a sample; in check-all every order of up to 4
# steps and more of the longer ones; apart from both, every order of up to
# ORACLE_STEPS steps, 1,215,800 questions, some 10 minutes of CPU.
ORACLE_STEPS ?= 6
.PHONY: check-oracle check-oracle-4 check-oracle-all
check-oracle: $(B)/airlock
	@scripts/t oracle tests/oracle/run $(B)/airlock

check-oracle-4: $(B)/airlock
	@scripts/t oracle-4 tests/oracle/run $(B)/airlock 4
	@scripts/t oracle-6 tests/oracle/run $(B)/airlock 6 5/40

check-oracle-all: $(B)/airlock
	@scripts/t oracle-all tests/oracle/run $(B)/airlock $(ORACLE_STEPS)

CHECKS += check-oracle
CHECKS_ALL += check-oracle-4

# The engine under libFuzzer, on a port written from the public headers alone,
# with sanitizers. tests/fuzz/corpus are inputs that between them come to all
# that was ever reached; `make fuzz' begins there, and what it finds beyond is
# in build/fuzz.
FUZZ := $(B)/fuzz/fuzz
FUZZ_SECONDS ?= 300
FUZZ_FLAGS := -max_len=256 -len_control=0 -timeout=20 -print_final_stats=1

FUZZ_CFLAGS := -std=gnu11 -O2 -g $(WARN) -Iinclude
FUZZ_SAN := address,undefined -fno-sanitize-recover=all
FUZZ_OBJ = $(patsubst %,$(B)/fuzz/%.o,$(ENGINE_SRCS) tests/fuzz/fuzz.c \
	tests/fuzz/port.c)

# Coverage is the engine's alone: the port is quick, and no aim.
$(B)/fuzz/engine/%.o: engine/% $(ENGINE_HDRS)
	$(call say,CLANG,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SAN) \
		-c $< -o $@

$(B)/fuzz/tests/fuzz/%.o: tests/fuzz/% tests/fuzz/port.h $(ENGINE_HDRS)
	$(call say,CLANG,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -c $< -o $@

$(FUZZ): $(FUZZ_OBJ)
	$(call say,LD,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,$(FUZZ_SAN) $^ -o $@

.PHONY: fuzz check-fuzz fuzz-setup
fuzz-setup:
	@scripts/setup fuzz

fuzz: fuzz-setup
	@$(MAKE) --no-print-directory $(FUZZ)
	@mkdir -p $(B)/fuzz/corpus
	cd $(B)/fuzz && ./fuzz $(FUZZ_FLAGS) -max_total_time=$(FUZZ_SECONDS) \
		corpus $(CURDIR)/tests/fuzz/corpus

# All of the corpus, and 20 seconds beyond it.
check-fuzz: fuzz-setup
	@$(MAKE) --no-print-directory QUIET=1 $(FUZZ)
	@scripts/t fuzz tests/fuzz/run $(FUZZ) 20

CHECKS_ALL += check-fuzz
