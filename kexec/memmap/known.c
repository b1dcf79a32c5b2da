/* SPDX-License-Identifier: GPL-2.0-only */
#include "known.h"

#include "bytes.h"

#include <string.h>

/* UEFI 2.10, 7.2.3: EFI_MEMORY_DESCRIPTOR, EFI_MEMORY_TYPE and attributes */
#define DESC_TYPE		0
#define DESC_PHYSICAL_START	8
#define DESC_PAGES		24
#define DESC_ATTRIBUTE		32
#define DESC_BYTES		40
#define EFI_PAGE_SHIFT		12
#define EFI_LOADER_CODE		1
#define EFI_LOADER_DATA		2
#define EFI_BOOT_CODE		3
#define EFI_BOOT_DATA		4
#define EFI_CONVENTIONAL	7
#define EFI_ACPI_RECLAIM	9
#define EFI_PERSISTENT		14
#define EFI_MEMORY_WB		(1ull << 3)
#define EFI_MEMORY_SP		(1ull << 18)	/* Linux leaves it to a driver, which adds it later */

static bool is_memory(uint32_t type, uint64_t attribute)
{
	switch (type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_CODE:
	case EFI_BOOT_DATA:
	case EFI_CONVENTIONAL:
	case EFI_ACPI_RECLAIM:
	case EFI_PERSISTENT:
		return attribute & EFI_MEMORY_WB && !(attribute & EFI_MEMORY_SP);
	default:
		return false;
	}
}

enum kx_err known_from_efi(struct range_set *known, const unsigned char *map, size_t bytes, size_t desc_bytes)
{
	size_t at;

	if (desc_bytes < DESC_BYTES || bytes < desc_bytes || bytes % desc_bytes)
		return KX_IOMEM_BAD;
	for (at = 0; at < bytes; at += desc_bytes) {
		uint64_t start = load_le(map + at + DESC_PHYSICAL_START, 8), pages = load_le(map + at + DESC_PAGES, 8);

		if (!is_memory((uint32_t)load_le(map + at + DESC_TYPE, 4), load_le(map + at + DESC_ATTRIBUTE, 8)))
			continue;
		if (start >= PA_END || pages > (PA_END - start) >> EFI_PAGE_SHIFT)
			return KX_IOMEM_BAD;
		if (!range_set_add(known, (struct range){ start, pages << EFI_PAGE_SHIFT }))
			return KX_NO_MEMORY;
	}
	return known->count ? KX_OK : KX_IOMEM_BAD;	/* zeros, say */
}

/* A hexadecimal number behind "0x"; where it ends, or null. */
static const char *read_hex(const char *at, const char *end, uint64_t *value)
{
	const char *start;

	if (end - at < 3 || at[0] != '0' || at[1] != 'x')
		return NULL;
	*value = 0;
	for (start = at += 2; at < end && at - start <= 16; at++) {
		if (*at >= '0' && *at <= '9')
			*value = *value << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*value = *value << 4 | (uint64_t)(*at - 'a' + 10);
		else
			break;
	}
	return at > start && at - start <= 16 ? at : NULL;
}

/* "  node   0: [mem 0x0000000040000000-0x00000000bfffffff]" */
static bool read_node(const char *line, const char *end, struct range *range)
{
	static const char mem[] = ": [mem ";
	uint64_t first, last;
	const char *at;

	while (line < end && *line == ' ')
		line++;
	if (end - line < 5 || memcmp(line, "node ", 5) != 0)
		return false;
	at = memmem(line, (size_t)(end - line), mem, sizeof(mem) - 1);
	at = at ? read_hex(at + sizeof(mem) - 1, end, &first) : NULL;
	at = at && at < end && *at == '-' ? read_hex(at + 1, end, &last) : NULL;
	if (!at || at == end || *at != ']' || first > last || last >= PA_END)
		return false;
	*range = range_from_inclusive(first, last);
	return true;
}

enum kx_err known_from_log(struct range_set *known, const char *log, size_t bytes)
{
	static const char heading[] = "Early memory node ranges\n";
	const char *end = log + bytes, *line = memmem(log, bytes, heading, sizeof(heading) - 1), *stop;
	struct range range;

	for (line = line ? line + sizeof(heading) - 1 : end; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop || !read_node(line, stop, &range))
			break;
		if (!range_set_add(known, range))
			return KX_NO_MEMORY;
	}
	return KX_OK;
}
