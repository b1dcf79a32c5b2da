/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staging in huge pages of 2 MiB, in a System V segment: it needs no process to stay alive, is on no mount, and survives everything that
 * a shutdown does.
 */
#ifndef HUGE_PAGES_H
#define HUGE_PAGES_H

#include "staging.h"

extern const struct staging_ops huge_pages_staging;

#define STAGING_KEY	0x4b584600	/* "KXF", and the number */
#define STAGING_NUMBERS	0x100

#endif
