$(eval $(call room,codec,kexec/codec,codec.c blocks.c,core))
