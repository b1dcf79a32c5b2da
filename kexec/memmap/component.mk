$(eval $(call component,memmap,kexec/memmap,iomem.c known.c,core))
