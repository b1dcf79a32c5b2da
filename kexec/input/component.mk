# Files as streams, and what they say.
$(eval $(call component,input,kexec/input,source.c input.c kernel.c,core codec image dt plan arm64 report sys probe))
