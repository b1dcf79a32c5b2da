# Memory that outlives the loader, and the ledgers of what is in it.
$(eval $(call component,stage,kexec/stage,staging.c huge_pages.c crash_memory.c ledgers.c,core plan arm64 abi ledger sys probe))
