/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand in for purgatory and the stub, where no arm64 compiler made them: their headers, and bytes where the text would be. */
#include "file_stub_abi.h"
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

#define STUB_BLOB_BYTES	0x100

__attribute__((aligned(16))) const unsigned char file_stub_blob[STUB_BLOB_BYTES] = {
	0x20, 0x00, 0x00, 0x14, [24] = 8, [56] = 'A', 'R', 'M', 0x64, [STUB_BLOB_BYTES - 1] = 0x66,
};
const size_t file_stub_blob_bytes = STUB_BLOB_BYTES;
