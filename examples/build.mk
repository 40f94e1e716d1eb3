# SPDX-License-Identifier: GPL-2.0
# The smallest port: links the archive as any kernel would, and runs.

MINIMAL := $(B)/examples/minimal
ALL += $(MINIMAL)

$(MINIMAL): examples/minimal.c $(B)/libairlock.a include/airlock/airlock.h \
		include/airlock/port.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(HOST_CFLAGS) examples/minimal.c \
		-L$(B) -lairlock -o $@

.PHONY: check-minimal
check-minimal: $(MINIMAL)
	@scripts/t minimal $(MINIMAL)

CHECKS += check-minimal
CHECKS_ALL += check-minimal
