$(eval $(call component,codec,kexec/codec,codec.c gzip.c zstd.c xz.c bzip2.c lz4.c blocks.c,core))
