/*
 * feed.h - the bytes of one delivery, as they come: of a file that lies there,
 * of one that is still being fetched, of a member of an archive.
 *
 *	ops->fetch(s, name, len, &feed, &sig, &e);
 *	feed_head(feed, n, &p, &got, &e);	the first ones, not taken
 *	feed_read(feed, buf, n, &got, &e);	all, in order; got < n: the end
 *	feed_free(feed);
 *
 * One thread at a time. BAD_ITEM: these bytes cannot be had; AGAIN: not now;
 * BAD_SOURCE: the source is gone; BROKEN: our own disk failed.
 */
#ifndef LANDFALL_FEED_H
#define LANDFALL_FEED_H

#include "base/buf.h"
#include "base/err.h"

#define FEED_HEAD (1u << 20) /* so many first bytes can be looked at */

struct feed;

struct feed_ops {
	/* Waits for bytes. *ret_got < n only at the end. */
	enum rc (*read)(struct feed *f, void *p, size_t n, size_t *ret_got,
		struct err *e);

	/* From the first byte once more. NULL: what was read is gone. */
	enum rc (*rewind)(struct feed *f, struct err *e);

	/*
	 * Waits until the last byte is there: a descriptor of all of them, to
	 * be read by offset; it stays the feed's. NULL: there is none.
	 */
	enum rc (*whole)(struct feed *f, int *ret_fd, struct err *e);

	void (*free)(struct feed *f);
};

/* The first member of each kind of feed. */
struct feed {
	const struct feed_ops *ops;
	struct buf ahead; /* looked at, not yet read */
	size_t taken;	  /* of these */
};

/* For whoever makes one, before anything else. */
void feed_init(struct feed *f, const struct feed_ops *ops);

/*
 * The first bytes, up to n <= FEED_HEAD; fewer only when there are no more.
 * Before the first feed_read, any number of times; they are the feed's and
 * good until its next call.
 */
enum rc feed_head(struct feed *f, size_t n, const uint8_t **ret,
	size_t *ret_got, struct err *e) MUST_USE;

enum rc feed_read(struct feed *f, void *p, size_t n, size_t *ret_got,
	struct err *e) MUST_USE;

/* END: it cannot begin again. */
enum rc feed_rewind(struct feed *f, struct err *e) MUST_USE;

/* END: there is no such descriptor. Reading goes on where it was. */
enum rc feed_whole(struct feed *f, int *ret_fd, struct err *e) MUST_USE;

void feed_free(struct feed *f); /* NULL is fine */

/* A regular file, from where it stands; fd is the feed's from now on. */
struct feed *feed_file(int fd) MUST_USE;

#endif
