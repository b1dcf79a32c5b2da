$(eval $(call component,report,kexec/report,report.c timeline.c,core abi))
