$(eval $(call component,codec,kexec/codec,codec.c blocks.c,core))
