$(eval $(call component,core,kexec/core,err.c range.c request.c pe.c,))
