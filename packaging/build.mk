# SPDX-License-Identifier: GPL-2.0
# What is installed, and packages of it.
#
#   make install PREFIX=/usr/local DESTDIR= [LIBDIR=PREFIX/lib]
#   make uninstall       with the same words
#
# Programs are built once more, in build/release, without sanitizers.

LIBDIR ?= $(PREFIX)/lib
RELEASE_B := $(B)/release
INSTALL_NEEDS := $(B)/airlock $(B)/guest.elf $(B)/watch.so $(B)/libairlock.a
INSTALL_WHERE = '$(DESTDIR)$(PREFIX)' \
	'$(patsubst $(PREFIX)/%,%,$(LIBDIR))'

.PHONY: install uninstall release install-pc
release:
	@$(MAKE) --no-print-directory RELEASE=1 B=$(RELEASE_B) \
		PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' release-files

.PHONY: release-files
release-files: $(INSTALL_NEEDS) install-pc

# Whoever gives another PREFIX wants another file.
install-pc:
	@mkdir -p $(B)
	@printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' \
		'libdir=$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))' '' \
		'Name: airlock' \
		'Description: private/shared page transitions for CVMs' \
		'Version: $(AIRLOCK_VERSION)' 'Cflags: -I$${includedir}' \
		'Libs: -L$${libdir} -lairlock' >$(B)/airlock.pc

install: release
	@packaging/install $(RELEASE_B) $(INSTALL_WHERE)
	@echo 'airlock is in $(DESTDIR)$(PREFIX)'

uninstall:
	@packaging/install -u $(RELEASE_B) $(INSTALL_WHERE)

.PHONY: check-install check-completion
check-install:
	@scripts/t install tests/install/run

check-completion: $(B)/airlock
	@scripts/t completion tests/install/completion $(B)/airlock

CHECKS += check-completion
CHECKS_ALL += check-completion check-install

# Debian packages, in build/deb; and a bare root of RELEASE where they are
# installed and used, which is long and belongs to no tier.
.PHONY: deb check-deb
deb:
	@packaging/deb $(B)

check-deb: deb
	@set --; for f in tests/install/deb examples/minimal.c \
		$(B)/deb/airlock_*.deb \
		$(B)/deb/libairlock-dev_*.deb; do \
		set -- "$$@" --with "$$f"; \
	done; scripts/fresh "$$@" '$(RELEASE)' ./deb
