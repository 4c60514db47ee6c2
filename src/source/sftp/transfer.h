/*
 * transfer.h - files on their way from a partner's server to the spool, and
 * their bytes as they come.
 *
 *	t = transfers_new(&options);
 *	transfers_want(t, name, len, &sig);	it may come beforehand
 *	transfers_feed(t, name, len, &sig, &feed, &e);	it is read now
 *	feed_free(feed);
 *	transfers_free(t);			all feeds are free
 *
 * What is wanted is begun in order: many small files at once, large ones as
 * many as there are connections. Of the spool a quarter is for what comes
 * beforehand, the rest for what is being read, so that the one never waits
 * for the other.
 */
#ifndef SOURCE_SFTP_TRANSFER_H
#define SOURCE_SFTP_TRANSFER_H

#include "landfall/source.h"
#include "source/sftp/spool.h"
#include "source/sftp/trunk.h"

struct transfers;

struct transfers_options {
	struct trunk *trunk;
	struct spool *spool;
	const struct source_place *place; /* NULL: there is none */
	/* The path at the server of a name below the source's root. */
	void (*path)(void *arg, struct str *s, const uint8_t *name, size_t len);
	void *arg;
	unsigned connections;
};

struct transfers *transfers_new(const struct transfers_options *o) MUST_USE;

/* No feed is left. What was only wanted stays in the spool as it is. */
void transfers_free(struct transfers *t);

void transfers_want(struct transfers *t, const uint8_t *name, size_t len,
	const struct signature *sig);

/* Was it wanted, and how did it look then? */
bool transfers_wanted(struct transfers *t, const uint8_t *name, size_t len,
	struct signature *ret) MUST_USE;

/*
 * Waits for the first bytes. END: the file is gone; AGAIN: it does not look
 * like sig any more. Otherwise as source_ops.fetch.
 */
enum rc transfers_feed(struct transfers *t, const uint8_t *name, size_t len,
	const struct signature *sig, struct feed **ret, struct err *e) MUST_USE;

/*
 * What the server said of a file right behind its last byte, while its feed
 * is there. False: it is not one of those.
 */
bool transfers_seen(struct transfers *t, const uint8_t *name, size_t len,
	struct signature *ret);

/* From what the server tells, and back. */
void transfer_sign(struct signature *sig, const struct sftp_attrs *a);
void transfer_expect(struct sftp_attrs *a, const struct signature *sig);

#endif
