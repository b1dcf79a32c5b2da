/* SPDX-License-Identifier: GPL-2.0-only */
/* The last gate, control_check(): takes a sound list of pieces, and none that is broken in any one way. */
#include "control.h"
#include "plan.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BASE		0x48000000ull
#define KERNEL_PA	BASE
#define KERNEL_BYTES	(3 * PLAN_SLOT_BYTES)
#define KERNEL_FILE	(PLAN_SLOT_BYTES + KIB(640))
#define INITRD_PA	(BASE + MIB(8))
#define INITRD_BYTES	(PLAN_SLOT_BYTES + 1000)
#define SOURCE_PA	(BASE + MIB(16))
#define CONTROL_PA	(BASE + MIB(32) + KIB(64))
#define DTB_PA		(BASE + MIB(34) - KIB(64))
#define DTB_BYTES	KIB(8)
#define NOWHERE		(BASE + MIB(64))
#define BOTH		(PURG_WORK_CHECK | PURG_WORK_CLEAN)

enum { HEAD, MOVED, BSS, BSS_2, INITRD, INITRD_2, DTB, PIECES };

static struct map_region regions[8];
static struct purg_piece pieces[PIECES + 1];
static struct control_segment h;

static void make_sound(void)
{
	static const uint64_t region[] = { KERNEL_PA, KERNEL_PA + PLAN_SLOT_BYTES, KERNEL_PA + 2 * PLAN_SLOT_BYTES, INITRD_PA,
					   INITRD_PA + PLAN_SLOT_BYTES, SOURCE_PA, CONTROL_PA - KIB(64) };
	const struct purg_piece sound[PIECES + 1] = {
		[HEAD] = { KERNEL_PA, KERNEL_PA, PLAN_SLOT_BYTES, BOTH, 0, { 0 } },
		[MOVED] = { KERNEL_PA + PLAN_SLOT_BYTES, SOURCE_PA, KIB(640), BOTH, 0, { 0 } },
		[BSS] = { KERNEL_PA + KERNEL_FILE, KERNEL_PA + KERNEL_FILE, 2 * PLAN_SLOT_BYTES - KERNEL_FILE, PURG_WORK_CLEAN, 0, { 0 } },
		[BSS_2] = { KERNEL_PA + 2 * PLAN_SLOT_BYTES, KERNEL_PA + 2 * PLAN_SLOT_BYTES, PLAN_SLOT_BYTES, PURG_WORK_CLEAN, 0, { 0 } },
		[INITRD] = { INITRD_PA, INITRD_PA, PLAN_SLOT_BYTES, PURG_WORK_CHECK, 0, { 0 } },
		[INITRD_2] = { INITRD_PA + PLAN_SLOT_BYTES, INITRD_PA + PLAN_SLOT_BYTES, 1024, PURG_WORK_CHECK, 0, { 0 } },
		[DTB] = { DTB_PA, DTB_PA, DTB_BYTES, PURG_WORK_CHECK, 0, { 0 } },
	};
	size_t i;

	memcpy(pieces, sound, sizeof(pieces));
	for (i = 0; i < COUNT(region); i++)
		regions[i] = (struct map_region){ { region[i], PLAN_SLOT_BYTES }, i + 1 == COUNT(region) ? MAP_CODE : MAP_DATA };
	h = (struct control_segment){
		.pa = CONTROL_PA, .regions = regions, .region_count = COUNT(region), .pieces = pieces, .piece_count = PIECES,
		.check = PURG_CHECK_CRC32C, .kernel_pa = KERNEL_PA, .kernel_bytes = KERNEL_BYTES,
		.kernel_file_bytes = KERNEL_FILE, .initrd = { INITRD_PA, INITRD_BYTES }, .dtb_pa = DTB_PA,
		.dtb_bytes = DTB_BYTES, .timeline_pa = DTB_PA + 100, .line_bytes = 64, .cpus = 1,
	};
}

/* Fails unless the broken list is refused for this reason; then makes it sound again. */
static void refused(const char *why)
{
	const char *said = control_check(&h);

	if (!said)
		fail_msg("accepted, though %s", why);
	assert_non_null(strstr(said, why));
	make_sound();
}

static void test_sound(void **state)
{
	(void)state;
	make_sound();
	assert_null(control_check(&h));
	h.check = PURG_CHECK_SHA256;
	h.cpus = PURG_CPUS_MAX;
	h.timeline_pa = 0;
	assert_null(control_check(&h));
	/* Without a check: nothing is verified, and only what moves or is cleaned is listed. */
	make_sound();
	h.check = PURG_CHECK_NONE;
	pieces[HEAD].work = pieces[MOVED].work = PURG_WORK_CLEAN;
	h.piece_count = INITRD;
	assert_null(control_check(&h));
}

static void test_places(void **state)
{
	static const uint64_t odd[] = { 1, 8, 64, PURG_UNIT_BYTES / 2 };
	size_t i;

	(void)state;
	make_sound();
	for (i = 0; i < COUNT(odd); i++) {
		pieces[MOVED].bytes -= odd[i];
		refused("not of whole units");
		pieces[MOVED].src_pa += odd[i];
		refused("not of whole units");
		pieces[INITRD].dst_pa += odd[i];
		refused("not of whole units");
	}
	pieces[HEAD].bytes = 0;
	refused("not of whole units");
	pieces[HEAD].bytes = PURG_CHUNK_BYTES + PURG_UNIT_BYTES;
	refused("too long");
	pieces[HEAD].dst_pa = pieces[HEAD].src_pa = 0 - PLAN_SLOT_BYTES;
	refused("not of whole units");
	pieces[MOVED].src_pa = NOWHERE;
	refused("leaves the map");
	pieces[INITRD].dst_pa = pieces[INITRD].src_pa = NOWHERE;
	refused("leaves the map");
	pieces[PIECES] = pieces[INITRD_2];
	h.piece_count++;
	refused("in the same place");
	pieces[INITRD_2].dst_pa = INITRD_PA + PLAN_SLOT_BYTES - PURG_UNIT_BYTES;
	refused("in the same place");
	pieces[INITRD_2].dst_pa = CONTROL_PA;
	refused("on the control segment");
	pieces[MOVED].src_pa = CONTROL_PA;
	refused("from where another one goes");
	pieces[MOVED].src_pa = INITRD_PA;
	refused("from where another one goes");
	pieces[MOVED].src_pa = KERNEL_PA + 2 * PLAN_SLOT_BYTES;
	refused("from where another one goes");
	h.pa += KIB(4);
	refused("not aligned");
	h.pa = NOWHERE;
	refused("not mapped");
}

static void test_work(void **state)
{
	static const unsigned int checked[] = { HEAD, MOVED, INITRD, INITRD_2, DTB }, cleaned[] = { HEAD, MOVED, BSS, BSS_2 };
	size_t i;

	(void)state;
	make_sound();
	for (i = 0; i < COUNT(checked); i++) {
		pieces[checked[i]].work &= ~(uint32_t)PURG_WORK_CHECK;
		refused("verified");
		pieces[checked[i]].bytes -= PURG_UNIT_BYTES;
		refused("verified");
		/* Not listed at all */
		pieces[checked[i]] = pieces[PIECES - 1];
		if (checked[i] == DTB)
			make_sound();
		h.piece_count--;
		refused("verified");
	}
	for (i = 0; i < COUNT(cleaned); i++) {
		pieces[cleaned[i]].work &= ~(uint32_t)PURG_WORK_CLEAN;
		refused("not all of the kernel is cleaned");
	}
	pieces[BSS_2].bytes -= PURG_UNIT_BYTES;
	refused("not all of the kernel is cleaned");
	pieces[BSS].dst_pa = pieces[BSS].src_pa += PURG_UNIT_BYTES;
	pieces[BSS].bytes -= PURG_UNIT_BYTES;
	refused("not all of the kernel is cleaned");
	pieces[INITRD].work |= 4;
	refused("asks for work that there is not");
	h.check = PURG_CHECK_NONE;
	refused("to be verified though nothing should");
	h.check = 77;
	refused("no such check");
	h.cpus = 8;
	h.flags = PURG_FLAG_NO_MMU;
	refused("several CPUs");
	h.kernel_bytes = 0;
	refused("no kernel");
	h.kernel_file_bytes = KERNEL_BYTES + 1;
	refused("no kernel");
	h.dtb_bytes = 0;
	refused("no device tree");
	h.timeline_pa = DTB_PA + DTB_BYTES - 8;
	refused("timeline");
	h.timeline_pa = DTB_PA + 2;
	refused("timeline");
	h.timeline_pa = BASE;
	refused("timeline");
	/* Unverified, a piece onto the device tree, which is no piece then. */
	h.check = PURG_CHECK_NONE;
	pieces[HEAD].work = pieces[MOVED].work = PURG_WORK_CLEAN;
	pieces[INITRD] = (struct purg_piece){ DTB_PA, SOURCE_PA + KIB(640), KIB(4), 0, 0, { 0 } };
	h.piece_count = INITRD + 1;
	refused("in the same place");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
