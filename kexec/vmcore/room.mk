# Reading a dump: for vmcore-dmesg.
$(eval $(call room,vmcore,kexec/vmcore,vmcore.c printk.c,core))
