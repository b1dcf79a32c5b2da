# What is done with a load, and whether one could be made.
$(eval $(call component,manage,kexec/manage,exec.c unload.c staged.c staged_report.c heal.c doctor.c doctor_report.c kernel_config.c,\
	core dt crash plan report stage ledger sys arm64 abi codec image memmap probe input load))
