$(eval $(call room,image,kexec/image,foreign.c container.c,core))
