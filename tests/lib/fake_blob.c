/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for purgatory, where no arm64 compiler made one: its header, and bytes where its text would be. */
#include "purgatory_abi.h"

#include <stddef.h>

#define BLOB_BYTES	0x1000

__attribute__((aligned(16))) const unsigned char purgatory_blob[BLOB_BYTES] = {
	0x00, 0x02, 0x00, 0x14,				/* branch */
	PURG_ABI_VERSION, 0, 0, 0,
	'K', 'X', 'F', 'A', 'S', 'T', 'P', 'G',
	[PURG_VECTORS_OFFSET] = 0x1f, 0x20, 0x03, 0xd5,
	[BLOB_BYTES - 1] = 0x77,
};
const size_t purgatory_blob_bytes = BLOB_BYTES;
