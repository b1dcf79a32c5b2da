# The only room with system calls.
$(eval $(call room,sys,kexec/sys,sys_linux.c sys_files.c sys_shm.c sys_lock.c sys_crew.c sys_read.c,core))
