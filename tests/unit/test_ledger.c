/* SPDX-License-Identifier: GPL-2.0-only */
/* The ledger: what is written is read again, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger.h"
#include "seed.h"

#define ROOM	65536

/* Three slots of kernel, the last of them BSS, and one of initrd. */
static struct ledger_slot kernel_slots[] = {
	{ 4, (uint32_t)MIB(2), { 1, 2, 3 } }, { 1, 4096, { 9 } }, { 7, 0, { 0 } },
};
static struct ledger_slot initrd_slots[] = { { PLAN_NO_PAGE, 77, { 5 } } };
static const struct ledger_page pages[] = { { MIB(1024), 1, 0 }, { MIB(1030), 4, 0 }, { MIB(1026), 7, 0 }, { MIB(2048), 8, 0 } };

static const struct range tables[] = { { MIB(1200), KIB(64) }, { MIB(1201), KIB(128) } };

static struct ledger example(void)
{
	return (struct ledger){
		.made_at = 1700000000, .pid = 77, .flags = LEDGER_RELOCATED, .program = "kexec-fast 1", .format = "uki, zstd",
		.file = { { "/boot/Image", 12, MIB(2) + 4096, -5 }, { "/boot/initrd", 13, 77, 5 } }, .files = 2,
		.cmdline = "root=/dev/vda quiet", .image = { 0, MIB(5), 12, true },
		.object = { { 0, MIB(5), MIB(2) + 4096, 3, kernel_slots }, { 0, 77, 77, 1, initrd_slots } },
		.check = PURG_CHECK_NONE, .digest = PURG_CHECK_SHA256, .cpus = 3, .room = 9, .pages = 4, .page = pages,
		.control_pa = MIB(2048), .dtb_pa = MIB(2048) + KIB(512), .dtb = "tree", .dtb_bytes = 4, .table = tables, .tables = 2,
	};
}

static unsigned char *written(const struct ledger *ledger)
{
	unsigned char *out = aligned_alloc(64, ROOM);
	struct ledger_header *header = (void *)out;

	memset(out, 0xee, ROOM);
	*header = (struct ledger_header){ .magic = LEDGER_MAGIC, .version = LEDGER_VERSION, .state = LEDGER_LOADED };
	assert_int_equal(ledger_write(ledger, out, ROOM), KX_OK);
	return out;
}

static void test_round_trip(void **state)
{
	struct ledger in = example(), out;
	unsigned char *bytes = written(&in), *exact;
	size_t used = LEDGER_BODY_OFFSET + align_up(((struct ledger_header *)(void *)bytes)->body_bytes, PURG_UNIT_BYTES);

	(void)state;
	assert_int_equal(ledger_read(&out, bytes, used), KX_OK);
	assert_int_equal(out.made_at, in.made_at);
	assert_int_equal(out.pid, 77);
	assert_string_equal(out.program, in.program);
	assert_string_equal(out.format, in.format);
	assert_string_equal(out.cmdline, in.cmdline);
	assert_null(out.serial);
	assert_int_equal(out.files, 2);
	assert_string_equal(out.file[1].path, "/boot/initrd");
	assert_int_equal(out.file[0].ctime_ns, -5);
	assert_memory_equal(out.object[0].slot, kernel_slots, sizeof(kernel_slots));
	assert_memory_equal(out.object[1].slot, initrd_slots, sizeof(initrd_slots));
	assert_memory_equal(out.page, pages, sizeof(pages));
	assert_memory_equal(out.dtb, "tree", 4);
	assert_int_equal(out.tables, 2);
	assert_memory_equal(out.table, tables, sizeof(tables));
	assert_int_equal(out.digest, PURG_CHECK_SHA256);
	assert_int_equal(out.image.image_size, MIB(5));
	assert_int_equal(ledger_page(&out, 7)->pa, MIB(1026));
	assert_null(ledger_page(&out, 5));
	/* What it was said to take at most is enough, and one byte less than it takes is too little. */
	assert_true(ledger_bytes_max(&in) >= used);
	exact = aligned_alloc(64, used);
	memcpy(exact, bytes, LEDGER_BODY_OFFSET);
	assert_int_equal(ledger_write(&in, exact, used), KX_OK);
	assert_int_equal(ledger_write(&in, exact, used - 1), KX_NO_ROOM);
	free(exact);
	free(bytes);
}

/* Bodies that are whole, and say what cannot be. */
static void test_bad_bodies(void **state)
{
	struct ledger in = example(), out;
	size_t i;

	(void)state;
	/* By what is written, since ledger_write() believes everything. */
	for (i = 0; i < 14; i++) {
		struct ledger_slot kernel[3];
		struct ledger_page list[4];
		struct range table[2];
		struct ledger l = in;
		unsigned char *bytes;

		memcpy(kernel, kernel_slots, sizeof(kernel));
		memcpy(list, pages, sizeof(list));
		memcpy(table, tables, sizeof(table));
		l.object[0].slot = kernel;
		l.page = list;
		l.table = table;
		switch (i) {
		case 0: kernel[0].page = 1; break;			/* the page of two slots */
		case 1: kernel[0].page = 2; break;			/* a page that is not there */
		case 2: kernel[1].bytes = 4097; break;			/* more than the file has for it */
		case 3: l.object[0].slots = 2; break;			/* fewer slots than the object takes */
		case 4: list[1].page = 1; break;			/* not in order */
		case 5: list[3].page = 9; break;			/* beyond the last */
		case 6: list[0].pa = MIB(1024) + 4096; break;		/* not aligned */
		case 7: l.flags = 0; break;				/* bytes of the initrd are nowhere */
		case 8: l.check = 3; break;
		case 9: l.digest = PURG_CHECK_NONE; break;
		case 10: l.object[0].file_bytes = MIB(6); break;	/* more than its memory */
		case 11: table[1].start = PA_END; break;
		case 12: table[0].bytes = UINT64_MAX - MIB(1); break;	/* wraps around */
		default: l.files = 0; break;
		}
		bytes = written(&l);
		if (ledger_read(&out, bytes, ROOM) != KX_LEDGER_BAD)
			fail_msg("case %u is taken", (unsigned int)i);
		free(bytes);
	}
}

/* Two slots have changed places, and the process that did that is gone. */
static void test_moves(void **state)
{
	struct ledger in = example(), out;
	unsigned char *bytes = written(&in);
	struct ledger_header *header = (void *)bytes;
	uint32_t *moves = ledger_moves(bytes, ROOM, &in);

	(void)state;
	assert_non_null(moves);
	assert_null(ledger_moves(bytes, LEDGER_BODY_OFFSET + (size_t)header->body_bytes, &in));
	moves[0] = 1;
	moves[1] = 4;
	moves[2] = 7;
	moves[3] = PLAN_NO_PAGE;
	header->state = LEDGER_MOVING;
	assert_int_equal(ledger_read(&out, bytes, ROOM), KX_OK);
	assert_int_equal(out.object[0].slot[0].page, 1);
	assert_int_equal(out.object[0].slot[1].page, 4);
	free(bytes);
	bytes = written(&in);
	((struct ledger_header *)(void *)bytes)->state = LEDGER_MOVING;
	assert_int_equal(ledger_read(&out, bytes, ROOM), KX_LEDGER_BAD);
	free(bytes);
}

static void test_bad_bytes(void **state)
{
	struct ledger in = example(), out;
	unsigned char *bytes = written(&in);
	struct ledger_header *header = (void *)bytes;
	size_t used = LEDGER_BODY_OFFSET + (size_t)align_up(header->body_bytes, PURG_UNIT_BYTES), at;

	(void)state;
	/* Cut off anywhere; each byte of the body changed. */
	for (at = 0; at < used; at++) {
		unsigned char *cut = aligned_alloc(64, align_up(at + 1, 64));

		memcpy(cut, bytes, at);
		assert_int_equal(ledger_read(&out, cut, at), KX_LEDGER_BAD);
		free(cut);
	}
	for (at = LEDGER_BODY_OFFSET; at < used; at++) {
		bytes[at] ^= 0x40;
		assert_int_equal(ledger_read(&out, bytes, used), KX_LEDGER_BAD);
		bytes[at] ^= 0x40;
	}
	header->version++;
	assert_int_equal(ledger_read(&out, bytes, used), KX_LEDGER_VERSION);
	assert_true(ledger_is_header(bytes, used));
	header->version--;
	header->body_bytes = UINT64_MAX - 5;
	assert_int_equal(ledger_read(&out, bytes, used), KX_LEDGER_BAD);
	free(bytes);
}

/* Numbers at random in the body, with a digest that is right: whatever is taken can be walked. */
static void test_random(void **state)
{
	uint64_t seed = seed_get("test_random"), rounds = seed_number("ROUNDS", 20000), round;
	uint64_t taken = 0;

	(void)state;
	for (round = 0; round < rounds; round++) {
		struct ledger in = example(), out;
		unsigned char *bytes = written(&in), *body = bytes + LEDGER_BODY_OFFSET;
		struct ledger_header *header = (void *)bytes;
		unsigned int changes = (unsigned int)(seed_next(&seed) % 4), i, o;

		for (i = 0; i < changes; i++)
			body[seed_next(&seed) % header->body_bytes] = (unsigned char)seed_next(&seed);
		ledger_digest(header);
		if (ledger_read(&out, bytes, ROOM) == KX_OK) {
			taken++;
			for (o = 0; o < PLAN_OBJECTS; o++)
				for (i = 0; i < out.object[o].slots; i++)
					assert_true(out.object[o].slot[i].page == PLAN_NO_PAGE || ledger_page(&out, out.object[o].slot[i].page));
			for (i = 0; i < out.files; i++)
				assert_true(strlen(out.file[i].path) < ROOM);
		}
		free(bytes);
	}
	assert_true(taken > rounds / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_bodies),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
