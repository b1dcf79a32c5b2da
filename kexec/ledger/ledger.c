/* SPDX-License-Identifier: GPL-2.0-only */
#include "ledger.h"

#include "digest.h"

#include <string.h>

_Static_assert(sizeof(struct ledger_header) <= LEDGER_BODY_OFFSET, "the header reaches into the body");
_Static_assert(LEDGER_STAMPS == PURG_STAMPS, "purgatory copies as many as there are");
_Static_assert(sizeof(struct range) == 2 * sizeof(uint64_t), "ranges are stored as they are");
_Static_assert(sizeof(struct ledger_slot) % 8 == 0 && sizeof(struct ledger_page) % 8 == 0, "arrays are aligned to 8 bytes");

#define ALIGN_BYTES	8

/*
 * The body is these numbers, in this order, and then what has a length of its own: strings with their null, slots, pages, the device
 * tree; each begins at a multiple of ALIGN_BYTES.
 */
struct body {
	uint64_t made_at, control_pa, dtb_pa, dtb_bytes;
	uint64_t text_offset, image_size;
	uint32_t page_shift, anywhere;
	uint32_t pid, flags, files, check, digest, cpus, room, pages, tables, reserved;
	struct ledger_slot tree;
	struct {
		uint64_t offset_bytes, memory_bytes, file_bytes, slots;
	} object[PLAN_OBJECTS];
	struct {
		uint64_t inode, bytes;
		int64_t ctime_ns;
	} file[LEDGER_FILES];
};

/* Puts one thing behind another; out null: only counts. */
struct writer {
	unsigned char *out;
	size_t used, room;
	bool full;
};

static void put(struct writer *w, const void *from, size_t bytes)
{
	size_t at = (size_t)align_up(w->used, ALIGN_BYTES);

	w->full |= at > w->room || bytes > w->room - at;
	if (w->full)
		return;
	if (bytes && w->out)
		memcpy(w->out + at, from, bytes);
	w->used = at + bytes;
}

static void put_text(struct writer *w, const char *text)
{
	put(w, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void put_all(struct writer *w, const struct ledger *l)
{
	struct body body = {
		.made_at = l->made_at, .control_pa = l->control_pa, .dtb_pa = l->dtb_pa, .dtb_bytes = l->dtb_bytes,
		.text_offset = l->image.text_offset, .image_size = l->image.image_size, .page_shift = l->image.page_shift,
		.anywhere = l->image.anywhere, .pid = l->pid, .files = l->files, .check = l->check, .digest = l->digest, .cpus = l->cpus, .room = l->room,
		.pages = l->pages, .tables = l->tables, .tree = l->tree,
		.flags = l->flags | (l->cmdline ? LEDGER_HAS_CMDLINE : 0u) | (l->serial ? LEDGER_HAS_SERIAL : 0u),
	};
	uint32_t i;

	for (i = 0; i < PLAN_OBJECTS; i++) {
		body.object[i].offset_bytes = l->object[i].offset_bytes;
		body.object[i].memory_bytes = l->object[i].memory_bytes;
		body.object[i].file_bytes = l->object[i].file_bytes;
		body.object[i].slots = l->object[i].slots;
	}
	for (i = 0; i < l->files; i++) {
		body.file[i].inode = l->file[i].inode;
		body.file[i].bytes = l->file[i].bytes;
		body.file[i].ctime_ns = l->file[i].ctime_ns;
	}
	put(w, &body, sizeof(body));
	for (i = 0; i < PLAN_OBJECTS; i++)
		put(w, l->object[i].slot, l->object[i].slot ? l->object[i].slots * sizeof(*l->object[i].slot) : 0);
	put(w, l->page, l->pages * sizeof(*l->page));
	put(w, l->dtb, l->dtb_bytes);
	put(w, l->table, l->tables * sizeof(*l->table));
	put_text(w, l->program);
	put_text(w, l->format);
	put_text(w, l->cmdline);
	put_text(w, l->serial);
	for (i = 0; i < l->files; i++)
		put_text(w, l->file[i].path);
}

size_t ledger_bytes_max(const struct ledger *ledger)
{
	struct writer w = { .used = LEDGER_BODY_OFFSET, .room = SIZE_MAX / 2 };
	size_t slots = 0;
	unsigned int i;

	put_all(&w, ledger);
	for (i = 0; i < PLAN_OBJECTS; i++)
		slots += ledger->object[i].slots;
	/* The lists may not be there yet: a page for each slot, one each for the control segment and the device tree, and some to spare. */
	w.used += slots * (sizeof(struct ledger_slot) + sizeof(uint32_t)) + (slots + 8) * sizeof(struct ledger_page);
	return (size_t)align_up(w.used, PURG_UNIT_BYTES) + 2 * PURG_UNIT_BYTES;
}

static size_t padded(uint64_t bytes)
{
	return (size_t)align_up(bytes, PURG_UNIT_BYTES);
}

enum kx_err ledger_write(const struct ledger *ledger, void *out, size_t room)
{
	struct ledger_header *header = out;
	unsigned char *body = (unsigned char *)out + LEDGER_BODY_OFFSET;
	struct writer w = { .out = body };

	if (room < LEDGER_BODY_OFFSET + PURG_UNIT_BYTES)
		return KX_NO_ROOM;
	/* Whole units are left for the digest. */
	w.room = (size_t)align_down(room - LEDGER_BODY_OFFSET, PURG_UNIT_BYTES);
	put_all(&w, ledger);
	if (w.full)
		return KX_NO_ROOM;
	memset(body + w.used, 0, padded(w.used) - w.used);
	header->body_bytes = w.used;
	ledger_digest(header);
	return KX_OK;
}

void ledger_digest(struct ledger_header *header)
{
	digest_crc32c(header->body_digest, (unsigned char *)header + LEDGER_BODY_OFFSET, padded(header->body_bytes), crc32c_lanes_c);
}

uint32_t *ledger_moves(void *bytes, size_t count, const struct ledger *ledger)
{
	const struct ledger_header *header = bytes;
	size_t at = LEDGER_BODY_OFFSET + padded(header->body_bytes);
	uint64_t slots = (uint64_t)ledger->object[0].slots + ledger->object[1].slots;

	return at <= count && slots * sizeof(uint32_t) <= count - at ? (uint32_t *)(void *)((unsigned char *)bytes + at) : NULL;
}

bool ledger_is_header(const void *bytes, size_t count)
{
	const struct ledger_header *header = bytes;

	return count >= LEDGER_BODY_OFFSET && header->magic == LEDGER_MAGIC;
}

struct reader {
	const unsigned char *at;
	size_t used, bytes;
	bool bad;
};

/* The next so many bytes; null, and all that follows is bad, if there are fewer. */
static const void *take(struct reader *r, uint64_t bytes)
{
	size_t at = (size_t)align_up(r->used, ALIGN_BYTES);

	r->bad |= at > r->bytes || bytes > r->bytes - at;
	if (r->bad)
		return NULL;
	r->used = at + (size_t)bytes;
	return r->at + at;
}

static const char *take_text(struct reader *r)
{
	size_t at = (size_t)align_up(r->used, ALIGN_BYTES), length;

	if (r->bad || at >= r->bytes) {
		r->bad = true;
		return NULL;
	}
	length = strnlen((const char *)r->at + at, r->bytes - at);
	return take(r, (uint64_t)length + 1);
}

static bool header_is_whole(const struct ledger_header *header, size_t count)
{
	uint8_t digest[PURG_CRC_BYTES];

	if (header->state > LEDGER_MOVING || header->body_bytes > count - LEDGER_BODY_OFFSET ||
	    padded(header->body_bytes) > count - LEDGER_BODY_OFFSET)
		return false;
	digest_crc32c(digest, (const unsigned char *)header + LEDGER_BODY_OFFSET, padded(header->body_bytes), crc32c_lanes_c);
	return memcmp(digest, header->body_digest, sizeof(digest)) == 0;
}

const struct ledger_page *ledger_page(const struct ledger *ledger, uint32_t page)
{
	uint32_t low = 0, high = ledger->pages;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ledger->page[middle].page < page)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ledger->pages && ledger->page[low].page == page ? &ledger->page[low] : NULL;
}

static bool pages_are_good(const struct ledger *l)
{
	uint32_t i;

	for (i = 0; i < l->pages; i++)
		if (l->page[i].page >= l->room || (i && l->page[i].page <= l->page[i - 1].page) || l->page[i].pa % PLAN_SLOT_BYTES ||
		    l->page[i].pa >= PA_END)
			return false;
	return true;
}

static bool tables_are_good(const struct ledger *l)
{
	uint32_t i;

	for (i = 0; i < l->tables; i++)
		if (l->table[i].start >= PA_END || l->table[i].bytes > PA_END - l->table[i].start)
			return false;
	return true;
}

/* Each slot holds the bytes of the file that fall into it, and waits in a page of its own. used: a bit for each page. */
static bool slots_are_good(const struct ledger *l, const struct ledger_object *o, unsigned char *used)
{
	struct plan_object object = { NULL, o->offset_bytes, o->memory_bytes, o->file_bytes };
	struct plan_window window = { .slots = o->slots };
	uint32_t i;

	for (i = 0; i < o->slots; i++) {
		struct slot_piece part = plan_piece(&window, &object, i);
		const struct ledger_page *page;

		if (o->slot[i].bytes != part.file_bytes)
			return false;
		if (o->slot[i].page == PLAN_NO_PAGE) {
			if (part.file_bytes && !(l->flags & LEDGER_RELOCATED))
				return false;
			continue;
		}
		page = ledger_page(l, o->slot[i].page);
		if (!page || used[page - l->page])
			return false;
		used[page - l->page] = 1;
	}
	return true;
}

/* Lengths that a load can have; so that no sum of them wraps around. */
static bool object_is_good(const struct ledger_object *o)
{
	struct plan_object object = { NULL, o->offset_bytes, o->memory_bytes, o->file_bytes };

	return o->offset_bytes < PLAN_SLOT_BYTES && o->memory_bytes < PA_END && o->file_bytes <= o->memory_bytes &&
	       o->slots == plan_slots(&object);
}

/* Where payload is that was on its way when the process ended that copied it. */
static bool take_moves(const struct ledger *l, void *bytes, size_t count)
{
	const uint32_t *page = ledger_moves(bytes, count, l);
	unsigned int o;
	uint32_t i;

	for (o = 0; page && o < PLAN_OBJECTS; o++) {
		struct ledger_slot *slot = (struct ledger_slot *)(uintptr_t)l->object[o].slot;

		for (i = 0; i < l->object[o].slots; i++)
			slot[i].page = *page++;
	}
	return page != NULL;
}

/* The kernel's window is what its header said, of pages that arm64 has, and there is room for its pages. */
static bool image_is_good(const struct ledger *l)
{
	const struct ledger_object *kernel = &l->object[0];

	return kernel->slots && kernel->file_bytes && l->image.text_offset == kernel->offset_bytes &&
	       l->image.image_size == kernel->memory_bytes && l->room <= LEDGER_PAGES_MAX &&
	       (!l->image.page_shift || l->image.page_shift == 12 || l->image.page_shift == 14 || l->image.page_shift == 16);
}

/* It lies in one of the pages, and does not reach out of it. */
static bool tree_is_good(const struct ledger *l)
{
	if (!(l->flags & LEDGER_BY_FILE))
		return !l->tree.bytes;
	return l->tree.bytes && l->tree.bytes % PURG_UNIT_BYTES == 0 && l->dtb_pa % PLAN_SLOT_BYTES + l->tree.bytes <= PLAN_SLOT_BYTES &&
	       ledger_page(l, l->tree.page);
}

enum kx_err ledger_read(struct ledger *ledger, void *bytes, size_t count)
{
	const struct ledger_header *header = bytes;
	unsigned char used[LEDGER_PAGES_MAX];
	const struct body *body;
	struct reader r;
	uint32_t i;

	*ledger = (struct ledger){ 0 };
	if (!ledger_is_header(bytes, count) || count > LEDGER_BYTES_MAX)
		return KX_LEDGER_BAD;
	if (header->version != LEDGER_VERSION)
		return KX_LEDGER_VERSION;
	if (!header_is_whole(header, count))
		return KX_LEDGER_BAD;
	r = (struct reader){ .at = (const unsigned char *)bytes + LEDGER_BODY_OFFSET, .bytes = (size_t)header->body_bytes };
	body = take(&r, sizeof(*body));
	if (!body || body->files > LEDGER_FILES || !body->files || body->pages > LEDGER_PAGES_MAX ||
	    body->tables > LEDGER_TABLES_MAX ||
	    body->check > PURG_CHECK_SHA256 || (body->digest != PURG_CHECK_CRC32C && body->digest != PURG_CHECK_SHA256))
		return KX_LEDGER_BAD;
	*ledger = (struct ledger){
		.made_at = body->made_at, .pid = body->pid, .flags = body->flags, .files = body->files, .check = body->check, .digest = body->digest,
		.cpus = body->cpus, .room = body->room, .pages = body->pages, .control_pa = body->control_pa, .dtb_pa = body->dtb_pa,
		.dtb_bytes = body->dtb_bytes, .tables = body->tables, .tree = body->tree,
		.image = { body->text_offset, body->image_size, body->page_shift, body->anywhere != 0 },
	};
	for (i = 0; i < PLAN_OBJECTS; i++) {
		struct ledger_object *o = &ledger->object[i];

		*o = (struct ledger_object){ body->object[i].offset_bytes, body->object[i].memory_bytes, body->object[i].file_bytes,
					     (uint32_t)body->object[i].slots, NULL };
		if (body->object[i].slots > UINT32_MAX || !object_is_good(o))
			return KX_LEDGER_BAD;
		o->slot = take(&r, (uint64_t)o->slots * sizeof(*o->slot));
	}
	ledger->page = take(&r, (uint64_t)ledger->pages * sizeof(*ledger->page));
	ledger->dtb = take(&r, ledger->dtb_bytes);
	ledger->table = take(&r, (uint64_t)ledger->tables * sizeof(*ledger->table));
	ledger->program = take_text(&r);
	ledger->format = take_text(&r);
	ledger->cmdline = take_text(&r);
	ledger->serial = take_text(&r);
	for (i = 0; i < ledger->files; i++)
		ledger->file[i] = (struct ledger_file){ take_text(&r), body->file[i].inode, body->file[i].bytes, body->file[i].ctime_ns };
	if (r.bad || !pages_are_good(ledger) || !tables_are_good(ledger) || !image_is_good(ledger) || !tree_is_good(ledger))
		return KX_LEDGER_BAD;
	if (header->state == LEDGER_MOVING && !take_moves(ledger, bytes, count))
		return KX_LEDGER_BAD;
	memset(used, 0, ledger->pages);
	for (i = 0; i < PLAN_OBJECTS; i++)
		if (!slots_are_good(ledger, &ledger->object[i], used))
			return KX_LEDGER_BAD;
	if (!(ledger->flags & LEDGER_HAS_CMDLINE))
		ledger->cmdline = NULL;
	if (!(ledger->flags & LEDGER_HAS_SERIAL))
		ledger->serial = NULL;
	return KX_OK;
}

bool ledger_stamps(const struct ledger *ledger, uint32_t *page, uint64_t *page_offset)
{
	const struct ledger_object *initrd = &ledger->object[1];
	struct plan_object object = { NULL, initrd->offset_bytes, initrd->memory_bytes, initrd->file_bytes };
	uint32_t slot;

	if (!plan_slack(&object, sizeof(struct purg_stamps), &slot, page_offset))
		return false;
	*page = initrd->slot[slot].page;
	return *page != PLAN_NO_PAGE;
}
