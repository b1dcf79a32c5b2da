/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads that decompress the initrd: what the next kernel gets, and when it gets it as it is. */
#include "job.h"
#include "pack.h"

#include <errno.h>
#include <stdio.h>

#define FILE_BYTES	(2 * MIB(2))

/* An early archive, and a larger one: as it is to be in memory, and as the file has it. */
struct archives {
	unsigned char *plain, *packed;
	size_t plain_bytes, packed_bytes, early_bytes;
};

static size_t add_entry(unsigned char *to, const char *name, const void *data, size_t bytes)
{
	size_t body_at = (110 + strlen(name) + 1 + 3) / 4 * 4;

	sprintf((char *)to, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1u, 0100644u, 0u, 0u, 1u, 0u, bytes, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);
	strcpy((char *)to + 110, name);
	if (bytes)
		memcpy(to + body_at, data, bytes);
	return (body_at + bytes + 3) / 4 * 4;
}

static struct archives make(void)
{
	struct archives a = { .plain = calloc(1, FILE_BYTES + 65536), .packed = calloc(1, FILE_BYTES + 65536) };
	unsigned char *half = noise(FILE_BYTES / 2, 77), *data = malloc(FILE_BYTES);

	/* Half of it can be guessed. */
	memset(data, 5, FILE_BYTES);
	memcpy(data, half, FILE_BYTES / 2);
	a.early_bytes = add_entry(a.plain, "kernel/firmware/acpi/x", "x", 1);
	a.early_bytes += add_entry(a.plain + a.early_bytes, "TRAILER!!!", NULL, 0);
	a.plain_bytes = a.early_bytes + add_entry(a.plain + a.early_bytes, "large", data, FILE_BYTES);
	a.plain_bytes += add_entry(a.plain + a.plain_bytes, "TRAILER!!!", NULL, 0);
	memcpy(a.packed, a.plain, a.early_bytes);
	a.packed_bytes = a.early_bytes + pack(CODEC_GZIP, a.plain + a.early_bytes, a.plain_bytes - a.early_bytes, a.packed + a.early_bytes,
					      FILE_BYTES + 65536 - a.early_bytes);
	assert_true(a.packed_bytes > MIB(2) && a.packed_bytes < MIB(3));
	free(half);
	free(data);
	return a;
}

static void drop(struct archives *a)
{
	free(a->plain);
	free(a->packed);
}

/* A job whose initrd file is packed, and is to be found in memory unpacked, or packed. */
static struct job *job_packed(const struct archives *a, uint32_t pages, enum unpack_mode mode, bool is_unpacked)
{
	struct job *job = job_new(0x60000000, PLAN_SLOT_BYTES, pages);
	const unsigned char *want = is_unpacked ? a->plain : a->packed;

	free(job->initrd);
	job->initrd_bytes = is_unpacked ? a->plain_bytes : a->packed_bytes;
	job->initrd = malloc(job->initrd_bytes);
	memcpy(job->initrd, want, job->initrd_bytes);
	fake_file(job->fake, INITRD, a->packed, a->packed_bytes);
	job->request.fast = FAST_AUTO;
	job->request.unpack_initrd = mode;
	return job;
}

static void loads(const struct archives *a, struct job *job, bool is_unpacked)
{
	struct purg_model m;

	assert_loads(job, &m);
	assert_int_equal(job->report.initrd_packed_bytes, is_unpacked ? a->packed_bytes : 0);
	assert_int_equal(job->report.initrd_unpacked_bytes, is_unpacked ? a->plain_bytes : 0);
	if (is_unpacked)
		assert_string_equal(job->report.initrd_compression, "gzip");
	purg_model_free(&m);
	assert_clean(job->fake);
}

static void test_default(void **state)
{
	struct archives a = make();
	struct job *job = job_packed(&a, 40, UNPACK_DEFAULT, true);

	(void)state;
	loads(&a, job, true);
	assert_int_equal(job->report.notes, 0);
	assert_int_equal(look(job, true).truth, STAGED_TRUE);
	job_free(job);
	job = job_packed(&a, 40, UNPACK_NO, false);
	loads(&a, job, false);
	job_free(job);
	/* Without staging only if that is asked for. */
	job = job_packed(&a, 40, UNPACK_DEFAULT, false);
	job->request.fast = FAST_NO;
	loads(&a, job, false);
	job->request.unpack_initrd = UNPACK_AUTO;
	job->request.syscall = SYSCALL_LOAD;
	job_free(job);
	job = job_packed(&a, 40, UNPACK_AUTO, true);
	job->request.fast = FAST_NO;
	job->request.syscall = SYSCALL_LOAD;
	loads(&a, job, true);
	job_free(job);
	drop(&a);
}

/* Too few huge pages for the large one: the small one is staged, as it would have been before anybody unpacked anything. */
static void test_few_pages(void **state)
{
	struct archives a = make();
	struct job *job = job_packed(&a, 2 + 2, UNPACK_DEFAULT, false);

	(void)state;
	loads(&a, job, false);
	assert_true(noted(job, "unpacked it could not be staged"));
	assert_int_equal(segment_bytes(job->fake) < MIB(1), 1);
	job_free(job);
	job = job_packed(&a, 2 + 2, UNPACK_YES, true);
	loads(&a, job, true);
	job_free(job);
	job = job_packed(&a, 2 + 2, UNPACK_DEFAULT, false);
	job->request.fast = FAST_REQUIRE;
	loads(&a, job, false);
	job_free(job);
	drop(&a);
}

/* The next kernel has not the room; it is left, and said. With =yes it is not asked. */
static void test_no_room(void **state)
{
	struct archives a = make();
	struct job *job = job_packed(&a, 40, UNPACK_DEFAULT, false);

	(void)state;
	job->request.cmdline = "mem=80M";
	loads(&a, job, false);
	assert_true(noted(job, "no room"));
	job_free(job);
	job = job_packed(&a, 40, UNPACK_YES, true);
	job->request.cmdline = "mem=80M";
	loads(&a, job, true);
	job_free(job);
	drop(&a);
}

static void test_not_possible(void **state)
{
	struct archives a = make();
	struct job *job = job_packed(&a, 40, UNPACK_DEFAULT, false);

	(void)state;
	/* Cut off. */
	fake_file(job->fake, INITRD, a.packed, a.packed_bytes - 100);
	job->initrd_bytes -= 100;
	loads(&a, job, false);
	assert_true(noted(job, "the initrd is left as it is: what is compressed in it is cut off"));
	job_free(job);
	job = job_packed(&a, 40, UNPACK_YES, false);
	fake_file(job->fake, INITRD, a.packed, a.packed_bytes - 100);
	refuse(job, KX_UNPACK);
	drop(&a);
}

/* Whatever fails on the way: nothing is left behind, and what was loaded before stays. */
static void test_each_call_fails(void **state)
{
	struct archives a = make();
	unsigned int n, calls = 1;

	(void)state;
	for (n = 1; n <= calls; n += 1 + n / 40) {
		struct job *job = job_packed(&a, 16, UNPACK_DEFAULT, true);
		struct purg_model m;

		job->fake->fail_call = n;
		job->fake->fail_errno = ENOMEM;
		if (load(job) == KX_OK) {
			/* It may have done without: then whichever of the two it is boots. */
			if (!job->report.initrd_packed_bytes) {
				memcpy(job->initrd, a.packed, a.packed_bytes);
				job->initrd_bytes = a.packed_bytes;
			}
			assert_boots(job, &m);
			purg_model_free(&m);
		} else {
			assert_int_equal(fake_pages_taken(job->fake), 0);
		}
		calls = job->fake->fail_calls > calls ? (unsigned int)job->fake->fail_calls : calls;
		assert_clean(job->fake);
		job_free(job);
	}
	assert_true(calls > 100);
	drop(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default), cmocka_unit_test(test_few_pages), cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_not_possible), cmocka_unit_test(test_each_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
