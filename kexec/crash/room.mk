$(eval $(call room,crash,kexec/crash,elfcore.c kcore.c,core))
