$(eval $(call room,arm64,kexec/arch/arm64,image.c pgtable.c mmu_regs.c hideout.c hideout_check.c,core plan abi))
