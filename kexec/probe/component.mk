# What the running system is like.
$(eval $(call component,probe,kexec/probe,machine.c preflight.c budget.c loaded.c console.c cpus.c memory.c device_tree.c boot_entries.c boot_paths.c \
	guards.c boot_log.c this_boot.c live_update.c,core entries report memmap dt crash plan arm64 sys abi))
