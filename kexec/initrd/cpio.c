/* SPDX-License-Identifier: GPL-2.0-only */
#include "cpio.h"

#include <string.h>

#define NAME_MAX_BYTES	4096		/* PATH_MAX: the kernel passes over what is longer */
#define HEADER_FILESIZE	(6 + 6 * 8)	/* fields of eight hexadecimal digits behind the magic: ino, mode, uid, gid, nlink, mtime, filesize, */
#define HEADER_NAMESIZE	(6 + 11 * 8)	/* devmajor, devminor, rdevmajor, rdevminor, namesize, check */

/* drivers/acpi/tables.c, acpi_table_upgrade() */
static const char acpi_directory[] = "kernel/firmware/acpi/";

#define ACPI_CHARS	(sizeof(acpi_directory) - 1)

static int digit_value(unsigned char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool fields_are_numbers(const struct cpio *c)
{
	size_t i;

	for (i = 6; i < CPIO_HEADER_BYTES; i++)
		if (digit_value(c->header[i]) < 0)
			return false;
	return true;
}

static uint64_t field(const struct cpio *c, size_t at)
{
	uint64_t value = 0;
	size_t i;

	for (i = at; i < at + 8; i++)
		value = value << 4 | (unsigned int)digit_value(c->header[i]);
	return value;
}

static uint64_t aligned(uint64_t at)
{
	return (at + CPIO_ALIGN_BYTES - 1) & ~(uint64_t)(CPIO_ALIGN_BYTES - 1);
}

/* The header is whole; c->at is behind it. Name and content are each padded to 4 bytes of the archive. */
static void take_header(struct cpio *c)
{
	uint64_t name_bytes;

	if ((memcmp(c->header, "070701", 6) != 0 && memcmp(c->header, "070702", 6) != 0) || !fields_are_numbers(c)) {
		c->bad = true;
		return;
	}
	name_bytes = field(c, HEADER_NAMESIZE);
	c->bad = !name_bytes || name_bytes > NAME_MAX_BYTES;
	c->entry_end = aligned(aligned(c->at + name_bytes) + field(c, HEADER_FILESIZE));
	c->name_have = 0;
}

static size_t feed_header(struct cpio *c, const unsigned char *data, size_t bytes)
{
	size_t n = CPIO_HEADER_BYTES - c->have < bytes ? CPIO_HEADER_BYTES - c->have : bytes;

	memcpy(c->header + c->have, data, n);
	c->have += n;
	c->at += n;
	if (c->have == CPIO_HEADER_BYTES)
		take_header(c);
	return n;
}

/* Its first characters, as far as they are the directory's; name_have is beyond it once they are not. */
static void look_at_name(struct cpio *c, const unsigned char *data, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && c->name_have < ACPI_CHARS; i++)
		c->name_have = data[i] == (unsigned char)acpi_directory[c->name_have] ? c->name_have + 1 : ACPI_CHARS + 1;
	c->acpi |= c->name_have == ACPI_CHARS;
}

static void went_on(struct cpio *c, uint64_t bytes)
{
	c->at += bytes;
	if (c->at == c->entry_end)
		c->have = 0;
}

static size_t feed_rest(struct cpio *c, const unsigned char *data, size_t bytes)
{
	size_t n = c->entry_end - c->at < bytes ? (size_t)(c->entry_end - c->at) : bytes;

	look_at_name(c, data, n);
	went_on(c, n);
	return n;
}

/* Not before the name is known to be of no interest, or to be of some: its null at the latest decides that. */
uint64_t cpio_skip(struct cpio *c, uint64_t bytes)
{
	if (c->bad || c->have < CPIO_HEADER_BYTES || c->name_have < ACPI_CHARS)
		return 0;
	if (bytes > c->entry_end - c->at)
		bytes = c->entry_end - c->at;
	went_on(c, bytes);
	return bytes;
}

size_t cpio_feed(struct cpio *c, const unsigned char *data, size_t bytes)
{
	size_t used = 0;

	while (used < bytes && !c->bad) {
		if (c->have == CPIO_HEADER_BYTES) {
			used += feed_rest(c, data + used, bytes - used);
		} else if (c->have || (data[used] == '0' && c->at % CPIO_ALIGN_BYTES == 0)) {
			used += feed_header(c, data + used, bytes - used);
		} else if (data[used] == 0) {
			used++;
			c->at++;
		} else {
			break;
		}
	}
	return c->bad ? bytes : used;
}
