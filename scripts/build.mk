# SPDX-License-Identifier: GPL-2.0
# README's two commands on a new machine:
#
#   make check-fresh RELEASE=bookworm|trixie
#
# It installs everything once more and runs all quick tests: no tier has it.

.PHONY: check-fresh
check-fresh:
	@scripts/fresh '$(RELEASE)'
