# Unit tests: each links the pure components and what it names from tests/lib. They run where they were built for.
# cmocka 2 (Debian sid) deprecates names that cmocka 1 has no other for.
TEST_CFLAGS = $(filter-out -Wmissing-prototypes,$(LOADER_CFLAGS)) -Wno-deprecated-declarations
TEST_INCLUDES = -I. -I$(srcdir)/tests/lib $(foreach component,$(LOADER_COMPONENTS),-I$(srcdir)/$($(component)_DIR))
PURE_OBJS = $(foreach component,$(PURE_COMPONENTS),$($(component)_OBJS))

# Whole loads on the machine in memory.
LOAD_TESTS = test_load test_load_initrd test_load_console test_load_files test_load_failures test_load_cpus test_formats test_file_load test_crash test_crash_memory test_memory test_budget test_heal test_heal_killed test_doctor test_doctor_calls
UNIT_TESTS = test_plan test_plan_random test_pgtable test_range test_iomem test_image test_digest test_dt test_dt_complete test_codec test_initrd \
	test_options test_options_questions test_entries test_entries_grub test_control test_workers test_sys test_ledger test_staged_report $(LOAD_TESTS) test_vmcore test_config test_report test_timeline test_reboot
test_plan_LIB = plan_sim
test_plan_random_LIB = plan_sim
test_pgtable_LIB = table_walk
test_initrd_LIB = pack initramfs_model
test_codec_LIB = pack
# What is built on struct sys, and makes no system call of its own.
SYS_HELPER_OBJS = $(patsubst %,build/kexec/sys/%.o,sys_read sys_unload)
test_codec_OBJS = $(input_OBJS) $(probe_OBJS) $(SYS_HELPER_OBJS)
test_options_OBJS = $(cli_OBJS) $(SYS_HELPER_OBJS)
test_options_questions_OBJS = $(cli_OBJS) $(SYS_HELPER_OBJS)
# The machine in memory, and what a load on it is judged by.
FAKE_LIB = sys_fake fake_files fake_pages fake_kexec
LOAD_LIB = $(FAKE_LIB) fake_blob purg_model table_walk
test_config_LIB = $(FAKE_LIB)
test_config_OBJS = $(cli_OBJS) $(SYS_HELPER_OBJS)
test_entries_LIB = $(FAKE_LIB)
test_entries_OBJS = build/kexec/probe/boot_entries.o build/kexec/probe/boot_paths.o $(SYS_HELPER_OBJS)
test_entries_grub_LIB = $(test_entries_LIB)
test_entries_grub_OBJS = $(test_entries_OBJS)
test_reboot_LIB = $(FAKE_LIB)
test_reboot_OBJS = build/kexec/probe/this_boot.o $(SYS_HELPER_OBJS)
test_workers_OBJS = $(sys_OBJS)
test_sys_OBJS = $(sys_OBJS)
test_staged_report_OBJS = build/kexec/manage/staged_report.o
LOAD_TEST_OBJS = $(probe_OBJS) $(stage_OBJS) $(input_OBJS) $(load_OBJS) $(manage_OBJS) $(SYS_HELPER_OBJS)
$(foreach test,$(LOAD_TESTS),$(eval $(test)_LIB = job pack $(LOAD_LIB))$(eval $(test)_OBJS = $(LOAD_TEST_OBJS)))

# Where tests/unit/golden.h finds the outputs that are kept.
build/tests/unit/test_report.o build/tests/unit/test_staged_report.o build/tests/unit/test_options.o build/tests/unit/test_doctor.o build/tests/unit/test_reboot.o build/tests/unit/test_timeline.o: TEST_INCLUDES += -DGOLDEN_DIR='"$(abspath $(srcdir))/tests/golden"'

build/tests/%.o: tests/%.c build_config.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(TEST_CFLAGS) $(TEST_INCLUDES) -MMD -MP -c $< -o $@

# Debian has no static cmocka.
define unit_test
build/tests/unit/$(1): build/tests/unit/$(1).o $(patsubst %,build/tests/lib/%.o,$($(1)_LIB)) $($(1)_OBJS) $(PURE_OBJS)
	$$(call say,LINK)$(CC) $(TEST_CFLAGS) $(filter-out -static,$(LDFLAGS)) $$^ -lcmocka $(LIBS) -lm -o $$@
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_test,$(test))))

# One line a test program, the whole output of those that fail.
RUN_UNIT_TESTS = $(patsubst %,run-%,$(UNIT_TESTS))
.PHONY: $(RUN_UNIT_TESTS)
check: check-layers $(RUN_UNIT_TESTS)
$(RUN_UNIT_TESTS): run-%: build/tests/unit/%
	@if $< > $<.log 2>&1; then echo "ok $*: $$(grep -c ' OK ' $<.log) tests"; else cat $<.log; echo "not ok $*"; exit 1; fi

# Pure components call no system, print nothing and never exit: what they leave undefined must be on the list.
check-layers: $(PURE_OBJS)
	@$(srcdir)/tools/check-layers $(NM) $(srcdir)/tools/pure-symbols $(PURE_OBJS)

# What needs an arm64 CPU, real or emulated: EMULATOR is empty on an arm64 machine.
EMULATOR = $(if $(filter aarch64,$(shell uname -m)),,qemu-aarch64)

ifeq ($(ARM64),yes)
build/tests/asm/test_routines: build/tests/asm/test_routines.o build/purgatory/obj/purgatory/arch/arm64/mmu_copy.o build/purgatory/obj/purgatory/arch/arm64/verify_clean.o $(abi_OBJS)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) -static $(LDFLAGS) $^ -o $@

# What tests do in a guest.
TOOL_OBJS = $(patsubst %,build/tests/e2e/%.o,tool tool_trace tool_kill tool_staged tool_kcore)
build/tests/e2e/tool: $(TOOL_OBJS)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) -static $(LDFLAGS) $^ -o $@

.PHONY: check-asm
check-asm: build/tests/asm/test_routines build/sbin/kexec
	prove --exec '$(EMULATOR)' build/tests/asm/test_routines
	# qemu-user's usual CPU zeroes 512 bytes with DC ZVA; this one 64, as Arm's cores do.
	QEMU_CPU=cortex-a72 prove --exec '$(EMULATOR)' build/tests/asm/test_routines
	prove $(srcdir)/tests/cli/run :: '$(EMULATOR) build/sbin/kexec'
endif

# Command lines given to Debian's kexec as well: the oldest one, the newest, and those between.
.PHONY: check-diff
check-diff: build/sbin/kexec
	prove $(srcdir)/tests/diff/run :: build/sbin/kexec bullseye bookworm trixie sid

# Fuzz targets: ordinary builds replay the corpus, "make fuzz" looks for more with clang's libFuzzer.
FUZZ_TARGETS = entries initrd iomem image container dt vmcore ledger options load
fuzz_initrd_LIB = initramfs_model
fuzz_options_OBJS = $(cli_OBJS) $(SYS_HELPER_OBJS)
fuzz_load_LIB = $(LOAD_LIB)
fuzz_load_OBJS = $(LOAD_TEST_OBJS)
FUZZ_SECONDS = 60

$(foreach target,$(FUZZ_TARGETS),$(eval build/tests/fuzz/replay_$(target): \
	$(patsubst %,build/tests/lib/%.o,$(fuzz_$(target)_LIB)) $(fuzz_$(target)_OBJS)))
build/tests/fuzz/replay_%: build/tests/fuzz/fuzz_%.o build/tests/fuzz/replay.o $(PURE_OBJS)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) $(LDFLAGS) $^ $(LIBS) -lm -o $@

.PHONY: check-corpus fuzz
check: check-corpus
REPLAY_CORPUS = $(patsubst %,replay-%,$(FUZZ_TARGETS))
.PHONY: $(REPLAY_CORPUS)
check-corpus: $(REPLAY_CORPUS)
$(REPLAY_CORPUS): replay-%: build/tests/fuzz/replay_%
	@if $< $(srcdir)/tests/corpus/$*/* > $<.log 2>&1; then echo "ok fuzz_$*: $$(cat $<.log) replayed"; else cat $<.log; echo "not ok fuzz_$*"; exit 1; fi

FUZZ_SRCS = $(foreach component,$(PURE_COMPONENTS) cli probe stage input load manage,$(wildcard $(patsubst build/%.o,$(srcdir)/%.c,$($(component)_OBJS)))) \
	$(srcdir)/kexec/sys/sys_read.c $(srcdir)/kexec/sys/sys_unload.c $(patsubst %,$(srcdir)/tests/lib/%.c,$(LOAD_LIB) initramfs_model)
fuzz:
	@mkdir -p build/fuzz
	for target in $(FUZZ_TARGETS); do \
		clang -g -O2 -fsanitize=fuzzer,address,undefined -std=gnu11 -D_GNU_SOURCE $(CPPFLAGS) $(TEST_INCLUDES) -Ibuild/include \
			$(srcdir)/tests/fuzz/fuzz_$$target.c $(FUZZ_SRCS) $(LIBS) -lm -o build/fuzz/$$target && \
		mkdir -p build/fuzz/$$target.corpus && \
		build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 \
			build/fuzz/$$target.corpus $(srcdir)/tests/corpus/$$target || exit 1; \
	done

# Purgatory alone in qemu-system: the composer makes its memory with the loader's own code.
build/tests/bare/compose: build/tests/bare/compose.o $(PURE_OBJS)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) $(LDFLAGS) $^ $(LIBS) -lm -o $@

build/tests/bare/%.bin: tests/bare/%.S $(srcdir)/tests/bare/bare.h
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -I$(srcdir)/tests/bare -c $< -o $(@:.bin=.o) && $(OBJCOPY) -O binary $(@:.bin=.o) $@

COMPOSE = $(EMULATOR) build/tests/bare/compose
.PHONY: check-bare
check-bare: build/tests/bare/compose build/tests/bare/stub.bin build/tests/bare/kernel.bin build/purgatory/purgatory.bin build/purgatory/file_stub.bin
	QEMU=$$($(srcdir)/tools/lab qemus) && export QEMU && NM=$(NM) prove $(srcdir)/tests/bare/run :: '$(COMPOSE)' build

# The same with a plugin that follows what caches could do, and proof that it sees each operation missing.
BUILD_CC = $(if $(filter aarch64,$(shell uname -m)),$(CC),cc)
build/tests/cache/cachecheck.so: $(srcdir)/tests/cache/cachecheck.c $(srcdir)/tests/cache/qemu_plugin.h
	@mkdir -p $(@D)
	$(call say,LINK)$(BUILD_CC) -std=gnu11 -O2 $(WARNINGS) -shared -fPIC -pthread $< -o $@

.PHONY: check-cache
check-cache: build/tests/bare/compose build/tests/bare/stub.bin build/tests/bare/kernel.bin build/purgatory/purgatory.bin build/purgatory/file_stub.bin \
		build/tests/cache/cachecheck.so
	QEMU=$$($(srcdir)/tools/lab qemu) && export QEMU CACHECHECK=$(CURDIR)/build/tests/cache/cachecheck.so NM=$(NM) \
		SRCDIR=$(srcdir) MAKE='$(MAKE)' && \
		prove $(srcdir)/tests/bare/run $(srcdir)/tests/cache/prove :: '$(COMPOSE)' build

# Publishes docs/benchmarks.*: half an hour to several, never part of the gate. BENCH_FLAGS is for bench/run.
.PHONY: bench
bench: build/sbin/kexec build/tests/e2e/tool build/bench/load_reference
	$(srcdir)/bench/run $(BENCH_FLAGS) $(wordlist 1,2,$^) > build/bench.txt
	$(srcdir)/bench/load $^ > build/bench-load.txt
	$(srcdir)/bench/report build/bench.txt build/bench-load.txt $(srcdir)/docs

# Publishes docs/downtime.*. PACKAGE is a .deb or a tree of make install, for bench/reboot.
.PHONY: bench-downtime
bench-downtime: build/sbin/kexec build/tests/e2e/tool
	$(srcdir)/bench/downtime $^ > build/downtime.txt
	$(srcdir)/bench/reboot $(PACKAGE) build/tests/e2e/tool > build/reboot.txt
	$(srcdir)/bench/downtime-report build/downtime.txt build/reboot.txt $(srcdir)/docs

# How long a load takes against what it cannot do without: minutes.
build/bench/load_reference.o: INCLUDES += -I$(srcdir)/abi
build/bench/load_reference: build/bench/load_reference.o $(abi_OBJS)
	$(call say,LINK)$(CC) $(TEST_CFLAGS) -static $(LDFLAGS) $^ $(LIBS) -lm -o $@
.PHONY: bench-load
bench-load: build/sbin/kexec build/tests/e2e/tool build/bench/load_reference
	$(srcdir)/bench/load $^
