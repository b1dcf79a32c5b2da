/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole loads on a machine in memory (lib/sys_fake), judged by playing through the jump (lib/purg_model). */
#include "job.h"

#include <errno.h>
#include <libfdt.h>
#include <zlib.h>

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
	assert_int_equal(m.params.kernel_pa % FRAME_BYTES, 0);
	assert_int_equal(m.params.uart_pa, 0x9000000);
	assert_int_equal(m.params.uart_kind, PURG_UART_PL011);
	assert_int_equal(m.params.flags, 0);
	assert_int_equal(job->fake->load.flags, 0);
	/* What is not used went back; what is used stays, in one segment that is marked. */
	assert_int_equal(fake_frames_taken(job->fake), SLOTS + 1);
	assert_int_equal(fake_shms(job->fake, true), 1);
	assert_int_equal(job->report.staged_bytes, (SLOTS + 1) * FRAME_BYTES);
	assert_int_equal(job->report.notes, 0);
	assert_int_equal(job->report.objects, 2);
	for (o = 0; o < 2; o++)
		assert_int_equal(job->report.object[o].in_place, job->report.object[o].slots);
	/* Payload that changes while it waits is seen, and so is a change of the hide-out. */
	fake_frame_memory(job->fake, m.params.kernel_pa, NULL)[MIB(1)] ^= 4;
	purg_model_free(&m);
	assert_non_null(purg_model_run(&m, job->fake));
	fake_frame_memory(job->fake, m.params.kernel_pa, NULL)[MIB(1)] ^= 4;
	purg_model_free(&m);
	((unsigned char *)(uintptr_t)job->fake->load.segment[0].buf)[PURG_WORK_BYTES(1) + 0x900] ^= 1;
	assert_string_equal(purg_model_run(&m, job->fake), "the seal is broken");
	purg_model_free(&m);
	job_free(job);
}

/* No two frames touch: most of the payload has to move. */
static void test_scattered(void **state)
{
	struct job *job = job_new(0x60000000, 2 * FRAME_BYTES, 40);
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

static void test_few_frames(void **state)
{
	uint32_t frames;

	(void)state;
	for (frames = 0; frames <= SLOTS; frames++) {
		uint64_t step;

		for (step = FRAME_BYTES; step <= 2 * FRAME_BYTES; step += FRAME_BYTES) {
			struct job *job = job_new(0x60000000, step, frames);
			struct purg_model m;
			uint32_t relocated;

			job->request.fast = FAST_AUTO;
			assert_loads(job, &m);
			relocated = job->report.object[0].relocated + job->report.object[1].relocated;
			/* The empty slot of the BSS needs no frame. */
			assert_true(relocated || frames >= SLOTS);
			assert_int_equal(relocated > 0, job->fake->load.count > 2);
			assert_int_equal(relocated > 0, job->report.notes > 0);
			assert_int_equal(fake_shms(job->fake, true), frames > 0);
			purg_model_free(&m);
			job_free(job);

			job = job_new(0x60000000, step, frames);
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
		enum check_wish check;
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
	static const uint64_t steps[] = { FRAME_BYTES, 2 * FRAME_BYTES, 3 * FRAME_BYTES };
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
			assert_int_equal(m.params.kernel_pa % FRAME_BYTES, v[i].text_offset);
			assert_int_equal(1ull << m.params.granule_shift, v[i].page_bytes);
			in_c = (v[i].want == PURG_CHECK_CRC32C && !(v[i].cpu & CPU_CRC32)) ||
			       (v[i].want == PURG_CHECK_SHA256 && !(v[i].cpu & CPU_SHA2));
			assert_int_equal(noted(job, "in C"), in_c);
			purg_model_free(&m);
			job_free(job);
		}
}

enum refusal {
	NOT_ROOT, NOT_ARM64, LOCKED, LOCKED_MORE, DISABLED, LIMIT, CONTAINER_ENV, CONTAINER_FILE, USER_NS, IPC_NS, BUSY,
	RMID, NO_PSCI, HIDDEN_PFN, REFUSALS
};

static void make_refusal(struct job *job, enum refusal refusal)
{
	struct fake *f = job->fake;
	unsigned char dtb[4096];

	switch (refusal) {
	case NOT_ROOT: f->root = false; break;
	case NOT_ARM64: f->arm64 = false; break;
	case LOCKED: fake_text(f, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n"); break;
	case LOCKED_MORE: fake_text(f, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n"); break;
	case DISABLED: fake_text(f, "/proc/sys/kernel/kexec_load_disabled", "1\n"); break;
	case CONTAINER_ENV: fake_file(f, "/proc/1/environ", "PATH=/\0container=lxc", 21); break;
	case CONTAINER_FILE: fake_text(f, "/run/systemd/container", "docker\n"); break;
	case USER_NS: fake_link(f, "/proc/self/ns/user", "user:[4026532777]"); break;
	case LIMIT: fake_text(f, "/proc/sys/kernel/kexec_load_limit_reboot", "0\n"); break;
	case BUSY: f->locked = true; break;
	case IPC_NS: fake_link(f, "/proc/self/ns/ipc", "ipc:[4026532222]"); break;
	case RMID: fake_text(f, "/proc/sys/kernel/shm_rmid_forced", "1\n"); break;
	case NO_PSCI: fake_file(f, "/sys/firmware/fdt", dtb, fake_dtb(dtb, sizeof(dtb), NULL)); break;
	case HIDDEN_PFN: f->hide_pfn = true; break;
	default: break;
	}
}

static void test_refusals(void **state)
{
	static const enum kx_err want[] = {
		[NOT_ROOT] = KX_NOT_ROOT, [NOT_ARM64] = KX_WRONG_ARCH, [LOCKED] = KX_LOCKDOWN,
		[LOCKED_MORE] = KX_LOCKDOWN,
		[DISABLED] = KX_LOAD_DISABLED, [LIMIT] = KX_LOAD_LIMIT, [BUSY] = KX_LOCKED, [CONTAINER_ENV] = KX_CONTAINER, [CONTAINER_FILE] = KX_CONTAINER,
		[USER_NS] = KX_CONTAINER, [IPC_NS] = KX_OTHER_IPC_NS, [RMID] = KX_SHM_RMID_FORCED,
		[NO_PSCI] = KX_NO_PSCI,
		[HIDDEN_PFN] = KX_NO_PFN,
	};
	enum refusal i;

	(void)state;
	for (i = 0; i < REFUSALS; i++) {
		struct job *job = job_whole();

		make_refusal(job, i);
		assert_int_equal(load(job), want[i]);
		assert_int_equal(job->fail.err, want[i]);
		assert_int_equal(job->fake->kexec_loads + job->fake->unloads, 0);
		if (i != HIDDEN_PFN)
			assert_int_equal(job->fake->shm_creates + job->fake->writes, 0);
		if (i <= BUSY)
			assert_int_equal(job->fake->sweeps, 0);
		job->fake->locked &= i != BUSY;
		assert_int_equal(fake_frames_taken(job->fake), 0);
		assert_clean(job->fake);
		job_free(job);
	}
	/* What only forbids staging leaves the ordinary way, and it is said. */
	for (i = RMID; i < REFUSALS; i++) {
		struct job *job = job_whole();
		struct purg_model m;

		make_refusal(job, i);
		job->request.fast = FAST_AUTO;
		assert_loads(job, &m);
		assert_true(noted(job, err_text(want[i])));
		assert_int_equal(fake_frames_taken(job->fake), i == NO_PSCI ? SLOTS + 1 : 0);
		purg_model_free(&m);
		job_free(job);
	}
}

static void test_kernel_says_no(void **state)
{
	static const struct { int err; enum kx_err want; } v[] = {
		{ -EPERM, KX_NOT_PERMITTED }, { -EBUSY, KX_BUSY }, { -ENOSYS, KX_NO_SYSCALL }, { -ENOMEM, KX_NO_MEMORY },
		{ -EINVAL, KX_KEXEC_LOAD }, { -EADDRNOTAVAIL, KX_KEXEC_LOAD },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();

		job->fake->kexec_error = v[i].err;
		assert_int_equal(load(job), v[i].want);
		assert_int_equal(job->fake->kexec_loads, 1);
		assert_int_equal(fake_shms(job->fake, true), 0);
		assert_clean(job->fake);
		job_free(job);
	}
}

static void test_plan_only(void **state)
{
	enum fast_wish fast;

	(void)state;
	for (fast = FAST_NO; fast <= FAST_REQUIRE; fast++) {
		struct job *job = job_whole();

		job->request.plan_only = true;
		job->request.fast = fast;
		assert_int_equal(load(job), KX_OK);
		assert_false(job->report.loaded);
		assert_int_equal(job->report.segments, fast == FAST_NO ? 4 : 2);
		assert_int_equal(job->report.objects, 2);
		assert_true(job->report.hideout.bytes && job->report.dtb.bytes && job->report.table_bytes);
		assert_int_equal(job->fake->kexec_loads + job->fake->unloads, 0);
		assert_int_equal(fake_frames_taken(job->fake), 0);
		assert_int_equal(fake_shms(job->fake, true), 0);
		assert_clean(job->fake);
		job_free(job);
	}
}

/* The plan tells what the load does. */
static void test_plan_tells_the_load(void **state)
{
	struct job *planned = job_new(0x60000000, 2 * FRAME_BYTES, 7);
	struct job *loaded = job_new(0x60000000, 2 * FRAME_BYTES, 7);

	(void)state;
	planned->request.plan_only = true;
	planned->request.fast = loaded->request.fast = FAST_AUTO;
	assert_int_equal(load(planned), KX_OK);
	assert_int_equal(load(loaded), KX_OK);
	assert_memory_equal(planned->report.object, loaded->report.object, sizeof(planned->report.object));
	assert_memory_equal(&planned->report.hideout, &loaded->report.hideout, sizeof(planned->report.hideout));
	assert_memory_equal(&planned->report.dtb, &loaded->report.dtb, sizeof(planned->report.dtb));
	assert_int_equal(planned->report.segment_bytes, loaded->report.segment_bytes);
	assert_int_equal(planned->report.staged_bytes, loaded->report.staged_bytes);
	job_free(planned);
	job_free(loaded);
}

/* Something that was loaded before, and what remains of it. */
static void load_first(struct job *job)
{
	enum fast_wish fast = job->request.fast;
	bool plan_only = job->request.plan_only;

	job->request.fast = FAST_REQUIRE;
	job->request.plan_only = false;
	assert_int_equal(load(job), KX_OK);
	assert_clean(job->fake);
	job->request.fast = fast;
	job->request.plan_only = plan_only;
	job->fake->kexec_loads = 0;
}

/* One more failure in every call that can fail, from the first to the last; with a load before it and without. */
static void put_gzip(struct job *job, const void *data, size_t bytes);
static void unpack_tree(struct job *job);

static void inject(enum fast_wish fast, bool plan_only, bool before, uint32_t step, bool rare, int number)
{
	uint64_t call;

	for (call = 1;; call++) {
		struct job *job = job_sized(0x60000000, step * FRAME_BYTES, 44, 70001, MIB(2) + 1, 90001);
		struct fake *f = job->fake;
		struct purg_model m;
		enum kx_err err;
		uint32_t old_frames;

		job->request.fast = fast;
		job->request.plan_only = plan_only;
		if (before)
			load_first(job);
		if (rare) {
			put_gzip(job, job->kernel, job->kernel_bytes);
			unpack_tree(job);
			job->request.reuse_cmdline = true;
			job->request.serial = "ttyAMA0";
		}
		old_frames = fake_frames_taken(f);
		f->fail_calls = 0;
		f->fail_call = call;
		f->fail_errno = number;
		err = load(job);
		if (!f->failed) {
			/* All calls have had their turn. */
			assert_int_equal(err, KX_OK);
			job_free(job);
			assert_true(call > 20);
			return;
		}
		if (f->breach[0])
			fail_msg("call %llu, %s: %s", (unsigned long long)call, f->failed, f->breach);
		if (fake_leak(f))
			fail_msg("call %llu, %s: %s", (unsigned long long)call, f->failed, fake_leak(f));
		if (f->kexec_loads > 1 || f->unloads || (plan_only && f->kexec_loads))
			fail_msg("call %llu, %s: loaded %u times", (unsigned long long)call, f->failed, f->kexec_loads);
		if (err && (err != job->fail.err || !err_text(err)[0]))
			fail_msg("call %llu, %s: the error says nothing", (unsigned long long)call, f->failed);
		if (err || plan_only) {
			/* As it was. */
			assert_int_equal(f->loaded, before);
			assert_int_equal(fake_shms(f, true), before);
			if (strcmp(f->failed, "punch") != 0)
				assert_int_equal(fake_frames_taken(f), old_frames);
		}
		if (f->loaded) {
			job->fake->kexec_loads = 1;
			assert_boots(job, &m);
			purg_model_free(&m);
		}
		job_free(job);
	}
}

static void test_failures_fast(void **state)
{
	(void)state;
	inject(FAST_REQUIRE, false, false, 1, false, EIO);
	inject(FAST_AUTO, false, false, 2, false, ENOMEM);
}

static void test_failures_with_a_load_before(void **state)
{
	(void)state;
	inject(FAST_REQUIRE, false, true, 1, false, EIO);
	inject(FAST_AUTO, false, true, 1, false, EFAULT);
	inject(FAST_NO, false, true, 1, false, EIO);
}

static void test_failures_of_a_plan(void **state)
{
	(void)state;
	inject(FAST_AUTO, true, true, 1, false, EIO);
	inject(FAST_REQUIRE, true, false, 2, false, ENOMEM);
}

static void test_failures_on_rare_ways(void **state)
{
	(void)state;
	inject(FAST_REQUIRE, false, true, 1, true, EIO);
}

static void test_second_load_replaces(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	unsigned char *other = image(KERNEL_BYTES, IMAGE_SIZE, 0);

	(void)state;
	load_first(job);
	assert_int_equal(fake_frames_taken(job->fake), SLOTS + 1);
	other[5000] ^= 0xff;
	free(job->kernel);
	job->kernel = other;
	fake_file(job->fake, KERNEL, other, KERNEL_BYTES);
	assert_loads(job, &m);
	assert_int_equal(fake_frames_taken(job->fake), SLOTS + 1);
	assert_int_equal(fake_shms(job->fake, true), 1);
	purg_model_free(&m);
	/* A load that stages nothing replaces it as well. */
	job->request.fast = FAST_NO;
	job->fake->kexec_loads = 0;
	assert_loads(job, &m);
	assert_int_equal(fake_frames_taken(job->fake), 0);
	assert_int_equal(fake_shms(job->fake, true), 0);
	purg_model_free(&m);
	job_free(job);
}

static void load_again(struct fake *fake, void *arg)
{
	struct load_request request = *(struct load_request *)arg;
	struct report report;
	struct fail fail;

	load_kernel(&fake->sys, &request, &report, &fail);
}

/* Two loaders at once: whichever load the kernel ends up with still has its memory. */
static void test_two_loaders(void **state)
{
	struct job *job = job_new(0x60000000, FRAME_BYTES, 90);
	struct purg_model m = { 0 };
	bool boots;

	(void)state;
	job->fake->meanwhile = load_again;
	job->fake->meanwhile_arg = &job->request;
	load(job);
	assert_clean(job->fake);
	boots = job->fake->loaded && !purg_model_run(&m, job->fake);
	purg_model_free(&m);
	job_free(job);
	assert_true(boots);
}

static void test_unload(void **state)
{
	struct job *job = job_whole();

	(void)state;
	load_first(job);
	assert_int_equal(unload_kernel(&job->fake->sys, false, &job->fail), KX_OK);
	assert_false(job->fake->loaded);
	assert_int_equal(job->fake->unloads, 1);
	assert_int_equal(fake_frames_taken(job->fake), 0);
	assert_clean(job->fake);
	/* Nothing loaded: as upstream, that is no error. */
	assert_int_equal(unload_kernel(&job->fake->sys, false, &job->fail), KX_OK);

	/* The kernel refuses: then it still counts on the memory. */
	load_first(job);
	job->fake->kexec_error = -EBUSY;
	assert_int_equal(unload_kernel(&job->fake->sys, false, &job->fail), KX_UNLOAD);
	assert_int_equal(fake_shms(job->fake, true), 1);
	job_free(job);
}

/* Segments of loaders that were killed: those that no load counts on go with the next load. */
static void test_orphans(void **state)
{
	static const struct { bool loaded_before, hidden, marked; bool stays; } v[] = {
		{ false, false, false, false }, { false, false, true, false }, { true, false, false, false },
		{ true, false, true, true }, { true, true, true, true }, { true, true, false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		struct fake *f = job->fake;
		void *addr;
		int id;

		assert_int_equal(f->sys.shm_create(&f->sys, 4 * FRAME_BYTES, &id, &addr), 0);
		if (v[i].marked)
			f->sys.shm_mark_loaded(&f->sys, id);
		f->sys.shm_detach(&f->sys, addr);
		f->loaded = v[i].loaded_before;
		f->loaded_hidden = v[i].hidden;
		/* A load that fails late must not have taken what the kernel counts on. */
		f->kexec_error = -EBUSY;
		assert_int_equal(load(job), KX_BUSY);
		assert_int_equal(fake_shms(f, true) + fake_shms(f, false), v[i].stays);
		assert_clean(f);
		job_free(job);
	}
}

/* A plan changes nothing: not even what a killed loader left. */
static void test_plan_sweeps_nothing_that_is_loaded(void **state)
{
	struct job *job = job_whole();

	(void)state;
	load_first(job);
	job->request.plan_only = true;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(fake_shms(job->fake, true), 1);
	assert_true(job->fake->loaded);
	assert_clean(job->fake);
	job_free(job);
}

static void test_interrupted(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 1;; at++) {
		struct job *job = job_whole();
		enum kx_err err;

		load_first(job);
		job->fake->interrupted_calls = 0;
		job->fake->interrupt_at = at;
		err = load(job);
		assert_clean(job->fake);
		assert_int_equal(fake_shms(job->fake, true), 1);
		if (!err) {
			job_free(job);
			assert_true(at > SLOTS);
			return;
		}
		assert_int_equal(err, KX_INTERRUPTED);
		assert_int_equal(job->fake->kexec_loads, 0);
		assert_int_equal(fake_frames_taken(job->fake), SLOTS + 1);
		job_free(job);
	}
}

static void put_gzip(struct job *job, const void *data, size_t bytes)
{
	z_stream z = { 0 };
	size_t room = bytes + bytes / 100 + 1000;
	unsigned char *out = malloc(room);

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (uInt)bytes;
	z.next_out = out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	fake_file(job->fake, KERNEL, out, room - z.avail_out);
	deflateEnd(&z);
	free(out);
}

/* How long the kernel is shows only at the end, and its BSS is left alone. */
static void test_gzip(void **state)
{
	static const struct { uint64_t step; uint32_t frames; enum fast_wish fast; } v[] = {
		{ FRAME_BYTES, 40, FAST_REQUIRE }, { 2 * FRAME_BYTES, 40, FAST_REQUIRE }, { FRAME_BYTES, 3, FAST_AUTO },
		{ FRAME_BYTES, 0, FAST_NO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_new(0x60000000, v[i].step, v[i].frames);
		struct purg_model m;

		job->request.fast = v[i].fast;
		put_gzip(job, job->kernel, job->kernel_bytes);
		assert_loads(job, &m);
		assert_string_equal(job->report.format, "gzip");
		purg_model_free(&m);
		job_free(job);
	}
}

static void test_gzip_damaged(void **state)
{
	struct job *job = job_whole();
	struct fake_file *file;

	(void)state;
	/* More than its header says. */
	store_le64(job->kernel + 16, KERNEL_BYTES - 5000);
	put_gzip(job, job->kernel, job->kernel_bytes);
	assert_int_equal(load(job), KX_IMAGE_HEADER);
	assert_clean(job->fake);
	/* Exactly as much is well. */
	store_le64(job->kernel + 16, KERNEL_BYTES);
	put_gzip(job, job->kernel, job->kernel_bytes);
	assert_int_equal(load(job), KX_OK);
	job->fake->kexec_loads = 0;
	/* Cut off, and with a wrong sum at its end. */
	put_gzip(job, job->kernel, job->kernel_bytes);
	file = &job->fake->file[0];
	while (strcmp(file->path, KERNEL) != 0)
		file++;
	file->cut = file->bytes -= 1;
	assert_int_equal(load(job), KX_COMPRESSED_BAD);
	assert_clean(job->fake);
	put_gzip(job, job->kernel, job->kernel_bytes);
	file->data[file->bytes - 6] ^= 1;
	assert_int_equal(load(job), KX_COMPRESSED_BAD);
	assert_clean(job->fake);
	assert_int_equal(job->fake->kexec_loads, 0);
	job_free(job);
}

static struct fake_file *file_of(struct job *job, const char *path)
{
	size_t i;

	for (i = 0; i < job->fake->files; i++)
		if (strcmp(job->fake->file[i].path, path) == 0)
			return &job->fake->file[i];
	fail_msg("%s", path);
	return NULL;
}

static void refuse(struct job *job, enum kx_err want)
{
	assert_int_equal(load(job), want);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_int_equal(fake_frames_taken(job->fake), 0);
	assert_clean(job->fake);
	job_free(job);
}

static void test_bad_kernels(void **state)
{
	struct job *job = job_whole();

	(void)state;
	store_le64(job->kernel + 16, KERNEL_BYTES - 1);
	fake_file(job->fake, KERNEL, job->kernel, job->kernel_bytes);
	refuse(job, KX_IMAGE_HEADER);

	job = job_whole();
	fake_text(job->fake, KERNEL, "#!/bin/sh\n");
	refuse(job, KX_NOT_IMAGE);

	job = job_whole();
	fake_file(job->fake, KERNEL, "", 0);
	refuse(job, KX_READ);

	job = job_whole();
	fake_drop(job->fake, KERNEL);
	refuse(job, KX_OPEN);

	job = job_whole();
	fake_drop(job->fake, INITRD);
	refuse(job, KX_OPEN_INITRD);

	job = job_whole();
	job->kernel[24] |= 1;
	fake_file(job->fake, KERNEL, job->kernel, job->kernel_bytes);
	refuse(job, KX_IMAGE_BIG_ENDIAN);
}

/* What could not be opened is not closed either. */
static void test_missing_file_is_not_closed(void **state)
{
	struct job *job = job_whole();
	unsigned int slips;

	(void)state;
	fake_drop(job->fake, INITRD);
	assert_int_equal(load(job), KX_OPEN_INITRD);
	slips = job->fake->bad_closes;
	job_free(job);
	assert_int_equal(slips, 0);
}

/* A kernel that grows while it is read is more than was planned for. */
static void test_kernel_grows(void **state)
{
	struct job *job = job_whole();

	(void)state;
	file_of(job, KERNEL)->cut += 4096;
	assert_int_not_equal(load(job), KX_OK);
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_clean(job->fake);
	job_free(job);
}

/* A kernel that shrinks while it is read is not all there: its header may still look right. */
static void test_kernel_shrinks(void **state)
{
	struct job *job = job_whole();
	unsigned int loads;
	enum kx_err err;

	(void)state;
	file_of(job, KERNEL)->cut -= 4096;
	err = load(job);
	assert_clean(job->fake);
	loads = job->fake->kexec_loads;
	job_free(job);
	assert_int_not_equal(err, KX_OK);
	assert_int_equal(loads, 0);
}

static void test_initrd_shrinks(void **state)
{
	struct job *job = job_whole();

	(void)state;
	file_of(job, INITRD)->cut -= 1;
	refuse(job, KX_READ);
}

static void test_no_initrd(void **state)
{
	unsigned int empty;

	(void)state;
	for (empty = 0; empty < 2; empty++) {
		struct job *job = job_whole();
		struct purg_model m;

		job->initrd_bytes = 0;
		if (empty)
			fake_file(job->fake, INITRD, "", 0);
		else
			job->request.initrds = 0;
		assert_loads(job, &m);
		assert_int_equal(job->report.objects, 1);
		purg_model_free(&m);
		job_free(job);
	}
}

static void test_huge_initrd(void **state)
{
	struct job *job = job_whole();

	(void)state;
	/* More than the machine has. */
	file_of(job, INITRD)->bytes = GIB(3);
	assert_int_equal(load(job), KX_TOO_BIG);
	file_of(job, INITRD)->bytes = INITRD_BYTES;
	assert_int_equal(job->fake->kexec_loads, 0);
	assert_clean(job->fake);
	job_free(job);
}

static const char *bootargs_of(struct job *job, char *out, size_t room)
{
	unsigned char *dtb = malloc(MIB(2));
	struct purg_model m;

	if (load(job))
		fail_msg("%s: %s", job->fail.detail, err_text(job->fail.err));
	job->fake->kexec_loads = 1;
	assert_boots(job, &m);
	purg_model_read(&m, m.params.dtb_pa, dtb, KIB(16));
	snprintf(out, room, "%s", (const char *)fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "bootargs", NULL));
	purg_model_free(&m);
	free(dtb);
	job_free(job);
	return out;
}

static void test_command_line(void **state)
{
	char text[4096], longest[2100];
	struct job *job = job_whole();

	(void)state;
	job->request.cmdline = NULL;
	assert_string_equal(bootargs_of(job, text, sizeof(text)), "console=ttyAMA0 root=/dev/vda1");
	job = job_whole();
	job->request.cmdline = "";
	job->request.initrds = 0;
	job->initrd_bytes = 0;
	if (load(job) == KX_OK) {	/* an empty one keeps the tree's as well */
		struct purg_model m;

		assert_null(purg_model_run(&m, job->fake));
		purg_model_free(&m);
	}
	job_free(job);

	job = job_whole();
	job->request.reuse_cmdline = true;
	assert_string_equal(bootargs_of(job, text, sizeof(text)), "console=ttyAMA0 quiet " CMDLINE);
	job = job_whole();
	job->request.reuse_cmdline = true;
	job->request.cmdline = NULL;
	assert_string_equal(bootargs_of(job, text, sizeof(text)), "console=ttyAMA0 quiet");

	memset(longest, 'x', sizeof(longest));
	longest[2047] = '\0';
	job = job_whole();
	job->request.cmdline = longest;
	assert_string_equal(bootargs_of(job, text, sizeof(text)), longest);
	longest[2047] = 'x';
	longest[2048] = '\0';
	job = job_whole();
	job->request.cmdline = longest;
	refuse(job, KX_CMDLINE_TOO_LONG);
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
	struct job *job = job_new(0x60000000, 2 * FRAME_BYTES, 40);
	unsigned char *dtb = malloc(MIB(2));
	struct purg_model m;
	uint64_t address, size;
	unsigned int i;

	(void)state;
	/* Where the windows would lie. */
	job->fake->log = "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
			 "[    0.000000] GICv3: using LPI property table @0x0000000060230000\n";
	assert_loads(job, &m);
	purg_model_read(&m, m.params.dtb_pa, dtb, KIB(16));
	assert_int_equal(fdt_num_mem_rsv(dtb), 1);
	assert_int_equal(fdt_get_mem_rsv(dtb, 0, &address, &size), 0);
	assert_int_equal(address, 0x60230000);
	assert_int_equal(size, KIB(64));
	for (i = 0; i < job->report.objects; i++)
		assert_false(range_overlaps(job->report.object[i].place, (struct range){ address, size }));
	purg_model_free(&m);
	job_free(job);
	free(dtb);

	/* A log that does not reach back to the boot cannot be relied on: it is said. */
	job = job_new(0x60000000, 2 * FRAME_BYTES, 40);
	job->fake->log = "[  999.000000] something else\n";
	assert_loads(job, &m);
	assert_true(noted(job, "log"));
	purg_model_free(&m);
	job_free(job);
}

static void test_serial(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	fake_text(job->fake, "/sys/class/tty/ttyS3/iomem_base", "0x1FE001000\n");
	fake_text(job->fake, "/sys/class/tty/ttyS3/type", "4\n");
	fake_text(job->fake, "/sys/class/tty/ttyS3/io_type", "3\n");
	fake_text(job->fake, "/sys/class/tty/ttyS3/iomem_reg_shift", "2\n");
	job->request.serial = "/dev/ttyS3";
	assert_loads(job, &m);
	assert_int_equal(m.params.uart_pa, 0x1fe001000);
	assert_int_equal(m.params.uart_kind, PURG_UART_8250_MMIO32);
	assert_int_equal(m.params.uart_reg_shift, 2);
	assert_int_equal(m.params.flags, PURG_FLAG_VERBOSE);
	assert_string_equal(job->report.console, "ttyS3");
	purg_model_free(&m);
	job_free(job);

	job = job_whole();
	job->request.serial = "ttyS9";
	refuse(job, KX_SERIAL);
	job = job_whole();
	job->request.serial = "../../../etc";
	refuse(job, KX_SERIAL);
}

/* Frames that the kernel may have reason to move are not where the payload stays. */
static void test_frames_settle(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;
	uint32_t i;

	(void)state;
	job->fake->cma = (struct range){ 0x60000000, 8 * FRAME_BYTES };
	assert_loads(job, &m);
	for (i = 0; i < 8; i++)
		assert_false(job->fake->frame[i].taken);
	purg_model_free(&m);
	job_free(job);
}

/* Memory that the device tree does not name is none for the next kernel. */
static void test_hot_added_memory(void **state)
{
	struct job *job = job_new(0xc0000000, FRAME_BYTES, 40);
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

static void unpack_tree(struct job *job)
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

/* One that does not fit beside the hide-out has a frame of its own. */
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
	assert_int_equal(fake_frames_taken(job->fake), SLOTS + 2);
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
	assert_int_equal(exec_kernel(sys, true, true, &job->fail), KX_NOTHING_LOADED);
	assert_int_equal(job->fake->reboots + job->fake->syncs + job->fake->ifdowns, 0);
	job->fake->loaded = true;
	assert_int_equal(kernel_is_loaded(sys, false), 1);
	assert_int_equal(kernel_is_loaded(sys, true), 0);
	assert_int_equal(exec_kernel(sys, false, false, &job->fail), KX_REBOOT);
	assert_int_equal(job->fake->reboots, 1);
	assert_int_equal(job->fake->syncs + job->fake->ifdowns, 0);
	job->fake->loaded = false;
	job->fake->loaded_hidden = true;
	assert_int_equal(kernel_is_loaded(sys, false), -1);
	assert_int_equal(exec_kernel(sys, true, true, &job->fail), KX_REBOOT);
	assert_int_equal(job->fake->syncs + job->fake->ifdowns, 2);
	job_free(job);
}

static void set_cpus_of_tree(struct fake *f, unsigned int cpus, const char *online)
{
	unsigned int i;

	fake_text(f, "/sys/devices/system/cpu/online", online);
	for (i = 0; i < cpus; i++) {
		unsigned char reg[8] = { 0, 0, 0, 0, 0, 0, (unsigned char)(i / 4), (unsigned char)(i % 4) };
		char path[80];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/of_node/reg", i);
		fake_file(f, path, i % 2 ? reg : reg + 4, i % 2 ? 8 : 4);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/of_node/enable-method", i);
		fake_file(f, path, "psci", 5);
	}
}

static void set_madt(struct fake *f, unsigned int enabled, unsigned int disabled)
{
	unsigned char madt[44 + 24 + 12 * 80] = { 'A', 'P', 'I', 'C' };
	size_t at = 44;
	unsigned int i;

	madt[at] = 0x0c;	/* a GICD */
	madt[at + 1] = 24;
	at += 24;
	for (i = 0; i < enabled + disabled; i++, at += 80) {
		madt[at] = 0x0b;
		madt[at + 1] = 80;
		madt[at + 12] = i < enabled;
		madt[at + 69] = (unsigned char)i;
	}
	fake_file(f, "/sys/firmware/acpi/tables/APIC", madt, at);
}

/* Tables that end early, or claim lengths that they have not: no CPU is known then, and nothing is read behind them. */
static void test_bad_madt(void **state)
{
	enum { SHORT, LENGTH_0, LENGTH_1, LENGTH_TOO_LONG, GICC_SHORT, HEADER_ONLY, EMPTY, KINDS };
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		struct job *job = job_whole();
		/* Two GICCs; of its own size, so that the sanitizer sees a byte too far. */
		size_t bytes = kind == SHORT ? 44 + 79 : kind == HEADER_ONLY ? 43 : kind == EMPTY ? 0 : 44 + 160;
		unsigned char *madt = calloc(1, bytes + 1);
		struct purg_model m;
		size_t at;

		for (at = 44; at + 80 <= bytes + 1; at += 80) {
			madt[at] = 0x0b;
			madt[at + 1] = kind == LENGTH_0 ? 0 : kind == LENGTH_1 ? 1 : kind == LENGTH_TOO_LONG ? 255 : 80;
			madt[at + 12] = 1;
		}
		if (kind == GICC_SHORT)
			madt[44 + 80 + 1] = 75;
		fake_file(job->fake, "/sys/firmware/acpi/tables/APIC", madt, bytes);
		fake_text(job->fake, "/sys/devices/system/cpu/online", "0-1\n");
		job->request.cpus = 2;
		assert_loads(job, &m);
		assert_int_equal(m.params.cpus, 1);
		assert_true(noted(job, "it is not known how firmware numbers"));
		purg_model_free(&m);
		free(madt);
		job_free(job);
	}
}

/* How many CPUs "auto" takes is up to the payload, the check, and what there is. With --plan, since nothing is read then. */
static void test_auto_cpus(void **state)
{
	static const struct {
		uint64_t initrd_bytes;
		unsigned int online;
		enum check_wish check;
		unsigned int want;
	} v[] = {
		{ MIB(200), 8, CHECK_SHA256, 1 }, { MIB(256), 8, CHECK_SHA256, 8 }, { MIB(256), 3, CHECK_SHA256, 3 },
		{ MIB(256), 8, CHECK_CRC32C, 4 }, { MIB(256), 2, CHECK_CRC32C, 2 }, { MIB(256), 8, CHECK_NONE, 1 },
		{ MIB(256), 1, CHECK_SHA256, 1 },
	};
	unsigned char *zeros = calloc(1, MIB(256));
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		char online[16];

		snprintf(online, sizeof(online), "0-%u\n", v[i].online - 1);
		set_cpus_of_tree(job->fake, v[i].online, online);
		fake_file(job->fake, INITRD, zeros, v[i].initrd_bytes);
		job->request.cpus = CPUS_AUTO;
		job->request.check = v[i].check;
		job->request.fast = FAST_NO;
		job->request.plan_only = true;
		assert_int_equal(load(job), KX_OK);
		assert_int_equal(job->report.cpus, v[i].want);
		assert_int_equal(job->report.notes, 0);
		job_free(job);
	}
	free(zeros);
}

static void test_cpus(void **state)
{
	enum { TREE = 1, MADT = 2, NO_PSCI_NODE = 4, NO_MMU = 8, SPIN = 16 };
	static const struct {
		unsigned int wanted, cpus;
		const char *online;
		unsigned int how, get, listed;
		const char *note;
	} v[] = {
		{ 0, 4, "0-3\n", TREE, 1, 0, NULL },
		{ 1, 4, "0-3\n", TREE, 1, 0, NULL },
		{ 2, 4, "0-3\n", TREE, 2, 4, NULL },
		{ 4, 4, "0-3\n", TREE, 4, 4, NULL },
		{ 3, 8, "0,2-3,5\n", TREE, 3, 4, NULL },
		{ 9, 3, "0-2\n", TREE, 3, 3, "uses 3 CPUs: there are no more" },
		{ 100, 16, "0-15\n", TREE, PURG_CPUS_MAX, PURG_CPUS_MAX, "uses 8 CPUs: more would only wait" },
		{ CPUS_AUTO, 4, "0-3\n", TREE, 1, 0, NULL },	/* too small to pay */
		{ 4, 4, "0-3\n", MADT, 4, 4, NULL },
		{ 4, 4, "0-2\n", MADT, 1, 0, "one CPU: it is not known how firmware" },	/* which one is offline? */
		{ 4, 4, "0-3\n", 0, 1, 0, "one CPU: it is not known how firmware" },
		{ 2, 4, "0-3\n", TREE | SPIN, 1, 0, "one CPU: it is not known how firmware" },
		{ 2, 4, "nonsense", TREE, 1, 0, "one CPU: it is not known how firmware" },
		{ 2, 4, "0-3\n", TREE | NO_PSCI_NODE, 1, 0, "one CPU: there is no PSCI" },
		{ 2, 4, "0-3\n", TREE | NO_MMU, 1, 0, "one CPU: with the MMU off" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_whole();
		struct purg_model m;

		fake_text(job->fake, "/sys/devices/system/cpu/online", v[i].online);
		if (v[i].how & TREE)
			set_cpus_of_tree(job->fake, v[i].cpus, v[i].online);
		if (v[i].how & SPIN)
			fake_file(job->fake, "/sys/devices/system/cpu/cpu2/of_node/enable-method", "spin-table", 11);
		if (v[i].how & MADT)
			set_madt(job->fake, v[i].cpus, 3);
		if (v[i].how & NO_PSCI_NODE)
			make_refusal(job, NO_PSCI);
		job->request.fast = FAST_AUTO;
		job->request.cpus = v[i].wanted;
		job->request.no_mmu = v[i].how & NO_MMU;
		assert_loads(job, &m);
		assert_int_equal(m.params.cpus, v[i].get);
		assert_int_equal(m.params.mpidr_count, v[i].listed);
		assert_int_equal(job->report.cpus, v[i].get);
		if (v[i].note)
			assert_true(noted(job, v[i].note));
		else
			assert_int_equal(job->report.notes, 0);
		if (i == 4) {
			assert_int_equal(m.params.mpidr[0], 0);
			assert_int_equal(m.params.mpidr[1], 2);
			assert_int_equal(m.params.mpidr[2], 3);
			assert_int_equal(m.params.mpidr[3], 0x101);
		}
		if (v[i].how & MADT && v[i].get > 1)
			assert_int_equal(m.params.mpidr[3], 0x300);
		purg_model_free(&m);
		job_free(job);
	}
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_in_place),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_few_frames),
		cmocka_unit_test(test_plain_load),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_kernel_says_no),
		cmocka_unit_test(test_plan_only),
		cmocka_unit_test(test_plan_tells_the_load),
		cmocka_unit_test(test_failures_fast),
		cmocka_unit_test(test_failures_with_a_load_before),
		cmocka_unit_test(test_failures_of_a_plan),
		cmocka_unit_test(test_failures_on_rare_ways),
		cmocka_unit_test(test_second_load_replaces),
		cmocka_unit_test(test_two_loaders),
		cmocka_unit_test(test_unload),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_plan_sweeps_nothing_that_is_loaded),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_gzip_damaged),
		cmocka_unit_test(test_bad_kernels),
		cmocka_unit_test(test_missing_file_is_not_closed),
		cmocka_unit_test(test_kernel_grows),
		cmocka_unit_test(test_kernel_shrinks),
		cmocka_unit_test(test_initrd_shrinks),
		cmocka_unit_test(test_no_initrd),
		cmocka_unit_test(test_huge_initrd),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_no_random_numbers),
		cmocka_unit_test(test_gic_tables),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_frames_settle),
		cmocka_unit_test(test_hot_added_memory),
		cmocka_unit_test(test_unpacked_device_tree),
		cmocka_unit_test(test_big_device_tree),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_bad_madt),
		cmocka_unit_test(test_auto_cpus),
		cmocka_unit_test(test_last_timeline),
		cmocka_unit_test(test_load_from_a_loaded_kernel),
		cmocka_unit_test(test_no_memory_to_spare),
		cmocka_unit_test(test_plain_load_without_psci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
