$(eval $(call component,crash,kexec/crash,elfcore.c kcore.c,core))
