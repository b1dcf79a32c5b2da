# An initrd as the kernel reads it, and the same without its compression.
$(eval $(call component,initrd,kexec/initrd,initrd.c cpio.c room.c,core codec))
