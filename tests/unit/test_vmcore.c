/* SPDX-License-Identifier: GPL-2.0-only */
/* Dumps made by hand, with each generation of the log buffer; whole, wrapped around, damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "printk.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define MEMORY		0x10000		/* of the machine: one PT_LOAD */
#define MEMORY_PA	0x40000000ull
#define IMAGE_VA	0xffff800080000000ull	/* the kernel's own addresses of it ... */
#define LINEAR_VA	0xffff000000000000ull	/* ... and the linear map's */

struct dump {
	unsigned char file[0x1000 + MEMORY];
	size_t bytes;
	unsigned char *memory;		/* in file */
};

static struct dump d;

static bool read_dump(void *arg, uint64_t at, void *out, size_t bytes)
{
	const struct dump *dump = arg;

	if (at > dump->bytes || bytes > dump->bytes - at)
		return false;
	memcpy(out, dump->file + at, bytes);
	return true;
}

/* va 0: the header does not say where memory was */
static void begin(const char *info, uint64_t va)
{
	unsigned char *phdr = d.file + 64, *note = d.file + 0x200;
	size_t info_bytes = strlen(info);

	memset(&d, 0, sizeof(d));
	d.bytes = sizeof(d.file);
	d.memory = d.file + 0x1000;
	memcpy(d.file, "\x7f" "ELF\2\1\1", 7);
	store_le(d.file + 16, 4, 2);
	store_le(d.file + 18, 183, 2);
	store_le(d.file + 32, 64, 8);
	store_le(d.file + 54, 56, 2);
	store_le(d.file + 56, 2, 2);
	store_le(phdr, 4, 4);
	store_le(phdr + 8, 0x200, 8);
	store_le(phdr + 32, 12 + 8 + 12 + 12 + ((info_bytes + 3) & ~3ul), 8);
	/* A note of somebody else's first. */
	store_le(note, 5, 4);
	store_le(note + 4, 0, 4);
	memcpy(note + 12, "CORE", 5);
	note += 20;
	store_le(note, 11, 4);
	store_le(note + 4, info_bytes, 4);
	memcpy(note + 12, "VMCOREINFO", 11);
	memcpy(note + 24, info, info_bytes);
	phdr += 56;
	store_le(phdr, 1, 4);
	store_le(phdr + 8, 0x1000, 8);
	store_le(phdr + 16, va, 8);
	store_le(phdr + 24, MEMORY_PA, 8);
	store_le(phdr + 32, MEMORY, 8);
}

static char *log_of(enum kx_err *err)
{
	struct vmcore core;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	*err = vmcore_open(&core, (struct core_source){ &d, read_dump });
	if (!*err) {
		*err = printk_print(&core, out);
		vmcore_close(&core);
	}
	fclose(out);
	return text;
}

static void assert_log(const char *want)
{
	enum kx_err err;
	char *text = log_of(&err);

	assert_int_equal(err, KX_OK);
	assert_string_equal(text, want);
	free(text);
}

/* prb at 0x100, descriptors at 0x1000, infos at 0x2000, text at 0x4000: 4 descriptors, 128 bytes of text. */
static const char lockless_info[] =
	"OSRELEASE=6.12\nSYMBOL(prb)=ffff800080000100\n"
	"OFFSET(printk_ringbuffer.desc_ring)=0\nOFFSET(printk_ringbuffer.text_data_ring)=64\n"
	"OFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\nOFFSET(prb_desc_ring.infos)=16\n"
	"OFFSET(prb_desc_ring.head_id)=24\nOFFSET(prb_desc_ring.tail_id)=32\n"
	"SIZE(prb_desc)=24\nOFFSET(prb_desc.state_var)=0\nOFFSET(prb_desc.text_blk_lpos)=8\n"
	"OFFSET(prb_data_blk_lpos.begin)=0\nOFFSET(prb_data_blk_lpos.next)=8\n"
	"SIZE(printk_info)=32\nOFFSET(printk_info.ts_nsec)=8\nOFFSET(printk_info.text_len)=16\n"
	"OFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring.data)=8\nOFFSET(atomic_long_t.counter)=0\n"
	"NUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff800040000000\nNUMBER(PHYS_OFFSET)=0x40000000\n";

static uint64_t lpos;

static void put_record(uint64_t id, uint64_t state, uint64_t ts_nsec, const char *text, uint64_t text_len)
{
	unsigned char *desc = d.memory + 0x1000 + 24 * (id % 4), *info = d.memory + 0x2000 + 32 * (id % 4);
	uint64_t bytes = 8 + ((strlen(text) + 7) & ~7ull), at = lpos % 128;

	store_le(desc, id | state << 62, 8);
	store_le(desc + 8, lpos, 8);
	if (at + bytes > 128) {	/* wrapped: as a whole at the beginning */
		lpos += 128 - at;
		at = 0;
	}
	lpos += bytes;
	store_le(desc + 16, lpos, 8);
	store_le(info + 8, ts_nsec, 8);
	store_le(info + 16, text_len, 2);
	store_le(d.memory + 0x4000 + at, id, 8);
	memcpy(d.memory + 0x4000 + at + 8, text, strlen(text));
}

static void make_lockless(uint64_t va, uint64_t head_id, uint64_t tail_id)
{
	unsigned char *prb;

	begin(lockless_info, va);
	lpos = 0;
	store_le(d.memory + 0x100, IMAGE_VA + 0x200, 8);	/* the pointer prb */
	prb = d.memory + 0x200;
	store_le(prb, 2, 4);
	store_le(prb + 8, IMAGE_VA + 0x1000, 8);
	store_le(prb + 16, LINEAR_VA + 0x2000, 8);		/* allocated at boot: in the linear map */
	store_le(prb + 24, head_id | 1ull << 62, 8);	/* the kernel keeps ids without flags; ours tells them apart anyway */
	store_le(prb + 32, tail_id, 8);
	store_le(prb + 64, 7, 4);
	store_le(prb + 72, LINEAR_VA + 0x4000, 8);
}

static void put_records(void)
{
	put_record(5, 2, 1234567890, "first", 5);
	put_record(6, 1, 2000000001, "two\nlines", 9);
	put_record(7, 0, 3, "being written", 13);
	put_record(8, 2, 12345678900000, "odd \x01\xff", 6);
}

static void test_lockless(void **state)
{
	static const uint64_t vas[] = { 0, IMAGE_VA };
	size_t i;

	(void)state;
	/* With the header's virtual addresses, which only cover the image, and without any. */
	for (i = 0; i < COUNT(vas); i++) {
		make_lockless(vas[i], 8, 5);
		put_records();
		assert_log("[    1.234567] first\n[    2.000000] two\nlines\n[12345.678900] odd \\x01\\xff\n");
	}
	/* One of them lost its text, one claims more text than its block has. */
	make_lockless(0, 6, 5);
	put_record(5, 2, 0, "short", 60000);
	put_record(6, 2, 0, "gone", 4);
	store_le(d.memory + 0x1000 + 24 * 2 + 8, 1, 8);
	store_le(d.memory + 0x1000 + 24 * 2 + 16, 1, 8);
	assert_log("[    0.000000] short\\x00\\x00\\x00\n");
	/* The text is around the corner. */
	make_lockless(0, 3, 2);
	lpos = 128 * 7 + 112;
	put_record(2, 2, 0, "0123456789", 10);
	put_record(3, 2, 0, "then", 4);
	assert_log("[    0.000000] 0123456789\n[    0.000000] then\n");
	/* Positions begin below zero, so that the first lap's end is a wrap, too. */
	make_lockless(0, 4, 2);
	lpos = (uint64_t)0 - 128 + 112;
	put_record(2, 2, 0, "0123456789", 10);
	put_record(3, 2, 0, "then", 4);
	put_record(4, 2, 7000000000, "x", 0);
	store_le(d.memory + 0x1000 + 24 * 0 + 8, 3, 8);	/* an empty line */
	store_le(d.memory + 0x1000 + 24 * 0 + 16, 3, 8);
	assert_log("[    0.000000] 0123456789\n[    0.000000] then\n[    7.000000] \n");
	/* White space as it is, and a newline more than the kernel strips. */
	make_lockless(0, 2, 2);
	put_record(2, 2, 0, "a\tb\vc\rd\x7f\n", 9);
	assert_log("[    0.000000] a\tb\vc\rd\\x7f\n\n");
	/* Head and tail that do not meet: as many as there are, once. */
	make_lockless(0, 1000, 5);
	put_records();
	assert_log("[    1.234567] first\n[    2.000000] two\nlines\n[12345.678900] odd \\x01\\xff\n");
}

static void put_printk_log(size_t *at, uint64_t ts_nsec, const char *text)
{
	size_t bytes = (16 + strlen(text) + 3) & ~3ul;

	store_le(d.memory + 0x1000 + *at, ts_nsec, 8);
	store_le(d.memory + 0x1000 + *at + 8, bytes, 2);
	store_le(d.memory + 0x1000 + *at + 10, strlen(text), 2);
	memcpy(d.memory + 0x1000 + *at + 16, text, strlen(text));
	*at += bytes;
}

static void test_records(void **state)
{
	static const char *const names[] = { "printk_log", "log" };
	char info[1024];
	enum kx_err err;
	size_t i, at;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		snprintf(info, sizeof(info),
			 "SYMBOL(log_buf)=ffff800080000010\nSYMBOL(log_buf_len)=ffff800080000020\n"
			 "SYMBOL(log_first_idx)=ffff800080000030\nSYMBOL(log_next_idx)=ffff800080000040\n"
			 "SIZE(%s)=16\nOFFSET(%s.ts_nsec)=0\nOFFSET(%s.len)=8\nOFFSET(%s.text_len)=10\n",
			 names[i], names[i], names[i], names[i]);
		begin(info, IMAGE_VA);
		store_le(d.memory + 0x10, IMAGE_VA + 0x1000, 8);
		store_le(d.memory + 0x20, 256, 4);
		/* From 100 to the end mark, then on at the beginning. */
		at = 100;
		put_printk_log(&at, 1000000, "older");
		put_printk_log(&at, 2000000, "newer");
		store_le(d.memory + 0x30, 100, 4);
		at = 0;
		put_printk_log(&at, 3000000, "newest");
		store_le(d.memory + 0x40, at, 4);
		assert_log("[    0.001000] older\n[    0.002000] newer\n[    0.003000] newest\n");
		/* One that claims more text than it has is cut, and the next are there. */
		store_le(d.memory + 0x1000 + 100 + 10, 5000, 2);
		assert_log("[    0.001000] older\\x00\\x00\\x00\n[    0.002000] newer\n[    0.003000] newest\n");
		store_le(d.memory + 0x1000 + 100 + 10, 5, 2);
		/* The buffer's end is not in the dump, and no record there. */
		d.bytes = 0x1000 + 0x1000 + 0x1000;
		store_le(d.memory + 0x20, 0x4000, 4);
		assert_log("[    0.001000] older\n[    0.002000] newer\n[    0.003000] newest\n");
		store_le(d.memory + 0x20, 256, 4);
		d.bytes = sizeof(d.file);
		/* Never in circles. */
		store_le(d.memory + 0x40, 255, 4);
		store_le(d.memory + 0x1000 + at + 8, 0, 2);
		free(log_of(&err));
		assert_int_equal(err, KX_NO_LOG);
		/* A structure that cannot be: nothing is read by it. */
		snprintf(info, sizeof(info),
			 "SYMBOL(log_buf)=ffff800080000010\nSYMBOL(log_buf_len)=ffff800080000020\n"
			 "SYMBOL(log_first_idx)=ffff800080000030\nSYMBOL(log_next_idx)=ffff800080000040\n"
			 "SIZE(log)=1\nOFFSET(log.ts_nsec)=0\nOFFSET(log.len)=99999999999999\nOFFSET(log.text_len)=10\n");
		begin(info, IMAGE_VA);
		store_le(d.memory + 0x10, IMAGE_VA + 0x1000, 8);
		store_le(d.memory + 0x20, 256, 4);
		store_le(d.memory + 0x40, 128, 4);
		free(log_of(&err));
		assert_int_equal(err, KX_NO_LOG);
	}
}

/* makedumpfile leaves zeros out of the file: of a part of memory, the end. */
static void test_zeros_left_out(void **state)
{
	(void)state;
	make_lockless(0, 8, 5);
	put_records();
	store_le(d.memory + 0x200 + 64, 15, 4);		/* a ring of 32 KiB, hardly used */
	store_le(d.file + 64 + 56 + 32, 0x4080, 8);
	store_le(d.file + 64 + 56 + 40, MEMORY, 8);
	d.bytes = 0x1000 + 0x4080;
	assert_log("[    1.234567] first\n[    2.000000] two\nlines\n[12345.678900] odd \\x01\\xff\n");
}

/* Before 5.4 the linear map was the upper half. */
static void test_old_address_space(void **state)
{
	char info[sizeof(lockless_info) + 200];
	unsigned char *prb;

	(void)state;
	snprintf(info, sizeof(info), "%sSYMBOL(prb)=ffff000008000100\nSYMBOL(_stext)=ffff000008000000\n"
				     "NUMBER(kimage_voffset)=0xfffeffffc8000000\n", lockless_info);
	begin(info, 0);
	lpos = 0;
	prb = d.memory + 0x200;
	store_le(d.memory + 0x100, 0xffff000008000200, 8);
	store_le(prb, 2, 4);
	store_le(prb + 8, 0xffff000008001000, 8);
	store_le(prb + 16, 0xffff800000002000, 8);	/* of the linear map */
	store_le(prb + 24, 8, 8);
	store_le(prb + 32, 5, 8);
	store_le(prb + 64, 7, 4);
	store_le(prb + 72, 0xffff800000004000, 8);
	put_records();
	assert_log("[    1.234567] first\n[    2.000000] two\nlines\n[12345.678900] odd \\x01\\xff\n");
}

/* VMCOREINFO_XEN is another note; and of two lines of one name the later one holds, as in the test above. */
static void test_other_notes(void **state)
{
	enum kx_err err;

	(void)state;
	make_lockless(0, 8, 5);
	put_records();
	store_le(d.file + 0x200 + 20, 15, 4);
	memcpy(d.file + 0x200 + 20 + 12, "VMCOREINFO_XEN", 15);
	free(log_of(&err));
	assert_int_equal(err, KX_NOT_VMCORE);
}

static void test_text(void **state)
{
	(void)state;
	begin("SYMBOL(log_buf)=ffff800080000010\nSYMBOL(log_buf_len)=ffff800080000020\n"
	      "SYMBOL(log_end)=ffff800080000030\nSYMBOL(logged_chars)=ffff800080000040\n", IMAGE_VA);
	store_le(d.memory + 0x10, IMAGE_VA + 0x1000, 8);
	store_le(d.memory + 0x20, 16, 4);
	memcpy(d.memory + 0x1000, "<6>and back\n<5>\nf", 16);
	store_le(d.memory + 0x30, 16 + 12, 4);
	store_le(d.memory + 0x40, 12, 4);
	assert_log("<6>and back\n");
	store_le(d.memory + 0x40, 1000, 4);
	assert_log("<5>\n<6>and back\n");
}

static void test_refusals(void **state)
{
	enum kx_err err;
	size_t bytes;

	(void)state;
	begin("OSRELEASE=6.12\n", IMAGE_VA);
	free(log_of(&err));
	assert_int_equal(err, KX_NO_LOG);
	begin(lockless_info, 0);
	store_le(d.file + 18, 62, 2);
	free(log_of(&err));
	assert_int_equal(err, KX_NOT_VMCORE);
	/* Cut off anywhere: an error or less of the log, never more. */
	for (bytes = 0; bytes < 0x1000 + 0x5000; bytes += 61) {
		make_lockless(0, 8, 5);
		put_records();
		d.bytes = bytes;
		free(log_of(&err));
	}
	/* Cut off behind the descriptors' ring: that is no whole log. */
	make_lockless(0, 8, 5);
	put_records();
	d.bytes = 0x1000 + 0x4080;
	free(log_of(&err));
	assert_int_equal(err, KX_OK);
	store_le(d.memory + 0x200 + 16, LINEAR_VA + 0x9000000, 8);
	free(log_of(&err));
	assert_int_equal(err, KX_NO_LOG);
	/* More descriptors than any text could fill, none of them there. */
	make_lockless(0, 8, 5);
	store_le(d.memory + 0x200, 30, 4);
	free(log_of(&err));
	assert_int_equal(err, KX_NO_LOG);
	/* A descriptor of no size, so that few bytes pass for a billion of them. */
	make_lockless(0, 8, 5);
	memcpy(strstr((char *)d.file + 0x200 + 20 + 24, "SIZE(prb_desc)=24"), "SIZE(prb_desc)=00", 17);
	free(log_of(&err));
	assert_int_equal(err, KX_NO_LOG);
	/* Rings of sizes that no kernel has. */
	make_lockless(0, 8, 5);
	store_le(d.memory + 0x200, 63, 4);
	free(log_of(&err));
	assert_int_equal(err, KX_NO_LOG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lockless),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_zeros_left_out),
		cmocka_unit_test(test_old_address_space),
		cmocka_unit_test(test_other_notes),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
