/*
 * flight.h - the READs of one fetch that are on their way, in the order of
 * the file. Their answers come in any order and in any size: what comes
 * before its turn is kept.
 */
#ifndef SOURCE_SFTP_FLIGHT_H
#define SOURCE_SFTP_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct chunk {
	struct chunk *next;
	uint64_t offset;
	uint32_t len; /* still missing, behind what data has */
	uint32_t have;
	bool eof;
	uint8_t *data; /* of `have` bytes; NULL: none */
};

struct flight {
	struct chunk *first, *last;
	unsigned n;
	unsigned crumbs;   /* answers in a row that bring next to nothing */
	uint64_t furthest; /* where the last bytes end that came */
	uint64_t end;	   /* the first place that was told to be the end */
};

void flight_init(struct flight *l);
void flight_release(struct flight *l);

/* So many bytes behind all others are asked for. */
void flight_add(struct flight *l, uint64_t offset, uint32_t len);

/* Whose bytes go on here? NULL: nobody's. */
struct chunk *flight_at(const struct flight *l, uint64_t offset);

/* n of its bytes came. True: it is their turn; otherwise they are kept. */
bool flight_came(
	struct flight *l, struct chunk *c, const uint8_t *p, size_t n) MUST_USE;

/* The file ends where its bytes would go on. */
void flight_ended(struct flight *l, struct chunk *c);

/* Bytes came from behind an end. */
bool flight_is_torn(const struct flight *l) MUST_USE;

/*
 * A server may send n bytes where it was asked for more; one that sends
 * crumbs, not for ever.
 */
bool flight_is_crumbs(struct flight *l, size_t n, uint32_t asked) MUST_USE;

/* What the first one keeps was taken. */
void flight_taken(struct flight *l);

/* The first one has all that comes of it. */
void flight_pop(struct flight *l);

#endif
