$(eval $(call component,report,kexec/report,report.c timeline.c reboot.c,core abi))
