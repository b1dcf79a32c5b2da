# The heart. It knows no arm64, no staging and no device tree: boot rules come in as data.
$(eval $(call component,plan,kexec/plan,plan.c plan_check.c,core))
