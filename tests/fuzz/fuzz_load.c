/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole loads on a machine in memory: the input is its files. Whatever they say, nothing leaks, no rule of the kernel's is
 * broken, and what was loaded boots on the model of purgatory.
 *
 * An input is two bytes of preferences, then for each file a byte that says which, three of its length (little end first), and that
 * many of what is in it; of the last one there may be fewer.
 */
#include "bytes.h"
#include "image.h"
#include "load.h"
#include "manage.h"
#include "purg_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES		6

#define WISH_FAST	0x03	/* enum fast_mode */
#define WISH_CRASH	0x04
#define WISH_SCATTERED	0x08	/* no two huge pages touch */
#define WISH_16K	0x10
#define WISH_REUSE	0x20	/* --reuse-cmdline */
#define WISH_CPUS	0x40
#define WISH_FILE	0x80	/* kexec_file_load(2) works */

#define MORE_CHECK	0x03	/* enum check_kind */
#define MORE_SERIAL	0x04
#define MORE_TWICE	0x08	/* load it once more */
#define MORE_SHORT	0x10	/* reads are short */
#define MORE_PIPES	0x20	/* what is read cannot be opened again */
#define MORE_PLAIN_CPU	0x40	/* without CRC32 and SHA2 instructions */
#define MORE_TREE	0x80	/* only /proc/device-tree */

#define KERNEL		"/boot/Image"
#define INITRD		"/boot/initrd"
#define CPU_DIR		"/sys/devices/system/cpu/"
#define TREE_DIR	"/proc/device-tree/"

static const char *const paths[] = {
	KERNEL, INITRD, INITRD "2", "/proc/iomem", "/sys/firmware/fdt", "", "/proc/cmdline", "/sys/firmware/acpi/tables/APIC",
	"/sys/firmware/acpi/tables/FACP", CPU_DIR "online", CPU_DIR "cpu0/of_node/enable-method", CPU_DIR "cpu0/of_node/reg",
	"/sys/class/tty/console/active", "/proc/kcore", CPU_DIR "cpu0/crash_notes", "/sys/kernel/vmcoreinfo",
	CPU_DIR "cpu1/of_node/enable-method", CPU_DIR "cpu1/of_node/reg", TREE_DIR "#address-cells", TREE_DIR "#size-cells",
	TREE_DIR "memory@40000000/reg", TREE_DIR "memory@40000000/device_type", TREE_DIR "chosen/bootargs",
	TREE_DIR "psci/method", TREE_DIR "psci/compatible", "/sys/kernel/security/lockdown",
};
#define PATHS		(sizeof(paths) / sizeof(paths[0]))
#define PATH_KERNEL	0
#define PATH_LOG	5	/* no file: the kernel log */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
bool fuzz_enough(int inputs);

/* What the input's files are, where it matters afterwards. */
struct files {
	const unsigned char *kernel;
	size_t kernel_bytes;
	unsigned char *initrd;		/* as the next kernel should find it */
	size_t initrd_bytes;
	char *log;
};

static unsigned int booted;

/* For replay.c: that inputs are refused is right for some, but not for nearly all. */
bool fuzz_enough(int inputs)
{
	return booted * 4 >= (unsigned int)inputs * 3;
}

static void demand(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "fuzz_load: %s\n", what);
	abort();
}

static struct fake *machine(unsigned int preferences, unsigned int more)
{
	pa_t pa[PAGES], at = preferences & WISH_CRASH ? 0xb0000000 : 0x60000000;
	unsigned int i;
	struct fake *fake;

	for (i = 0; i < PAGES; i++)
		pa[i] = at + i * PLAN_SLOT_BYTES * (preferences & WISH_SCATTERED ? 2 : 1);
	fake = fake_new(pa, PAGES);
	if (preferences & WISH_16K)
		fake->sys.page_bytes = 16384;
	if (preferences & WISH_FILE)
		fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	if (more & MORE_SHORT)
		fake->read_most = 701;
	if (more & MORE_PLAIN_CPU)
		fake->sys.cpu_features = 0;
	if (more & MORE_TREE)
		fake_drop(fake, "/sys/firmware/fdt");
	fake->open_once = more & MORE_PIPES;
	/* Little, so that what a few bytes unpack to stays small. */
	fake_text(fake, "/proc/meminfo", "MemTotal: 262144 kB\nMemAvailable: 65536 kB\n");
	fake_text(fake, CPU_DIR "cpu0/crash_notes", "7ff00000\n");
	fake_text(fake, CPU_DIR "cpu0/crash_notes_size", "424\n");
	fake_text(fake, "/sys/kernel/vmcoreinfo", "7fe00000 1024\n");
	return fake;
}

static void add_initrd(struct files *files, const uint8_t *data, size_t bytes)
{
	size_t at = align_up(files->initrd_bytes, 4);

	files->initrd = realloc(files->initrd, at + bytes + 1);
	memset(files->initrd + files->initrd_bytes, 0, at - files->initrd_bytes);
	memcpy(files->initrd + at, data, bytes);
	files->initrd_bytes = at + bytes;
}

static void put_files(struct fake *fake, struct load_request *request, struct files *files, const uint8_t *data, size_t bytes)
{
	bool given[PATHS] = { false };
	size_t at, n;

	for (at = 0; at < bytes && bytes - at >= 4; at += n) {
		unsigned int which = data[at] % PATHS;

		n = (size_t)load_le(data + at + 1, 3);
		at += 4;
		n = n < bytes - at ? n : bytes - at;
		if (given[which])
			continue;
		given[which] = true;
		if (which == PATH_LOG) {
			files->log = calloc(1, n + 1);
			memcpy(files->log, data + at, n);
			fake->log = files->log;
			continue;
		}
		fake_file(fake, paths[which], data + at, n);
		if (which == PATH_KERNEL) {
			files->kernel = data + at;
			files->kernel_bytes = n;
		}
		if (strncmp(paths[which], INITRD, strlen(INITRD)) == 0) {
			request->initrd[request->initrds++] = paths[which];
			add_initrd(files, data + at, n);
		}
	}
}

static void judge(const struct fake *fake, const struct load_request *request, const struct files *files)
{
	struct arm64_image image;
	struct purg_model model;
	struct purg_next next;
	const char *problem = purg_model_run(&model, fake);

	if (!problem) {
		problem = purg_model_next(&model, &next);
		demand(!problem, problem);
		if (arm64_image_parse(&image, files->kernel, files->kernel_bytes, files->kernel_bytes) == KX_OK)
			demand(purg_model_equal(&model, next.kernel.start, files->kernel, files->kernel_bytes), "another kernel");
		if (request->initrds)
			demand(next.initrd.bytes == files->initrd_bytes &&
			       purg_model_equal(&model, next.initrd.start, files->initrd, files->initrd_bytes), "another initrd");
		free(next.tree);
		booted++;
	}
	demand(!problem, problem);
	purg_model_free(&model);
}

static void load_and_judge(struct fake *fake, const struct load_request *request, const struct files *files)
{
	struct report report;
	struct fail fail = { 0 };
	enum kx_err err = load_kernel(&fake->sys, request, &report, &fail);

	demand(err != KX_PLAN_CHECK && err != KX_INTERNAL, fail.detail);
	demand(!err || err_text(err)[0], "no word for it");
	demand(!fake->breach[0], fake->breach);
	demand(!fake_leak(fake), fake_leak(fake));
	if (err)
		return;
	if (fake->loaded)
		judge(fake, request, files);
	else
		booted++;	/* by kexec_file_load(2) */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	unsigned int preferences = bytes > 0 ? data[0] : 0, more = bytes > 1 ? data[1] : 0;
	struct load_request request = {
		.kernel = KERNEL, .cmdline = preferences & WISH_REUSE ? NULL : "console=ttyAMA0", .reuse_cmdline = preferences & WISH_REUSE,
		.fast = (preferences & WISH_FAST) % (FAST_REQUIRE + 1), .crash = preferences & WISH_CRASH, .cpus = preferences & WISH_CPUS ? 4 : 0,
		.check = more & MORE_CHECK, .serial = more & MORE_SERIAL ? "ttyAMA0" : NULL,
	};
	struct fake *fake = machine(preferences, more);
	struct files files = { 0 };
	const char *note;
	struct fail fail;

	if (request.crash)
		request.fast = FAST_NO;
	put_files(fake, &request, &files, data + 2, bytes > 2 ? bytes - 2 : 0);
	load_and_judge(fake, &request, &files);
	if (more & MORE_TWICE && !(more & MORE_PIPES))
		load_and_judge(fake, &request, &files);
	if (unload_kernel(&fake->sys, request.crash, SYSCALL_AUTO, &note, &fail) == KX_OK) {
		demand(!fake->loaded, "still loaded");
		demand(!fake_shms(fake, true) && !fake_shms(fake, false) && !fake_pages_taken(fake), "memory that nobody gives back");
	}
	demand(!fake->breach[0], fake->breach);
	demand(!fake_leak(fake), fake_leak(fake));
	fake_free(fake);
	free(files.initrd);
	free(files.log);
	return 0;
}
