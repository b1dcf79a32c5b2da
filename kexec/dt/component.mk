$(eval $(call component,dt,kexec/dt,dt.c,core))
