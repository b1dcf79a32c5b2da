# The only component with system calls.
$(eval $(call component,sys,kexec/sys,sys_linux.c sys_files.c sys_shm.c sys_lock.c sys_workers.c sys_run.c sys_clock.c sys_read.c sys_unload.c,core))
