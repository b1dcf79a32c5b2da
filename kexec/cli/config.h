/* SPDX-License-Identifier: GPL-2.0-only */
/* /etc/kexec.conf and /etc/kexec.conf.d: what a load does where the command line does not say. */
#ifndef CONFIG_H
#define CONFIG_H

#include "options.h"
#include "sys.h"

/*
 * Fill in what the options leave open. Files that are not there say nothing. False if one is not understood: a complaint with file
 * and line was printed to err.
 */
bool config_apply(struct sys *sys, struct options *options, FILE *err);

#endif
