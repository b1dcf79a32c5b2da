/* SPDX-License-Identifier: GPL-2.0-only */
#include "iomem.h"

#include <string.h>

struct line {
	const char *text;
	size_t bytes;
};

/* Cut the next line off the text. */
static bool next_line(const char **text, const char *end, struct line *line)
{
	const char *stop;

	if (*text >= end)
		return false;
	stop = memchr(*text, '\n', (size_t)(end - *text));
	line->text = *text;
	line->bytes = (size_t)((stop ? stop : end) - *text);
	*text = stop ? stop + 1 : end;
	return true;
}

/* Read hexadecimal digits at *at; false if there are none or more than 16. */
static bool read_hex(const char *text, size_t bytes, size_t *at, uint64_t *value)
{
	size_t digits = 0;

	*value = 0;
	for (; *at < bytes; (*at)++, digits++) {
		char c = text[*at];
		unsigned int digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned int)(c - 'a' + 10);
		else
			break;
		*value = *value << 4 | digit;
	}
	return digits >= 1 && digits <= 16;
}

struct iomem_line {
	size_t indent;
	struct range range;
	const char *name;
	size_t name_bytes;
};

/* "  40000000-bfffffff : System RAM", two blanks a level. */
static bool parse_line(struct line line, struct iomem_line *out)
{
	uint64_t first, last;
	size_t at = 0;

	while (at < line.bytes && line.text[at] == ' ')
		at++;
	out->indent = at;
	if (!read_hex(line.text, line.bytes, &at, &first) || at >= line.bytes || line.text[at++] != '-')
		return false;
	if (!read_hex(line.text, line.bytes, &at, &last) || last < first)
		return false;
	if (line.bytes - at < 3 || memcmp(line.text + at, " : ", 3) != 0)
		return false;
	/* What lies beyond all memory is of no interest; what reaches out there ends where memory ends. */
	if (first >= PA_END)
		first = last = PA_END - 1;
	if (last >= PA_END)
		last = PA_END - 1;
	out->range = range_from_inclusive(first, last);
	out->name = line.text + at + 3;
	out->name_bytes = line.bytes - at - 3;
	return true;
}

static bool is_named(const struct iomem_line *line, const char *name)
{
	return line->name_bytes == strlen(name) && memcmp(line->name, name, line->name_bytes) == 0;
}

/* The dying kernel itself may be overwritten: purgatory runs when it is gone. */
static bool is_old_kernel(const struct iomem_line *line)
{
	return is_named(line, "Kernel code") || is_named(line, "Kernel rodata") || is_named(line, "Kernel data") ||
	       is_named(line, "Kernel bss");
}

static bool add_line(struct memmap *map, const struct iomem_line *line, bool *in_ram)
{
	if (line->indent == 0) {
		*in_ram = is_named(line, "System RAM");
		return !*in_ram || (range_set_add(&map->ram, line->range) && range_set_add(&map->spare, line->range));
	}
	if (is_old_kernel(line)) {
		pa_t start = map->kernel.bytes ? map->kernel.start : line->range.start;

		map->kernel = (struct range){ start, range_end(line->range) > start ? range_end(line->range) - start : 0 };
	}
	if (is_named(line, "Crash kernel") && map->crash_count < MEMMAP_CRASH_MAX)
		map->crash[map->crash_count++] = line->range;
	return !*in_ram || is_old_kernel(line) || range_set_remove(&map->spare, line->range);
}

enum kx_err memmap_parse(struct memmap *map, const char *text, size_t bytes)
{
	const char *end = text + bytes;
	enum kx_err err = KX_IOMEM_BAD;
	struct line line;
	bool in_ram = false;

	*map = (struct memmap){ 0 };
	while (next_line(&text, end, &line)) {
		struct iomem_line parsed;

		if (!line.bytes)
			continue;
		if (!parse_line(line, &parsed))
			goto bad;
		if (!add_line(map, &parsed, &in_ram)) {
			err = KX_NO_MEMORY;
			goto bad;
		}
	}
	/* The unprivileged see every line as 00000000-00000000, one byte. */
	if (range_set_bytes(&map->ram) < MIB(2))
		goto bad;
	return KX_OK;
bad:
	memmap_free(map);
	return err;
}

bool memmap_file_load_bounds(const struct memmap *map, uint64_t low_bytes, uint64_t high_bytes, pa_t *low_end, pa_t *high_start, bool *no_memory)
{
	struct range_set holes = { 0 };
	bool found_low = false, found_high = false;
	size_t i;

	*no_memory = false;
	for (i = 0; i < map->spare.count; i++)
		*no_memory |= !range_set_add(&holes, map->spare.v[i]);
	/* The kernel itself is reserved for the kernel. */
	*no_memory |= !range_set_remove(&holes, map->kernel);
	for (i = 0; i < holes.count && !*no_memory; i++) {
		pa_t start = align_up(holes.v[i].start, MIB(2)), end = align_down(range_end(holes.v[i]), MIB(2));

		if (start < end && end - start >= low_bytes && !found_low) {
			*low_end = start + low_bytes;
			found_low = true;
		}
		if (start < end && end - start >= high_bytes) {
			*high_start = end - high_bytes;
			found_high = true;
		}
	}
	range_set_free(&holes);
	return found_low && found_high && !*no_memory;
}

void memmap_free(struct memmap *map)
{
	range_set_free(&map->ram);
	range_set_free(&map->spare);
}

/* What the GIC driver says about each kind of table, and how long such a table is (drivers/irqchip/irq-gic-v3-its.c:
 * LPI_PROPBASE_SZ and LPI_PENDBASE_SZ are 64 KiB with 16 bits of LPI ids, which is what Linux uses at most). */
static const struct {
	const char *before;
	uint64_t bytes;
} gic_phrases[] = {
	{ "using LPI property table @", KIB(64) },
	{ "LPI pending table @", KIB(64) },
};

static struct line skip(struct line line, size_t bytes)
{
	return (struct line){ line.text + bytes, line.bytes - bytes };
}

/*
 * What a line says behind what the log puts before it: "<6>", "[    0.000000] ", or "6,412,0,-;" of /dev/kmsg. Only what
 * stands right there is the driver's own word; a name that a device gave itself can be anywhere further on.
 */
static struct line message_of(struct line line)
{
	size_t digits = 0;

	if (line.bytes >= 3 && line.text[0] == '<' && line.text[2] == '>')
		line = skip(line, 3);
	if (line.bytes && line.text[0] == '[') {
		const char *end = memmem(line.text, line.bytes, "] ", 2);

		return end ? skip(line, (size_t)(end + 2 - line.text)) : line;
	}
	while (digits < line.bytes && (memchr("0123456789,-c", line.text[digits], 13)))
		digits++;
	return digits && digits < line.bytes && line.text[digits] == ';' ? skip(line, digits + 1) : line;
}

static bool starts_with(struct line line, const char *start)
{
	return line.bytes >= strlen(start) && memcmp(line.text, start, strlen(start)) == 0;
}

static bool is_gic_message(struct line line)
{
	return starts_with(line, "GICv3: ") || starts_with(line, "GIC: ") ||
	       (starts_with(line, "CPU") && line.bytes > 3 && line.text[3] >= '0' && line.text[3] <= '9');
}

/* The decimal number at *at, 0 if there is none. Stops growing beyond a billion: nothing here is that large. */
static uint64_t read_decimal(struct line line, size_t *at)
{
	uint64_t value = 0;

	for (; *at < line.bytes && line.text[*at] >= '0' && line.text[*at] <= '9'; (*at)++)
		if (value < GIB(1))
			value = value * 10 + (uint64_t)(line.text[*at] - '0');
	return value;
}

/* ITS tables: "ITS@0x...: allocated 8192 Devices @42600000 (indirect, esz 8, psz 64K, shr 1)". */
static bool its_table(struct line line, struct range *table)
{
	static const char allocated[] = ": allocated ";
	const char *at = memmem(line.text, line.bytes, allocated, sizeof(allocated) - 1);
	uint64_t count, esz = 0, bytes, pa;
	size_t i;

	if (!at || !(starts_with(line, "ITS@") || starts_with(line, "ITS [mem ")))
		return false;
	i = (size_t)(at - line.text) + sizeof(allocated) - 1;
	count = read_decimal(line, &i);
	for (; i < line.bytes && line.text[i] != '@'; i++)
		;
	i++;
	if (i >= line.bytes || !read_hex(line.text, line.bytes, &i, &pa))
		return false;
	at = memmem(line.text, line.bytes, "esz ", 4);
	if (at) {
		i = (size_t)(at - line.text) + 4;
		esz = read_decimal(line, &i);
	}
	bytes = count * esz;	/* each below 2^34 */
	if (pa >= PA_END || count > GIB(1) || esz > GIB(1) || bytes > GIB(1))
		return false;
	/* The sizes are advice; at the least it is one 64 KiB page. */
	table->start = align_down(pa, KIB(64));
	table->bytes = align_up(pa + (bytes ? bytes : 1), KIB(64)) - table->start;
	return true;
}

enum kx_err memmap_gic_tables(struct range_set *tables, const char *log, size_t bytes)
{
	const char *end = log + bytes;
	struct line line;
	size_t i;

	while (next_line(&log, end, &line)) {
		struct range table;

		line = message_of(line);
		for (i = 0; is_gic_message(line) && i < sizeof(gic_phrases) / sizeof(gic_phrases[0]); i++) {
			const char *before = gic_phrases[i].before;
			const char *at = memmem(line.text, line.bytes, before, strlen(before));
			size_t digits;
			uint64_t pa;

			if (!at)
				continue;
			digits = (size_t)(at - line.text) + strlen(before);
			if (line.bytes - digits >= 2 && memcmp(line.text + digits, "0x", 2) == 0)
				digits += 2;
			if (read_hex(line.text, line.bytes, &digits, &pa) && pa % KIB(64) == 0 && pa < PA_END &&
			    !range_set_add(tables, (struct range){ pa, gic_phrases[i].bytes }))
				return KX_NO_MEMORY;
		}
		if (its_table(line, &table) && !range_set_add(tables, table))
			return KX_NO_MEMORY;
	}
	return KX_OK;
}
