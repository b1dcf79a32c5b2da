/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compose the memory of a bare machine in which purgatory runs alone: the real blob, with parameters, lists, digests and
 * page tables made by the loader's own code, around a fake kernel. Writes files into a directory and prints the arguments
 * that make QEMU load them.
 */
#include "bare.h"
#include "digest.h"
#include "hideout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SLOTS	3
#define SLOTS		(FILE_SLOTS + 1)	/* the last one is BSS */
#define KERNEL_BYTES	(FILE_SLOTS * FRAME_BYTES)
#define CODE_BYTES	0x10000			/* of the fake kernel; the pattern follows */
#define DTB_BYTES	0x1000
#define TIMELINE_AT	0x44
#define GUARDS_MAX	16
#define TABLES_MAX	MIB(2)

struct bare_config {
	uint64_t entry, hcr, dtb, kernel, seen_el, seen_hcr, timeline, words_pa, words_end, guards, guard[GUARDS_MAX];
};

static const char *directory;
static struct bare_config config;

/* One more file for QEMU to put into memory. */
static void place(const char *name, pa_t pa, const void *data, size_t bytes)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file)) {
		perror(path);
		exit(1);
	}
	printf("-device loader,file=%s,addr=0x%llx,force-raw=on\n", path, (unsigned long long)pa);
}

static void place_guard(pa_t pa)
{
	static unsigned char guard[BARE_GUARD_BYTES];
	char name[32];

	memset(guard, BARE_GUARD_WORD & 0xff, sizeof(guard));
	snprintf(name, sizeof(name), "guard%llu", (unsigned long long)config.guards);
	place(name, pa, guard, sizeof(guard));
	config.guard[config.guards++] = pa;
}

static unsigned char *read_all(const char *path, size_t room, size_t *bytes)
{
	unsigned char *data = calloc(1, room);
	FILE *file = fopen(path, "rb");

	if (!data || !file) {
		perror(path);
		exit(1);
	}
	*bytes = fread(data, 1, room, file);
	fclose(file);
	return data;
}

static size_t digest(unsigned char *out, const void *data, size_t bytes, uint32_t check)
{
	if (check == PURG_CHECK_CRC32C) {
		digest_crc32c(out, data, bytes, crc32c_lanes_c);
		return PURG_CRC_BYTES;
	}
	digest_sha256(out, data, bytes, sha256_blocks_c);
	return PURG_SHA_BYTES;
}

static int by_start(const void *a, const void *b)
{
	const struct map_region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* What is damaged, and where it would be noticed. Faults that the seal would hide are sealed anew. */
static void inject(const char *fault, unsigned char *hideout, size_t bytes, unsigned char *kernel)
{
	struct purg_header *header = (void *)(hideout + PURG_WORK_BYTES);
	struct purg_params *params = (void *)(hideout + PURG_WORK_BYTES + PURG_PARAMS_OFFSET);
	bool seal = false;
	int i;

	if (strcmp(fault, "frame") == 0) {
		kernel[KERNEL_BYTES - 5] ^= 1;
	} else if (strcmp(fault, "table") == 0) {
		hideout[bytes - 60] ^= 1;
	} else if (strcmp(fault, "params") == 0) {
		params->kernel_pa ^= 0x1000;
	} else if (strcmp(fault, "version") == 0) {
		params->version++;
		seal = true;
	} else if (strcmp(fault, "place") == 0) {
		params->base_pa += 0x1000;
		seal = true;
	} else if (strcmp(fault, "ttbr") == 0) {
		for (i = 0; i < PURG_REGIMES; i++)
			params->regime[i].ttbr0_pa = BARE_CONFIG_PA + 0x10000;
		seal = true;
	} else if (strcmp(fault, "outside") == 0) {
		((struct purg_move *)(void *)(hideout + (params->moves.pa - params->base_pa) + PURG_WORK_BYTES))->src_pa =
			BARE_CONFIG_PA + 0x100000;
		seal = true;
	} else if (strcmp(fault, "pages") == 0) {
		params->kernel_page_shift = 14;
		seal = true;
	} else if (strcmp(fault, "unchecked") == 0) {
		params->checks.count = 0;
		seal = true;
	}
	if (seal)
		digest_crc32c(header->seal, (unsigned char *)params, header->sealed_bytes - PURG_PARAMS_OFFSET,
			      crc32c_lanes_c);
}

int main(int argc, char **argv)
{
	unsigned int granule_shift, moved, i;
	uint32_t check, flags, conduit;
	struct map_region region[2 * SLOTS + 2];
	struct purg_move moves[FILE_SLOTS];
	struct purg_run checks[2], clean;
	unsigned char digests[(FILE_SLOTS + 1) * PURG_SHA_BYTES], *kernel, *code, *blob, *dtb, *hideout;
	struct hideout h = { .regions = region };
	size_t code_bytes, blob_bytes, bytes, table_bytes;
	pa_t base, entry_pa;
	const char *why;

	if (argc != 12) {
		fprintf(stderr, "usage: compose DIR BLOB KERNEL GRANULE-SHIFT CHECK MOVED BASE FLAGS CONDUIT HCR FAULT\n");
		return 2;
	}
	directory = argv[1];
	blob = read_all(argv[2], MIB(1), &blob_bytes);
	code = read_all(argv[3], CODE_BYTES, &code_bytes);
	granule_shift = (unsigned int)strtoul(argv[4], NULL, 0);
	check = (uint32_t)strtoul(argv[5], NULL, 0);
	moved = (unsigned int)strtoul(argv[6], NULL, 0);
	base = strtoull(argv[7], NULL, 0);
	flags = (uint32_t)strtoul(argv[8], NULL, 0);
	conduit = (uint32_t)strtoul(argv[9], NULL, 0);

	kernel = calloc(1, KERNEL_BYTES);
	dtb = calloc(1, DTB_BYTES);
	hideout = calloc(1, TABLES_MAX);
	if (!kernel || !dtb || !hideout)
		return 1;
	memcpy(kernel, code, code_bytes);
	for (i = CODE_BYTES; i < KERNEL_BYTES; i += sizeof(uint64_t))
		memcpy(kernel + i, &(uint64_t){ i }, sizeof(uint64_t));
	memcpy(dtb, "\xd0\x0d\xfe\xed", 4);

	/* The window at base, sources from 16 MiB behind it, the hide-out's slot at 32 MiB. */
	h.pa = base + MIB(32) + KIB(64);
	h.kernel_pa = base;
	h.dtb_pa = base + MIB(34) - KIB(64);
	h.timeline_pa = h.dtb_pa + TIMELINE_AT;
	for (i = 0; i < SLOTS; i++)
		region[h.region_count++] = (struct map_region){ { base + i * FRAME_BYTES, FRAME_BYTES }, MAP_DATA };
	for (i = 0; i < moved; i++) {
		moves[i] = (struct purg_move){ base + i * FRAME_BYTES, base + MIB(16) + i * MIB(4), FRAME_BYTES };
		region[h.region_count++] = (struct map_region){ { moves[i].src_pa, FRAME_BYTES }, MAP_DATA };
	}
	region[h.region_count++] = (struct map_region){ { base + MIB(32), FRAME_BYTES }, MAP_CODE };
	qsort(region, h.region_count, sizeof(*region), by_start);
	checks[0] = (struct purg_run){ base, KERNEL_BYTES };
	checks[1] = (struct purg_run){ h.dtb_pa, DTB_BYTES };
	clean = (struct purg_run){ base, SLOTS * FRAME_BYTES };
	if (check != PURG_CHECK_NONE) {
		for (i = 0; i < FILE_SLOTS; i++)
			h.digests_bytes += digest(digests + h.digests_bytes, kernel + i * FRAME_BYTES, FRAME_BYTES, check);
		h.digests_bytes += digest(digests + h.digests_bytes, dtb, DTB_BYTES, check);
		h.check_count = 2;
	}
	h.blob = blob;
	h.blob_bytes = blob_bytes;
	h.granule_shift = granule_shift;
	h.moves = moves;
	h.move_count = moved;
	h.checks = checks;
	h.cleans = &clean;
	h.clean_count = 1;
	h.digests = digests;
	h.check = check;
	h.flags = flags;
	h.conduit = conduit;
	h.uart_pa = BARE_UART_PA;
	h.uart_kind = PURG_UART_PL011;
	why = hideout_check(&h);
	if (why || hideout_build(&h, hideout, TABLES_MAX - KIB(128), &bytes, &table_bytes, &entry_pa)) {
		fprintf(stderr, "compose: %s\n", why ? why : "the hide-out cannot be built");
		return 1;
	}
	inject(argv[11], hideout, bytes, kernel);

	config = (struct bare_config){
		.entry = entry_pa, .hcr = strtoull(argv[10], NULL, 0), .dtb = h.dtb_pa, .kernel = base,
		.timeline = h.timeline_pa, .words_pa = base + CODE_BYTES, .words_end = base + KERNEL_BYTES,
	};
	place_guard(base - BARE_GUARD_BYTES);
	place_guard(base + SLOTS * FRAME_BYTES);
	for (i = 0; i < moved; i++) {
		place_guard(moves[i].src_pa - BARE_GUARD_BYTES);
		place_guard(moves[i].src_pa + FRAME_BYTES);
	}
	place_guard(base + MIB(32));
	place_guard(align_up(h.pa + bytes, KIB(64)));
	place_guard(h.dtb_pa - BARE_GUARD_BYTES);
	place_guard(base + MIB(34));
	for (i = 0; i < FILE_SLOTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "slot%u", i);
		place(name, i < moved ? moves[i].src_pa : base + i * FRAME_BYTES, kernel + i * FRAME_BYTES, FRAME_BYTES);
	}
	place("dtb", h.dtb_pa, dtb, DTB_BYTES);
	place("hideout", h.pa, hideout, bytes);
	place("config", BARE_CONFIG_PA, &config, sizeof(config));
	return 0;
}
