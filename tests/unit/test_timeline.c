/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kexec --last says of a record, word for word: the files in tests/golden. Records come from other versions of this program, and
 * from device trees that anybody may have written. UPDATE_GOLDEN=1 writes the files anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "golden.h"
#include "purgatory_abi.h"
#include "report.h"

#define CELLS_MAX	(PURG_T_CELLS + 3)

struct record {
	unsigned char bytes[CELLS_MAX * 8];
};

static void set(struct record *r, unsigned int cell, uint64_t value)
{
	store_be(r->bytes + cell * sizeof(value), value, sizeof(value));
}

/* Two of four CPUs moved and verified 20 MB in 10 ms, at 62.5 MHz. */
static struct record honest(void)
{
	static const uint64_t cells[PURG_T_CELLS] = {
		[PURG_T_MAGIC] = (uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_TIMELINE_VERSION,
		[PURG_T_RESULT] = PURG_RESULT_VERIFIED, [PURG_T_HZ] = 62500000,
		[PURG_T_ENTRY] = 1000000000, [PURG_T_MMU_ON] = 1000062500, [PURG_T_DONE] = 1000687500,
		[PURG_T_MOVE_TICKS] = 12500, [PURG_T_CHECK_TICKS] = 1062500, [PURG_T_CLEAN_TICKS] = 175000,
		[PURG_T_MOVE_BYTES] = 2097152, [PURG_T_CHECK_BYTES] = 20000000, [PURG_T_CLEAN_BYTES] = 20971520,
		[PURG_T_EL] = 0x102, [PURG_T_MMU] = 1, [PURG_T_METHOD] = PURG_METHOD_CRC32C, [PURG_T_CPUS] = 2,
		[PURG_T_CPUS_WANTED] = 4, [PURG_T_PAYLOAD_BYTES] = 19999999, [PURG_T_RELOCATED_BYTES] = 4096,
		[PURG_T_PAGES] = 11, [PURG_T_PAGES_IN_PLACE] = 10, [PURG_T_LOADED_AT] = 1700000000,
	};
	struct record r = { { 0 } };
	unsigned int i;

	for (i = 0; i < PURG_T_CELLS; i++)
		set(&r, i, cells[i]);
	return r;
}

static void assert_told(const char *name, const char *ending, const char *text)
{
	char file[96];

	snprintf(file, sizeof(file), "timeline-%s.%s", name, ending);
	assert_golden(file, text);
}

/* In memory of exactly that size. */
static enum kx_err tell(const struct record *r, size_t bytes, bool json, char **text)
{
	unsigned char *copy = malloc(bytes + 1), *record = copy + 1;	/* an odd address, too */
	size_t text_bytes;
	FILE *out = open_memstream(text, &text_bytes);
	enum kx_err err;

	assert_non_null(copy);
	assert_non_null(out);
	memcpy(record, r->bytes, bytes);
	err = json ? timeline_json(record, bytes, NULL, out) : timeline_text(record, bytes, out);
	fclose(out);
	free(copy);
	return err;
}

/* null: no record at all. */
static char *metrics(const struct record *r, size_t bytes)
{
	size_t text_bytes;
	char *text;
	FILE *out = open_memstream(&text, &text_bytes);

	assert_non_null(out);
	timeline_prometheus(r ? r->bytes : NULL, bytes, out);
	fclose(out);
	return text;
}

static void assert_tells(const char *name, const struct record *r, unsigned int cells)
{
	char *text = metrics(r, cells * sizeof(uint64_t));

	assert_told(name, "prom", text);
	free(text);

	assert_int_equal(tell(r, cells * sizeof(uint64_t), false, &text), KX_OK);
	assert_told(name, "txt", text);
	free(text);
	assert_int_equal(tell(r, cells * sizeof(uint64_t), true, &text), KX_OK);
	assert_told(name, "json", text);
	free(text);
}

static void assert_foreign(const struct record *r, size_t bytes)
{
	char *text;
	int json;

	for (json = 0; json < 2; json++) {
		assert_int_equal(tell(r, bytes, json, &text), KX_TIMELINE_FOREIGN);
		assert_string_equal(text, "");
		free(text);
	}
	/* Where it is none of ours, that is a metric. */
	text = metrics(r, bytes);
	assert_non_null(strstr(text, "\nkexec_last_booted_by_kexec 0\n"));
	assert_null(strstr(text, "verified"));
	free(text);
	text = metrics(NULL, 0);
	assert_non_null(strstr(text, "\nkexec_last_booted_by_kexec 0\n"));
	free(text);
}

static void test_current(void **state)
{
	struct record r = honest();

	(void)state;
	assert_tells("current", &r, PURG_T_CELLS);
}

static void test_longer(void **state)
{
	struct record r = honest();
	unsigned int i;

	(void)state;
	set(&r, PURG_T_MAGIC, (uint64_t)PURG_TIMELINE_MAGIC << 32 | (PURG_TIMELINE_VERSION + 1000));
	for (i = PURG_T_CELLS; i < CELLS_MAX; i++)
		set(&r, i, UINT64_MAX);
	assert_tells("longer", &r, CELLS_MAX);
}

/* Records that end behind one cell or another: of an older version, had there been one. */
static void test_shorter(void **state)
{
	struct record r = honest();
	unsigned int cells;
	char *text;

	(void)state;
	set(&r, PURG_T_MAGIC, (uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_TIMELINE_VERSION_OLDEST);
	assert_tells("shorter", &r, PURG_T_EL);
	assert_tells("shortest", &r, PURG_T_RESULT + 1);
	for (cells = PURG_T_RESULT + 1; cells <= PURG_T_CELLS; cells++) {
		assert_int_equal(tell(&r, cells * sizeof(uint64_t), false, &text), KX_OK);
		free(text);
		assert_int_equal(tell(&r, cells * sizeof(uint64_t), true, &text), KX_OK);
		free(text);
	}
	assert_foreign(&r, PURG_T_RESULT * sizeof(uint64_t));
	assert_foreign(&r, 0);
	assert_foreign(&r, PURG_T_CELLS * sizeof(uint64_t) - 1);
}

static void test_version_3(void **state)
{
	struct record r = honest();

	(void)state;
	set(&r, PURG_T_MAGIC, (uint64_t)PURG_TIMELINE_MAGIC << 32 | 3);
	set(&r, PURG_T_CPUS, 4);
	assert_tells("version-3", &r, PURG_T_CELLS);
}

static void test_dishonest(void **state)
{
	struct record r = honest();

	(void)state;
	set(&r, PURG_T_HZ, 1);
	set(&r, PURG_T_RESULT, 1000);
	set(&r, PURG_T_METHOD, UINT64_MAX);
	set(&r, PURG_T_MMU_ON, 999999999);
	set(&r, PURG_T_DONE, 999999998);
	set(&r, PURG_T_CHECK_TICKS, UINT64_MAX);
	assert_tells("dishonest", &r, PURG_T_CELLS);
}

/* Firmware that forgot CNTFRQ_EL0. */
static void test_no_frequency(void **state)
{
	struct record r = honest();

	(void)state;
	set(&r, PURG_T_HZ, 0);
	assert_tells("no-frequency", &r, PURG_T_CELLS);
}

static void test_foreign(void **state)
{
	struct fail fail = { 0 };
	char sentence[FAIL_SENTENCE_CHARS];
	struct record r = honest();

	(void)state;
	set(&r, PURG_T_MAGIC, (uint64_t)(PURG_TIMELINE_MAGIC + 1) << 32 | PURG_TIMELINE_VERSION);
	assert_foreign(&r, PURG_T_CELLS * sizeof(uint64_t));
	set(&r, PURG_T_MAGIC, (uint64_t)PURG_TIMELINE_MAGIC << 32);
	assert_foreign(&r, PURG_T_CELLS * sizeof(uint64_t));
	/* As the loader wrote it: purgatory did not come that far. */
	r = honest();
	set(&r, PURG_T_RESULT, PURG_RESULT_NONE);
	assert_foreign(&r, PURG_T_CELLS * sizeof(uint64_t));

	fail_with(&fail, KX_TIMELINE_FOREIGN);
	fail_sentence(&fail, sentence, sizeof(sentence));
	assert_told("wrong-magic", "txt", sentence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_current), cmocka_unit_test(test_longer), cmocka_unit_test(test_shorter),
		cmocka_unit_test(test_version_3), cmocka_unit_test(test_dishonest), cmocka_unit_test(test_no_frequency),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
