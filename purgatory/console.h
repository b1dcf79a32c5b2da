/* SPDX-License-Identifier: GPL-2.0-only */
/* Bounded waits, so that a UART that never gets ready costs time and not the machine. Only with the MMU off. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

void console_text(const struct purg_params *params, const char *text);
void console_hex(const struct purg_params *params, uint64_t value);
/* Wait until all of it has left the FIFO: what follows may be a reset. */
void console_flush(const struct purg_params *params);
void console_digest(const struct purg_params *params, const uint8_t *digest, size_t bytes);

#pragma GCC visibility pop

#endif
