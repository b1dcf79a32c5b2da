# Unit tests: each links the pure rooms and what it names from tests/lib. They run where they were built for.
TEST_CFLAGS = $(filter-out -Wmissing-prototypes,$(LOADER_CFLAGS))
TEST_INCLUDES = -I$(srcdir)/tests/lib $(foreach room,$(LOADER_ROOMS),-I$(srcdir)/$($(room)_DIR))
PURE_OBJS = $(foreach room,$(PURE_ROOMS),$($(room)_OBJS))

UNIT_TESTS = test_plan test_pgtable test_range test_iomem test_image
test_plan_LIB = plan_sim
test_pgtable_LIB = table_walk

build/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_CFLAGS) $(TEST_INCLUDES) -MMD -MP -c $< -o $@

define unit_test
build/tests/unit/$(1): build/tests/unit/$(1).o $(patsubst %,build/tests/lib/%.o,$($(1)_LIB)) $($(1)_OBJS) $(PURE_OBJS)
	$$(call say,LINK)$(CC) $(TEST_CFLAGS) $(LDFLAGS) $$^ -lcmocka $(LIBS) -lm -o $$@
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_test,$(test))))

UNIT_BINARIES = $(patsubst %,build/tests/unit/%,$(UNIT_TESTS))

# One line a test program, the whole output of those that fail.
check: check-layers $(UNIT_BINARIES)
	@status=0; for test in $(UNIT_BINARIES); do \
		if $$test > $$test.log 2>&1; then echo "ok $$(basename $$test): $$(grep -c ' OK ' $$test.log) tests"; \
		else cat $$test.log; echo "not ok $$(basename $$test)"; status=1; fi; \
	done; exit $$status

# Pure rooms call no system, print nothing and never exit: what they leave undefined must be on the list.
check-layers: $(PURE_OBJS)
	@$(srcdir)/tools/check-layers $(NM) $(srcdir)/tools/pure-symbols $(PURE_OBJS)

# What needs an arm64 CPU, real or emulated: EMULATOR is empty on an arm64 machine.
EMULATOR = $(if $(filter aarch64,$(shell uname -m)),,qemu-aarch64-static)

ifeq ($(ARM64),yes)
build/tests/asm/test_routines: build/tests/asm/test_routines.o build/purgatory/obj/purgatory/arch/arm64/mmu_copy.o $(abi_OBJS)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) -static $(LDFLAGS) $^ -o $@

build/tests/e2e/tool: $(srcdir)/tests/e2e/tool.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) -static $< -o $@

.PHONY: check-asm
check-asm: build/tests/asm/test_routines build/sbin/kexec
	prove --exec '$(EMULATOR)' build/tests/asm/test_routines
	prove $(srcdir)/tests/cli/run :: '$(EMULATOR) build/sbin/kexec'
endif
