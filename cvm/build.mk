# SPDX-License-Identifier: GPL-2.0
# The emulated confidential machine: build/cvm/machine.elf, freestanding.
# Whoever links cvm/launch links $(CVM_IMAGE), which has it inside.

CVM := $(B)/cvm

CVM_MACHINE_CFLAGS := -std=gnu11 -O2 -g $(WARN) -Icvm -Icvm/machine -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) \
	-fno-pic -no-pie -mno-red-zone -mgeneral-regs-only -mcmodel=small \
	-fno-stack-protector -fno-strict-aliasing -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns

# From the bottom up: a file uses only what stands before it; tests/rooms/check
# holds the machine to it.
CVM_MACHINE_ORDER := lib power pool clock config pci gdb vcpu stats npt vtd gmem end \
	world trap_stubs trap trampoline lock attest smp svm cpu convert host debug \
	kexec exits \
	$(addprefix platform/,plain snp/pvalidate snp/psc snp/request snp/ghcb snp/blob \
	snp/pvclock snp/snp tdx/ve tdx/page tdx/report tdx/vmcall tdx/tdcall tdx/tdx hyperv) \
	$(addprefix boot/,elf firmware efi linux) main start
CVM_MACHINE_OBJS := $(patsubst %,$(CVM)/machine/%.o,$(CVM_MACHINE_ORDER)) \
	$(CVM)/bare/text.o

CVM_IMAGE := $(CVM)/machine_image.o

$(CVM)/machine/%.o: cvm/machine/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CVM_MACHINE_CFLAGS) -MMD -MP -c -o $@ $<

$(CVM)/bare/%.o: bare/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CVM_MACHINE_CFLAGS) -MMD -MP -c -o $@ $<

$(CVM)/machine/%.o: cvm/machine/%.S cvm/build.mk
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -MMD -MP -c -o $@ $<

$(CVM)/machine.elf: $(CVM_MACHINE_OBJS) cvm/machine/machine.lds
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
		-T cvm/machine/machine.lds -o $@ \
		$(CVM_MACHINE_OBJS)

$(CVM_IMAGE): cvm/launch/machine_image.S $(CVM)/machine.elf
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -DMACHINE_ELF='"$(CVM)/machine.elf"' -c -o $@ $<

-include $(wildcard $(CVM)/machine/*.d $(CVM)/machine/*/*.d \
	$(CVM)/machine/*/*/*.d)

# ---- tests ----

CVM_GUEST := $(B)/tests/rules
CVM_GUEST_OBJS := $(patsubst %,$(CVM_GUEST)/%.o,entry lib rules alone cpu \
	bare/text)

$(CVM_GUEST)/%.o: tests/rules/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CVM_MACHINE_CFLAGS) -MMD -MP -c -o $@ $<

$(CVM_GUEST)/bare/%.o: bare/%.c cvm/build.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CVM_MACHINE_CFLAGS) -MMD -MP -c -o $@ $<

$(CVM_GUEST)/%.o: tests/rules/%.S cvm/build.mk
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -MMD -MP -c -o $@ $<

$(CVM_GUEST)/rules.elf: $(CVM_GUEST_OBJS) tests/rules/guest.lds
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z noexecstack --no-warn-rwx-segments \
		-T tests/rules/guest.lds -o $@ $(CVM_GUEST_OBJS)

-include $(wildcard $(CVM_GUEST)/*.d $(CVM_GUEST)/bare/*.d)

CVM_RULES := $(patsubst %,check-cvm-%,$(PLATFORMS))

.PHONY: check-cvm-qemu check-cvm-launcher $(CVM_RULES)
check-cvm-qemu:
	@scripts/setup qemu

$(CVM_RULES): check-cvm-%: check-cvm-qemu $(B)/airlock $(CVM_GUEST)/rules.elf
	@scripts/t cvm-$* tests/cvm/rules $*

check-cvm-launcher: check-cvm-qemu $(B)/tests/airlock-asan \
		$(CVM_GUEST)/rules.elf
	@scripts/t cvm-launcher env AIRLOCK=$(B)/tests/airlock-asan \
		tests/cvm/launcher

# The arrows between rooms and inside the machine, of everything built.
.PHONY: check-rooms
check-rooms: all
	@scripts/t rooms tests/rooms/check $(B) $(CVM_MACHINE_ORDER)
	@scripts/t rooms-broken tests/rooms/broken $(B) $(CVM_MACHINE_ORDER)

# Debian's kernels: the quick tests boot 6.12 on SNP and TDX, the long ones on
# everything, 6.1 where it knows the platform, and with unaccepted memory.
CVM_LINUX :=
define cvm_linux # NAME SERIES PLATFORM TEXT OPTIONS
.PHONY: check-cvm-linux-$(1)
check-cvm-linux-$(1): check-cvm-qemu $(B)/airlock $(B)/linux/$(2)/fetched
	@scripts/t cvm-linux-$(1) tests/cvm/linux $(2) $(3) $(4) $(5)
CVM_LINUX += check-cvm-linux-$(1)
endef
$(eval $(call cvm_linux,none,6.12,none,"Booting paravirtualized kernel"))
$(eval $(call cvm_linux,snp,6.12,snp,"Features active: AMD SEV SEV-ES SEV-SNP"))
$(eval $(call cvm_linux,tdx,6.12,tdx,"Features active: Intel TDX"))
$(eval $(call cvm_linux,vtom,6.12,vtom,"Isolation Config: .*Group B 0xbe2"))
$(eval $(call cvm_linux,vtom-vbs,6.12,vtom,"Isolation Config: .*Group B 0xbe1",--isolation vbs))
$(eval $(call cvm_linux,tdp,6.12,tdp,"Isolation Config: .*Group B 0xbe3"))
$(eval $(call cvm_linux,snp-lazy,6.12,snp,"accept_pages",--lazy))
$(eval $(call cvm_linux,tdx-lazy,6.12,tdx,"accept_pages",--lazy))
$(eval $(call cvm_linux,snp-strict,6.12,snp,"SEV-SNP",--host strict))
$(eval $(call cvm_linux,tdx-strict,6.12,tdx,"Intel TDX",--host strict))
$(eval $(call cvm_linux,snp-disk,6.12,snp,"1 MiB to the disk and back",--iommu))
$(eval $(call cvm_linux,tdx-disk,6.12,tdx,"1 MiB to the disk and back",--iommu))
$(eval $(call cvm_linux,none-disk,6.12,none,"1 MiB to the disk and back",--iommu))
$(eval $(call cvm_linux,vtom-disk,6.12,vtom,"1 MiB to the disk and back",--iommu))
$(eval $(call cvm_linux,snp-large,6.12,snp,"SEV-SNP",--cpus 16 --memory 4096))
$(eval $(call cvm_linux,tdx-large,6.12,tdx,"accept_pages",--memory 16384 --lazy))
$(eval $(call cvm_linux,vtom-large,6.12,vtom,"0xbe2",--memory 4096 --iommu))
$(eval $(call cvm_linux,6.1-snp,6.1,snp,"AMD SEV SEV-ES SEV-SNP"))
$(eval $(call cvm_linux,6.1-vtom,6.1,vtom,"Isolation Config: .*Group B 0xbe2"))

.PHONY: check-cvm-deterministic
check-cvm-deterministic: check-cvm-qemu $(B)/airlock $(B)/linux/6.12/fetched
	@scripts/t cvm-deterministic tests/cvm/deterministic
CVM_LINUX += check-cvm-deterministic

CHECKS += check-rooms check-cvm-launcher $(CVM_RULES) check-cvm-linux-snp check-cvm-linux-tdx
CHECKS_ALL += check-rooms check-cvm-launcher $(CVM_RULES) $(CVM_LINUX)

# Attestation, without a machine.
CVM_ATTEST := $(B)/tests/attest
CVM_ATTEST_OBJS := $(patsubst %,$(B)/tests/asan/%.o,tests/cvm/attest \
	$(addprefix cvm/launch/,attest attest_key attest_snp attest_tdx report))
$(CVM_ATTEST): $(CVM_ATTEST_OBJS) $(CVM_IMAGE)
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ -lcrypto

.PHONY: check-cvm-attest
check-cvm-attest: $(CVM_ATTEST)
	@scripts/t cvm-attest $<
CHECKS += check-cvm-attest
CHECKS_ALL += check-cvm-attest
