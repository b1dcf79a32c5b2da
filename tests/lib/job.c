/* SPDX-License-Identifier: GPL-2.0-only */
#include "job.h"

#include "pack.h"
#include "seed.h"

#include <libfdt.h>

/* A process that was killed leaves its memory to nobody. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

void store_le64(unsigned char *out, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

unsigned char *noise(size_t bytes, uint32_t seed)
{
	static unsigned char all[MIB(8)];
	static bool made;
	unsigned char *out = malloc(bytes + 1);
	uint32_t x = 1;
	size_t i;

	for (i = 0; !made && i < sizeof(all); i++) {
		x = x * 1664525 + 1013904223;
		all[i] = (unsigned char)(x >> 24);
	}
	made = true;
	assert_non_null(out);
	memcpy(out, all + seed, bytes);
	return out;
}

unsigned char *image(size_t bytes, uint64_t image_size, uint64_t text_offset)
{
	unsigned char *out = noise(bytes, 1);

	memset(out, 0, 64);
	out[3] = 0x14;
	store_le64(out + 8, text_offset);
	store_le64(out + 16, image_size);
	store_le64(out + 24, 2 | 8);	/* 4 KiB pages, anywhere */
	memcpy(out + 56, "ARM\x64", 4);
	return out;
}

/* Huge pages of a run at step bytes from one another. */
struct job *job_sized(pa_t first, uint64_t step, uint32_t pages, size_t kernel_bytes, uint64_t image_size,
			     size_t initrd_bytes)
{
	struct job *job = calloc(1, sizeof(*job));
	pa_t *pa = calloc(pages + 1, sizeof(*pa));
	uint32_t i;

	for (i = 0; i < pages; i++)
		pa[i] = first + i * step;
	job->fake = fake_new(pa, pages);
	free(pa);
	job->kernel = image(kernel_bytes, image_size, 0);
	job->kernel_bytes = kernel_bytes;
	job->image_size = image_size;
	job->initrd = noise(initrd_bytes, 1234);
	job->initrd_bytes = initrd_bytes;
	fake_file(job->fake, KERNEL, job->kernel, job->kernel_bytes);
	fake_file(job->fake, INITRD, job->initrd, job->initrd_bytes);
	job->request = (struct load_request){ .kernel = KERNEL, .initrd = { INITRD }, .initrds = 1, .cmdline = CMDLINE,
					      .fast = FAST_REQUIRE, .unpack_initrd = UNPACK_NO };
	return job;
}

struct job *job_new(pa_t first, uint64_t step, uint32_t pages)
{
	return job_sized(first, step, pages, KERNEL_BYTES, IMAGE_SIZE, INITRD_BYTES);
}

struct job *job_whole(void)
{
	return job_new(0x60000000, PLAN_SLOT_BYTES, 40);
}

void job_free(struct job *job)
{
	fake_free(job->fake);
	free(job->kernel);
	free(job->initrd);
	free(job);
}

enum kx_err load(struct job *job)
{
	memset(&job->fail, 0, sizeof(job->fail));
	return load_kernel(&job->fake->sys, &job->request, &job->report, &job->fail);
}

bool job_killed_at(struct job *job, void (*deed)(struct job *job), uint64_t at, bool together)
{
	struct fake *f = job->fake;
	jmp_buf here;

	if (__lsan_disable)
		__lsan_disable();
	f->killed = &here;
	f->kill_call = at;
	f->step_calls = 0;
	if (setjmp(here) == 0)
		deed(job);
	if (__lsan_enable)
		__lsan_enable();
	f->killed = NULL;
	f->kill_call = 0;
	if (f->step_calls < at)
		return false;
	fake_died(f, together);
	return true;
}

void assert_clean(const struct fake *fake)
{
	if (fake->breach[0])
		fail_msg("%s", fake->breach);
	if (fake_leak(fake))
		fail_msg("%s", fake_leak(fake));
}

static void assert_timeline(const struct job *job, const struct purg_model *m, const unsigned char *dtb)
{
	int bytes;
	const unsigned char *record = fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), PURG_TIMELINE_PROPERTY, &bytes);
	const uint64_t want[] = {
		[PURG_T_MAGIC] = (uint64_t)PURG_TIMELINE_MAGIC << 32 | PURG_TIMELINE_VERSION,
		[PURG_T_CPUS_WANTED] = m->params.cpus,
		[PURG_T_PAYLOAD_BYTES] = job->kernel_bytes + job->initrd_bytes,
		[PURG_T_LOADED_AT] = 1700000000,
		[PURG_T_CELLS] = 0,
	};
	unsigned int i;

	assert_non_null(record);
	assert_int_equal(bytes, PURG_T_CELLS * 8);
	assert_int_equal(m->params.timeline_pa, m->params.dtb_pa + (uint64_t)(record - dtb));
	assert_int_equal(m->params.timeline_pa % 4, 0);
	for (i = 0; i <= PURG_T_CPUS_WANTED; i++)
		assert_int_equal(fdt64_ld((const void *)(record + 8 * i)), want[i]);
	assert_int_equal(fdt64_ld((const void *)(record + 8 * PURG_T_PAYLOAD_BYTES)), want[PURG_T_PAYLOAD_BYTES]);
	assert_int_equal(fdt64_ld((const void *)(record + 8 * PURG_T_LOADED_AT)), want[PURG_T_LOADED_AT]);
}

void assert_reserved(struct purg_model *m, struct range reserved)
{
	unsigned char *dtb = malloc(MIB(2));
	uint64_t address, size;

	purg_model_read(m, m->params.dtb_pa, dtb, KIB(16));
	assert_int_equal(fdt_num_mem_rsv(dtb), 1);
	assert_int_equal(fdt_get_mem_rsv(dtb, 0, &address, &size), 0);
	assert_int_equal(address, reserved.start);
	assert_int_equal(size, reserved.bytes);
	free(dtb);
}

/* The next kernel finds everything where the boot protocol wants it. */
void assert_boots(const struct job *job, struct purg_model *m)
{
	const char *problem = purg_model_run(m, job->fake);
	struct purg_next next;
	const void *bootargs;

	if (!problem)
		problem = purg_model_next(m, &next);
	if (problem)
		fail_msg("%s", problem);
	bootargs = fdt_getprop(next.tree, fdt_path_offset(next.tree, "/chosen"), "bootargs", NULL);
	if (job->request.cmdline && !job->request.reuse_cmdline && !job->request.boot_loader_cmdline)
		assert_string_equal(bootargs, job->request.cmdline);
	assert_timeline(job, m, next.tree);

	assert_int_equal(next.kernel.bytes, job->image_size);
	assert_true(purg_model_equal(m, next.kernel.start, job->kernel, job->kernel_bytes));
	assert_int_equal(next.initrd.bytes, job->request.initrds ? job->initrd_bytes : 0);
	assert_true(purg_model_equal(m, next.initrd.start, job->initrd, next.initrd.bytes));
	if (m->params.check != PURG_CHECK_NONE)
		assert_true(range_set_contains(&m->verified, (struct range){ next.kernel.start, job->kernel_bytes }));
	free(next.tree);
}

void assert_says(const struct fail *fail, const char *sentence)
{
	char said[FAIL_SENTENCE_CHARS];

	fail_sentence(fail, said, sizeof(said));
	assert_string_equal(said, sentence);
}

uint64_t segment_bytes(const struct fake *fake)
{
	const struct fake_load *load = fake_image(fake);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < load->count; i++)
		sum += load->segment[i].bytes;
	return sum;
}

bool noted(const struct job *job, const char *word)
{
	unsigned int i;

	for (i = 0; i < job->report.notes; i++)
		if (strstr(job->report.note[i], word))
			return true;
	return false;
}

/* Load, and boot it on the model. */
void assert_loads(struct job *job, struct purg_model *m)
{
	enum kx_err err = load(job);

	if (err)
		fail_msg("%s: %s", job->fail.detail, err_text(err));
	assert_clean(job->fake);
	assert_boots(job, m);
	assert_true(job->report.loaded);
	assert_int_equal(job->report.segments, fake_image(job->fake)->count);
	assert_int_equal(job->fake->kexec_loads, 1);
}

void load_first(struct job *job)
{
	enum fast_mode fast = job->request.fast;
	bool plan_only = job->request.plan_only;

	job->request.fast = FAST_REQUIRE;
	job->request.plan_only = false;
	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	job->request.fast = fast;
	job->request.plan_only = plan_only;
	job->fake->kexec_loads = 0;
}

void put_gzip(struct job *job, const void *data, size_t bytes)
{
	size_t room = bytes + bytes / 100 + 1000;
	unsigned char *out = malloc(room);

	fake_file(job->fake, KERNEL, out, pack(CODEC_GZIP, data, bytes, out, room));
	free(out);
}

void unpack_tree(struct job *job)
{
	static const unsigned char cells[4] = { 0, 0, 0, 2 };
	static const unsigned char reg[16] = { 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0 };

	fake_drop(job->fake, "/sys/firmware/fdt");
	fake_file(job->fake, "/proc/device-tree/#address-cells", cells, 4);
	fake_file(job->fake, "/proc/device-tree/psci/compatible", "arm,psci-1.0", 13);
	fake_file(job->fake, "/proc/device-tree/psci/name", "psci", 5);
	fake_file(job->fake, "/proc/device-tree/psci/method", "smc", 4);
	fake_file(job->fake, "/proc/device-tree/#size-cells", cells, 4);
	fake_file(job->fake, "/proc/device-tree/memory@40000000/device_type", "memory", 7);
	fake_file(job->fake, "/proc/device-tree/memory@40000000/reg", reg, 16);
	fake_file(job->fake, "/proc/device-tree/chosen/bootargs", "old", 4);
	fake_file(job->fake, "/proc/device-tree/name", "", 1);
}

struct fake_file *file_of(struct job *job, const char *path)
{
	size_t i;

	for (i = 0; i < job->fake->files; i++)
		if (strcmp(job->fake->file[i].path, path) == 0)
			return &job->fake->file[i];
	fail_msg("%s", path);
	return NULL;
}

void refuse(struct job *job, enum kx_err want)
{
	assert_int_equal(load(job), want);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_int_equal(fake_pages_taken(job->fake), 0);
	assert_clean(job->fake);
	job_free(job);
}

void drop_psci(struct job *job)
{
	unsigned char dtb[4096];

	fake_file(job->fake, "/sys/firmware/fdt", dtb, fake_dtb(dtb, sizeof(dtb), NULL));
}

struct staged_check look(struct job *job, bool digests)
{
	struct staged_check check;

	assert_int_equal(staged_look(&job->fake->sys, digests, &check, &job->fail), KX_OK);
	return check;
}

enum kx_err heal(struct job *job, struct heal *to)
{
	return staged_heal(&job->fake->sys, to, &job->fail);
}

void assert_true_and_boots(struct job *job)
{
	struct purg_model m;

	assert_int_equal(look(job, true).truth, STAGED_TRUE);
	assert_clean(job->fake);
	assert_boots(job, &m);
	purg_model_free(&m);
}

void shuffle(struct fake *f, uint64_t *seed)
{
	unsigned int n;

	for (n = 0; n < 12; n++) {
		uint32_t i = (uint32_t)seed_below(seed, f->pages);

		if (f->page[i].taken)
			fake_move_page(f, f->page[i].pa);
	}
}

struct job *job_small(void)
{
	struct job *job = job_sized(0x60000000, PLAN_SLOT_BYTES, 12, 70000, 200000, 77);

	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	return job;
}

struct job *job_tight(void)
{
	struct job *job = job_sized(0x60000000, PLAN_SLOT_BYTES, 6, MIB(4) + 5, MIB(5), 77);

	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	return job;
}
