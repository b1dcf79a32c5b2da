# The order of a load, and its stages.
$(eval $(call component,load,kexec/load,load.c calls.c file.c choices.c tree.c crash.c crash_kernel.c place.c fill.c digests.c again.c control_make.c commit.c,\
	core dt crash plan report stage ledger sys arm64 abi codec image memmap probe input))
