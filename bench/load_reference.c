/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load_reference FILE...: what a load cannot do without, and nothing else: the files are read, decompressed by the same libraries if they are
 * gzip's or zstd's, and their bytes are hashed as a load hashes them, in this one process. bench/load holds "kexec -l" against it.
 */
#include "digest.h"
#include "purgatory_abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#define IN_BYTES	(1 << 20)

struct bytes {
	unsigned char *at;
	size_t count, room;
};

static void need(struct bytes *to, size_t more)
{
	if (to->count + more <= to->room)
		return;
	to->room = (to->room + more) * 2;
	to->at = realloc(to->at, to->room);
	if (!to->at)
		exit(1);
}

static void add_plain(struct bytes *to, FILE *file)
{
	size_t n;

	for (need(to, IN_BYTES); (n = fread(to->at + to->count, 1, IN_BYTES, file)); need(to, IN_BYTES))
		to->count += n;
}

static void add_gzip(struct bytes *to, FILE *file)
{
	static unsigned char in[IN_BYTES];
	z_stream z = { .next_in = in };
	int result = inflateInit2(&z, 15 + 16);

	while (result == Z_OK) {
		if (!z.avail_in) {
			z.next_in = in;
			z.avail_in = (unsigned int)fread(in, 1, sizeof(in), file);
		}
		need(to, IN_BYTES);
		z.next_out = to->at + to->count;
		z.avail_out = IN_BYTES;
		result = inflate(&z, Z_NO_FLUSH);
		to->count = (size_t)(z.next_out - to->at);
	}
	inflateEnd(&z);
	if (result != Z_STREAM_END)
		exit(1);
}

static void add_zstd(struct bytes *to, FILE *file)
{
	static unsigned char in[IN_BYTES];
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer from = { in, 0, 0 };
	size_t result = 1;

	while (stream && result) {
		ZSTD_outBuffer out;

		if (from.pos == from.size) {
			from.size = fread(in, 1, sizeof(in), file);
			from.pos = 0;
		}
		need(to, IN_BYTES);
		out = (ZSTD_outBuffer){ to->at + to->count, IN_BYTES, 0 };
		result = ZSTD_decompressStream(stream, &out, &from);
		if (ZSTD_isError(result))
			exit(1);
		to->count += out.pos;
	}
	ZSTD_freeDStream(stream);
}

int main(int argc, char **argv)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	uint64_t total = 0, sum = 0;
	int i;

	for (i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		struct bytes to = { .count = 0 };
		unsigned char magic[4] = { 0 };
		uint8_t digest[PURG_CRC_BYTES];
		size_t at, count;

		if (!file || fread(magic, 1, sizeof(magic), file) != sizeof(magic) || fseek(file, 0, SEEK_SET))
			return 1;
		setvbuf(file, NULL, _IONBF, 0);
		if (memcmp(magic, gzip, sizeof(gzip)) == 0)
			add_gzip(&to, file);
		else if (memcmp(magic, zstd, sizeof(zstd)) == 0)
			add_zstd(&to, file);
		else
			add_plain(&to, file);
		fclose(file);
		for (at = 0; at + PURG_UNIT_BYTES <= to.count; at += count) {
			count = to.count - at < PURG_CHUNK_BYTES ? (to.count - at) / PURG_UNIT_BYTES * PURG_UNIT_BYTES : PURG_CHUNK_BYTES;
			digest_crc32c(digest, to.at + at, count, crc32c_lanes_insn);
			sum += digest[0];
		}
		total += to.count;
		free(to.at);
	}
	printf("%llu bytes %llu\n", (unsigned long long)total, (unsigned long long)sum);
	return 0;
}
