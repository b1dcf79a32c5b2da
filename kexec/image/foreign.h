/* SPDX-License-Identifier: GPL-2.0-only */
/* What a file that is no arm64 Image might be, so that the person learns what they passed. Pure. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* A noun phrase, "an ELF file"; "of no known kind" if nothing fits. */
const char *foreign_name(const unsigned char *start, size_t bytes);

/* Whether it is a kernel, of another architecture. */
bool foreign_kernel(const unsigned char *start, size_t bytes);

#endif
