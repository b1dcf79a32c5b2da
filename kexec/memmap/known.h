/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a kernel finds when it boots, by EFI's memory map or by what the running kernel logged of its own boot: not what was
 * added while it ran, which the next kernel does not know before its drivers do. Pure.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include "err.h"
#include "range.h"

#define EFI_MAP_BYTES_MAX	MIB(4)	/* a descriptor is 48 bytes; the largest machines have some thousands */

/*
 * Add what arm64 Linux takes for memory in a map of EFI descriptors (UEFI 2.10, 7.2.3, EFI_MEMORY_DESCRIPTOR), each desc_bytes long:
 * cacheable, of a type that is free once boot services are over (drivers/firmware/efi/efi-init.c, is_usable_memory()).
 *
 * Errors: KX_IOMEM_BAD: the map is not one; KX_NO_MEMORY
 */
enum kx_err known_from_efi(struct range_set *known, const unsigned char *map, size_t bytes, size_t desc_bytes);

/*
 * Add the ranges under "Early memory node ranges" in a kernel log (mm/mm_init.c, free_area_init()). None is added where the log
 * does not reach back to them.
 *
 * Errors: KX_NO_MEMORY
 */
enum kx_err known_from_log(struct range_set *known, const char *log, size_t bytes);

#endif
