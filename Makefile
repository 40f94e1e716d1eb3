# SPDX-License-Identifier: GPL-2.0
# Airlock. Each room of the tree has a build.mk of its own, included below.
#
#   make            the host programs and the library, in build/
#   make run        install what is missing, build, show what it does
#   make check      the quick tests (under 10 minutes)
#   make check-all  all tests (under 60 minutes)
#   make check-fresh RELEASE=trixie   README's commands on a new Debian, a
#                   bookworm or a trixie, in a root of its own
#   make bench      counts and timings: a table, and build/bench.json
#   make mutants    break the engine on purpose; the lab must notice
#   make mutants-all             the same by rule, in every function: hours
#   make fuzz       the engine under libFuzzer (FUZZ_SECONDS=300)
#   make linux      Linux from source, stock and with Airlock (VERSION=6.12)
#   make linux-series TREE=DIR   Airlock as patches for a kernel's tree
#   make bench-linux             what it costs there, beside the stock kernel
#   make install    the command and all that it needs, man page, library,
#                   headers (PREFIX=/usr/local, DESTDIR=)
#   make uninstall  take that away again
#   make help       this list
#   make RELEASE=1  without sanitizers
#   make V=1        show every command

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

B := build
PREFIX ?= /usr/local
CC := gcc
CLANG ?= clang
AR := ar

ifeq ($(V),1)
Q :=
else
Q := @
endif
say = @$(if $(QUIET),:,printf) '  %-8s %s\n' '$(1)' '$(patsubst $(B)/%,%,$(2))'

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Werror
HOST_CFLAGS := -std=gnu11 -O2 -g $(WARN) -Iinclude -D_GNU_SOURCE

ifneq ($(RELEASE),1)
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
endif

# Host objects depend on this: it is new when the sanitizers change, so that
# objects of both kinds never meet in one program.
KIND := $(B)/kind
ifneq ($(shell cat $(KIND) 2>/dev/null),$(or $(SAN),none))
$(shell mkdir -p $(B) && echo '$(or $(SAN),none)' >$(KIND))
endif

# What the compiler needs is named before it misses it.
ifneq ($(filter all,$(or $(MAKECMDGOALS),all)),)
ifeq ($(wildcard $(B)/needs),)
ifneq ($(shell scripts/setup -n build >&2 && mkdir -p $(B) && \
	: >$(B)/needs && echo yes),yes)
$(error nothing is built, see above)
endif
endif
endif

.PHONY: all run check check-all bench mutants clean setup help
all:

# Rooms add: ALL (files `make all` builds), CHECKS and CHECKS_ALL (targets
# that go through scripts/t), RUNS (targets `make run` shows in order),
# BENCHES (targets, each appends to build/bench.json).
ALL :=
CHECKS :=
CHECKS_ALL :=
BENCHES :=

# What the machine has, and what of that is confidential: one list.
PLATFORMS := $(shell scripts/platforms all)
CONFIDENTIAL := $(shell scripts/platforms confidential)

include $(sort $(wildcard */build.mk))

all: $(ALL)

help:
	@sed -n '/^#   make/,/^$$/s/^# \{0,3\}//p' Makefile

setup:
	@scripts/setup host

# Most tests are one QEMU with one CPU at work: two of them at a time, their
# lines apart. `make -j N check' is taken at its word.
AT_ONCE = $(if $(filter -j% --jobserver-%,$(MAKEFLAGS)),,-j2) -Oline

# One recipe, so that the sum is printed even when a test fails. With
# AIRLOCK_SUM, scripts/t leaves failures to scripts/sum: what make itself then
# complains of is a test that could not be made, and that is no success either.
check check-all: setup
	@rm -rf $(B)/check && mkdir -p $(B)/check
	@$(MAKE) --no-print-directory all
	@AIRLOCK_CHECK_DIR=$(B)/check AIRLOCK_SUM=1 \
		$(MAKE) --no-print-directory $(AT_ONCE) -k $@-tests || \
		{ echo "FAILED  not made: see the lines above with '***'"; \
		echo 0 1 >$(B)/check/not-made.count; }
	@scripts/sum $(B)/check

.PHONY: check-tests check-all-tests
check-tests: $(CHECKS)
check-all-tests: $(CHECKS) $(CHECKS_ALL)

run: setup
	@echo 'Building: about a minute the first time (V=1 shows every command).'
	@$(MAKE) --no-print-directory QUIET=1 all
	@BUILD=$(B) scripts/tour

bench: setup
	@$(MAKE) --no-print-directory RELEASE=1 all
	@rm -rf $(B)/bench && mkdir -p $(B)/bench
	@$(MAKE) --no-print-directory RELEASE=1 -j1 bench-parts
	@scripts/bench-table $(B)/bench $(B)/bench.json

.PHONY: bench-parts
bench-parts: $(BENCHES)

clean:
	rm -rf $(B)
