# Purgatory: freestanding, its own flags, sees abi/ only. Linked in full and proven before it is embedded.
#
# -fpie, hidden visibility	no absolute address anywhere; the linker script asserts it
# -mcmodel=tiny			ADR instead of ADRP: no page-aligned base needed, no erratum 843419
# -mstrict-align		with the MMU off memory is Device, and an unaligned access faults
# -mgeneral-regs-only		no SIMD from the compiler: it may run before SIMD is enabled
# -fno-stack-protector		there is no guard value
# -fno-jump-tables		tables of addresses would need relocations
# -fno-builtin, -ffreestanding	loops stay loops; memcpy and memset are string.c's
PURG_CFLAGS = -std=gnu11 -Os -ffreestanding -fno-builtin -fpie -mcmodel=tiny -mstrict-align -mgeneral-regs-only \
	-fno-stack-protector -fno-jump-tables -fno-asynchronous-unwind-tables -fno-unwind-tables -fomit-frame-pointer \
	$(WARNINGS) -Wno-missing-prototypes
PURG_INCLUDES = -I$(srcdir)/abi -I$(srcdir)/abi/arm64 -I$(srcdir)/purgatory

# Each uses only those behind it: entry.S, purgatory.c, cpus.c, work.c, verify.c, and the CPU (cpu.h, arch/arm64). purg_fatal(), in
# entry.S, is called from everywhere, and calls nothing of these but report.c and console.c.
PURG_SRCS = purgatory/arch/arm64/entry.S purgatory/arch/arm64/mmu_copy.S purgatory/arch/arm64/verify_clean.S purgatory/arch/arm64/map.c \
	$(patsubst %,purgatory/%.c,purgatory cpus work verify report console string) abi/digest.c abi/arm64/digest_insn.S
PURG_OBJS = $(patsubst %,build/purgatory/obj/%.o,$(basename $(PURG_SRCS)))

build/purgatory/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(PURG_CFLAGS) $(PURG_INCLUDES) -MMD -MP -c $< -o $@

build/purgatory/obj/%.o: %.S
	@mkdir -p $(@D)
	$(call say,AS)$(CC) $(PURG_INCLUDES) -MMD -MP -c $< -o $@

build/purgatory/purgatory.elf: $(PURG_OBJS) $(srcdir)/purgatory/purgatory.lds
	$(call say,LD)$(LD) -pie --no-dynamic-linker --no-undefined -z norelro -z noexecstack --no-warn-rwx-segments \
		-T $(srcdir)/purgatory/purgatory.lds $(PURG_OBJS) -o $@
	$(call say,PROVE)$(srcdir)/tools/prove-purgatory $(NM) $(READELF) $(OBJDUMP) $@

# The other blob: what kexec_file_load(2) is given. One file, and nothing to be linked with.
build/purgatory/file_stub.elf: build/purgatory/obj/purgatory/arch/arm64/file_stub.o $(srcdir)/purgatory/purgatory.lds
	$(call say,LD)$(LD) -pie --no-dynamic-linker --no-undefined -z norelro -z noexecstack --no-warn-rwx-segments -e file_stub \
		-T $(srcdir)/purgatory/purgatory.lds $< -o $@

build/purgatory/%.bin: build/purgatory/%.elf
	$(call say,OBJCOPY)$(OBJCOPY) -O binary $< $@
