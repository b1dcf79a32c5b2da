/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a long load is, for a person at a terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "request.h"

/* Make the request report progress on stderr, if that is a terminal. */
void progress_attach(struct load_request *request);
/* Wipe the line. */
void progress_end(void);

#endif
