$(eval $(call component,image,kexec/image,foreign.c container.c,core codec))
