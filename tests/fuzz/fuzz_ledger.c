/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ledger of anybody's making. The input is the state and the body, to which a header is made that fits, so that the body is looked at.
 * Whatever is taken can be walked, and written and read again it says the same.
 */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void walk(const struct ledger *l)
{
	unsigned int o;
	uint32_t i;

	for (i = 0; i < l->files; i++)
		demand(strlen(l->file[i].path) < LEDGER_BYTES_MAX);
	demand(strlen(l->program) + strlen(l->format) < LEDGER_BYTES_MAX);
	for (o = 0; o < PLAN_OBJECTS; o++)
		for (i = 0; i < l->object[o].slots; i++) {
			const struct ledger_slot *slot = &l->object[o].slot[i];

			demand(slot->bytes <= PLAN_SLOT_BYTES);
			demand(slot->page == PLAN_NO_PAGE || (slot->page < l->room && ledger_page(l, slot->page)->page == slot->page));
		}
}

static void write_again(const struct ledger *l)
{
	size_t room = ledger_bytes_max(l);
	unsigned char *out = aligned_alloc(64, (size_t)align_up(room, 64));
	struct ledger_header *header = (void *)out;
	struct ledger again;

	demand(out != NULL);
	*header = (struct ledger_header){ .magic = LEDGER_MAGIC, .version = LEDGER_VERSION, .state = LEDGER_LOADED };
	demand(ledger_write(l, out, room) == KX_OK);
	demand(ledger_read(&again, out, room) == KX_OK);
	demand(again.pages == l->pages && again.files == l->files && again.dtb_bytes == l->dtb_bytes);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	size_t room = LEDGER_BODY_OFFSET + (size_t)align_up(bytes, PURG_UNIT_BYTES);
	unsigned char *copy = bytes ? aligned_alloc(64, room) : NULL;
	struct ledger_header *header = (void *)copy;
	struct ledger ledger;

	if (!copy)
		return 0;
	memset(copy, 0, room);
	memcpy(copy + LEDGER_BODY_OFFSET, data + 1, bytes - 1);
	*header = (struct ledger_header){ .magic = LEDGER_MAGIC, .version = LEDGER_VERSION, .state = data[0] % 5, .body_bytes = bytes - 1 };
	ledger_digest(header);
	if (ledger_read(&ledger, copy, room) == KX_OK) {
		walk(&ledger);
		write_again(&ledger);
	}
	free(copy);
	return 0;
}
