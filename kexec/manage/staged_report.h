/* SPDX-License-Identifier: GPL-2.0-only */
/* What is staged, for a person or a program. They choose nothing: where it goes is the caller's. */
#ifndef STAGED_REPORT_H
#define STAGED_REPORT_H

#include "staged.h"

#include <stdio.h>

/* The sentence of --verify-staged. */
void staged_check_text(const struct staged_check *check, FILE *out);

/* --staged, and --staged --json. */
void staged_text(const struct staged_status *status, FILE *out);
void staged_json(const struct staged_status *status, FILE *out);

/* --staged --prometheus: what is staged, and whether it is true as far as can be told without reading it. */
void staged_prometheus(const struct staged_status *status, FILE *out);

#endif
