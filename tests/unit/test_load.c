/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole loads on a machine in memory (lib/sys_fake), judged by playing through the jump (lib/purg_model). */
#include "job.h"

#include <errno.h>

#include <libfdt.h>

static void test_all_in_place(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	unsigned int o;

	(void)state;
	assert_loads(job, &m);
	assert_int_equal(job->fake->load.count, 2);
	assert_in_range(segment_bytes(job->fake), 1, KIB(256) + 16384);
	assert_int_equal(m.moves, 0);
	assert_int_equal(m.params.check, PURG_CHECK_CRC32C);
	assert_int_equal(m.params.conduit, PURG_CONDUIT_HVC);
	assert_int_equal(m.params.kernel_pa % PLAN_SLOT_BYTES, 0);
	assert_int_equal(m.params.uart_pa, 0x9000000);
	assert_int_equal(m.params.uart_kind, PURG_UART_PL011);
	assert_int_equal(m.params.flags, 0);
	assert_int_equal(job->fake->load.flags, 0);
	/* What is not used went back; what is used stays, in one segment that is marked. */
	assert_int_equal(fake_pages_taken(job->fake), SLOTS + 1);
	assert_int_equal(fake_shms(job->fake, true), 1);
	assert_int_equal(job->report.staged_bytes, (SLOTS + 1) * PLAN_SLOT_BYTES);
	assert_int_equal(job->report.notes, 0);
	assert_int_equal(job->report.objects, 2);
	for (o = 0; o < 2; o++)
		assert_int_equal(job->report.object[o].in_place, job->report.object[o].slots);
	/* Payload that changes while it waits is seen, and so is a change of the control segment. */
	fake_page_memory(job->fake, m.params.kernel_pa, NULL)[MIB(1)] ^= 4;
	purg_model_free(&m);
	assert_non_null(purg_model_run(&m, job->fake));
	fake_page_memory(job->fake, m.params.kernel_pa, NULL)[MIB(1)] ^= 4;
	purg_model_free(&m);
	((unsigned char *)(uintptr_t)job->fake->load.segment[0].buf)[PURG_WORK_BYTES(1) + 0x900] ^= 1;
	assert_string_equal(purg_model_run(&m, job->fake), "the seal is broken");
	purg_model_free(&m);
	job_free(job);
}

/* No two huge pages touch: most of the payload has to move. */
static void test_scattered(void **state)
{
	struct job *job = job_new(0x60000000, 2 * PLAN_SLOT_BYTES, 40);
	struct purg_model m;

	(void)state;
	assert_loads(job, &m);
	assert_int_equal(job->fake->load.count, 2);
	assert_in_range(m.moves, 1, SLOTS);
	assert_true(m.moved_bytes > 0);
	assert_int_equal(job->report.object[0].relocated + job->report.object[1].relocated, 0);
	purg_model_free(&m);
	job_free(job);
}

static void test_few_pages(void **state)
{
	uint32_t pages;

	(void)state;
	for (pages = 0; pages <= SLOTS; pages++) {
		uint64_t step;

		for (step = PLAN_SLOT_BYTES; step <= 2 * PLAN_SLOT_BYTES; step += PLAN_SLOT_BYTES) {
			struct job *job = job_new(0x60000000, step, pages);
			struct purg_model m;
			uint32_t relocated;

			job->request.fast = FAST_AUTO;
			assert_loads(job, &m);
			relocated = job->report.object[0].relocated + job->report.object[1].relocated;
			/* Each slot with a piece of a file needs a huge page; the control segment and BSS do not. */
			assert_int_equal(relocated, pages < FILE_SLOTS ? FILE_SLOTS - pages : 0);
			assert_int_equal(relocated > 0, job->fake->load.count > 2);
			assert_int_equal(relocated > 0, job->report.notes > 0);
			assert_int_equal(fake_shms(job->fake, true), pages > 0);
			purg_model_free(&m);
			job_free(job);

			job = job_new(0x60000000, step, pages);
			if (relocated) {
				assert_int_equal(load(job), KX_NO_HUGE_PAGES);
				assert_int_equal(job->fake->kexec_loads, 0);
				assert_int_equal(fake_shms(job->fake, true), 0);
			} else {
				assert_int_equal(load(job), KX_OK);
			}
			assert_clean(job->fake);
			job_free(job);
		}
	}
}

static void test_plain_load(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	job->request.fast = FAST_NO;
	assert_loads(job, &m);
	assert_int_equal(job->fake->shm_creates, 0);
	assert_int_equal(job->fake->writes, 0);
	assert_int_equal(m.moves, 0);
	assert_int_equal(job->fake->load.count, 4);
	assert_int_equal(job->report.notes, 0);
	purg_model_free(&m);
	job_free(job);
}

/* Granules, checks, text offsets, short reads: all boot. */
static void test_variants(void **state)
{
	static const struct {
		uint64_t page_bytes, text_offset;
		enum check_kind check;
		unsigned int cpu;
		uint32_t want;
	} v[] = {
		{ 4096, 0, CHECK_DEFAULT, 0, PURG_CHECK_CRC32C },
		{ 4096, 0x80000, CHECK_DEFAULT, CPU_SHA2, PURG_CHECK_SHA256 },
		{ 16384, 0x80000, CHECK_SHA256, CPU_CRC32, PURG_CHECK_SHA256 },
		{ 65536, 0x80000, CHECK_CRC32C, CPU_SHA2, PURG_CHECK_CRC32C },
		{ 65536, 0, CHECK_NONE, CPU_CRC32, PURG_CHECK_NONE },
		{ 4096, 0x1ff000, CHECK_DEFAULT, CPU_CRC32 | CPU_SHA2, PURG_CHECK_CRC32C },
	};
	static const uint64_t steps[] = { PLAN_SLOT_BYTES, 2 * PLAN_SLOT_BYTES, 3 * PLAN_SLOT_BYTES };
	size_t i, s;

	(void)state;
	for (i = 0; i < COUNT(v); i++)
		for (s = 0; s < COUNT(steps); s++) {
			struct job *job = job_new(0x60000000, steps[s], s == 2 ? 3 : 30);
			struct purg_model m;
			bool in_c;

			if (s == 2 && v[i].text_offset % v[i].page_bytes) {
				job_free(job);
				continue;
			}
			store_le64(job->kernel + 8, v[i].text_offset);
			fake_file(job->fake, KERNEL, job->kernel, job->kernel_bytes);
			job->fake->sys.page_bytes = v[i].page_bytes;
			job->fake->sys.cpu_features = v[i].cpu;
			job->fake->read_most = 100001;
			job->request.check = v[i].check;
			job->request.fast = FAST_AUTO;
			assert_loads(job, &m);
			assert_int_equal(m.params.check, v[i].want);
			assert_int_equal(m.params.kernel_pa % PLAN_SLOT_BYTES, v[i].text_offset);
			assert_int_equal(1ull << m.params.granule_shift, v[i].page_bytes);
			in_c = (v[i].want == PURG_CHECK_CRC32C && !(v[i].cpu & CPU_CRC32)) ||
			       (v[i].want == PURG_CHECK_SHA256 && !(v[i].cpu & CPU_SHA2));
			assert_int_equal(noted(job, "in C"), in_c);
			purg_model_free(&m);
			job_free(job);
		}
}

static void test_plan_only(void **state)
{
	enum fast_mode fast;

	(void)state;
	for (fast = FAST_NO; fast <= FAST_REQUIRE; fast++) {
		struct job *job = job_whole();

		job->request.plan_only = true;
		job->request.fast = fast;
		assert_int_equal(load(job), KX_OK);
		assert_false(job->report.loaded);
		assert_int_equal(job->report.segments, fast == FAST_NO ? 4 : 2);
		assert_int_equal(job->report.objects, 2);
		assert_true(job->report.control.bytes && job->report.dtb.bytes && job->report.table_bytes);
		assert_int_equal(job->fake->kexec_loads + job->fake->unloads, 0);
		assert_int_equal(fake_pages_taken(job->fake), 0);
		assert_int_equal(fake_shms(job->fake, true), 0);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* The plan tells what the load does. */
static void test_plan_tells_the_load(void **state)
{
	struct job *planned = job_new(0x60000000, 2 * PLAN_SLOT_BYTES, 7);
	struct job *loaded = job_new(0x60000000, 2 * PLAN_SLOT_BYTES, 7);

	(void)state;
	planned->request.plan_only = true;
	planned->request.fast = loaded->request.fast = FAST_AUTO;
	assert_int_equal(load(planned), KX_OK);
	assert_int_equal(load(loaded), KX_OK);
	assert_memory_equal(planned->report.object, loaded->report.object, sizeof(planned->report.object));
	assert_memory_equal(&planned->report.control, &loaded->report.control, sizeof(planned->report.control));
	assert_memory_equal(&planned->report.dtb, &loaded->report.dtb, sizeof(planned->report.dtb));
	assert_int_equal(planned->report.segment_bytes, loaded->report.segment_bytes);
	assert_int_equal(planned->report.staged_bytes, loaded->report.staged_bytes);
	job_free(planned);
	job_free(loaded);
}

/* No random numbers: then no seed. Zeros that say they are 1024 bits of entropy would be worse than nothing. */
static void test_no_random_numbers(void **state)
{
	struct job *job = job_whole();
	unsigned char *dtb = malloc(MIB(2));
	const unsigned char *seed;
	struct purg_model m;
	int bytes, i;
	bool credited;

	(void)state;
	job->fake->random_works = false;
	assert_loads(job, &m);
	assert_true(noted(job, "seed"));
	purg_model_read(&m, m.params.dtb_pa, dtb, KIB(16));
	seed = fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "rng-seed", &bytes);
	for (i = 0, credited = seed; seed && i < bytes; i++)
		credited &= !seed[i];
	purg_model_free(&m);
	free(dtb);
	job_free(job);
	assert_false(credited);
}

static void test_gic_tables(void **state)
{
	struct job *job = job_new(0x60000000, 2 * PLAN_SLOT_BYTES, 40);
	const struct range table = { 0x60230000, KIB(64) };
	struct purg_model m;
	unsigned int i;

	(void)state;
	/* Where the windows would lie. */
	job->fake->log = "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
			 "[    0.000000] GICv3: using LPI property table @0x0000000060230000\n";
	assert_loads(job, &m);
	assert_reserved(&m, table);
	for (i = 0; i < job->report.objects; i++)
		assert_false(range_overlaps(job->report.object[i].place, table));
	purg_model_free(&m);
	job_free(job);

	/* A log that does not reach back to the boot cannot be relied on: it is said. */
	job = job_new(0x60000000, 2 * PLAN_SLOT_BYTES, 40);
	job->fake->log = "[  999.000000] something else\n";
	assert_loads(job, &m);
	assert_true(noted(job, "log"));
	purg_model_free(&m);
	job_free(job);
}

/* Huge pages that the kernel may have reason to move are not where the payload stays. */
static void test_pages_leave_cma(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	uint32_t i;

	(void)state;
	job->fake->cma = (struct range){ 0x60000000, 8 * PLAN_SLOT_BYTES };
	assert_loads(job, &m);
	for (i = 0; i < 8; i++)
		assert_false(job->fake->page[i].taken);
	purg_model_free(&m);
	job_free(job);
}

/* Where the kernel cannot be asked to move them, and there is such an area, one note says so. */
static void test_pages_that_stay_in_cma(void **state)
{
	static const struct { int error; bool area, noted; } v[] = {
		{ -ENOSYS, true, true }, { -EPERM, true, true }, { -ENOMEM, true, true }, { 0, true, false }, { -ENOSYS, false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		struct purg_model m;

		job->fake->cma_error = v[i].error;
		if (v[i].area)
			fake_text(job->fake, "/proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 1900000 kB\nCmaTotal: 65536 kB\n");
		assert_loads(job, &m);
		assert_int_equal(noted(job, "staged memory may lie in a CMA area, which a driver may claim until the start; then only the "
					    "check before the jump would notice (io_uring, to move it out of there: "), v[i].noted);
		assert_int_equal(noted(job, strerror(-v[i].error)), v[i].noted);
		assert_int_equal(job->report.notes, v[i].noted);
		purg_model_free(&m);
		job_free(job);
	}
}

/* Memory that the device tree does not name is none for the next kernel. */
static void test_hot_added_memory(void **state)
{
	struct job *job = job_new(0xc0000000, PLAN_SLOT_BYTES, 40);
	struct purg_model m;

	(void)state;
	fake_text(job->fake, "/proc/iomem", "40000000-bfffffff : System RAM\nc0000000-ffffffff : System RAM\n");
	assert_loads(job, &m);
	assert_true(range_end(job->report.object[0].place) <= 0xc0000000);
	assert_true(range_end(job->report.object[1].place) <= 0xc0000000);
	assert_true(m.base < 0xc0000000);
	assert_int_equal(m.moves, 4);
	purg_model_free(&m);
	job_free(job);
}

/* /sys/firmware/fdt is missing: the tree in /proc/device-tree is as good. */
static void test_unpacked_device_tree(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	fake_drop(job->fake, "/sys/firmware/fdt");
	refuse(job, KX_NO_DTB);

	job = job_whole();
	unpack_tree(job);
	assert_loads(job, &m);
	assert_int_equal(m.params.conduit, PURG_CONDUIT_SMC);
	purg_model_free(&m);
	job_free(job);
}

static void put_big_dtb(struct job *job, size_t extra)
{
	unsigned char *fdt = malloc(MIB(2)), *ballast = calloc(1, extra);

	assert_true(fake_dtb(fdt, MIB(2), "hvc") > 0);
	assert_int_equal(fdt_open_into(fdt, fdt, (int)MIB(2)), 0);
	assert_int_equal(fdt_setprop(fdt, 0, "ballast", ballast, (int)extra), 0);
	assert_int_equal(fdt_pack(fdt), 0);
	fake_file(job->fake, "/sys/firmware/fdt", fdt, fdt_totalsize(fdt));
	free(ballast);
	free(fdt);
}

/* One that does not fit beside the control segment has a huge page of its own. */
static void test_big_device_tree(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	enum kx_err err;
	size_t bytes;

	(void)state;
	put_big_dtb(job, MIB(1) + MIB(1) / 2);
	assert_loads(job, &m);
	assert_int_equal(job->fake->load.count, 2);
	assert_int_equal(fake_pages_taken(job->fake), SLOTS + 2);
	purg_model_free(&m);
	job_free(job);

	job = job_whole();
	put_big_dtb(job, MIB(2) - 800);	/* what is added goes over the limit */
	err = load(job);
	bytes = job->report.dtb.bytes;
	assert_clean(job->fake);
	job_free(job);
	if (err == KX_OK)
		fail_msg("a device tree of %zu bytes was loaded", bytes);
	assert_int_equal(err, KX_DTB_TOO_BIG);
}

static void test_exec(void **state)
{
	struct job *job = job_whole();
	struct sys *sys = &job->fake->sys;

	(void)state;
	assert_int_equal(exec_kernel(sys, true, true, NULL, &job->fail), KX_NOTHING_LOADED);
	assert_int_equal(job->fake->reboots + job->fake->syncs + job->fake->ifdowns, 0);
	job->fake->loaded = true;
	assert_int_equal(kernel_is_loaded(sys, false), 1);
	assert_int_equal(kernel_is_loaded(sys, true), 0);
	assert_int_equal(exec_kernel(sys, false, false, NULL, &job->fail), KX_REBOOT);
	assert_int_equal(job->fake->reboots, 1);
	assert_int_equal(job->fake->syncs + job->fake->ifdowns, 0);
	job->fake->loaded = false;
	job->fake->loaded_hidden = true;
	assert_int_equal(kernel_is_loaded(sys, false), -1);
	assert_int_equal(exec_kernel(sys, true, true, NULL, &job->fail), KX_REBOOT);
	assert_int_equal(job->fake->syncs + job->fake->ifdowns, 2);
	/* A signal in the last moment: nothing is lost, and nothing was started. */
	job->fake->interrupt_at = 1;
	assert_int_equal(exec_kernel(sys, true, true, NULL, &job->fail), KX_NOT_STARTED);
	assert_says(&job->fail, "interrupted; the kernel is loaded and was not started, which kexec -e does");
	assert_int_equal(job->fake->reboots, 2);
	job_free(job);
}

static void test_last_timeline(void **state)
{
	struct job *job = job_whole();
	unsigned char *dtb = malloc(MIB(2));
	struct purg_model m;
	char *record;
	size_t bytes;

	(void)state;
	assert_int_equal(last_timeline(&job->fake->sys, &record, &bytes, &job->fail), KX_NO_TIMELINE);
	assert_loads(job, &m);
	purg_model_read(&m, m.params.dtb_pa, dtb, KIB(16));
	fake_file(job->fake, "/sys/firmware/fdt", dtb, fdt_totalsize(dtb));
	assert_int_equal(last_timeline(&job->fake->sys, &record, &bytes, &job->fail), KX_OK);
	assert_int_equal(bytes, PURG_T_CELLS * 8);
	free(record);
	/* A tree that is none. */
	fake_text(job->fake, "/sys/firmware/fdt", "nonsense");
	assert_int_equal(last_timeline(&job->fake->sys, &record, &bytes, &job->fail), KX_NO_TIMELINE);
	/* No tree: a --dtb would not help. */
	fake_drop(job->fake, "/sys/firmware/fdt");
	assert_int_equal(last_timeline(&job->fake->sys, &record, &bytes, &job->fail), KX_NO_TIMELINE_TREE);
	assert_says(&job->fail, "no device tree in /sys/firmware/fdt nor /proc/device-tree that a timeline could be in; mount /sys and /proc, "
		    "and run as root");
	purg_model_free(&m);
	free(dtb);
	job_free(job);
}

/* The next kernel, itself loaded like this, loads a third: only one timeline, one pair of seeds, one initrd. */
static void test_load_from_a_loaded_kernel(void **state)
{
	struct job *job = job_whole();
	unsigned char *dtb = malloc(MIB(2));
	struct purg_model m;
	size_t first;

	(void)state;
	assert_loads(job, &m);
	purg_model_read(&m, m.params.dtb_pa, dtb, KIB(16));
	first = fdt_totalsize(dtb);
	fake_file(job->fake, "/sys/firmware/fdt", dtb, first);
	purg_model_free(&m);
	job->fake->kexec_loads = 0;
	assert_loads(job, &m);
	purg_model_read(&m, m.params.dtb_pa, dtb, KIB(16));
	assert_int_equal(fdt_totalsize(dtb), first);
	purg_model_free(&m);
	free(dtb);
	job_free(job);
}

static void test_no_memory_to_spare(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	fake_text(job->fake, "/proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 60000 kB\n");
	assert_int_equal(load(job), KX_NO_HUGE_PAGES);
	assert_int_equal(job->fake->shm_creates, 0);
	job->request.fast = FAST_AUTO;
	assert_loads(job, &m);
	purg_model_free(&m);
	/* Free memory in CMA areas is none for the kernel's copy. */
	fake_text(job->fake, "/proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 60000 kB\nCmaFree: 50000 kB\n");
	assert_int_equal(load(job), KX_NO_MEMORY);
	assert_non_null(strstr(job->fail.detail, "and 9 MiB are available"));
	job_free(job);
}

/* KX_NO_PSCI sends people to the ordinary load, so that one must go. */
static void test_plain_load_without_psci(void **state)
{
	struct job *job = job_whole();
	unsigned char dtb[4096];

	(void)state;
	fake_file(job->fake, "/sys/firmware/fdt", dtb, fake_dtb(dtb, sizeof(dtb), NULL));
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	job_free(job);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_in_place),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_few_pages),
		cmocka_unit_test(test_plain_load),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_plan_only),
		cmocka_unit_test(test_plan_tells_the_load),
		cmocka_unit_test(test_no_random_numbers),
		cmocka_unit_test(test_gic_tables),
		cmocka_unit_test(test_pages_leave_cma),
		cmocka_unit_test(test_pages_that_stay_in_cma),
		cmocka_unit_test(test_hot_added_memory),
		cmocka_unit_test(test_unpacked_device_tree),
		cmocka_unit_test(test_big_device_tree),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_last_timeline),
		cmocka_unit_test(test_load_from_a_loaded_kernel),
		cmocka_unit_test(test_no_memory_to_spare),
		cmocka_unit_test(test_plain_load_without_psci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
