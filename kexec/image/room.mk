$(eval $(call room,image,kexec/image,foreign.c,))
