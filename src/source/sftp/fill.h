/*
 * fill.h - the spool file of one fetch: filled in order, and hashed on the
 * way, what lies in it from an earlier attempt included.
 *
 *	fill_init(&f, fd, offset, window, prefix_sum)
 *	fill_prefix(&f, &e)		until it says something else than AGAIN
 *	fill_take(&f, p, n, &e)		good grows
 *	fill_sum(&f, sum)		of the first `good` bytes
 *	fill_release(&f)
 */
#ifndef SOURCE_SFTP_FILL_H
#define SOURCE_SFTP_FILL_H

#include "base/err.h"
#include "base/hash.h"

struct fill {
	int fd;
	struct hash hash;
	uint64_t offset; /* so much was there before */
	uint8_t prefix_sum[HASH_LEN];
	uint64_t good; /* bytes at its start that are ours */
	uint64_t at; /* where the next bytes go; before offset: are compared */
};

/*
 * fd is taken over. prefix_sum: of the first offset bytes. The last `window`
 * of them are taken once more.
 */
void fill_init(struct fill *f, int fd, uint64_t offset, uint64_t window,
	const uint8_t prefix_sum[HASH_LEN]);
void fill_release(struct fill *f);

/*
 * Hashes a piece of what was there. AGAIN: there is more; BAD_ITEM: it is not
 * what prefix_sum says; BROKEN: it cannot be read.
 */
enum rc fill_prefix(struct fill *f, struct err *e) MUST_USE;

/*
 * The next n bytes. BAD_ITEM: others were there before; BROKEN: the file
 * cannot be read, or written.
 */
enum rc
fill_take(struct fill *f, const uint8_t *p, size_t n, struct err *e) MUST_USE;

void fill_sum(const struct fill *f, uint8_t sum[HASH_LEN]);

#endif
