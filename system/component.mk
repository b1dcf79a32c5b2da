# What systemd, kernel packages and kernel-install call, and kexec-reboot. Installing it enables nothing.
INSTALL_EXTRA += install-system

build/system/%: system/%.in Makefile
	@mkdir -p $(@D)
	$(call say,GEN)sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@libexecdir@|$(libexecdir)|g' $< > $@

.PHONY: install-system
install-system: build/system/kexec-load.service build/system/95-kexec-fast.install
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(systemdunitdir) $(DESTDIR)$(systemdpresetdir) \
		$(DESTDIR)$(systemdshutdowndir) $(DESTDIR)$(kernelinstalldir) $(DESTDIR)$(libexecdir)/kexec-fast
	$(INSTALL) -m 755 $(srcdir)/system/kexec-reboot $(DESTDIR)$(sbindir)/kexec-reboot
	$(INSTALL) -m 644 $(srcdir)/man/kexec-reboot.8 $(DESTDIR)$(mandir)/man8/kexec-reboot.8
	$(INSTALL) -m 644 build/system/kexec-load.service $(DESTDIR)$(systemdunitdir)/kexec-load.service
	$(INSTALL) -m 644 $(srcdir)/system/90-kexec-fast.preset $(DESTDIR)$(systemdpresetdir)/90-kexec-fast.preset
	$(INSTALL) -m 755 $(srcdir)/system/kexec-fast.shutdown $(DESTDIR)$(systemdshutdowndir)/kexec-fast
	$(INSTALL) -m 755 build/system/95-kexec-fast.install $(DESTDIR)$(kernelinstalldir)/95-kexec-fast.install
	$(INSTALL) -m 755 $(srcdir)/system/kernel-hook $(DESTDIR)$(libexecdir)/kexec-fast/kernel-hook
ifneq ($(kernelhooksdir),)
	for directory in kernel/postinst.d kernel/postrm.d initramfs/post-update.d; do \
		$(INSTALL) -d $(DESTDIR)$(kernelhooksdir)/../$$directory && \
		printf '#!/bin/sh\n[ ! -x $(libexecdir)/kexec-fast/kernel-hook ] || exec $(libexecdir)/kexec-fast/kernel-hook\n' \
			> $(DESTDIR)$(kernelhooksdir)/../$$directory/zzz-kexec-fast && \
		chmod 755 $(DESTDIR)$(kernelhooksdir)/../$$directory/zzz-kexec-fast || exit; \
	done
endif

# With a kexec and a systemctl that only write down how they were called.
.PHONY: check-system
check: check-system
check-system:
	prove $(srcdir)/tests/system/reboot
