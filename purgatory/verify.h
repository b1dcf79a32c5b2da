/* SPDX-License-Identifier: GPL-2.0-only */
/* How digests are made on this CPU, and held against one another. */
#ifndef VERIFY_H
#define VERIFY_H

#include "digest.h"
#include "purgatory_abi.h"

/* Hidden: so that taking a function's address needs no global offset table, which purgatory has not. */
#pragma GCC visibility push(hidden)

/* Asked on the CPU that works: on big.LITTLE it need not be the one that loaded. */
crc32c_lanes_fn *best_crc32c_lanes(void);
sha256_blocks_fn *best_sha256_blocks(void);
/* crc32c_lanes_insn(), and each line that it has read is cleaned and invalidated to the point of coherency, after data_sync(): for lines of
 * LINE_BYTES_FUSED or more, data and bytes in PURG_UNIT_BYTES. */
#define LINE_BYTES_FUSED	64
void crc32c_lanes_clean_insn(uint32_t lane[CRC_LANES], const void *data, size_t bytes);
uint64_t check_method(const struct purg_params *params);	/* PURG_METHOD_* of this CPU */

int digests_differ(const uint8_t *a, const uint8_t *b, size_t bytes);
/* Eight bytes of a digest as a register: what was found lies on the warm stack, and the console runs cold. */
uint64_t digest_word(const uint8_t *digest);

#pragma GCC visibility pop

#endif
