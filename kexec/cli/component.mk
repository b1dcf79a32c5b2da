$(eval $(call component,cli,kexec/cli,options.c config.c progress.c,core report sys))
$(cli_OBJS): INCLUDES += -Ibuild/include

build/kexec/cli/options.o: build/include/version.h
build/include/version.h: Makefile
	@mkdir -p $(@D)
	$(call say,GEN)echo "#define KEXEC_VERSION \"$(KEXEC_TOOLS_VERSION)+fast$(VERSION)\"" > $@
