$(eval $(call room,dt,kexec/dt,dt.c,core))
