/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef THIS_BOOT_H
#define THIS_BOOT_H

#include "reboot.h"
#include "sys.h"

/* What this kernel and its systemd say of their start. /init by the kernel log, as long as that reaches back; the rest by systemctl(1), where
 * that is there and answers. */
void this_boot_read(struct reboot_now *now, struct sys *sys);

#endif
