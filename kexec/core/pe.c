/* SPDX-License-Identifier: GPL-2.0-only */
#include "pe.h"

#include "bytes.h"

#include <string.h>

#define DOS_BYTES		64
#define DOS_PE_OFFSET		0x3c
/* From the "PE\0\0" signature, and from a section header */
#define HEADER_MACHINE		4
#define HEADER_SECTIONS		6
#define HEADER_OPTIONAL_BYTES	20
#define HEADER_BYTES		24
#define SECTION_MEMORY_BYTES	8
#define SECTION_FILE_BYTES	16
#define SECTION_FILE_AT		20
#define SECTION_BYTES		40

static bool has(const struct pe *pe, uint64_t at, uint64_t bytes)
{
	return at <= pe->head_bytes && bytes <= pe->head_bytes - at;
}

bool pe_open(struct pe *pe, const unsigned char *head, size_t head_bytes)
{
	uint64_t at;

	*pe = (struct pe){ .head = head, .head_bytes = head_bytes };
	if (!has(pe, 0, DOS_BYTES) || memcmp(head, "MZ", 2) != 0)
		return false;
	at = load_le(head + DOS_PE_OFFSET, 4);
	if (!has(pe, at, HEADER_BYTES) || memcmp(head + at, "PE\0", 4) != 0)
		return false;
	pe->machine = (unsigned int)load_le(head + at + HEADER_MACHINE, 2);
	pe->left = load_le(head + at + HEADER_SECTIONS, 2);
	pe->at = at + HEADER_BYTES + load_le(head + at + HEADER_OPTIONAL_BYTES, 2);
	return true;
}

bool pe_next(struct pe *pe, struct pe_section *section)
{
	const unsigned char *header;

	if (!pe->left || !has(pe, pe->at, SECTION_BYTES))
		return false;
	header = pe->head + pe->at;
	*section = (struct pe_section){
		.name = header,
		.memory_bytes = load_le(header + SECTION_MEMORY_BYTES, 4),
		.file_at = load_le(header + SECTION_FILE_AT, 4),
		.file_bytes = load_le(header + SECTION_FILE_BYTES, 4),
	};
	pe->left--;
	pe->at += SECTION_BYTES;
	return true;
}
