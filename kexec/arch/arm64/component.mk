$(eval $(call component,arm64,kexec/arch/arm64,image.c pgtable.c mmu_regs.c control.c control_check.c file_image.c,core plan abi))
