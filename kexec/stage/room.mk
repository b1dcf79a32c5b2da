$(eval $(call room,stage,kexec/stage,stage.c source.c,core codec sys))
