# Reading a dump: for vmcore-dmesg.
$(eval $(call component,vmcore,kexec/vmcore,vmcore.c printk.c,core))
