# What is staged, described by itself.
$(eval $(call component,ledger,kexec/ledger,ledger.c,core plan arm64 abi))
