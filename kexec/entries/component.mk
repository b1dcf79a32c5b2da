# What a boot loader would start: its files' texts in, a list of entries out.
$(eval $(call component,entries,kexec/entries,entry.c bls.c grub.c grub_script.c grub_commands.c grub_default.c grub_env.c \
	grub_text.c grub_test.c default_kexec.c entries_report.c,core))
