# What is done with a load.
$(eval $(call component,manage,kexec/manage,exec.c unload.c staged.c staged_report.c heal.c,\
	core dt crash plan report stage ledger sys arm64 abi codec image memmap probe input load))
