# What systemd, kernel packages and kernel-install call, and kexec-reboot. Installing it enables nothing. A directory that configure was
# told to leave out is empty.
INSTALL_EXTRA += install-system

build/system/%: system/%.in Makefile
	@mkdir -p $(@D)
	$(call say,GEN)sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@libexecdir@|$(libexecdir)|g' $< > $@

vpath %.in $(srcdir)

# $(call install_system,MODE,FILE,DIRECTORY,NAME): a step of the recipe below.
install_system = $(if $(3),$(INSTALL) -d $(DESTDIR)$(3) && $(INSTALL) -m $(1) $(2) $(DESTDIR)$(3)/$(4))

install-system: build/system/kexec-load.service build/system/95-kexec-fast.install build/system/package-hook
	$(call install_system,755,$(srcdir)/system/kexec-reboot,$(sbindir),kexec-reboot)
	$(call install_system,644,$(srcdir)/man/kexec-reboot.8,$(mandir)/man8,kexec-reboot.8)
	$(call install_system,644,build/system/kexec-load.service,$(systemdunitdir),kexec-load.service)
	$(call install_system,644,$(srcdir)/system/90-kexec-fast.preset,$(systemdpresetdir),90-kexec-fast.preset)
	$(call install_system,755,$(srcdir)/system/kexec-fast.shutdown,$(systemdshutdowndir),kexec-fast)
	$(call install_system,755,$(srcdir)/system/kernel-hook,$(libexecdir)/kexec-fast,kernel-hook)
	$(call install_system,755,build/system/95-kexec-fast.install,$(kernelinstalldir),95-kexec-fast.install)
	$(call install_system,755,build/system/package-hook,$(kernelhooksdir:%=%/postinst.d),zzz-kexec-fast)
	$(call install_system,755,build/system/package-hook,$(kernelhooksdir:%=%/postrm.d),zzz-kexec-fast)
	$(call install_system,755,build/system/package-hook,$(kernelhooksdir:%=%/../initramfs/post-update.d),zzz-kexec-fast)

# With a kexec and a systemctl that only write down how they were called.
.PHONY: check-system
check: check-system
check-system:
	prove $(srcdir)/tests/system/reboot $(srcdir)/tests/system/metrics
