/* SPDX-License-Identifier: GPL-2.0-only */
/* Dumps: whatever they claim, reading them ends, in bounded memory. And /proc/kcore's beginning. */
#include "kcore.h"
#include "printk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct input {
	const uint8_t *data;
	size_t bytes;
};

static bool read_input(void *arg, uint64_t at, void *out, size_t bytes)
{
	const struct input *input = arg;

	if (at > input->bytes || bytes > input->bytes - at)
		return false;
	memcpy(out, input->data + at, bytes);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static FILE *nowhere;
	struct input input = { data, bytes };
	struct range_set ram = { 0 };
	struct vmcore core;
	struct kcore kcore;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (vmcore_open(&core, (struct core_source){ &input, read_input }) == KX_OK) {
		printk_print(&core, nowhere);
		vmcore_close(&core);
	}
	range_set_add(&ram, (struct range){ 0x40000000, GIB(2) });
	kcore_parse(&kcore, data, bytes, &ram);
	range_set_free(&ram);
	return 0;
}
