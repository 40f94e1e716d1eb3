# SPDX-License-Identifier: GPL-2.0
# Small ports: they link the archive as any kernel would, and run.

EXAMPLES := minimal snp
EXAMPLE_BINS := $(addprefix $(B)/examples/,$(EXAMPLES))
EXAMPLE_CHECKS := check-minimal check-example-snp
ALL += $(EXAMPLE_BINS)

$(EXAMPLE_BINS): $(B)/examples/%: examples/%.c $(B)/libairlock.a \
		include/airlock/airlock.h include/airlock/port.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(HOST_CFLAGS) $< -L$(B) -lairlock -o $@

.PHONY: $(EXAMPLE_CHECKS)
check-minimal: $(B)/examples/minimal
	@scripts/t minimal $<
check-example-snp: $(B)/examples/snp
	@scripts/t example-snp $<

CHECKS += $(EXAMPLE_CHECKS)
CHECKS_ALL += $(EXAMPLE_CHECKS)
