/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels in other files than a plain Image, and several initrds: all boot, and what is broken is refused. */
#include "job.h"

#include "bytes.h"
#include "pack.h"

#include <libfdt.h>
#include <zlib.h>

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define ROOM		MIB(4)
#define TEXT_VA		0xffff800080000000ull

struct blob {
	unsigned char *data;
	size_t bytes;
};

static struct blob blob(size_t room)
{
	return (struct blob){ calloc(1, room), 0 };
}

static void store_be32(unsigned char *out, uint32_t value)
{
	store_le(out, __builtin_bswap32(value), 4);
}

static struct blob plain(const void *data, size_t bytes)
{
	struct blob b = blob(bytes + 1);

	memcpy(b.data, data, bytes);
	b.bytes = bytes;
	return b;
}

static struct blob packed(enum codec codec, struct blob from)
{
	struct blob b = blob(ROOM);

	b.bytes = pack(codec, from.data, from.bytes, b.data, ROOM);
	return b;
}

/* zstd, unless it was left out: gzip never is. */
static enum codec other_codec(void)
{
	return codec_is_built_in(CODEC_ZSTD) ? CODEC_ZSTD : CODEC_GZIP;
}

/* A kernel with a hole of zeros, so that its vmlinux needs segments: [0, 1 MiB), [1 MiB + 64 KiB, end). */
#define HOLE_AT		MIB(1)
#define HOLE_BYTES	KIB(64)

static struct blob pack_vmlinux(struct blob from)
{
	static const struct { uint64_t at, end; } segment[] = { { HOLE_AT + HOLE_BYTES, 0 }, { 0, HOLE_AT } };	/* not in order */
	struct blob b = blob(ROOM + 65536);
	size_t at = 65536, i;

	memcpy(b.data, "\x7f" "ELF\2\1\1", 7);
	store_le(b.data + 16, 3, 2);
	store_le(b.data + 18, 183, 2);
	store_le(b.data + 24, TEXT_VA, 8);
	store_le(b.data + 32, 64, 8);
	store_le(b.data + 54, 56, 2);
	store_le(b.data + 56, 4, 2);
	for (i = 0; i < COUNT(segment); i++) {
		unsigned char *ph = b.data + 64 + 56 * i;
		uint64_t end = segment[i].end ? segment[i].end : from.bytes, bytes = end - segment[i].at;

		store_le(ph, 1, 4);
		store_le(ph + 8, at, 8);
		store_le(ph + 16, TEXT_VA + segment[i].at, 8);
		store_le(ph + 32, bytes, 8);
		store_le(ph + 40, bytes + 4096, 8);
		memcpy(b.data + at, from.data + segment[i].at, bytes);
		at += bytes;
	}
	store_le(b.data + 64 + 56 * 2, 4, 4);		/* a note */
	store_le(b.data + 64 + 56 * 3, 1, 4);		/* BSS alone: no bytes in the file */
	b.bytes = at;
	return b;
}

static struct blob pack_uimage_of(struct blob from, unsigned int arch)
{
	struct blob b = blob(ROOM + 64);

	store_be32(b.data, 0x27051956);
	store_be32(b.data + 12, (uint32_t)from.bytes);
	store_be32(b.data + 24, (uint32_t)crc32(0, from.data, (uInt)from.bytes));
	b.data[29] = (unsigned char)arch;
	b.data[30] = 2;
	store_be32(b.data + 4, (uint32_t)crc32(0, b.data, 64));
	memcpy(b.data + 64, from.data, from.bytes);
	b.bytes = 64 + from.bytes;
	return b;
}

static struct blob pack_uimage(struct blob from)
{
	return pack_uimage_of(from, 22);
}

static struct blob pack_zboot(struct blob from, const char *compression)
{
	struct blob b = blob(ROOM + 65536);

	memcpy(b.data, "MZ\0\0zimg", 8);
	store_le(b.data + 8, 4096, 4);
	store_le(b.data + 12, from.bytes, 4);
	strcpy((char *)b.data + 24, compression);
	store_le(b.data + 0x3c, 64, 4);
	memcpy(b.data + 64, "PE\0\0\x64\xaa", 6);
	memcpy(b.data + 4096, from.data, from.bytes);
	store_le(b.data + 4096 + from.bytes, from.bytes, 4);	/* the kernel's build puts a length behind it */
	b.bytes = 4096 + from.bytes + 512;
	return b;
}

struct uki_section {
	const char *name;
	const void *data;
	size_t bytes;
};

static struct blob pack_uki(const struct uki_section *sections, size_t count, unsigned int machine)
{
	struct blob b = blob(4 * ROOM);
	size_t at = 4096, i;

	memcpy(b.data, "MZ", 2);
	store_le(b.data + 0x3c, 128, 4);
	memcpy(b.data + 128, "PE\0\0", 4);
	store_le(b.data + 132, machine, 2);
	store_le(b.data + 134, count, 2);
	store_le(b.data + 148, 240, 2);
	for (i = 0; i < count; i++) {
		unsigned char *header = b.data + 128 + 24 + 240 + 40 * i;

		memcpy(header, sections[i].name, strlen(sections[i].name) < 8 ? strlen(sections[i].name) : 8);
		store_le(header + 8, sections[i].bytes, 4);
		store_le(header + 16, (sections[i].bytes + 511) / 512 * 512, 4);
		store_le(header + 20, at, 4);
		memcpy(b.data + at, sections[i].data, sections[i].bytes);
		at += (sections[i].bytes + 511) / 512 * 512;
	}
	b.bytes = at;
	return b;
}

/* Put it where the kernel is, and give it back. */
static void put(struct job *job, struct blob b)
{
	fake_file(job->fake, KERNEL, b.data, b.bytes);
	free(b.data);
}

static struct job *job_with_hole(void)
{
	struct job *job = job_whole();

	memset(job->kernel + HOLE_AT, 0, HOLE_BYTES);
	return job;
}

static void expect_boots(struct job *job, struct blob b, const char *format)
{
	struct purg_model m;

	put(job, b);
	assert_loads(job, &m);
	assert_string_equal(job->report.format, format);
	purg_model_free(&m);
	job_free(job);
}

static void boots_compressed(enum codec codec)
{
	struct job *job = job_with_hole();
	struct blob image_ = plain(job->kernel, job->kernel_bytes), small = packed(codec, image_);
	char format[32];

	expect_boots(job, plain(small.data, small.bytes), codec_name(codec));
	/* The same in a vmlinuz, by whatever name the build gave it. */
	snprintf(format, sizeof(format), "vmlinuz, %s", codec_name(codec));
	job = job_with_hole();
	expect_boots(job, pack_zboot(small, codec == CODEC_ZSTD ? "zstd22" : codec_name(codec)), format);
	/* Cut off, it is not taken. */
	job = job_with_hole();
	small.bytes -= small.bytes / 3;
	put(job, plain(small.data, small.bytes));
	assert_int_not_equal(load(job), KX_OK);
	assert_clean(job->fake);
	job_free(job);
	free(small.data);
	free(image_.data);
}

/* One whose decompressor was left out is refused by its name, alone and in a vmlinuz. */
static void refused_by_name(enum codec codec)
{
	struct job *job = job_with_hole();
	struct blob small = blob(64);

	pack_start(codec, small.data);
	small.bytes = 64;
	put(job, pack_zboot(small, codec_name(codec)));
	assert_int_equal(load(job), KX_CODEC_LEFT_OUT);
	assert_non_null(strstr(job->fail.detail, codec_name(codec)));
	put(job, small);
	assert_int_equal(load(job), KX_CODEC_LEFT_OUT);
	assert_non_null(strstr(job->fail.detail, codec_name(codec)));
	assert_clean(job->fake);
	job_free(job);
}

static void test_compressed(void **state)
{
	enum codec codec;

	(void)state;
	for (codec = CODEC_NONE + 1; codec < CODECS; codec++)
		if (codec_is_built_in(codec)) {
			boots_compressed(codec);
		} else {
			print_message("%s was left out: only the complaint is tested\n", codec_name(codec));
			refused_by_name(codec);
		}
}

static void test_containers(void **state)
{
	struct job *job = job_with_hole();
	struct blob image_ = plain(job->kernel, job->kernel_bytes), vmlinux = pack_vmlinux(image_), gz = packed(CODEC_GZIP, image_);
	struct blob vmlinux_gz = packed(CODEC_GZIP, vmlinux), uimage_gz, zboot;
	char format[32];

	(void)state;
	expect_boots(job, pack_vmlinux(image_), "vmlinux");
	snprintf(format, sizeof(format), "%s, vmlinux", codec_name(other_codec()));
	expect_boots(job_with_hole(), packed(other_codec(), vmlinux), format);
	expect_boots(job_with_hole(), pack_uimage(image_), "uImage");
	expect_boots(job_with_hole(), pack_uimage(gz), "uImage, gzip");
	uimage_gz = pack_uimage(vmlinux_gz);
	expect_boots(job_with_hole(), packed(CODEC_GZIP, uimage_gz), "gzip, uImage, gzip, vmlinux");
	zboot = pack_zboot(gz, "gzip");
	expect_boots(job_with_hole(), packed(CODEC_GZIP, zboot), "gzip, vmlinuz, gzip");
	free(vmlinux.data);
	free(image_.data);
	free(gz.data);
	free(vmlinux_gz.data);
	free(uimage_gz.data);
	free(zboot.data);
}

static void assert_bootargs(struct job *job, struct purg_model *m, const char *want)
{
	unsigned char *dtb = malloc(MIB(2));

	(void)job;
	purg_model_read(m, m->params.dtb_pa, dtb, KIB(64));
	assert_string_equal(fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "bootargs", NULL), want);
	free(dtb);
}

/* A UKI's own initrd, command line and device tree hold unless options say otherwise. */
static void test_uki(void **state)
{
	struct job *job = job_with_hole();
	struct blob image_ = plain(job->kernel, job->kernel_bytes), gz = packed(CODEC_GZIP, image_), zboot = pack_zboot(gz, "gzip");
	unsigned char tree[4096];
	size_t tree_bytes = fake_dtb(tree, sizeof(tree), "smc");
	struct blob initrd = plain(job->initrd, job->initrd_bytes);
	const struct uki_section sections[] = {
		{ ".text", "code", 4 }, { ".osrel", "ID=x\n", 5 }, { ".cmdline", "\nquiet\nfrom=uki \n", 17 },
		{ ".linux", zboot.data, zboot.bytes }, { ".initrd", initrd.data, initrd.bytes }, { ".dtb", tree, tree_bytes },
		{ ".profile", "ID=other\n", 9 }, { ".cmdline", "other", 5 },
	};
	struct blob uki = pack_uki(sections, COUNT(sections), 0xaa64), spoiled;
	struct purg_model m;
	char format[32];

	(void)state;
	job->request.initrds = 0;
	job->request.cmdline = NULL;
	put(job, plain(uki.data, uki.bytes));
	assert_int_equal(load(job), KX_OK);
	job->request.initrds = 1;	/* for the model: there is one, by the UKI */
	assert_boots(job, &m);
	assert_bootargs(job, &m, "quiet from=uki");
	assert_int_equal(m.params.conduit, PURG_CONDUIT_SMC);
	assert_string_equal(job->report.format, "uki, vmlinuz, gzip");
	purg_model_free(&m);
	job_free(job);

	/* Compressed, so that it has to be unpacked first; and with options. */
	job = job_with_hole();
	put(job, packed(other_codec(), uki));
	job->request.cmdline = "mine";
	assert_loads(job, &m);
	assert_bootargs(job, &m, "mine");
	snprintf(format, sizeof(format), "%s, uki, vmlinuz, gzip", codec_name(other_codec()));
	assert_string_equal(job->report.format, format);
	purg_model_free(&m);
	job_free(job);

	/* As a boot entry. */
	job = job_with_hole();
	put(job, plain(uki.data, uki.bytes));
	job->request.cmdline = "more";
	job->request.boot_loader_cmdline = true;
	assert_loads(job, &m);
	assert_bootargs(job, &m, "quiet from=uki more");
	purg_model_free(&m);
	job_free(job);

	/* For another machine; and an EFI program that holds no kernel. */
	job = job_with_hole();
	put(job, pack_uki(sections, COUNT(sections), 0x8664));
	assert_int_equal(load(job), KX_CONTAINER_ARCH);
	put(job, pack_uki(sections, 3, 0xaa64));
	assert_int_equal(load(job), KX_NOT_IMAGE);
	assert_non_null(strstr(job->fail.detail, "an EFI program"));
	spoiled = plain(uki.data, uki.bytes - 4096);
	spoiled.bytes = uki.bytes / 2;
	put(job, spoiled);
	assert_int_equal(load(job), KX_IMAGE_TRUNCATED);
	assert_clean(job->fake);
	job_free(job);
	free(uki.data);
	free(image_.data);
	free(initrd.data);
	free(gz.data);
	free(zboot.data);
}

static void test_broken(void **state)
{
	struct job *job = job_with_hole();
	struct blob image_ = plain(job->kernel, job->kernel_bytes), b;
	size_t at;

	(void)state;
	b = pack_uimage(image_);
	b.data[b.bytes - 1] ^= 1;
	put(job, b);
	assert_int_equal(load(job), KX_CONTAINER_BAD);
	b = pack_uimage(image_);
	b.data[40] ^= 1;
	put(job, b);
	assert_int_equal(load(job), KX_CONTAINER_BAD);
	put(job, pack_uimage_of(image_, 2));
	assert_int_equal(load(job), KX_CONTAINER_ARCH);
	b = pack_uimage(image_);
	b.bytes -= 1;
	put(job, b);
	assert_int_equal(load(job), KX_IMAGE_TRUNCATED);
	b = pack_vmlinux(image_);
	store_le(b.data + 18, 62, 2);
	put(job, b);
	assert_int_equal(load(job), KX_CONTAINER_ARCH);
	b = pack_vmlinux(image_);
	b.bytes -= 1;
	put(job, b);
	assert_int_equal(load(job), KX_IMAGE_TRUNCATED);
	b = pack_vmlinux(image_);
	store_le(b.data + 24, TEXT_VA + 1, 8);	/* no Image header where it is entered */
	put(job, b);
	assert_int_equal(load(job), KX_NOT_IMAGE);
	b = pack_vmlinux(image_);
	store_le(b.data + 64 + 16, TEXT_VA + 1, 8);	/* segments that overlap */
	put(job, b);
	assert_int_equal(load(job), KX_CONTAINER_BAD);
	b = pack_zboot(image_, "lzo");
	put(job, b);
	assert_int_equal(load(job), KX_CONTAINER_BAD);
	/* A gzip of a gzip of a gzip ...: not for ever. */
	b = plain(image_.data, image_.bytes);
	for (at = 0; at < 8; at++) {
		struct blob more = packed(CODEC_GZIP, b);

		free(b.data);
		b = more;
	}
	put(job, b);
	assert_int_equal(load(job), KX_NOT_IMAGE);
	assert_clean(job->fake);
	/* --type */
	put(job, pack_uimage(image_));
	job->request.type = "vmlinux";
	assert_int_equal(load(job), KX_WRONG_TYPE);
	job->request.type = "uImage";
	assert_int_equal(load(job), KX_OK);
	put(job, plain(image_.data, image_.bytes));
	job->request.type = "Image";
	assert_int_equal(load(job), KX_OK);
	free(image_.data);
	job_free(job);
}

/* One behind another, each at a multiple of four. */
static void test_initrds(void **state)
{
	static const size_t bytes[] = { 1, 4096, 2097153, 7, 0, 12 };
	static char path[COUNT(bytes)][32];
	struct job *job = job_whole();
	unsigned char *all = calloc(1, MIB(4));
	struct purg_model m;
	size_t i, at = 0;

	(void)state;
	for (i = 0; i < COUNT(bytes); i++) {
		unsigned char *part = noise(bytes[i], (uint32_t)i);

		at = (at + 3) / 4 * 4;
		memcpy(all + at, part, bytes[i]);
		at += bytes[i];
		snprintf(path[i], sizeof(path[i]), "/boot/part%zu", i);
		fake_file(job->fake, path[i], part, bytes[i]);
		job->request.initrd[i] = path[i];
		free(part);
	}
	job->request.initrds = COUNT(bytes);
	free(job->initrd);
	job->initrd = all;
	job->initrd_bytes = at;
	assert_loads(job, &m);
	purg_model_free(&m);
	/* One of them gets longer, or shorter, while it is read. */
	fake_file(job->fake, path[2], all, bytes[2])->cut = bytes[2] + 1;
	assert_int_equal(load(job), KX_CHANGED);
	fake_file(job->fake, path[2], all, bytes[2])->cut = bytes[2] - 1;
	assert_int_equal(load(job), KX_CHANGED);
	job->request.initrd[3] = "/boot/missing";
	assert_int_equal(load(job), KX_OPEN_INITRD);
	assert_clean(job->fake);
	job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_uki),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_initrds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
