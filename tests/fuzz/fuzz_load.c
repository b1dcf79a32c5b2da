/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole loads on a machine in memory: the input is its files. Whatever they say, nothing leaks, no rule of the kernel's is
 * broken, and what was loaded boots on the model of purgatory.
 *
 * An input is a byte of wishes, then for each file a byte that says which, three of its length (little end first), and that many
 * of what is in it; of the last one there may be fewer.
 */
#include "bytes.h"
#include "load.h"
#include "purg_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES		6

#define WISH_FAST	0x03	/* enum fast_wish */
#define WISH_CRASH	0x04
#define WISH_SCATTERED	0x08	/* no two frames touch */
#define WISH_16K	0x10
#define WISH_REUSE	0x20	/* --reuse-cmdline */
#define WISH_CPUS	0x40
#define WISH_FILE	0x80	/* kexec_file_load(2) works */

#define KERNEL		"/boot/Image"
#define INITRD		"/boot/initrd"
#define INITRD_2	"/boot/initrd2"

static const char *const paths[] = {
	KERNEL, INITRD, INITRD_2, "/proc/iomem", "/sys/firmware/fdt", "", "/proc/cmdline", "/sys/firmware/acpi/tables/APIC",
	"/sys/firmware/acpi/tables/FACP", "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/cpu0/of_node/enable-method",
	"/sys/devices/system/cpu/cpu0/of_node/reg", "/sys/class/tty/console/active", "/proc/kcore",
	"/sys/devices/system/cpu/cpu0/crash_notes", "/sys/kernel/vmcoreinfo",
};
#define PATHS		(sizeof(paths) / sizeof(paths[0]))
#define PATH_LOG	5	/* no file: the kernel log */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void demand(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "fuzz_load: %s\n", what);
	abort();
}

static struct fake *machine(unsigned int wishes)
{
	pa_t pa[FRAMES], at = wishes & WISH_CRASH ? 0xb0000000 : 0x60000000;
	unsigned int i;
	struct fake *fake;

	for (i = 0; i < FRAMES; i++)
		pa[i] = at + i * FRAME_BYTES * (wishes & WISH_SCATTERED ? 2 : 1);
	fake = fake_new(pa, FRAMES);
	if (wishes & WISH_16K)
		fake->sys.page_bytes = 16384;
	if (wishes & WISH_FILE)
		fake->file_load_error = FAKE_FILE_LOAD_WORKS;
	/* Little, so that what a few bytes unpack to stays small. */
	fake_text(fake, "/proc/meminfo", "MemTotal: 262144 kB\nMemAvailable: 65536 kB\n");
	fake_text(fake, "/sys/devices/system/cpu/cpu0/crash_notes", "7ff00000\n");
	fake_text(fake, "/sys/devices/system/cpu/cpu0/crash_notes_size", "424\n");
	fake_text(fake, "/sys/kernel/vmcoreinfo", "7fe00000 1024\n");
	return fake;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	unsigned int wishes = bytes ? data[0] : 0;
	struct load_request request = {
		.kernel = KERNEL, .cmdline = wishes & WISH_REUSE ? NULL : "console=ttyAMA0", .reuse_cmdline = wishes & WISH_REUSE,
		.fast = (wishes & WISH_FAST) % (FAST_REQUIRE + 1), .crash = wishes & WISH_CRASH, .cpus = wishes & WISH_CPUS ? 4 : 1,
	};
	struct purg_model model;
	struct fake *fake = machine(wishes);
	struct report report;
	struct fail fail = { 0 };
	char *log = NULL;
	size_t at, n;

	if (request.crash)
		request.fast = FAST_NO;
	for (at = 1; at < bytes && bytes - at >= 4; at += n) {
		unsigned int which = data[at] % PATHS;

		n = (size_t)load_le(data + at + 1, 3);
		at += 4;
		n = n < bytes - at ? n : bytes - at;
		if (which == PATH_LOG) {
			free(log);
			log = calloc(1, n + 1);
			memcpy(log, data + at, n);
			fake->log = log;
			continue;
		}
		fake_file(fake, paths[which], data + at, n);
		if (strncmp(paths[which], INITRD, strlen(INITRD)) == 0 && request.initrds < INITRDS_MAX)
			request.initrd[request.initrds++] = paths[which];
	}
	if (load_kernel(&fake->sys, &request, &report, &fail) == KX_OK && fake->loaded && !fake->file_load_kernel.path[0]) {
		const char *problem = purg_model_run(&model, fake);

		demand(!problem, problem);
		purg_model_free(&model);
	}
	demand(!fake->breach[0], fake->breach);
	demand(!fake_leak(fake), fake_leak(fake));
	unload_kernel(&fake->sys, request.crash, SYSCALL_AUTO, &fail);
	demand(!fake_leak(fake), fake_leak(fake));
	fake_free(fake);
	free(log);
	return 0;
}
