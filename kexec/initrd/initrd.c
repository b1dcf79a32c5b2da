/* SPDX-License-Identifier: GPL-2.0-only */
#include "initrd.h"

#include "bytes.h"
#include "codec.h"
#include "cpio.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES	(256u << 10)
#define OUT_BYTES	(256u << 10)

/* lib/decompress.c: what the kernel tells a compression by. Longer magic numbers are our decoders' business. */
static const struct { unsigned char magic[2]; enum codec codec; } methods[] = {
	{ { 0x1f, 0x8b }, CODEC_GZIP }, { { 0x1f, 0x9e }, CODEC_GZIP }, { { 0x42, 0x5a }, CODEC_BZIP2 }, { { 0x5d, 0x00 }, CODEC_LZMA },
	{ { 0xfd, 0x37 }, CODEC_XZ }, { { 0x89, 0x4c }, CODEC_LZO }, { { 0x02, 0x21 }, CODEC_LZ4_LEGACY }, { { 0x28, 0xb5 }, CODEC_ZSTD },
};

struct unpack {
	const struct initrd_io *io;
	struct initrd_unpacked *to;
	uint64_t end, most_bytes;	/* of the archives; of the result */
	/* The input at hand: at is the offset of window[window_at]. */
	unsigned char *window, *out;
	size_t window_at, window_end;
	uint64_t at;
};

/* The reason why it stays as it is; the first one counts. */
static void leave(struct unpack *u, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void leave(struct unpack *u, const char *format, ...)
{
	va_list args;

	if (u->to->left[0])
		return;
	va_start(args, format);
	vsnprintf(u->to->left, sizeof(u->to->left), format, args);
	va_end(args);
}

/* Have at least one byte at hand, unless the archives are over. */
static enum kx_err refill(struct unpack *u)
{
	uint64_t left = u->end - u->at;
	size_t bytes = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
	enum kx_err err;

	if (u->window_at < u->window_end || !left)
		return KX_OK;
	err = u->io->read(u->io->arg, u->at, u->window, bytes);
	u->window_at = 0;
	u->window_end = err ? 0 : bytes;
	return err;
}

static void pass(struct unpack *u, size_t bytes)
{
	u->window_at += bytes;
	u->at += bytes;
}

static void leave_for_room(struct unpack *u)
{
	leave(u, "unpacked it would take more than %llu MiB, for which there is no room", (unsigned long long)(u->most_bytes >> 20));
}

static enum kx_err put(struct unpack *u, const void *data, size_t bytes)
{
	u->to->written_bytes += bytes;
	if (u->to->plain_bytes + u->to->written_bytes > u->most_bytes) {
		leave_for_room(u);
		return KX_OK;
	}
	return bytes ? u->io->write(u->io->arg, data, bytes) : KX_OK;
}

/* An archive begins at a multiple of four. */
static enum kx_err pad(struct unpack *u, uint64_t offset)
{
	static const unsigned char zeros[CPIO_ALIGN_BYTES];

	return put(u, zeros, (size_t)((offset - u->to->plain_bytes - u->to->written_bytes) % CPIO_ALIGN_BYTES));
}

/* Entries of a plain archive and the NULs behind them. In front of what is compressed they stay where they are, else they are copied. */
static enum kx_err take_plain(struct unpack *u)
{
	struct cpio c = cpio_begin(u->at);
	bool copy = u->to->members != 0;
	enum kx_err err = copy ? pad(u, 0) : KX_OK;
	size_t used;

	for (;;) {
		if (!err)
			err = refill(u);
		if (err || u->to->left[0] || u->at == u->end)
			break;
		used = cpio_feed(&c, u->window + u->window_at, u->window_end - u->window_at);
		if (c.bad || !used)
			break;
		if (copy)
			err = put(u, u->window + u->window_at, used);
		pass(u, used);
		/* Large files are not even read. */
		if (!copy && u->window_at == u->window_end)
			u->at += cpio_skip(&c, u->end - u->at);
		if (!copy && cpio_may_end(&c))
			u->to->plain_bytes = u->at - u->at % CPIO_ALIGN_BYTES;
	}
	if (err)
		return err;
	if (!cpio_may_end(&c))
		leave(u, "it holds an archive that is cut off or broken");
	else if (u->at < u->end && u->at % CPIO_ALIGN_BYTES)
		leave(u, "it holds archives that are not aligned to 4 bytes");
	return KX_OK;
}

static void note_compression(struct initrd_unpacked *to, const char *name)
{
	size_t used = strlen(to->compression);

	to->members++;
	if (!strstr(to->compression, name))
		snprintf(to->compression + used, sizeof(to->compression) - used, "%s%s", used ? ", " : "", name);
}

/* What comes out of a compressed member: archives and nothing else. */
static enum kx_err take_output(struct unpack *u, struct cpio *c, size_t bytes)
{
	if (cpio_feed(c, u->out, bytes) < bytes || c->bad)
		leave(u, "what is compressed in it is no cpio archive");
	if (c->acpi)
		leave(u, "a compressed archive in it has ACPI tables, which the kernel would heed if they were not compressed");
	return u->to->left[0] ? KX_OK : put(u, u->out, bytes);
}

static enum kx_err decode(struct unpack *u, struct decoder *decoder)
{
	struct cpio c = cpio_begin(0);
	bool end = false;
	enum kx_err err = KX_OK;

	while (!err && !end && !u->to->left[0]) {
		size_t in_bytes, out_bytes = OUT_BYTES;

		err = refill(u);
		if (err)
			break;
		in_bytes = u->window_end - u->window_at;
		err = decoder_run(decoder, u->window + u->window_at, &in_bytes, u->out, &out_bytes, &end);
		/* A window that is too large for the kernel, too, is told as a lack of memory. */
		if (err) {
			leave(u, "what is compressed in it cannot be decompressed%s", err == KX_NO_MEMORY ? ", for lack of memory" : "");
			return KX_OK;
		}
		pass(u, in_bytes);
		err = take_output(u, &c, out_bytes);
		if (!end && !in_bytes && !out_bytes && u->at == u->end) {
			if (!decoder_may_end(decoder))
				leave(u, "what is compressed in it is cut off");
			break;
		}
	}
	if (!err && !cpio_may_end(&c))
		leave(u, "it holds an archive that is cut off or broken");
	return err;
}

static enum kx_err take_compressed(struct unpack *u, enum codec codec)
{
	struct decoder *decoder;
	enum kx_err err;

	if (!codec_is_built_in(codec)) {
		leave(u, "it is compressed with %s, which this kexec was built without", codec_name(codec));
		return KX_OK;
	}
	decoder = decoder_open(codec);
	if (!decoder)
		return KX_NO_MEMORY;
	note_compression(u->to, codec_name(codec));
	err = pad(u, 0);
	if (!err)
		err = decode(u, decoder);
	decoder_close(decoder);
	return err;
}

/* What the kernel takes the next bytes for. CODEC_NONE: nothing that it knows. */
static enum kx_err next_method(struct unpack *u, enum codec *codec)
{
	unsigned char magic[2];
	enum kx_err err;
	size_t i;

	*codec = CODEC_NONE;
	if (u->end - u->at < sizeof(magic))
		return KX_OK;
	err = u->io->read(u->io->arg, u->at, magic, sizeof(magic));
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]) && !err; i++)
		if (memcmp(magic, methods[i].magic, sizeof(magic)) == 0)
			*codec = methods[i].codec;
	return err;
}

static enum kx_err take_members(struct unpack *u)
{
	enum kx_err err = refill(u);
	enum codec codec;

	while (!err && u->at < u->end && !u->to->left[0]) {
		unsigned char c = u->window[u->window_at];

		if (c == '0' && u->at % CPIO_ALIGN_BYTES == 0) {
			err = take_plain(u);
		} else if (!c) {
			pass(u, 1);
		} else {
			err = next_method(u, &codec);
			if (!err && codec == CODEC_NONE)
				leave(u, "what it holds is no cpio archive, and compressed by no method that the kernel knows");
			else if (!err)
				err = take_compressed(u, codec);
		}
		if (!err)
			err = refill(u);
	}
	return err;
}

/* lib/bootconfig.c and init/main.c, get_boot_config_from_initrd(): the text, its length, its sum, and this. */
#define BOOTCONFIG_MAGIC	"#BOOTCONFIG\n"
#define BOOTCONFIG_TAIL_BYTES	(8 + sizeof(BOOTCONFIG_MAGIC) - 1)
#define BOOTCONFIG_BYTES_MAX	(1u << 20)	/* the kernel parses no more than XBC_DATA_MAX, 32 KiB, but would cut more off */

/* Where the boot configuration begins; bytes: there is none, or one whose sum is wrong, which the kernel takes for none. */
static enum kx_err find_trailer(const struct initrd_io *io, uint64_t bytes, uint64_t *trailer_at)
{
	unsigned char tail[BOOTCONFIG_TAIL_BYTES], *text;
	uint64_t length, i;
	uint32_t sum = 0;
	unsigned int padding;
	enum kx_err err;

	*trailer_at = bytes;
	/* Some boot loaders pad the initrd to 4 bytes once more. */
	for (padding = 0; padding < 4; padding++) {
		if (bytes < sizeof(tail) + padding)
			return KX_OK;
		err = io->read(io->arg, bytes - padding - sizeof(tail), tail, sizeof(tail));
		if (err)
			return err;
		if (memcmp(tail + 8, BOOTCONFIG_MAGIC, sizeof(tail) - 8) == 0)
			break;
	}
	length = load_le(tail, 4);
	if (padding == 4 || length > BOOTCONFIG_BYTES_MAX || length > bytes - padding - sizeof(tail))
		return KX_OK;
	text = malloc(length + 1);
	if (!text)
		return KX_NO_MEMORY;
	err = io->read(io->arg, bytes - padding - sizeof(tail) - length, text, (size_t)length);
	for (i = 0; i < length; i++)
		sum += text[i];
	free(text);
	if (!err && sum == load_le(tail + 4, 4))
		*trailer_at = bytes - padding - sizeof(tail) - length;
	return err;
}

enum kx_err initrd_unpack(const struct initrd_io *io, uint64_t bytes, uint64_t most_bytes, struct initrd_unpacked *out)
{
	struct unpack u = { .io = io, .to = out, .most_bytes = most_bytes };
	enum kx_err err;

	*out = (struct initrd_unpacked){ 0 };
	err = find_trailer(io, bytes, &out->trailer_at);
	u.end = out->trailer_at;
	u.window = malloc(WINDOW_BYTES);
	u.out = malloc(OUT_BYTES);
	if (!err && (!u.window || !u.out))
		err = KX_NO_MEMORY;
	if (!err)
		err = take_members(&u);
	/* The boot configuration keeps its alignment. */
	if (!err && out->members && !out->left[0] && out->trailer_at < bytes)
		err = pad(&u, out->trailer_at);
	if (!err && out->members && !out->left[0] && out->plain_bytes + out->written_bytes + (bytes - out->trailer_at) > most_bytes)
		leave_for_room(&u);
	free(u.window);
	free(u.out);
	return err;
}
