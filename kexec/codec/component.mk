# What configure was told to leave out is not compiled.
codec_SRCS_lzma = xz.c
codec_SRCS_zstd = zstd.c
codec_SRCS_bzip2 = bzip2.c
codec_SRCS_lz4 = lz4.c lz4_legacy.c
codec_SRCS_lzo = lzop.c
codec_OPTIONS = $(filter-out $(LEFT_OUT),lzma zstd bzip2 lz4 lzo)
$(eval $(call component,codec,kexec/codec,codec.c formats.c gzip.c $(if $(filter lz4 lzo,$(codec_OPTIONS)),blocks.c) \
	$(foreach option,$(codec_OPTIONS),$(codec_SRCS_$(option))),core))
$(codec_OBJS): INCLUDES += -I.
