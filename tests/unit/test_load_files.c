/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a load: compressed, damaged, changing while they are read, and the command line. */
#include "job.h"

#include <libfdt.h>

/* How long the kernel is shows only at the end, and its BSS is left alone. */
static void test_gzip(void **state)
{
	static const struct { uint64_t step; uint32_t pages; enum fast_mode fast; } v[] = {
		{ PLAN_SLOT_BYTES, 40, FAST_REQUIRE }, { 2 * PLAN_SLOT_BYTES, 40, FAST_REQUIRE }, { PLAN_SLOT_BYTES, 3, FAST_AUTO },
		{ PLAN_SLOT_BYTES, 0, FAST_NO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		struct job *job = job_new(0x60000000, v[i].step, v[i].pages);
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
	assert_int_equal(load(job), KX_COMPRESSED_SHORT);
	assert_says(&job->fail, KERNEL ": ends in the middle of what is compressed in it; copy it again");
	assert_clean(job->fake);
	put_gzip(job, job->kernel, job->kernel_bytes);
	file->data[file->bytes - 6] ^= 1;
	assert_int_equal(load(job), KX_COMPRESSED_BAD);
	assert_says(&job->fail, KERNEL ": is damaged: decompression failed; copy it again");
	assert_clean(job->fake);
	assert_int_equal(job->fake->kexec_loads, 0);
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
	refuse(job, KX_EMPTY);

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

/* What is said of files that are no use. */
static void test_sentences(void **state)
{
	struct job *job = job_whole();

	(void)state;
	fake_text(job->fake, KERNEL, "#!/bin/sh\n");
	load(job);
	assert_says(&job->fail, KERNEL " is a script: it is not an arm64 Linux kernel (Image, compressed or not; vmlinux, uImage, EFI zboot "
		    "or UKI)");
	fake_file(job->fake, KERNEL, "", 0);
	load(job);
	assert_says(&job->fail, KERNEL ": is empty; make or copy it again");
	fake_file(job->fake, KERNEL, job->kernel, job->kernel_bytes);
	fake_file(job->fake, INITRD, "", 0);
	load(job);
	assert_says(&job->fail, INITRD ": is empty; make or copy it again");
	/* --initrd="$INITRD", and nothing in the variable */
	job->request.initrd[0] = "";
	assert_int_equal(load(job), KX_OPEN_INITRD);
	assert_says(&job->fail, "--initrd= needs the name of a file: Could not open initrd file; check the name and the permissions");
	job->request.initrds = 0;
	fake_file(job->fake, "/boot/dtb", "", 0);
	job->request.dtb = "/boot/dtb";
	load(job);
	assert_says(&job->fail, "/boot/dtb: is empty; make or copy it again");
	assert_clean(job->fake);
	job_free(job);
}

/* Those of other architectures are EFI programs today, which is not what people call them. */
static void test_foreign_kernels(void **state)
{
	static const struct { size_t at; const char *magic; const char *name; } v[] = {
		{ 0x202, "HdrS", "an x86 kernel (bzImage)" },
		{ 36, "\x18\x28\x6f\x01", "a kernel for 32-bit Arm (zImage)" },
		{ 56, "RSC\x05", "a RISC-V kernel (Image)" },
	};
	static const char pe[] = { 'P', 'E', 0, 0, 0x64, (char)0x86 };
	unsigned char file[4096];
	char want[FAIL_SENTENCE_CHARS];
	unsigned int efi;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * COUNT(v); i++) {
		struct job *job = job_whole();

		efi = i % 2;
		memset(file, 0, sizeof(file));
		memcpy(file, efi ? "MZ" : "\x4d\x5b", 2);
		memcpy(file + 0x1fe, "\x55\xaa", 2);
		memcpy(file + v[i / 2].at, v[i / 2].magic, 4);
		store_le64(file + 0x3c, 0x400);
		memcpy(file + 0x400, pe, sizeof(pe));
		fake_file(job->fake, KERNEL, file, sizeof(file));
		load(job);
		snprintf(want, sizeof(want), KERNEL " is %s: it is not an arm64 Linux kernel (Image, compressed or not; vmlinux, uImage, EFI "
			 "zboot or UKI)", v[i / 2].name);
		assert_says(&job->fail, want);
		job_free(job);
	}
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
	refuse(job, KX_CHANGED);
}

static void write_in_place(struct fake_file *file)
{
	file->stamp.mtime_ns += 1;
	file->stamp.ctime_ns += 1;
}

/* What cp -p, rsync --inplace -t and tar do last. */
static void write_and_set_mtime_back(struct fake_file *file)
{
	file->stamp.ctime_ns += 1;
}

static void replace(struct fake_file *file)
{
	file->stamp.named = false;
	file->stamp.links = 0;
	file->stamp.ctime_ns += 1;
}

/* dpkg gives the old file another name first, so the number of names is what it was. */
static void replace_as_dpkg(struct fake_file *file)
{
	file->stamp.named = false;
	file->stamp.ctime_ns += 1;
}

static void add_link(struct fake_file *file)
{
	file->stamp.links++;
	file->stamp.ctime_ns += 1;
}

static void write_and_replace(struct fake_file *file)
{
	write_in_place(file);
	replace(file);
}

/* A file that is written to while it is read is torn, though its length and its header look right; one that is replaced is not. */
static void test_torn(void **state)
{
	static const struct { void (*change)(struct fake_file *file); bool torn; } v[] = {
		{ write_in_place, true }, { write_and_set_mtime_back, true }, { write_and_replace, true },
		{ replace, false }, { replace_as_dpkg, false }, { add_link, false },
	};
	static const char *const paths[] = { KERNEL, INITRD };
	size_t i;

	(void)state;
	for (i = 0; i < 2 * COUNT(v); i++) {
		struct job *job = job_whole();
		const char *path = paths[i % 2];

		file_of(job, path)->once_opened = v[i / 2].change;
		assert_int_equal(load(job), v[i / 2].torn ? KX_CHANGED : KX_OK);
		assert_int_equal(job->fake->kexec_loads, !v[i / 2].torn);
		if (v[i / 2].torn)
			assert_string_equal(job->fail.detail, path);
		assert_clean(job->fake);
		job_free(job);
	}
	assert_string_equal(err_text(KX_CHANGED), "changed while it was read; try again when nothing writes to it");
}

/* What is unpacked for kexec_file_load(2) is read by us as well. */
static void test_torn_while_unpacked(void **state)
{
	struct job *job = job_whole();

	(void)state;
	put_gzip(job, job->kernel, job->kernel_bytes);
	file_of(job, KERNEL)->once_opened = write_in_place;
	job->fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_CHANGED);
	assert_int_equal(job->fake->file_loads, 0);
	assert_clean(job->fake);
	job_free(job);
}

static void test_no_initrd(void **state)
{
	struct job *job = job_whole();
	struct purg_model m;

	(void)state;
	job->initrd_bytes = 0;
	job->request.initrds = 0;
	assert_loads(job, &m);
	assert_int_equal(job->report.objects, 1);
	purg_model_free(&m);
	job_free(job);

	/* One that was not written, because the disk was full: nobody wants to start without it. */
	job = job_whole();
	fake_file(job->fake, INITRD, "", 0);
	refuse(job, KX_EMPTY);
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
	job->request.cmdline = NULL;
	job->request.boot_loader_cmdline = true;
	assert_string_equal(bootargs_of(job, text, sizeof(text)), " ");
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_gzip_damaged),
		cmocka_unit_test(test_bad_kernels),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_foreign_kernels),
		cmocka_unit_test(test_missing_file_is_not_closed),
		cmocka_unit_test(test_kernel_grows),
		cmocka_unit_test(test_kernel_shrinks),
		cmocka_unit_test(test_initrd_shrinks),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_torn_while_unpacked),
		cmocka_unit_test(test_no_initrd),
		cmocka_unit_test(test_huge_initrd),
		cmocka_unit_test(test_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
