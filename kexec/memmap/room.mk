$(eval $(call room,memmap,kexec/memmap,iomem.c known.c,core))
