$(eval $(call component,cli,kexec/cli,options.c $(if $(filter config,$(LEFT_OUT)),config_none.c,config.c) progress.c,core report sys))
$(cli_OBJS): INCLUDES += -Ibuild/include -I.

build/kexec/cli/options.o: build/include/version.h
build/include/version.h: Makefile
	@mkdir -p $(@D)
	$(call say,GEN){ echo "#define KEXEC_VERSION \"$(KEXEC_TOOLS_VERSION)+fast$(VERSION)\""; \
		echo "#define KEXEC_LEFT_OUT \"$(LEFT_OUT)\""; } > $@
