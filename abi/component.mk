# What both sides of the contract are compiled with.
ifeq ($(ARM64),yes)
$(eval $(call component,abi,abi,digest.c arm64/digest_insn.S,))
$(abi_OBJS): INCLUDES += -I$(srcdir)/abi/arm64
else
$(eval $(call component,abi,abi,digest.c,))
endif
