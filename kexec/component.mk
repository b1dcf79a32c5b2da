# The loader: every component, main.c, and purgatory as a blob.
PURE_COMPONENTS = core codec image initrd entries memmap dt crash vmcore plan ledger report arm64 abi
LOADER_COMPONENTS = $(PURE_COMPONENTS) sys probe stage input load manage cli

$(eval $(call component,main,kexec,main.c,core entries load manage probe cli report sys stage ledger plan arm64 abi))
$(eval $(call component,vmcore_dmesg,kexec,vmcore-dmesg.c,core vmcore))
build/kexec/load/blob.o: INCLUDES =
build/kexec/load/blob.o: ASFLAGS = -DPURGATORY_BIN='"build/purgatory/purgatory.bin"' -DFILE_STUB_BIN='"build/purgatory/file_stub.bin"'
build/kexec/load/blob.o: build/purgatory/purgatory.bin build/purgatory/file_stub.bin

LOADER_OBJS = $(foreach component,$(LOADER_COMPONENTS) main,$($(component)_OBJS))

ifeq ($(ARM64),yes)
all: build/sbin/kexec build/sbin/vmcore-dmesg
build/sbin/vmcore-dmesg: $(vmcore_dmesg_OBJS) $(vmcore_OBJS) $(core_OBJS)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LOADER_CFLAGS) $(LOADER_LDFLAGS) $^ -o $@

build/sbin/kexec: $(LOADER_OBJS) build/kexec/load/blob.o
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LOADER_CFLAGS) $(LOADER_LDFLAGS) $^ $(LIBS) -lm -o $@

install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8
	$(INSTALL) -m 755 build/sbin/kexec build/sbin/vmcore-dmesg $(DESTDIR)$(sbindir)
	$(INSTALL) -m 644 $(srcdir)/man/kexec.conf.5 $(DESTDIR)$(mandir)/man5
	$(INSTALL) -m 644 $(srcdir)/man/kexec.8 $(srcdir)/man/vmcore-dmesg.8 $(DESTDIR)$(mandir)/man8
ifneq ($(completionsdir),)
	$(INSTALL) -d $(DESTDIR)$(completionsdir)
	$(INSTALL) -m 644 $(srcdir)/completion/kexec $(DESTDIR)$(completionsdir)/kexec
endif

else
# Not an arm64 compiler: the pure components, for their tests.
all: $(foreach component,$(PURE_COMPONENTS) probe stage input load manage cli,$($(component)_OBJS))
install:
	@echo "kexec is for arm64: configure with --host=aarch64-linux-gnu" >&2; exit 1
endif
