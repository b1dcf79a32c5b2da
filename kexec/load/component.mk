# The only component that knows the order of steps.
$(eval $(call component,load,kexec/load,load.c file.c crash.c payload.c files.c kernel.c place.c fill.c exec.c machine.c cpus.c memory.c device_tree.c,\
	core codec image memmap dt crash plan report stage sys arm64 abi))
