/* SPDX-License-Identifier: GPL-2.0-only */
#include "blocks.h"

#include <stdlib.h>
#include <string.h>

enum kx_err blocks_next(struct blocks *b, size_t bytes, bool keep, blocks_step *step)
{
	if (!keep)
		b->in_used = 0;
	b->due = b->in_used + bytes;
	b->step = step;
	return b->due <= BLOCKS_IN_BYTES ? KX_OK : KX_COMPRESSED_BAD;
}

struct blocks *blocks_open(size_t due, blocks_step *step)
{
	struct blocks *b = malloc(sizeof(*b));

	if (!b)
		return NULL;
	/* The rest is only touched as far as it is used. */
	memset(b, 0, offsetof(struct blocks, in));
	blocks_next(b, due, false, step);
	return b;
}

enum kx_err blocks_run(void *state, const unsigned char *in, size_t *in_bytes, unsigned char *out, size_t *out_bytes, bool *end)
{
	struct blocks *b = state;
	size_t at = 0, made = 0, n;
	enum kx_err err = KX_OK;

	while (!err) {
		n = b->out_end - b->out_at < *out_bytes - made ? b->out_end - b->out_at : *out_bytes - made;
		memcpy(out + made, b->out + b->out_at, n);
		b->out_at += n;
		made += n;
		if (b->out_at < b->out_end || b->ended)
			break;
		n = b->due - b->in_used < *in_bytes - at ? b->due - b->in_used : *in_bytes - at;
		memcpy(b->in + b->in_used, in + at, n);
		b->in_used += n;
		at += n;
		if (b->in_used < b->due)
			break;
		err = b->step(b);
	}
	*in_bytes = at;
	*out_bytes = made;
	*end = b->ended && b->out_at == b->out_end;
	return err;
}
