/* SPDX-License-Identifier: GPL-2.0-only */
#include "printk.h"

#include "bytes.h"

#include <stdlib.h>
#include <string.h>

/* Zeros that makedumpfile left out may pass for a buffer of any size. CONFIG_LOG_BUF_SHIFT ends at 25. */
#define BUFFER_MAX	MIB(256)

/* One record. Of several lines in it only the first has the time, as upstream's vmcore-dmesg prints them. */
static void print_record(FILE *out, uint64_t ts_nsec, const unsigned char *text, size_t bytes)
{
	size_t i;

	fprintf(out, "[%5llu.%06llu] ", (unsigned long long)(ts_nsec / 1000000000),
		(unsigned long long)(ts_nsec / 1000 % 1000000));
	for (i = 0; i < bytes; i++) {
		if ((text[i] >= '\t' && text[i] <= '\r') || (text[i] >= ' ' && text[i] <= '~'))
			fputc(text[i], out);
		else
			fprintf(out, "\\x%02x", text[i]);
	}
	fputc('\n', out);
}

/* A structure's layout, by VMCOREINFO: all of these must be known. */
struct wanted {
	const char *name;
	uint64_t *to;
};

static bool learn(const struct vmcore *core, const struct wanted *wanted, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!vmcore_info(core, wanted[i].name, wanted[i].to))
			return false;
	return true;
}

#define LEARN(core, list)	learn(core, list, sizeof(list) / sizeof((list)[0]))

/*
 * Linux 5.10 and later: kernel/printk/printk_ringbuffer.h. A ring of descriptors, each with a state and where its text lies in a
 * ring of text; sequence numbers and times in a third array. Positions only grow; their lower bits are the index.
 */
struct lockless {
	uint64_t prb, desc_ring, text_ring;				/* of printk_ringbuffer */
	uint64_t count_bits, descs, infos, head_id, tail_id;		/* of prb_desc_ring */
	uint64_t desc_bytes, state_var, text_blk, begin, next;		/* of prb_desc, prb_data_blk_lpos */
	uint64_t info_bytes, ts_nsec, text_len;				/* of printk_info */
	uint64_t size_bits, data;					/* of prb_data_ring */
	uint64_t counter;						/* of atomic_long_t */
};

#define DESC_ID_MASK	((1ull << 62) - 1)
#define DESC_STATE_SHIFT	62
#define DESC_COMMITTED	1
#define DESC_FINALIZED	2
#define EMPTY_LINE	3		/* both positions: a record without text */

static bool learn_lockless(const struct vmcore *core, struct lockless *l)
{
	const struct wanted list[] = {
		{ "SYMBOL(prb)", &l->prb },
		{ "OFFSET(printk_ringbuffer.desc_ring)", &l->desc_ring },
		{ "OFFSET(printk_ringbuffer.text_data_ring)", &l->text_ring },
		{ "OFFSET(prb_desc_ring.count_bits)", &l->count_bits },
		{ "OFFSET(prb_desc_ring.descs)", &l->descs },
		{ "OFFSET(prb_desc_ring.infos)", &l->infos },
		{ "OFFSET(prb_desc_ring.head_id)", &l->head_id },
		{ "OFFSET(prb_desc_ring.tail_id)", &l->tail_id },
		{ "SIZE(prb_desc)", &l->desc_bytes },
		{ "OFFSET(prb_desc.state_var)", &l->state_var },
		{ "OFFSET(prb_desc.text_blk_lpos)", &l->text_blk },
		{ "OFFSET(prb_data_blk_lpos.begin)", &l->begin },
		{ "OFFSET(prb_data_blk_lpos.next)", &l->next },
		{ "SIZE(printk_info)", &l->info_bytes },
		{ "OFFSET(printk_info.ts_nsec)", &l->ts_nsec },
		{ "OFFSET(printk_info.text_len)", &l->text_len },
		{ "OFFSET(prb_data_ring.size_bits)", &l->size_bits },
		{ "OFFSET(prb_data_ring.data)", &l->data },
		{ "OFFSET(atomic_long_t.counter)", &l->counter },
	};

	return LEARN(core, list);
}

/* A structure without room for its own members would let a few bytes pass for any number of records. */
static bool makes_sense(const struct lockless *l)
{
	return l->desc_bytes >= 24 && l->desc_bytes <= 4096 && l->info_bytes >= 16 && l->info_bytes <= 4096 &&
	       l->state_var + l->counter <= l->desc_bytes - 8 && l->text_blk + l->begin <= l->desc_bytes - 8 &&
	       l->text_blk + l->next <= l->desc_bytes - 8 && l->ts_nsec <= l->info_bytes - 8 && l->text_len <= l->info_bytes - 2;
}

/* The least that a record takes in the ring of texts, its identifier: of descriptors there are far fewer (PRB_AVGBITS is 5). */
#define TEXT_BITS_MIN	3
#define BUFFER_BITS_MAX	28

/* The rings as they are in the dump. */
struct rings {
	uint64_t count, size;		/* of descriptors, of text bytes; powers of two */
	uint64_t descs, infos, head_id, tail_id;
	unsigned char *text;
};

static bool open_rings(const struct vmcore *core, const struct lockless *l, struct rings *r)
{
	uint32_t count_bits, size_bits;
	uint64_t prb, desc_ring, text_ring, data;

	if (!vmcore_read_u64(core, l->prb, &prb))
		return false;
	desc_ring = prb + l->desc_ring;
	text_ring = prb + l->text_ring;
	if (!vmcore_read_u32(core, desc_ring + l->count_bits, &count_bits) ||
	    !vmcore_read_u64(core, desc_ring + l->descs, &r->descs) ||
	    !vmcore_read_u64(core, desc_ring + l->infos, &r->infos) ||
	    !vmcore_read_u64(core, desc_ring + l->head_id + l->counter, &r->head_id) ||
	    !vmcore_read_u64(core, desc_ring + l->tail_id + l->counter, &r->tail_id) ||
	    !vmcore_read_u32(core, text_ring + l->size_bits, &size_bits) ||
	    !vmcore_read_u64(core, text_ring + l->data, &data) || size_bits > BUFFER_BITS_MAX ||
	    count_bits + TEXT_BITS_MIN > size_bits)
		return false;
	r->count = 1ull << count_bits;
	r->size = 1ull << size_bits;
	r->head_id &= DESC_ID_MASK;
	r->tail_id &= DESC_ID_MASK;
	r->text = malloc(r->size);
	return r->text && vmcore_read(core, data, r->text, r->size);
}

/* The text of the block from begin to next: behind the identifier that it starts with; a block that would go over the end of the
 * ring lies at its beginning as a whole. Null: there is none, or what the positions say makes no sense. */
static const unsigned char *block_text(const struct rings *r, uint64_t begin, uint64_t next, uint64_t *bytes)
{
	uint64_t start = begin & (r->size - 1), end = next & (r->size - 1);
	uint64_t laps = (next - (begin - start)) / r->size;	/* positions begin below zero: they wrap */

	*bytes = 0;
	if (begin == EMPTY_LINE && next == EMPTY_LINE)
		return r->text;
	if (begin & 1 || next & 1)
		return NULL;	/* it was lost */
	if (laps == 1 && end)
		start = 0;
	else if (laps == 1)
		end = r->size;
	else if (laps)
		return NULL;
	if (end < start || end - start <= sizeof(uint64_t))
		return NULL;
	*bytes = end - start - sizeof(uint64_t);
	return r->text + start + sizeof(uint64_t);
}

/* False if the dump does not hold it. */
static bool print_descriptor(const struct vmcore *core, const struct lockless *l, const struct rings *r, uint64_t id, FILE *out)
{
	uint64_t index = id & (r->count - 1), desc = r->descs + index * l->desc_bytes, info = r->infos + index * l->info_bytes;
	uint64_t state, begin, next, ts_nsec, room;
	const unsigned char *text;
	unsigned char text_len[2];

	if (!vmcore_read_u64(core, desc + l->state_var + l->counter, &state))
		return false;
	if ((state & DESC_ID_MASK) != id ||
	    (state >> DESC_STATE_SHIFT != DESC_COMMITTED && state >> DESC_STATE_SHIFT != DESC_FINALIZED))
		return true;
	if (!vmcore_read_u64(core, desc + l->text_blk + l->begin, &begin) ||
	    !vmcore_read_u64(core, desc + l->text_blk + l->next, &next) ||
	    !vmcore_read_u64(core, info + l->ts_nsec, &ts_nsec) ||
	    !vmcore_read(core, info + l->text_len, text_len, sizeof(text_len)))
		return false;
	text = block_text(r, begin, next, &room);
	if (text) {
		uint64_t bytes = load_le(text_len, sizeof(text_len));

		print_record(out, ts_nsec, text, bytes < room ? bytes : room);
	}
	return true;
}

static enum kx_err print_lockless(const struct vmcore *core, const struct lockless *l, FILE *out)
{
	struct rings r = { 0 };
	uint64_t id, left;
	bool ok = true;

	if (!makes_sense(l) || !open_rings(core, l, &r)) {
		free(r.text);
		return KX_NO_LOG;
	}
	/* Never more than there are, whatever the dump says. */
	for (id = r.tail_id, left = r.count; ok && left; id = (id + 1) & DESC_ID_MASK, left--) {
		ok = print_descriptor(core, l, &r, id, out);
		if (id == r.head_id)
			break;
	}
	free(r.text);
	return ok ? KX_OK : KX_NO_LOG;	/* what could be read was printed */
}

#define PAGE_BYTES_MIN	4096u

/* log_buf, of the generations before: as much of it, from its beginning on, as is in the dump. */
static unsigned char *read_buffer(const struct vmcore *core, uint32_t *bytes, bool *whole)
{
	uint32_t have, n;
	uint64_t symbol, length_symbol, buffer;
	unsigned char *data;

	if (!vmcore_info(core, "SYMBOL(log_buf)", &symbol) || !vmcore_info(core, "SYMBOL(log_buf_len)", &length_symbol) ||
	    !vmcore_read_u64(core, symbol, &buffer) || !vmcore_read_u32(core, length_symbol, bytes) || !*bytes ||
	    *bytes > BUFFER_MAX)
		return NULL;
	data = malloc(*bytes);
	if (!data)
		return NULL;
	for (have = 0; have < *bytes; have += n) {
		n = PAGE_BYTES_MIN - (uint32_t)(buffer + have) % PAGE_BYTES_MIN;
		n = n < *bytes - have ? n : *bytes - have;
		if (!vmcore_read(core, buffer + have, data + have, n))
			break;
	}
	*whole = have == *bytes;
	*bytes = have;
	return data;
}

/* Linux 3.5 to 5.9: records behind one another; one of length 0 says that the next is at the buffer's beginning. The structure
 * was called log before 3.11. */
struct records {
	uint64_t first_idx, next_idx, header_bytes, ts_nsec, len, text_len;
};

static bool learn_records(const struct vmcore *core, struct records *r)
{
	const struct wanted list[] = {
		{ "SYMBOL(log_first_idx)", &r->first_idx }, { "SYMBOL(log_next_idx)", &r->next_idx },
		{ "SIZE(printk_log)", &r->header_bytes }, { "OFFSET(printk_log.ts_nsec)", &r->ts_nsec },
		{ "OFFSET(printk_log.len)", &r->len }, { "OFFSET(printk_log.text_len)", &r->text_len },
	}, older[] = {
		{ "SYMBOL(log_first_idx)", &r->first_idx }, { "SYMBOL(log_next_idx)", &r->next_idx },
		{ "SIZE(log)", &r->header_bytes }, { "OFFSET(log.ts_nsec)", &r->ts_nsec },
		{ "OFFSET(log.len)", &r->len }, { "OFFSET(log.text_len)", &r->text_len },
	};

	return LEARN(core, list) || LEARN(core, older);
}

static enum kx_err print_records(const struct vmcore *core, const struct records *r, FILE *out)
{
	uint32_t bytes, at, end, left;
	unsigned char *buffer;
	bool whole;	/* need not be: records may end before */

	if (!vmcore_read_u32(core, r->first_idx, &at) || !vmcore_read_u32(core, r->next_idx, &end))
		return KX_NO_LOG;
	buffer = read_buffer(core, &bytes, &whole);
	if (!buffer)
		return KX_NO_LOG;
	/* What is left shrinks with every record, so that a damaged one is no way in circles. */
	if (r->header_bytes < 8 || r->header_bytes > 4096 || r->len > r->header_bytes - 2 || r->text_len > r->header_bytes - 2 ||
	    r->ts_nsec > r->header_bytes - 8)
		at = bytes;	/* no such structure: nothing is printed */
	for (left = bytes; at != end && left;) {
		uint64_t len, text_len;

		if (at >= bytes || bytes - at < r->header_bytes)
			break;
		len = load_le(buffer + at + r->len, 2);
		if (!len) {
			if (!at || left <= bytes - at)
				break;
			left -= bytes - at;
			at = 0;
			continue;
		}
		text_len = load_le(buffer + at + r->text_len, 2);
		if (len > bytes - at || len > left || len < r->header_bytes)
			break;
		if (text_len > len - r->header_bytes)
			text_len = len - r->header_bytes;
		print_record(out, load_le(buffer + at + r->ts_nsec, 8), buffer + at + r->header_bytes, text_len);
		at += (uint32_t)len;
		left -= (uint32_t)len;
	}
	free(buffer);
	return at == end ? KX_OK : KX_NO_LOG;	/* what could be read was printed */
}

/* Before 3.5: text alone, in a ring, its end known and how much of it there is. */
static enum kx_err print_text(const struct vmcore *core, FILE *out)
{
	uint64_t end_symbol, chars_symbol;
	uint32_t bytes, end, chars, start, first;
	unsigned char *buffer;
	bool whole;

	if (!vmcore_info(core, "SYMBOL(log_end)", &end_symbol) || !vmcore_info(core, "SYMBOL(logged_chars)", &chars_symbol) ||
	    !vmcore_read_u32(core, end_symbol, &end) || !vmcore_read_u32(core, chars_symbol, &chars))
		return KX_NO_LOG;
	buffer = read_buffer(core, &bytes, &whole);
	if (!buffer || !whole) {
		free(buffer);
		return KX_NO_LOG;
	}
	if (chars > bytes)
		chars = bytes;
	start = (end - chars) % bytes;
	first = chars < bytes - start ? chars : bytes - start;
	fwrite(buffer + start, 1, first, out);
	fwrite(buffer, 1, chars - first, out);
	free(buffer);
	return KX_OK;
}

enum kx_err printk_print(const struct vmcore *core, FILE *out)
{
	struct lockless lockless;
	struct records records;

	if (learn_lockless(core, &lockless))
		return print_lockless(core, &lockless, out);
	if (learn_records(core, &records))
		return print_records(core, &records, out);
	return print_text(core, out);
}
