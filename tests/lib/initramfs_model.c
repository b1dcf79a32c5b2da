/* SPDX-License-Identifier: GPL-2.0-only */
#include "initramfs_model.h"

#include "bytes.h"
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNPACKED_MAX	(8u << 20)


struct model {
	FILE *out;
	const char *error;
};

static unsigned long number(const unsigned char *header, unsigned int field)
{
	char text[9];

	memcpy(text, header + 6 + 8 * field, 8);
	text[8] = '\0';
	return strtoul(text, NULL, 16);
}

static unsigned long sum_of(const unsigned char *data, size_t bytes)
{
	unsigned long sum = 5381;

	while (bytes--)
		sum = sum * 33 + *data++;
	return sum;
}

static bool all_hex(const unsigned char *header)
{
	size_t i;

	for (i = 6; i < 110; i++)
		if (!header[i] || !strchr("0123456789abcdefABCDEF", header[i]))
			return false;
	return true;
}

static size_t round_up(size_t x)
{
	return (x + 3) / 4 * 4;
}

/*
 * One entry at data, of which bytes are there; offset is where the archive counts from. Returns its length with padding; 0: it is broken or
 * cut off, and said.
 */
static size_t take_entry(struct model *m, const unsigned char *data, size_t bytes)
{
	size_t name_bytes, body_bytes, body_at, end;
	unsigned int i;

	if (bytes < 110) {
		m->error = "cut off";
		return 0;
	}
	if (memcmp(data, "070701", 6) != 0 && memcmp(data, "070702", 6) != 0) {
		m->error = "no cpio magic";
		return 0;
	}
	if (!all_hex(data)) {
		m->error = "no numbers";
		return 0;
	}
	body_bytes = number(data, 6);
	name_bytes = number(data, 11);
	body_at = round_up(110 + name_bytes);
	end = round_up(body_at + body_bytes);
	if (!name_bytes || name_bytes > 4096) {
		m->error = "a name without end";
		return 0;
	}
	if (end > bytes) {
		m->error = "cut off";
		return 0;
	}
	if (name_bytes == 11 && memcmp(data + 110, "TRAILER!!!", 11) == 0) {
		fprintf(m->out, "end of archive: hard links are forgotten\n");
		return end;
	}
	for (i = 0; i < 13; i++)
		fprintf(m->out, "%lx ", i == 11 ? 0 : number(data, i));
	fprintf(m->out, "%.*s %lx\n", (int)strnlen((const char *)data + 110, name_bytes), data + 110, sum_of(data + body_at, body_bytes));
	return end;
}

/* Archives one behind another, without compression. Returns how much of them there was. */
static size_t take_archives(struct model *m, const unsigned char *data, size_t bytes)
{
	size_t at = 0, used;

	while (at < bytes && !m->error) {
		if (data[at] == 0) {
			at++;
			continue;
		}
		if (data[at] != '0' || at % 4)
			break;
		used = take_entry(m, data + at, bytes - at);
		at += used;
	}
	return at;
}

static enum codec method(const unsigned char *data)
{
	static const struct { const char *magic; enum codec codec; } methods[] = {
		{ "\x1f\x8b", CODEC_GZIP }, { "BZ", CODEC_BZIP2 }, { "\x5d\0", CODEC_LZMA }, { "\xfd" "7", CODEC_XZ }, { "\x89L", CODEC_LZO },
		{ "\x02!", CODEC_LZ4_LEGACY }, { "(\xb5", CODEC_ZSTD },
	};
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (memcmp(data, methods[i].magic, 2) == 0)
			return methods[i].codec;
	return CODEC_NONE;
}

/* All that comes out of one member, in memory. Returns how much went in; 0: it is broken. */
static size_t decompress(enum codec codec, const unsigned char *data, size_t bytes, unsigned char *to, size_t *made)
{
	struct decoder *decoder = codec_is_built_in(codec) ? decoder_open(codec) : NULL;
	size_t used = 0, in, out;
	bool end = false, stuck = false;

	*made = 0;
	while (decoder && !end && !stuck) {
		in = bytes - used;
		out = UNPACKED_MAX - *made;
		if (decoder_run(decoder, data + used, &in, to + *made, &out, &end))
			break;
		used += in;
		*made += out;
		stuck = !in && !out;
	}
	end |= stuck && used == bytes && decoder && decoder_may_end(decoder);
	decoder_close(decoder);
	return end ? used : 0;
}

static void take_all(struct model *m, const unsigned char *data, size_t bytes)
{
	unsigned char *unpacked = malloc(UNPACKED_MAX);
	size_t at = 0, used, made;
	bool after_plain = false;

	while (at < bytes && !m->error) {
		if (data[at] == '0' && at % 4 == 0) {
			/* Alignment is counted from the beginning of all, which is a multiple of four here. */
			used = take_archives(m, data + at, bytes - at);
			at += used;
			after_plain = true;
			continue;
		}
		if (data[at] == 0) {
			at++;
			continue;
		}
		if (after_plain && at % 4) {
			m->error = "broken padding";
			break;
		}
		after_plain = false;
		if (bytes - at < 2 || method(data + at) == CODEC_NONE) {
			m->error = "invalid magic at start of compressed archive";
			break;
		}
		used = decompress(method(data + at), data + at, bytes - at, unpacked, &made);
		if (!used) {
			m->error = "decompressor failed";
			break;
		}
		if (take_archives(m, unpacked, made) != made && !m->error)
			m->error = "junk within compressed archive";
		at += used;
	}
	free(unpacked);
}

/* lib/earlycpio.c: entries of plain archives from the beginning on, up to the first thing that is none. */
static void find_acpi(struct model *m, const unsigned char *data, size_t bytes)
{
	static const char directory[] = "kernel/firmware/acpi/";
	size_t at = 0;

	while (at < bytes) {
		size_t name_bytes, body_bytes, end;

		if (data[at] == 0) {
			at += 4;
			continue;
		}
		if (bytes - at < 110 || memcmp(data + at, "07070", 5) != 0 || !all_hex(data + at))
			return;
		body_bytes = number(data + at, 6);
		name_bytes = number(data + at, 11);
		end = round_up(round_up(110 + name_bytes) + body_bytes);
		if (!name_bytes || end > bytes - at)
			return;
		if (strncmp((const char *)data + at + 110, directory, sizeof(directory) - 1) == 0)
			fprintf(m->out, "ACPI: %.*s\n", (int)name_bytes - 1, data + at + 110);
		at += end;
	}
}

/* Returns where it begins; bytes: there is none. */
static size_t find_bootconfig(struct model *m, const unsigned char *data, size_t bytes)
{
	static const char magic[] = "#BOOTCONFIG\n";
	size_t padding, end, length;
	unsigned int sum = 0;

	for (padding = 0; padding < 4; padding++) {
		if (bytes < 20 + padding)
			return bytes;
		end = bytes - padding - 12;
		if (memcmp(data + end, magic, 12) == 0)
			break;
	}
	if (padding == 4)
		return bytes;
	length = load_le(data + end - 8, 4);
	if (length > end - 8)
		return bytes;
	for (padding = 0; padding < length; padding++)
		sum += data[end - 8 - length + padding];
	if (sum != load_le(data + end - 4, 4))
		return bytes;
	fprintf(m->out, "boot configuration: %lx, aligned by %zu\n", sum_of(data + end - 8 - length, length), (end - 8 - length) % 4);
	return end - 8 - length;
}

char *initramfs_model(const unsigned char *initrd, size_t bytes)
{
	struct model m = { 0 };
	size_t length;
	char *text;

	m.out = open_memstream(&text, &length);
	find_acpi(&m, initrd, bytes);
	bytes = find_bootconfig(&m, initrd, bytes);
	take_all(&m, initrd, bytes);
	if (m.error)
		fprintf(m.out, "error: %s\n", m.error);
	fclose(m.out);
	return text;
}
