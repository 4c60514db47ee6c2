/*
 * Any bytes as what a child told, in slots of any size: the judge ends, gives
 * no more than the limits allow, and is in no more archives than it may be.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "unpack/hear.h"

static const struct unpack_limits limits = {.member_bytes = 1000,
	.total_bytes = 3000,
	.members = 20,
	.ratio = 200,
	.depth = 3,
	.name_len = 30};

/* Until it wants another slot, or is over. */
static void
drain(struct hear *h)
{
	static uint8_t piece[100];
	struct unpack_member m;
	struct err e = ERR_INIT;
	enum rc rc = OK;

	while (rc != AGAIN && h->state != HEAR_OVER && h->state != HEAR_END) {
		size_t got = 0;

		if (h->state == HEAR_FILE && h->member.nth % 2 == 1)
			rc = hear_read(h, piece, sizeof(piece), &got, &e);
		else
			rc = hear_next(h, &m, &e);
		if (rc == BAD_SOURCE || rc == BROKEN ||
			h->budget.total > limits.total_bytes ||
			h->budget.members > limits.members ||
			h->n_in >= limits.depth || h->at > h->len)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t slot[SLOT_SIZE];
	static struct hear h;
	size_t n = size > 0 ? 8 * (1 + data[0] % 64) : 8;

	hear_init(&h, &limits, 1000);
	for (size_t at = 1; at < size; at += n) {
		size_t len = n < size - at ? n : size - at;

		memcpy(slot, data + at, len);
		hear_slot(&h, slot, len);
		drain(&h);
		if (h.state != HEAR_OVER && h.state != HEAR_END &&
			!hear_is_done(&h))
			abort();
	}
	hear_release(&h);
	return 0;
}
