$(eval $(call room,core,kexec/core,err.c range.c,))
