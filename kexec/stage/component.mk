$(eval $(call component,stage,kexec/stage,stage.c source.c,core codec sys))
