/* SPDX-License-Identifier: GPL-2.0-only */
/* Device trees: what passes the check can be edited, and completed by itself, and the result passes again and has what was put in. */
#include "dt.h"
#include "dt_complete.h"
#include "report.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define ROOM	(1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void edit(const void *dtb)
{
	static const unsigned char value[152];
	struct range table = { 0x42600000, 0x10000 };
	struct range_set reserve = { &table, 1, 1 };
	struct dt_edit e = {
		.cmdline = "console=ttyAMA0", .seeds = true, .initrd = { 0x48000000, 12345 }, .reserve = &reserve,
		.property = "kexec-fast,timeline", .value = value, .value_bytes = sizeof(value),
	};
	unsigned char *out = malloc(ROOM), *again = malloc(ROOM);
	size_t out_bytes, again_bytes, at, again_at, total, n;
	const char *args;

	if (dt_edit(dtb, &e, out, ROOM, &out_bytes, &at) == KX_OK) {
		demand(out_bytes <= ROOM && at % 4 == 0 && at + sizeof(value) <= out_bytes);
		demand(dt_check(out, out_bytes, &total) == KX_OK && total == out_bytes);
		args = dt_chosen(out, "bootargs", &n);
		demand(args && n == strlen(e.cmdline) + 1 && memcmp(args, e.cmdline, n) == 0);
		e.initrd.start = 0x123456789000;
		demand(dt_edit(dtb, &e, again, ROOM, &again_bytes, &again_at) == KX_OK);
		demand(again_bytes == out_bytes && again_at == at);
	}
	free(out);
	free(again);
}

/* From itself: what is put in is there then, so a second time nothing is. */
static void complete(const void *dtb)
{
	unsigned char *out = malloc(ROOM), *again = malloc(ROOM);
	struct dt_completed done;
	size_t total;
	char text[128];

	if (dt_complete(dtb, dtb, false, out, ROOM, &done) == KX_OK) {
		demand(dt_check(out, fdt_totalsize(out), &total) == KX_OK);
		demand(!done.memory && !done.efi && !done.reserved);
		demand(dt_complete(out, dtb, false, again, ROOM, &done) == KX_OK);
		dt_completed_text(&done, text, sizeof(text));
		demand(!text[0]);
	}
	free(out);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct range_set memory = { 0 };
	unsigned char *dtb = aligned_alloc(8, (bytes + 8) / 8 * 8);
	FILE *nowhere = fopen("/dev/null", "w");
	size_t total, n;

	demand(dtb && nowhere);
	memcpy(dtb, data, bytes);
	if (dt_check(dtb, bytes, &total) == KX_OK) {
		demand(total <= bytes);
		dt_psci(dtb);
		dt_chosen(dtb, "bootargs", &n);
		demand(dt_memory(dtb, &memory) == KX_OK);
		range_set_free(&memory);
		edit(dtb);
		complete(dtb);
		demand(dt_pack(dtb) <= total);
		edit(dtb);
	}
	timeline_text(data, bytes, nowhere);
	timeline_json(data, bytes, NULL, nowhere);
	timeline_prometheus(data, bytes, nowhere);
	fclose(nowhere);
	free(dtb);
	return 0;
}
