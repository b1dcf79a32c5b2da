/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The planner. Two kinds of tests: memory drawn as text with the plan that is wanted of it, and good plans broken in one
 * place, which plan_check() must see. test_plan_random.c has the third: random machines.
 */
#include "kexec_abi.h"
#include "plan_machine.h"
#include "plan_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NEAR		GIB(1)	/* where a drawn map begins */

/*
 * Maps. One character is one slot; '|' jumps to the second bank.
 *   in:  F a huge page of ours, X one outside RAM, s spare, . not to be touched
 *   out: K I kernel, initrd in place; k i moved there; x y copied there by the kernel; m a source; H D control segment, dtb
 */
struct drawn {
	const char *name, *map, *want;	/* want: null where there is no room, * for any that is best */
	uint32_t slots[PLAN_OBJECTS];
	/* What is zero gets the usual value. */
	uint64_t offset, control, dtb, limit, span_align, span, far, bss;
	unsigned int segments_max;
};

static pa_t map_pa(const struct drawn *d, size_t at)
{
	const char *bank = strchr(d->map, '|');

	if (bank && at > (size_t)(bank - d->map))
		return (d->far ? d->far : GIB(2)) + SLOT(at - (size_t)(bank - d->map) - 1);
	return NEAR + SLOT(at);
}

static void draw(struct machine *m, const struct drawn *d)
{
	size_t i;

	*m = (struct machine){ .input = {
		.page_pa = m->page_pa,
		.ram = &m->ram,
		.spare = &m->spare,
		.object = { { .name = "kernel", .offset_bytes = d->offset }, { .name = "initrd" } },
		.control_bytes = d->control ? d->control : KIB(100),
		.dtb_bytes = d->dtb ? d->dtb : KIB(40),
		.rules = {
			.span_align_bytes = d->span_align ? d->span_align : GIB(1),
			.span_bytes = d->span ? d->span : GIB(32),
			.pa_limit = d->limit ? d->limit : (pa_t)1 << 48,
			.page_bytes = KIB(4),
			.segments_max = d->segments_max ? d->segments_max : KEXEC_SEGMENT_MAX,
		},
	} };
	for (i = 0; i < PLAN_OBJECTS; i++) {
		struct plan_object *o = &m->input.object[i];

		if (!d->slots[i])
			continue;
		o->memory_bytes = SLOT(d->slots[i]) - o->offset_bytes - (o->offset_bytes ? 0 : KIB(600));
		o->file_bytes = o->memory_bytes - KIB(100) - 1 - d->bss;
	}
	for (i = 0; d->map[i]; i++) {
		pa_t pa = map_pa(d, i);

		if (d->map[i] == 'F' || d->map[i] == 'X')
			m->page_pa[m->input.pages++] = pa;
		if (d->map[i] == 'F' || d->map[i] == 's')
			add(&m->ram, pa, PLAN_SLOT_BYTES);
		if (d->map[i] == 's')
			add(&m->spare, pa, PLAN_SLOT_BYTES);
	}
	/* Faulted in from above, as it happens: no index may be taken for a place. */
	for (i = 0; i < m->input.pages / 2; i++) {
		pa_t pa = m->page_pa[i];

		m->page_pa[i] = m->page_pa[m->input.pages - 1 - i];
		m->page_pa[m->input.pages - 1 - i] = pa;
	}
}

/* The map with the plan drawn into it. */
static void draw_plan(const struct drawn *d, const struct machine *m, const struct plan *plan, char *out)
{
	static const char kinds[PLAN_OBJECTS][5] = { "Kkxb", "Iiyj" };
	size_t at;

	strcpy(out, d->map);
	for (at = 0; d->map[at]; at++) {
		pa_t pa = map_pa(d, at);
		unsigned int o;
		uint32_t i;

		if (d->map[at] == '|')
			continue;
		if (pa == align_down(plan->dtb_pa, PLAN_SLOT_BYTES))
			out[at] = 'D';
		if (pa == plan->control_pa)
			out[at] = 'H';
		for (o = 0; o < PLAN_OBJECTS; o++) {
			for (i = 0; i < plan->window[o].slots; i++) {
				const struct plan_slot *slot = &plan->window[o].slot[i];

				if (slot->kind == SLOT_MOVED && m->page_pa[slot->page] == pa)
					out[at] = 'm';
				if (plan->window[o].pa + SLOT(i) == pa)
					out[at] = kinds[o][slot->kind];
			}
		}
	}
}

static void expect_null(const char *why)
{
	if (why)
		fail_msg("%s", why);
}

static void test_drawn(void **state)
{
	const struct drawn *d = *state;
	struct plan_sim_best best;
	char out[200];
	struct machine m;
	struct plan plan;
	enum kx_err err;

	draw(&m, d);
	err = plan_make(&plan, &m.input);
	if (!d->want) {
		assert_int_equal(err, KX_NO_ROOM);
		assert_null(plan.window[0].slot);
		assert_null(plan.window[1].slot);
		assert_int_equal(plan.in_place + plan.moved + plan.relocated, 0);
	} else {
		assert_int_equal(err, KX_OK);
		draw_plan(d, &m, &plan, out);
		if (strcmp(d->want, "*") == 0) {
			assert_true(plan_sim_min_unplaced(&m.input, TRY_SLOTS_MAX, false, &best));
			assert_int_equal(plan.moved + plan.relocated, best.unplaced);
		} else {
			assert_string_equal(out, d->want);
		}
		expect_null(plan_check(&plan, &m.input));
		expect_null(plan_sim(&plan, &m.input));
		expect_null(plan_sim_waste(&plan, &m.input));
	}
	plan_free(&plan);
	machine_close(&m);
}

/* clang-format off */
#define DRAWN(says, in, out, kernel, initrd, ...) \
	{ .name = says, .map = in, .want = out, .slots = { kernel, initrd }, ##__VA_ARGS__ }

static const struct drawn drawn[] = {
	DRAWN("all lies in place in one run", "..FFFFFFFF..", "..KKKKIIHF..", 4, 2),
	DRAWN("the lowest of equal windows is taken", "FF.FFFF.FFFFF", "HF.KKKK.FFFFF", 4, 0),
	DRAWN("an initrd alone is placed", "sFFFF", "sIIIH", 0, 3),
	DRAWN("nothing to place leaves the control segment", "sFF", "sHF", 0, 0),
	DRAWN("windows touch both ends of memory", "FFF|FFFFF", "KKK|IIIIH", 3, 4),
	DRAWN("the larger kernel is not starved by the initrd", "FFFFF.FFF.F", "KKKKK.III.H", 5, 3),
	DRAWN("the larger initrd is not starved by the kernel", "FFFFF.FFF.F", "IIIII.KKK.H", 3, 5),
	DRAWN("the smaller object goes first where that costs less", "FFss.FssF.s.XX", "KKHs.IiiI.s.mm", 2, 4),
	DRAWN("a slot that is not ours is moved", "FFsF.F.F", "KKkK.H.m", 4, 0),
	DRAWN("the window with the fewest moves wins", "FssFsFFF.FFFF", "HssKkKKK.mFFF", 5, 0),
	DRAWN("a few moves are better than a copy by the kernel", "FsFs.sssss.F.FF", "KkKk.sssss.H.mm", 4, 0),
	DRAWN("sources do not lie in a window of the other object", "FsFF.FsF.F.F.F", "KkKK.IiI.H.m.m", 4, 3),
	DRAWN("the control segment finds spare memory if no huge page is left", "FFFFs", "KKKKH", 4, 0),
	DRAWN("the control segment never lies in a window", "FFFF.", NULL, 4, 0),
	DRAWN("the control segment comes before the sources", "FFsF.F", "KKxK.H", 4, 0),
	DRAWN("without huge pages the kernel copies all", ".sssssss.", ".xxxxyyH.", 4, 2),
	DRAWN("without enough sources the longest hole is copied", "FssFsFF..X", "KxxKkKH..m", 6, 0, .segments_max = 3),
	DRAWN("no memory at all", "....", NULL, 1, 0),
	DRAWN("no run is long enough", "FF.FFss.FFF", NULL, 5, 0),
	DRAWN("two objects do not share a run for one", "FFFFF", NULL, 3, 3),
	DRAWN("too many holes without huge pages", "FsFsFsFsFsF", NULL, 11, 0, .segments_max = 6),
	DRAWN("as many holes as there are segments", "FsFsFsFsFsF.F", "KxKxKxKxKxK.H", 11, 0, .segments_max = 7),
	DRAWN("sources save segments", "FsFsFsFsFsF.FX", "KxKxKxKxKkK.Hm", 11, 0, .segments_max = 6),
	DRAWN("huge pages outside RAM only serve as sources", "XXXXX.FssF.F", "mmXXX.KkkK.H", 4, 0),
	DRAWN("huge pages outside RAM do not make a run", "FXF.ss", NULL, 3, 0),
	DRAWN("control segment and dtb are two segments", "FFF", NULL, 2, 0, .segments_max = 1),
	DRAWN("huge pages above the limit are not touched", "FssF.FFFF", "KxxK.HFFF", 4, 0, .limit = NEAR + SLOT(6)),
	DRAWN("a huge page that straddles the limit is not touched", "FsF.F.F", "KkK.H.m", 3, 0, .limit = NEAR + SLOT(7)),
	DRAWN("one page less and it is copied", "FsF.F.F", "KxK.H.F", 3, 0, .limit = NEAR + SLOT(7) - KIB(4)),
	DRAWN("spare memory above the limit is not used", "sss", NULL, 2, 0, .limit = NEAR + SLOT(2) + KIB(4)),
	DRAWN("text_offset 0x80000 fills the last slot to its end", "FFFFF", "KKKHF", 3, 0, .offset = 0x80000),
	DRAWN("a dtb that just fits beside the control segment", "FFFF", "KKHF", 2, 0, .control = KIB(128),
	      .dtb = MIB(2) - KIB(128)),
	DRAWN("a dtb that does not fit beside the control segment", "FFFFF", "KKHDF", 2, 0, .control = KIB(129),
	  .dtb = MIB(2) - KIB(128)),
	DRAWN("such a dtb finds spare memory", "FFF.s", "KKH.D", 2, 0, .control = KIB(129), .dtb = MIB(2) - KIB(128)),
	DRAWN("such a dtb finds nothing", "FFF.", NULL, 2, 0, .control = KIB(129), .dtb = MIB(2) - KIB(128)),
	DRAWN("BSS that nobody copies costs no segment", "Fs.F", "Kb.H", 2, 0, .bss = PLAN_SLOT_BYTES, .segments_max = 2),
	DRAWN("BSS needs no huge page", "FFsF.FFF", "KKbH.FFF", 3, 0, .bss = PLAN_SLOT_BYTES),
	DRAWN("a huge page under BSS is no source", "FsFss", "KxbHs", 3, 0, .bss = PLAN_SLOT_BYTES),
	DRAWN("nor does the control segment lie there", "FFFs.", "KKbH.", 3, 0, .bss = PLAN_SLOT_BYTES),
	DRAWN("a payload has the last huge page before the control segment", "FsFsFs", "KkKHms", 3, 0),
	DRAWN("the best window must not leave the other object without one", "sFFFFss.s", "*", 4, 3),
	DRAWN("32 GiB apart is near enough", "FFF|FF", "KKK|IH", 3, 1, .far = GIB(33) - SLOT(1)),
	DRAWN("32 GiB and a slot apart is too far", "FFFF|FF", "KKKH|FF", 3, 0, .far = GIB(33) - SLOT(1)),
	DRAWN("too far to be in place, not to be a source", "FFFs.s|FF", "KKKi.s|Hm", 3, 1, .far = GIB(33)),
	DRAWN("a bank for both is better than a lower one for one", "FFF|FFFFFF", "HFF|KKKIIF", 3, 2, .far = GIB(512)),
	DRAWN("a single object keeps to the span", "......FFFF.FFFFF", "......HFFF.KKKKF", 4, 0, .span_align = SLOT(8),
	      .span = SLOT(8)),
	DRAWN("the span is counted from its alignment", "FFFs|FF", NULL, 3, 2, .far = GIB(2), .span = GIB(1)),
};
/* clang-format on */

/* --- pieces and segments --- */

static void test_piece(void **state)
{
	struct plan_object o = { "kernel", 0x80000, SLOT(3) - 0x80000, SLOT(2) - 0x80000 + 5 };
	struct plan_window w = { .pa = GIB(5), .slots = 3 };
	struct slot_piece p;

	(void)state;
	p = plan_piece(&w, &o, 0);
	assert_true(p.slot_pa == GIB(5) && p.slot_offset == 0x80000 && p.file_offset == 0);
	assert_true(p.file_bytes == PLAN_SLOT_BYTES - 0x80000);
	p = plan_piece(&w, &o, 1);
	assert_true(p.slot_pa == GIB(5) + SLOT(1) && p.slot_offset == 0 && p.file_offset == PLAN_SLOT_BYTES - 0x80000);
	assert_true(p.file_bytes == PLAN_SLOT_BYTES);
	p = plan_piece(&w, &o, 2);
	assert_true(p.slot_offset == 0 && p.file_offset == 2 * PLAN_SLOT_BYTES - 0x80000 && p.file_bytes == 5);
	o.file_bytes = 5;
	p = plan_piece(&w, &o, 0);
	assert_true(p.slot_offset == 0x80000 && p.file_offset == 0 && p.file_bytes == 5);
	p = plan_piece(&w, &o, 1);
	assert_true(p.slot_pa == GIB(5) + SLOT(1) && p.file_bytes == 0);
	o.file_bytes = PLAN_SLOT_BYTES - 0x80000;
	assert_true(plan_piece(&w, &o, 0).file_bytes == o.file_bytes && plan_piece(&w, &o, 1).file_bytes == 0);
}

static void test_segments(void **state)
{
	struct plan_slot slot[6] = { { SLOT_RELOCATED, PLAN_NO_PAGE }, { SLOT_RELOCATED, PLAN_NO_PAGE },
				     { SLOT_IN_PLACE, 0 },		{ SLOT_RELOCATED, PLAN_NO_PAGE },
				     { SLOT_MOVED, 1 },			{ SLOT_RELOCATED, PLAN_NO_PAGE } };
	struct plan plan = { .window = { { .pa = NEAR, .slot = slot, .slots = 6 } } };
	struct plan_input input = { .rules.page_bytes = KIB(64) };
	struct range out[4] = { { 0, 0 } };

	(void)state;
	input.object[0] = (struct plan_object){ "kernel", 0x80000, SLOT(6) - 0x80000, SLOT(5) + KIB(65) - 0x80000 };
	assert_int_equal(plan_segments(&plan, &input, 0, out, 4), 3);
	assert_true(out[0].start == NEAR + 0x80000 && range_end(out[0]) == NEAR + SLOT(2));
	assert_true(out[1].start == NEAR + SLOT(3) && range_end(out[1]) == NEAR + SLOT(4));
	assert_true(out[2].start == NEAR + SLOT(5) && range_end(out[2]) == NEAR + SLOT(5) + KIB(128));
	assert_true(out[3].bytes == 0);
	assert_int_equal(plan_segments(&plan, &input, 1, out, 4), 0);

	input.rules.page_bytes = KIB(4);
	assert_int_equal(plan_segments(&plan, &input, 0, out, 4), 3);
	assert_true(range_end(out[2]) == NEAR + SLOT(5) + KIB(68));

	/* What has no room is counted and not written. */
	memset(out, 0, sizeof(out));
	assert_int_equal(plan_segments(&plan, &input, 0, out, 1), 3);
	assert_true(out[0].bytes && !out[1].bytes);
	assert_int_equal(plan_segments(&plan, &input, 0, NULL, 0), 3);

	/* BSS is not copied: the file ends with a slot, then in the middle of a run. */
	input.object[0].file_bytes = SLOT(5) - 0x80000;
	assert_int_equal(plan_segments(&plan, &input, 0, out, 4), 2);
	input.object[0].file_bytes = 1;
	assert_int_equal(plan_segments(&plan, &input, 0, out, 4), 1);
	assert_true(out[0].start == NEAR + 0x80000 && out[0].bytes == KIB(4));
}

static void test_pages_wanted(void **state)
{
	struct plan_input input = { .object = { { "kernel", 0x80000, SLOT(3) - 0x80000, 1 }, { "initrd", 0, 1, 1 } },
				    .control_bytes = KIB(100), .dtb_bytes = KIB(64) };

	(void)state;
	assert_int_equal(plan_slots(&input.object[0]), 3);
	assert_int_equal(plan_slots(&input.object[1]), 1);
	assert_int_equal(plan_pages_wanted(&input), 5);
	input.object[0].memory_bytes++;
	input.dtb_bytes = PLAN_SLOT_BYTES;
	assert_int_equal(plan_pages_wanted(&input), 7);
	input.object[0].memory_bytes = 0;
	assert_int_equal(plan_slots(&input.object[0]), 0);
	assert_int_equal(plan_pages_wanted(&input), 3);
}

/* --- good plans, broken --- */

/* The kernel has slots of all kinds, and a huge page is left over. */
static const struct drawn mixed = DRAWN("mixed", "FssFssF.FFsF.FF....|F", "KxxKxkK.IIiI.Hm....|m", 7, 4, .far = GIB(2));
static const struct drawn roomy = DRAWN("roomy", "FsFsF.FsFF.F.F.F.F.F.ss", "KkKkK.IiII.H.m.m.m.F.ss", 5, 4);

static const struct drawn bare = DRAWN("bare", "sssssssssXXsssss", "xxxxiiHssmmsssss", 4, 2, .limit = NEAR + SLOT(14));

struct rig {
	struct machine m;
	struct plan plan;
	struct plan_slot slot[2][16];
};

static struct plan_slot *find_slot(struct rig *r, unsigned int object, enum slot_kind kind)
{
	uint32_t i;

	for (i = 0; i < r->plan.window[object].slots; i++)
		if (r->plan.window[object].slot[i].kind == kind)
			return &r->plan.window[object].slot[i];
	fail_msg("no such slot");
	return NULL;
}

static pa_t pa_of(struct rig *r, unsigned int object, const struct plan_slot *slot)
{
	return r->plan.window[object].pa + SLOT(slot - r->plan.window[object].slot);
}

/* clang-format off */
/* Break one thing. Returns its name; null if there are no more. Of mixed all huge pages are used, of roomy some are not. */
static const char *break_one(struct rig *r, unsigned int n)
{
	struct plan *p = &r->plan;
	struct plan_input *in = &r->m.input;
	struct plan_slot *in_place = find_slot(r, 0, SLOT_IN_PLACE), *moved = find_slot(r, 0, SLOT_MOVED);
	struct plan_slot *other = find_slot(r, 1, SLOT_IN_PLACE), *other_moved = find_slot(r, 1, SLOT_MOVED);
	struct plan_slot swap = *in_place;

	switch (n) {
	case 0: p->in_place++; return "in_place is wrong";
	case 1: p->moved--; return "moved is wrong";
	case 2: p->relocated++; return "relocated is wrong";
	case 3: p->window[0].pa += KIB(64); return "a window that is not aligned";
	case 4: p->window[0].pa += PLAN_SLOT_BYTES; return "a window one up";
	case 5: p->window[1].pa -= PLAN_SLOT_BYTES; return "a window one down";
	case 6: p->window[1].pa = p->window[0].pa; return "both windows in one place";
	case 7: p->window[0].slots--; return "a slot less";
	case 8: p->window[0].slots++; return "a slot more";
	case 9: in->object[1].memory_bytes = 0; return "a window for no object";
	case 10: p->window[1].slots = 0; return "an object without a window";
	case 11: in_place->page = other->page; other->page = swap.page; return "two huge pages swapped";
	case 12: *in_place = *moved; *moved = swap; return "in place swapped with moved";
	case 13: moved->page = other_moved->page; return "a source for two slots";
	case 14: moved->page = in_place->page; return "a source that is in place for another";
	case 15: moved->page = p->control_page; return "a source that is the control segment";
	case 16: p->control_page = moved->page; return "a control segment huge page that is a source";
	case 17: p->dtb_page = other->page; return "a dtb huge page that is in place";
	case 18: moved->page = in->pages; return "a huge page beyond the last";
	case 19: moved->page = PLAN_NO_PAGE; return "a move without a huge page";
	case 20: in_place->page = PLAN_NO_PAGE; return "in place without a huge page";
	case 21: moved->kind = SLOT_IN_PLACE; p->moved--; p->in_place++; return "moved said to be in place";
	case 22: in_place->kind = SLOT_MOVED; p->moved++; p->in_place--; return "in place said to be moved";
	case 23: moved->kind = SLOT_RELOCATED; p->moved--; p->relocated++; return "a huge page for what the kernel copies";
	case 24:
		*in_place = (struct plan_slot){ SLOT_RELOCATED, PLAN_NO_PAGE };
		p->in_place--;
		p->relocated++;
		return "the kernel writes to a huge page of ours";
	case 25: p->control_pa += KIB(4); return "a control segment not aligned to 64 KiB";
	case 26: p->control_pa += PLAN_SLOT_BYTES - KIB(64); return "a control segment that straddles";
	case 27: p->control_pa += PLAN_SLOT_BYTES; return "a control segment beside its huge page";
	case 28: p->control_pa = pa_of(r, 0, moved); return "a control segment in a window, huge page unchanged";
	case 29: p->control_pa = pa_of(r, 0, moved); p->control_page = PLAN_NO_PAGE; return "a control segment in a window";
	case 30: p->control_page = PLAN_NO_PAGE; return "a control segment that nobody owns";
	case 31: p->control_page = in->pages; return "a control segment beyond the last huge page";
	case 32: p->dtb_pa = p->control_pa; return "a dtb on the control segment";
	case 33: p->dtb_pa = p->control_pa + KIB(64); return "a dtb on the control segment's last page";
	case 34: p->dtb_pa += KIB(4); return "a dtb not aligned to 64 KiB";
	case 35: p->dtb_pa += PLAN_SLOT_BYTES; return "a dtb beside its huge page";
	case 36: p->dtb_pa = in->page_pa[in_place->page]; p->dtb_page = in_place->page; return "a dtb in a window";
	case 37: p->dtb_pa = pa_of(r, 1, other_moved); p->dtb_page = PLAN_NO_PAGE; return "a dtb under a move";
	case 38: p->dtb_pa = in->page_pa[moved->page]; p->dtb_page = PLAN_NO_PAGE; return "a dtb on a source";
	case 39: in->rules.segments_max = 1; return "more segments than the kernel takes";
	case 40: in->rules.span_bytes = SLOT(8); return "windows too far apart";
	case 41: in->rules.pa_limit = p->window[1].pa + SLOT(p->window[1].slots) - 1; return "a window above the limit";
	case 42: in->rules.pa_limit = p->control_pa; return "a control segment above the limit";
	case 43: in->rules.pa_limit = p->dtb_pa + 1; return "a dtb above the limit";
	case 44: cut(&r->m.ram, pa_of(r, 0, in_place) + KIB(8), KIB(4)); return "in place where RAM has a hole";
	case 45: cut(&r->m.spare, pa_of(r, 0, moved) + KIB(8), KIB(4)); return "a move over what is reserved";
	case 46: cut(&r->m.ram, p->control_pa, KIB(4)); return "a control segment outside RAM";
	case 47: cut(&r->m.ram, p->dtb_pa, KIB(4)); return "a dtb outside RAM";
	case 48: in->object[0].file_bytes = in->object[0].memory_bytes + 1; return "a file longer than its memory";
	case 49: in->object[0].memory_bytes += PLAN_SLOT_BYTES; return "an object that outgrew its window";
	case 50: in->control_bytes = PLAN_SLOT_BYTES; return "a control segment that outgrew its place";
	case 51: moved->kind = (enum slot_kind)(SLOT_EMPTY + 1); return "a slot of no kind";
	case 52: moved->kind = (enum slot_kind)(SLOT_EMPTY + 1); p->moved--; return "a slot of no kind, not counted";
	case 53:
		/* The kernel writes whole pages: of 100 KiB, 128. */
		in->rules.page_bytes = KIB(64);
		add(&r->m.spare, p->control_pa, KIB(100));
		p->control_page = PLAN_NO_PAGE;
		return "a control segment whose last page is reserved";
	default: return NULL;
	}
}

/* These need a slot that the kernel copies, or a source above all others: only mixed has them. */
static const char *break_mixed(struct rig *r, unsigned int n)
{
	struct plan *p = &r->plan;
	struct plan_input *in = &r->m.input;
	struct plan_slot *relocated = find_slot(r, 0, SLOT_RELOCATED), *moved = find_slot(r, 0, SLOT_MOVED);

	switch (n) {
	case 0: relocated->page = moved->page; return "a segment with a huge page";
	case 1: relocated->kind = SLOT_MOVED; p->relocated--; p->moved++; return "moved without a huge page";
	case 2: relocated->kind = SLOT_IN_PLACE; p->relocated--; p->in_place++; return "in place without a huge page";
	case 3: cut(&r->m.spare, pa_of(r, 0, relocated) + KIB(8), KIB(4)); return "a segment over what is reserved";
	case 4: in->rules.segments_max = 3; return "one segment too many";
	case 5: in->rules.pa_limit = GIB(2) + KIB(4); return "a source above the limit";
	case 6:
		p->control_pa = pa_of(r, 0, relocated);
		p->control_page = PLAN_NO_PAGE;
		return "a control segment in a segment";
	default: return NULL;
	}
}

/* Nothing is ours but two sources, so that only the rule in question can object. The limit is at slot 14. */
static const char *break_bare(struct rig *r, unsigned int n)
{
	struct plan *p = &r->plan;

	switch (n) {
	case 0: p->window[1].pa = p->window[0].pa; return "a window on the other";
	case 1: p->window[1].pa = NEAR + SLOT(11) + KIB(64); return "a window between two slots";
	case 2: p->window[1].pa = NEAR + SLOT(13); return "a window that crosses the limit";
	case 3: p->control_pa = NEAR + SLOT(14); return "a control segment above the limit";
	case 4: p->dtb_pa = NEAR + SLOT(14); return "a dtb above the limit";
	case 5: p->control_pa = NEAR + SLOT(8) - KIB(64); return "a control segment in two slots";
	case 6: r->m.input.object[1].memory_bytes = 0; p->moved -= 2; return "a window for nothing, not counted";
	case 7:
		add(&r->m.spare, NEAR + SLOT(9), SLOT(2));
		p->window[1].pa = NEAR + SLOT(9);
		return "a window on its own sources";
	default: return NULL;
	}
}
/* clang-format on */

/* In a child, since a checker that reads past an array may not live to tell. */
static bool check_complains(struct rig *r)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(plan_check(&r->plan, &r->m.input) ? 0 : 1);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

static unsigned int break_all(const struct drawn *d, const char *(*breaker)(struct rig *, unsigned int),
			      unsigned int *missed)
{
	unsigned int n, o;
	bool more;

	for (n = 0, more = true; more; n++) {
		struct rig r;
		struct plan made;
		const char *name;

		char out[100];

		draw(&r.m, d);
		assert_int_equal(plan_make(&made, &r.m.input), KX_OK);
		draw_plan(d, &r.m, &made, out);
		assert_string_equal(out, d->want);
		expect_null(plan_check(&made, &r.m.input));
		r.plan = made;
		memset(r.slot, 0, sizeof(r.slot));
		for (o = 0; o < PLAN_OBJECTS; o++) {
			memcpy(r.slot[o], made.window[o].slot, made.window[o].slots * sizeof(r.slot[o][0]));
			r.plan.window[o].slot = r.slot[o];
		}
		name = breaker(&r, n);
		more = name;
		if (more && !check_complains(&r)) {
			print_error("plan_check misses: %s (%s)\n", name, d->name);
			(*missed)++;
		}
		plan_free(&made);
		machine_close(&r.m);
	}
	return n - 1;
}

static void test_broken(void **state)
{
	unsigned int missed = 0, tried;

	(void)state;
	tried = break_all(&mixed, break_one, &missed) + break_all(&roomy, break_one, &missed);
	tried += break_all(&mixed, break_mixed, &missed) + break_all(&bare, break_bare, &missed);
	assert_true(tried > 100);
	assert_int_equal(missed, 0);
}

/*
 * 16 TiB in 16 banks, with huge pages in the last ones that no two of lie side by side: nothing is ever for nothing, so nothing ends the
 * search early. It took 0.4 s a TiB. Whoever runs the tests may be slow or watched: the bound is of the time that the process had.
 */
static void test_large_machine(void **state)
{
	static const uint32_t pages[] = { 0, 500 };
	struct machine m;
	struct plan plan;
	size_t f, i;

	(void)state;
	for (f = 0; f < 2; f++) {
		clock_t start;

		draw(&m, &(struct drawn){ .map = "", .slots = { 16, 200 } });
		for (i = 0; i < 16; i++) {
			add(&m.ram, (2 * i + 1) << 40, (uint64_t)1 << 40);
			add(&m.spare, (2 * i + 1) << 40, (uint64_t)1 << 40);
		}
		for (i = 0; i < pages[f]; i++)
			m.page_pa[m.input.pages++] = ((pa_t)(29 + 2 * (i % 2)) << 40) + SLOT(2 * i);
		start = clock();
		assert_int_equal(plan_make(&plan, &m.input), KX_OK);
		assert_true(clock() - start < CLOCKS_PER_SEC);
		assert_null(plan_check(&plan, &m.input));
		assert_int_equal(plan.in_place, f ? 54 : 0);
		plan_free(&plan);
		machine_close(&m);
	}
}

int main(void)
{
	static const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_piece),	      cmocka_unit_test(test_segments),
		cmocka_unit_test(test_pages_wanted), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_large_machine),
	};
	enum { DRAWN = sizeof(drawn) / sizeof(*drawn), FIXED = sizeof(fixed) / sizeof(*fixed) };
	struct CMUnitTest tests[DRAWN + FIXED];
	size_t i;

	for (i = 0; i < DRAWN; i++)
		tests[i] = (struct CMUnitTest){ .name = drawn[i].name, .test_func = test_drawn,
						.initial_state = (void *)(uintptr_t)&drawn[i] };
	memcpy(tests + DRAWN, fixed, sizeof(fixed));
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
