$(eval $(call room,codec,kexec/codec,codec.c,core))
