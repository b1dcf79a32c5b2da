/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compose the memory of a bare machine in which purgatory runs alone: the real blob, with parameters, lists, digests and
 * page tables made by the loader's own code, around a fake kernel. Writes files into a directory and prints the arguments
 * that make QEMU load them.
 */
#include "bare.h"
#include "digest.h"
#include "control.h"
#include "file_image.h"
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SLOTS	3
#define SLOTS		(FILE_SLOTS + 1)	/* the last one is BSS */
#define KERNEL_BYTES	(FILE_SLOTS * PLAN_SLOT_BYTES - 5 * PURG_UNIT_BYTES)
#define CODE_BYTES	0x10000			/* of the fake kernel; the pattern follows */
#define DTB_BYTES	0x1000
#define TIMELINE_AT	0x44
#define GUARDS_MAX	16
#define TABLES_MAX	MIB(2)
#define PIECES_MAX	64
#define SHARED_PIECE_BYTES	MIB(1) / 4	/* where several CPUs work: something for each */
#define FILE_IMAGE_PA(base)	((base) + MIB(40))	/* with file=1: where the kernel has put the Image that it was given */
#define NO_RAM_PA	0x90000000		/* behind the RAM of the machines with 1 GiB */

struct bare_config {
	uint64_t entry, hcr, dtb, kernel, seen_el, seen_hcr, timeline, words_pa, words_end, conduit, cpus, quirks;
	uint64_t guards, guard[GUARDS_MAX];
};

/* What the case is about; run's defaults, and what a case says otherwise. */
static struct {
	uint64_t granule, check, moved, base, flags, conduit, hcr, cpus, here, quirks, other_cpu, stray, line, file;
	const char *fault;
} options = { .granule = 12, .check = PURG_CHECK_CRC32C, .moved = 2, .base = 0x48000000, .cpus = 1, .line = 64, .fault = "none" };

static const struct {
	const char *name;
	uint64_t *value;
} numbers[] = {
	{ "granule", &options.granule }, { "check", &options.check }, { "moved", &options.moved },
	{ "base", &options.base }, { "flags", &options.flags }, { "conduit", &options.conduit },
	{ "hcr", &options.hcr }, { "cpus", &options.cpus },
	{ "here", &options.here }, { "quirks", &options.quirks },
	{ "other_cpu", &options.other_cpu }, { "stray", &options.stray }, { "line", &options.line },
	{ "file", &options.file },
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

static void digest(unsigned char *out, const void *data, size_t bytes)
{
	if (options.check == PURG_CHECK_CRC32C)
		digest_crc32c(out, data, bytes, crc32c_lanes_c);
	else if (options.check == PURG_CHECK_SHA256)
		digest_sha256(out, data, bytes, sha256_blocks_c);
}

/* For the plugin in tests/cache, if it can follow this machine: what may be in a cache when purgatory is entered. Payload may even be
 * dirty: a stray store is what verification is for. What the kernel relocated is clean; stray=1: nor is that, as in a crash. */
static void say_ranges(const struct control_segment *h, const pa_t *source_pa, size_t control_bytes)
{
	char path[512];
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "%s/ranges", directory);
	file = fopen(path, "w");
	if (!file)
		exit(1);
	if (h->kernel_pa < 0x80000000) {
		fprintf(file, "kernel=0x%llx:0x%llx,dirty=0x%llx:0x%llx", (unsigned long long)h->kernel_pa,
			(unsigned long long)h->kernel_bytes, (unsigned long long)h->kernel_pa,
			(unsigned long long)h->kernel_bytes);
		for (i = 0; i < FILE_SLOTS; i++)
			fprintf(file, ",dirty=0x%llx:0x%llx", (unsigned long long)source_pa[i],
				(unsigned long long)PLAN_SLOT_BYTES);
		/* What the stub copies over is the memory of somebody else until then. */
		fprintf(file, ",%s=0x%llx:0x%zx,%s=0x%llx:0x%x", options.stray ? "stray" : options.file ? "dirty" : "clean",
			(unsigned long long)h->pa, control_bytes, options.stray ? "dirty" : "clean",
			(unsigned long long)h->dtb_pa, DTB_BYTES);
		if (options.file)
			fprintf(file, ",clean=0x%llx:0x%zx", (unsigned long long)FILE_IMAGE_PA(options.base), file_image_bytes(control_bytes));
		fprintf(file, "\n");
	}
	fclose(file);
}

/* The control segment in the Image for kexec_file_load(2), by the stub that was built beside purgatory. */
static void place_file_image(const char *purgatory, const struct control_segment *h, const unsigned char *control, size_t bytes, pa_t entry_pa)
{
	struct file_image image = {
		.control = control, .control_bytes = bytes, .control_pa = h->pa, .entry_pa = entry_pa, .text_offset = KIB(64),
		.conduit = h->conduit, .line_bytes = h->line_bytes,
	};
	unsigned char *out = malloc(file_image_bytes(bytes));
	char path[512];

	snprintf(path, sizeof(path), "%.*s/file_stub.bin", (int)(strrchr(purgatory, '/') - purgatory), purgatory);
	image.stub = read_all(path, KIB(64), &image.stub_bytes);
	if (!out || file_image_make(&image, out)) {
		fprintf(stderr, "compose: the stub\n");
		exit(1);
	}
	place("file_image", FILE_IMAGE_PA(options.base), out, file_image_bytes(bytes));
}

static int by_start(const void *a, const void *b)
{
	const struct map_region *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* What is damaged, and where it would be noticed. Faults that the seal would hide are sealed anew. */
static void inject(unsigned char *control, unsigned char *kernel)
{
	unsigned char *base = control + PURG_WORK_BYTES(options.cpus);
	struct purg_header *header = (void *)base;
	struct purg_params *params = (void *)(base + PURG_PARAMS_OFFSET);
	struct purg_piece *first = (void *)(base + (params->pieces_pa - params->base_pa));
	const char *fault = options.fault;
	uint64_t i;

	if (strcmp(fault, "none") == 0)
		return;
	if (strcmp(fault, "page") == 0) {
		kernel[KERNEL_BYTES - 5] ^= 1;
		return;
	}
	if (strcmp(fault, "page2") == 0) {
		kernel[PLAN_SLOT_BYTES + 100] ^= 0x80;
		return;
	}
	if (strcmp(fault, "conduit") == 0) {
		params->conduit ^= 0x100;
		return;
	}
	/* Both regimes' tables, or those of one. */
	if (strncmp(fault, "table", 5) == 0) {
		for (i = 0; i < PURG_REGIMES; i++)
			if (!fault[5] || fault[5] - '0' == (int)i)
				base[params->tables[i].pa - params->base_pa + params->tables[i].bytes - 60] ^= 1;
		return;
	}
	if (strcmp(fault, "params") == 0) {
		params->kernel_pa ^= 0x1000;
		return;
	}
	if (strcmp(fault, "shared") == 0) {
		/* Not sealed, and of no effect: as if all pieces were taken already. */
		((struct purg_shared *)(void *)control)->next = PIECES_MAX;
		return;
	}
	if (strcmp(fault, "version") == 0) {
		params->version++;
	} else if (strcmp(fault, "place") == 0) {
		params->base_pa += 0x1000;
	} else if (strcmp(fault, "ttbr") == 0) {
		for (i = 0; i < PURG_REGIMES; i++)
			params->regime[i].ttbr0_pa = BARE_CONFIG_PA + 0x10000;
	} else if (strcmp(fault, "outside") == 0) {
		first->src_pa = BARE_CONFIG_PA + 0x100000;
	} else if (strcmp(fault, "abort") == 0) {
		first->src_pa = NO_RAM_PA;
	} else if (strcmp(fault, "pages") == 0) {
		params->kernel_page_shift = 14;
	} else if (strcmp(fault, "unchecked") == 0) {
		for (i = 0; i < params->piece_count; i++)
			first[i].work = 0;
	} else if (strcmp(fault, "nobody") == 0) {
		/* Where other CPUs begin: a branch to itself. */
		memcpy(base + options.other_cpu, &(uint32_t){ 0x14000000 }, 4);
	} else if (strcmp(fault, "lost") == 0) {
		/* CPUs that there are not. */
		for (i = 1; i < params->mpidr_count; i++)
			params->mpidr[i] += 0x7700;
	} else {
		fprintf(stderr, "compose: no fault %s\n", fault);
		exit(2);
	}
	digest_crc32c(header->seal, (unsigned char *)params, header->sealed_bytes - PURG_PARAMS_OFFSET, crc32c_lanes_c);
}

static void parse(char **argument)
{
	size_t i;

	for (; *argument; argument++) {
		char *value = strchr(*argument, '=');

		if (!value)
			goto bad;
		*value++ = '\0';
		if (strcmp(*argument, "fault") == 0) {
			options.fault = value;
			continue;
		}
		for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (strcmp(*argument, numbers[i].name) == 0)
				break;
		if (i == sizeof(numbers) / sizeof(numbers[0]))
			goto bad;
		*numbers[i].value = strtoull(value, NULL, 0);
	}
	return;
bad:
	fprintf(stderr, "compose: what is %s?\n", *argument);
	exit(2);
}

int main(int argc, char **argv)
{
	uint64_t mpidr[PURG_CPUS_MAX] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct map_region region[2 * SLOTS + 3];
	struct purg_piece pieces[PIECES_MAX] = { 0 };
	unsigned char *kernel, *code, *blob, *dtb, *control;
	struct control_segment h = { .regions = region, .pieces = pieces, .mpidr = mpidr };
	size_t code_bytes, blob_bytes, bytes, table_bytes;
	pa_t base, entry_pa, source_pa[FILE_SLOTS];
	uint64_t at, piece_bytes, i;
	uint32_t work;
	const char *why;

	if (argc < 4) {
		fprintf(stderr, "usage: compose DIR BLOB KERNEL NAME=VALUE...\n");
		return 2;
	}
	directory = argv[1];
	blob = read_all(argv[2], MIB(1), &blob_bytes);
	code = read_all(argv[3], CODE_BYTES, &code_bytes);
	parse(argv + 4);
	base = options.base;
	work = options.check != PURG_CHECK_NONE ? PURG_WORK_CHECK : 0;
	piece_bytes = options.cpus > 1 ? SHARED_PIECE_BYTES : PURG_CHUNK_BYTES;

	kernel = calloc(1, FILE_SLOTS * PLAN_SLOT_BYTES);
	dtb = calloc(1, DTB_BYTES);
	control = calloc(1, TABLES_MAX);
	if (!kernel || !dtb || !control)
		return 1;
	memcpy(kernel, code, code_bytes);
	for (i = CODE_BYTES; i < KERNEL_BYTES; i += sizeof(uint64_t))
		memcpy(kernel + i, &(uint64_t){ i }, sizeof(uint64_t));
	memcpy(dtb, "\xd0\x0d\xfe\xed", 4);

	/* The window at base, sources from 16 MiB behind it, the control segment's slot at 32 MiB. */
	h.pa = base + MIB(32) + KIB(64);
	h.kernel_pa = base;
	h.kernel_bytes = SLOTS * PLAN_SLOT_BYTES;
	h.kernel_file_bytes = KERNEL_BYTES;
	h.dtb_bytes = DTB_BYTES;
	h.line_bytes = (uint32_t)options.line;
	h.dtb_pa = base + MIB(34) - KIB(64);
	h.timeline_pa = h.dtb_pa + TIMELINE_AT;
	for (i = 0; i < SLOTS; i++)
		region[h.region_count++] = (struct map_region){ { base + i * PLAN_SLOT_BYTES, PLAN_SLOT_BYTES }, MAP_DATA };
	for (i = 0; i < FILE_SLOTS; i++) {
		source_pa[i] = i < options.moved ? base + MIB(16) + i * MIB(4) : base + i * PLAN_SLOT_BYTES;
		if (i < options.moved)
			region[h.region_count++] = (struct map_region){ { source_pa[i], PLAN_SLOT_BYTES }, MAP_DATA };
	}
	region[h.region_count++] = (struct map_region){ { base + MIB(32), PLAN_SLOT_BYTES }, MAP_CODE };
	if (strcmp(options.fault, "abort") == 0)
		region[h.region_count++] = (struct map_region){ { NO_RAM_PA, PLAN_SLOT_BYTES }, MAP_DATA };
	qsort(region, h.region_count, sizeof(*region), by_start);
	for (at = 0; at < KERNEL_BYTES; at += pieces[h.piece_count++].bytes) {
		struct purg_piece *piece = &pieces[h.piece_count];

		piece->dst_pa = base + at;
		piece->src_pa = source_pa[at / PLAN_SLOT_BYTES] + at % PLAN_SLOT_BYTES;
		piece->bytes = KERNEL_BYTES - at < piece_bytes ? KERNEL_BYTES - at : piece_bytes;
		piece->work = work | PURG_WORK_CLEAN;
		digest(piece->digest, kernel + at, piece->bytes);
	}
	for (; at < SLOTS * PLAN_SLOT_BYTES; at += pieces[h.piece_count++].bytes) {
		uint64_t left = PLAN_SLOT_BYTES - at % PLAN_SLOT_BYTES;

		pieces[h.piece_count] = (struct purg_piece){ base + at, base + at, left, PURG_WORK_CLEAN, 0, { 0 } };
	}
	if (work) {
		pieces[h.piece_count] = (struct purg_piece){ h.dtb_pa, h.dtb_pa, DTB_BYTES, work, 0, { 0 } };
		digest(pieces[h.piece_count++].digest, dtb, DTB_BYTES);
	}
	h.blob = blob;
	h.blob_bytes = blob_bytes;
	h.granule_shift = (unsigned int)options.granule;
	h.check = (uint32_t)options.check;
	h.flags = (uint32_t)options.flags;
	h.conduit = (uint32_t)options.conduit;
	h.cpus = (uint32_t)options.cpus;
	h.mpidr_count = options.cpus > 1 ? h.cpus : 0;
	h.uart_pa = BARE_UART_PA;
	h.uart_kind = PURG_UART_PL011;
	why = control_check(&h);
	if (why || control_build(&h, control, TABLES_MAX - KIB(128), &bytes, &table_bytes, &entry_pa)) {
		fprintf(stderr, "compose: %s\n", why ? why : "the control segment cannot be built");
		return 1;
	}
	inject(control, kernel);

	config = (struct bare_config){
		.entry = entry_pa, .hcr = options.hcr, .dtb = h.dtb_pa, .kernel = base,
		.timeline = h.timeline_pa, .words_pa = base + CODE_BYTES, .words_end = base + KERNEL_BYTES,
		.conduit = options.conduit, .cpus = options.here ? options.here : options.cpus, .quirks = options.quirks,
	};
	place_guard(base - BARE_GUARD_BYTES);
	place_guard(base + SLOTS * PLAN_SLOT_BYTES);
	for (i = 0; i < options.moved; i++) {
		place_guard(source_pa[i] - BARE_GUARD_BYTES);
		place_guard(source_pa[i] + PLAN_SLOT_BYTES);
	}
	place_guard(base + MIB(32));
	place_guard(align_up(h.pa + bytes, KIB(64)));
	place_guard(h.dtb_pa - BARE_GUARD_BYTES);
	place_guard(base + MIB(34));
	for (i = 0; i < FILE_SLOTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "slot%u", (unsigned int)i);
		place(name, source_pa[i], kernel + i * PLAN_SLOT_BYTES, PLAN_SLOT_BYTES);
	}
	say_ranges(&h, source_pa, bytes);
	place("dtb", h.dtb_pa, dtb, DTB_BYTES);
	if (options.file) {
		place_file_image(argv[2], &h, control, bytes, entry_pa);
		config.entry = FILE_IMAGE_PA(base);
	} else {
		place("control_segment", h.pa, control, bytes);
	}
	place("config", BARE_CONFIG_PA, &config, sizeof(config));
	return 0;
}
