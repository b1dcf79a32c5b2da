$(eval $(call component,dt,kexec/dt,dt.c dt_complete.c,core))
