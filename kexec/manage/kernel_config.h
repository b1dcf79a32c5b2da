/* SPDX-License-Identifier: GPL-2.0-only */
/* How the running kernel was configured, where it or its distribution says so. */
#ifndef KERNEL_CONFIG_H
#define KERNEL_CONFIG_H

#include "sys.h"

#include <stdbool.h>

/*
 * From /proc/config.gz, which is the kernel's own (CONFIG_IKCONFIG_PROC), else from the file that distributions put beside it. To be freed;
 * null: there is none that can be read.
 */
char *kernel_config_read(struct sys *sys);

/* Whether an option is built in; its name is without the CONFIG_. */
bool kernel_config_has(const char *config, const char *option);

#endif
