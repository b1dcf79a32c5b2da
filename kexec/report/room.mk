$(eval $(call room,report,kexec/report,report.c timeline.c,core abi))
