# Files as streams, and what they say.
$(eval $(call component,input,kexec/input,source.c input.c kernel.c unpack.c,core codec image initrd dt plan arm64 report sys probe))
