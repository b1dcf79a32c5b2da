/* SPDX-License-Identifier: GPL-2.0-only */
/* Crash kernels: everything in their own memory, and a header that describes everybody else's. */
#include "job.h"

#include "bytes.h"
#include "elfcore.h"
#include "kcore.h"

#include <libfdt.h>

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define LOW		0x50000000ull
#define LOW_BYTES	MIB(16)
#define HIGH		0xa0000000ull
#define HIGH_BYTES	MIB(64)
#define RAM		0x40000000ull
#define RAM_BYTES	GIB(2)
#define LINEAR		0xffff000000000000ull
#define VOFFSET		0xffff80003fe00000ull

static const char iomem[] =
	"09000000-09000fff : pl011@9000000\n"
	"40000000-bfffffff : System RAM\n"
	"  40210000-4183ffff : Kernel code\n"
	"  41840000-4213ffff : reserved\n"
	"  42140000-4277ffff : Kernel data\n"
	"  50000000-50ffffff : Crash kernel\n"
	"  a0000000-a3ffffff : Crash kernel\n"
	"  bc000000-bfdfffff : reserved\n";

/* As the kernel makes it: a note first, then what is vmalloc'ed, then the linear map. */
static size_t make_kcore(unsigned char *out, bool with_note)
{
	const char *note = with_note ? "junk NUMBER(kimage_voffset)=0xffff80003fe00000\nNUMBER(PHYS_OFFSET)=0x40000000\n" : "x";
	const struct { uint64_t type, va, pa; } load[] = {
		{ 4, 0, 0 }, { 1, 0x40210000 + VOFFSET, 0x40210000 }, { 1, 0xffff800010000000, ~0ull }, { 1, LINEAR + RAM, RAM },
	};
	size_t i;

	memset(out, 0, 1024);
	memcpy(out, "\x7f" "ELF\2\1\1", 7);
	store_le(out + 32, 64, 8);
	store_le(out + 56, COUNT(load), 2);
	for (i = 0; i < COUNT(load); i++) {
		unsigned char *phdr = out + 64 + 56 * i;

		store_le(phdr, load[i].type, 4);
		store_le(phdr + 8, i ? 4096 : 512, 8);
		store_le(phdr + 16, load[i].va, 8);
		store_le(phdr + 24, load[i].pa, 8);
		store_le(phdr + 32, i ? GIB(1) : strlen(note), 8);
	}
	strcpy((char *)out + 512, note);
	return 1024;
}

static struct job *job_crash(void)
{
	struct job *job = job_whole();
	unsigned char kcore[1024];

	fake_text(job->fake, "/proc/iomem", iomem);
	/* Not in order, as sysfs gives them. */
	fake_text(job->fake, "/sys/devices/system/cpu/cpu1/online", "1\n");
	fake_text(job->fake, "/sys/devices/system/cpu/cpu0/crash_notes", "bf000000\n");
	fake_text(job->fake, "/sys/devices/system/cpu/cpu0/crash_notes_size", "424\n");
	fake_text(job->fake, "/sys/devices/system/cpu/cpu1/crash_notes", "bf001000\n");
	fake_text(job->fake, "/sys/devices/system/cpu/cpu1/crash_notes_size", "424\n");
	fake_text(job->fake, "/sys/kernel/vmcoreinfo", "42333000 1024\n");
	fake_file(job->fake, "/proc/kcore", kcore, make_kcore(kcore, true));
	job->request.fast = FAST_NO;
	job->request.syscall = SYSCALL_LOAD;
	job->request.crash = true;
	return job;
}

/* The tree that the crash kernel is given, checked; its own copy. */
static unsigned char *tree_of(struct purg_model *m)
{
	unsigned char *dtb = malloc(MIB(2));

	purg_model_read(m, m->params.dtb_pa, dtb, KIB(64));
	assert_int_equal(fdt_check_full(dtb, KIB(64)), 0);
	return dtb;
}

static void assert_core(struct purg_model *m, const unsigned char *dtb)
{
	int chosen = fdt_path_offset(dtb, "/chosen"), a = fdt_address_cells(dtb, 0), s = fdt_size_cells(dtb, 0), bytes;
	const unsigned char *value = fdt_getprop(dtb, chosen, "linux,usable-memory-range", &bytes);
	const struct { uint64_t type, va, start, bytes; } want[] = {
		{ 4, 0, 0xbf000000, 424 }, { 4, 0, 0xbf001000, 424 }, { 4, 0, 0x42333000, 0x1024 },
		{ 1, 0x40210000 + VOFFSET, 0x40210000, 0x42780000 - 0x40210000 },
		{ 1, LINEAR + RAM, RAM, LOW - RAM }, { 1, LINEAR + LOW + LOW_BYTES, LOW + LOW_BYTES, HIGH - LOW - LOW_BYTES },
		{ 1, LINEAR + HIGH + HIGH_BYTES, HIGH + HIGH_BYTES, RAM + RAM_BYTES - HIGH - HIGH_BYTES },
	};
	unsigned char core[4096];
	uint64_t pa, core_bytes;
	size_t i;

	assert_non_null(value);
	assert_int_equal(bytes, 2 * (a + s) * 4);
	/* The one that the kernel lies in first. */
	assert_int_equal(load_be(value, 4 * (unsigned int)a), HIGH);
	assert_int_equal(load_be(value + a * 4, 4 * (unsigned int)s), HIGH_BYTES);
	assert_int_equal(load_be(value + (a + s) * 4, 4 * (unsigned int)a), LOW);
	assert_int_equal(load_be(value + (a + s + a) * 4, 4 * (unsigned int)s), LOW_BYTES);
	value = fdt_getprop(dtb, chosen, "linux,elfcorehdr", &bytes);
	assert_non_null(value);
	assert_int_equal(bytes, (a + s) * 4);
	pa = load_be(value, 4 * (unsigned int)a);
	core_bytes = load_be(value + a * 4, 4 * (unsigned int)s);
	assert_true(pa >= HIGH && pa + core_bytes <= HIGH + HIGH_BYTES && pa % 4096 == 0 && core_bytes <= sizeof(core));
	assert_true(range_set_contains(&m->verified, (struct range){ pa, core_bytes }));
	purg_model_read(m, pa, core, core_bytes);
	assert_memory_equal(core, "\x7f" "ELF\2\1\1", 7);
	assert_int_equal(load_le(core + 16, 2), 4);
	assert_int_equal(load_le(core + 18, 2), 183);
	assert_int_equal(load_le(core + 32, 8), 64);
	assert_int_equal(load_le(core + 54, 2), 56);
	assert_int_equal(load_le(core + 56, 2), COUNT(want));
	for (i = 0; i < COUNT(want); i++) {
		const unsigned char *phdr = core + 64 + 56 * i;

		assert_int_equal(load_le(phdr, 4), want[i].type);
		assert_int_equal(load_le(phdr + 8, 8), want[i].start);
		assert_int_equal(load_le(phdr + 16, 8), want[i].va);
		assert_int_equal(load_le(phdr + 24, 8), want[i].start);
		assert_int_equal(load_le(phdr + 32, 8), want[i].bytes);
		assert_int_equal(load_le(phdr + 40, 8), want[i].bytes);
	}
}

static void test_crash_load(void **state)
{
	static const uint64_t pages[] = { 4096, 16384, 65536 };
	size_t i, p;

	(void)state;
	for (p = 0; p < COUNT(pages); p++) {
		struct job *job = job_crash();
		struct purg_model m;
		unsigned char *dtb;

		job->fake->sys.page_bytes = pages[p];
		job->request.check = p ? CHECK_SHA256 : CHECK_DEFAULT;
		assert_loads(job, &m);
		assert_int_equal(job->fake->crash.flags, SYS_KEXEC_ON_CRASH);
		if (job->report.notes && !noted(job, "KiB pages"))
			fail_msg("%s", job->report.note[0]);
		for (i = 0; i < job->fake->crash.count; i++) {
			const struct sys_segment *s = &job->fake->crash.segment[i];

			assert_true(s->pa >= HIGH && s->pa + s->memory_bytes <= HIGH + HIGH_BYTES);
		}
		/* No huge pages: what is left of memory after a crash is not ours to take now. */
		assert_int_equal(fake_pages_taken(job->fake), 0);
		assert_int_equal(fake_ledgers(job->fake), 0);
		assert_int_equal(m.moves, 0);
		dtb = tree_of(&m);
		assert_core(&m, dtb);
		free(dtb);
		purg_model_free(&m);
		job_free(job);
	}
}

/* Who panicked may have left another CPU stuck for good, and purgatory resets the machine if one does not come: no dump. */
static void test_one_cpu(void **state)
{
	static const unsigned int wanted[] = { 1, 2, CPUS_AUTO };
	static const unsigned char reg[2][4] = { { 0, 0, 0, 0 }, { 0, 0, 0, 1 } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wanted); i++) {
		struct job *job = job_crash();
		struct purg_model m;

		fake_cpus_online(job->fake, "0-1\n");
		fake_file(job->fake, "/sys/devices/system/cpu/cpu0/of_node/reg", reg[0], 4);
		fake_file(job->fake, "/sys/devices/system/cpu/cpu1/of_node/reg", reg[1], 4);
		fake_file(job->fake, "/sys/devices/system/cpu/cpu0/of_node/enable-method", "psci", 5);
		fake_file(job->fake, "/sys/devices/system/cpu/cpu1/of_node/enable-method", "psci", 5);
		job->request.cpus = wanted[i];
		assert_loads(job, &m);
		assert_int_equal(m.params.cpus, 1);
		assert_int_equal(m.params.mpidr_count, 0);
		assert_int_equal(job->report.cpus, 1);
		assert_int_equal(noted(job, "one CPU: after a panic another one may be stuck"), wanted[i] == 2);
		purg_model_free(&m);
		job_free(job);
	}
}

/* Without kcore, or without its note, there are physical addresses only, and that is said. */
static void test_unknown_maps(void **state)
{
	unsigned char kcore[1024];
	int kind;

	(void)state;
	for (kind = 0; kind < 2; kind++) {
		struct job *job = job_crash();
		struct purg_model m;

		if (kind)
			fake_file(job->fake, "/proc/kcore", kcore, make_kcore(kcore, false));
		else
			fake_drop(job->fake, "/proc/kcore");
		assert_loads(job, &m);
		assert_true(noted(job, "/proc/kcore"));
		purg_model_free(&m);
		job_free(job);
	}
}

static void test_refusals(void **state)
{
	struct job *job = job_crash();

	(void)state;
	fake_drop(job->fake, "/sys/kernel/vmcoreinfo");
	assert_int_equal(load(job), KX_NO_CRASH_NOTES);
	assert_clean(job->fake);
	job_free(job);
	job = job_crash();
	fake_drop(job->fake, "/sys/devices/system/cpu/cpu0/crash_notes");
	fake_drop(job->fake, "/sys/devices/system/cpu/cpu1/crash_notes_size");
	assert_int_equal(load(job), KX_NO_CRASH_NOTES);
	job_free(job);
	/* No memory was reserved, or too little. */
	job = job_whole();
	job->request.fast = FAST_NO;
	job->request.crash = true;
	assert_int_equal(load(job), KX_NO_CRASH_MEMORY);
	assert_clean(job->fake);
	job_free(job);
	job = job_crash();
	fake_text(job->fake, "/proc/iomem", "40000000-bfffffff : System RAM\n  a0000000-a05fffff : Crash kernel\n");
	assert_int_equal(load(job), KX_NO_ROOM);
	assert_clean(job->fake);
	job_free(job);
}

/* A crash kernel is loaded beside a staged one, and neither disturbs the other. */
static void test_beside_staged(void **state)
{
	struct job *job = job_crash();
	struct purg_model m;
	uint32_t pages;

	(void)state;
	job->request.crash = false;
	job->request.fast = FAST_REQUIRE;
	assert_loads(job, &m);
	purg_model_free(&m);
	pages = fake_pages_taken(job->fake);
	assert_true(pages > 0);
	job->request.crash = true;
	job->request.fast = FAST_NO;
	assert_int_equal(load(job), KX_OK);
	assert_int_equal(fake_pages_taken(job->fake), pages);
	assert_int_equal(unload_kernel(&job->fake->sys, true, SYSCALL_AUTO, &job->unload_note, &job->fail), KX_OK);
	assert_int_equal(fake_pages_taken(job->fake), pages);
	job_free(job);
}

/* Roots without cells are Linux's 1 and 1; what does not fit into them is not cut off. */
static void test_cells(void **state)
{
	unsigned char tree[4096];
	int cells_of;

	(void)state;
	for (cells_of = 0; cells_of < 3; cells_of++) {
		struct job *job = job_crash();
		struct purg_model m;
		unsigned char *dtb;
		const unsigned char *value;
		int bytes, fit = cells_of ? cells_of : 1;

		fake_dtb(tree, sizeof(tree), "hvc");
		assert_int_equal(fdt_open_into(tree, tree, sizeof(tree)), 0);
		fdt_delprop(tree, 0, "#address-cells");
		fdt_delprop(tree, 0, "#size-cells");
		/* The memory node would be read by other cells now. */
		fdt_del_node(tree, fdt_path_offset(tree, "/memory@40000000"));
		if (cells_of) {
			fdt_setprop_u32(tree, 0, "#address-cells", (uint32_t)cells_of);
			fdt_setprop_u32(tree, 0, "#size-cells", (uint32_t)cells_of);
		}
		fake_file(job->fake, "/sys/firmware/fdt", tree, fdt_totalsize(tree));
		assert_loads(job, &m);
		dtb = tree_of(&m);
		value = fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "linux,usable-memory-range", &bytes);
		assert_int_equal(bytes, 4 * fit * 4);
		assert_int_equal(load_be(value, 4 * (unsigned int)fit), HIGH);
		assert_int_equal(load_be(value + fit * 4, 4 * (unsigned int)fit), HIGH_BYTES);
		free(dtb);
		purg_model_free(&m);
		/* Above 4 GiB only two cells will do. */
		fake_text(job->fake, "/proc/iomem", "40000000-1ffffffff : System RAM\n  140000000-143ffffff : Crash kernel\n");
		assert_int_equal(load(job), fit == 2 ? KX_OK : KX_DTB_BAD);
		job_free(job);
	}
}

static void test_cmdline(void **state)
{
	struct job *job = job_crash();
	struct purg_model m;
	unsigned char *dtb;

	(void)state;
	fake_text(job->fake, "/proc/cmdline", "BOOT_IMAGE=/x crashkernel=64M,high quiet crashkernel=16M,low nocrashkernel=1\n");
	job->request.reuse_cmdline = true;
	job->request.cmdline = "nr_cpus=1";
	assert_loads(job, &m);
	dtb = tree_of(&m);
	assert_string_equal(fdt_getprop(dtb, fdt_path_offset(dtb, "/chosen"), "bootargs", NULL),
			    "quiet nocrashkernel=1 nr_cpus=1");
	free(dtb);
	purg_model_free(&m);
	assert_int_equal(crash_kernel_bytes(&job->fake->sys), HIGH_BYTES);
	fake_drop(job->fake, "/proc/iomem");
	assert_int_equal(crash_kernel_bytes(&job->fake->sys), 0);
	job_free(job);
}

/* Headers that are cut off anywhere, or claim anything: nothing is read behind them. */
static void test_bad_kcore(void **state)
{
	struct range_set ram = { 0 };
	unsigned char whole[1024];
	struct kcore k;
	size_t bytes, i;

	(void)state;
	assert_true(range_set_add(&ram, (struct range){ RAM, RAM_BYTES }));
	make_kcore(whole, true);
	kcore_parse(&k, whole, sizeof(whole), &ram);
	assert_true(k.linear_known && k.linear_offset == LINEAR && k.kimage_known && k.kimage_voffset == VOFFSET);
	for (bytes = 0; bytes <= sizeof(whole); bytes++) {
		unsigned char *cut = malloc(bytes ? bytes : 1);

		memcpy(cut, whole, bytes);
		kcore_parse(&k, cut, bytes, &ram);
		free(cut);
	}
	for (i = 0; i < 64 + 4 * 56; i++) {
		unsigned char before = whole[i];

		whole[i] = 0xff;
		kcore_parse(&k, whole, sizeof(whole), &ram);
		whole[i] = before;
	}
	range_set_free(&ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_load),
		cmocka_unit_test(test_one_cpu),
		cmocka_unit_test(test_unknown_maps),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_beside_staged),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_bad_kcore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
