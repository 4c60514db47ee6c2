/*
 * claim.h - what partners say the bytes of a delivery add up to, and whether
 * they do.
 *
 *	claims_add(&c, line, "a.csv.sha256");	while it is settled
 *	reckoning_begin(&r, &c, &e);		while it is read
 *	reckoning_add(&r, p, n);
 *	reckoning_end(&r, bytes_sha256, &why);	do they?
 *	reckoning_release(&r);
 */
#ifndef DAEMON_CLAIM_H
#define DAEMON_CLAIM_H

#include "base/hash.h"
#include "landfall/checklist.h"

#define CLAIMS_MAX 16 /* on one delivery */

struct claim {
	enum digest_kind kind;
	uint8_t sum[DIGEST_MAX];
	char *from; /* the file that says so, for a human */
};

struct claims {
	struct claim claim[CLAIMS_MAX];
	size_t n;
	uint64_t records;
	char *records_from; /* the file that says so; NULL: none does */
};

void claims_release(struct claims *c);	     /* none are left */
void claims_cut(struct claims *c, size_t n); /* to the first n */
void claims_move(struct claims *to, struct claims *from);

/* The digest of that line, which has one; false: too many already. */
bool
claims_add(struct claims *c, const struct check_line *line, const char *from);

/* And so many records; the newest word counts. */
void claims_add_records(struct claims *c, uint64_t n, const char *from);

/* False: it has another number of them; `why` says both. */
bool claims_check_records(
	const struct claims *c, uint64_t found, struct str *why) MUST_USE;

/*
 * Was a delivery quarantined for that reason because of other claims than
 * these? What was said is part of it, so that a corrected side file is
 * noticed. NULL: because of any.
 */
bool claims_are_news(const struct claims *c, const char *reason);

/* Digests of the bytes, as far as claims ask for what we don't compute. */
struct reckoning {
	const struct claims *claims;
	struct digest digest[CLAIMS_MAX];
};

/* AGAIN: libcrypto as it is configured cannot compute one of them. */
enum rc reckoning_begin(
	struct reckoning *r, const struct claims *c, struct err *e) MUST_USE;
void reckoning_add(struct reckoning *r, const void *p, size_t n);
void reckoning_release(struct reckoning *r);

/* False: one does not match; `why` says which, with both digests. */
bool reckoning_end(struct reckoning *r, const uint8_t bytes_sha256[HASH_LEN],
	struct str *why) MUST_USE;

#endif
