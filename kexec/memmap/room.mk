$(eval $(call room,memmap,kexec/memmap,iomem.c,core))
