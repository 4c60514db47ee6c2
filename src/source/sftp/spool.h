/*
 * spool.h - where the bytes of a partner's files are until they have landed:
 * <state>/spool/SOURCE/.
 *
 *	KEY.part	the first bytes of a file, as many as came so far
 *	KEY.mark	whose they are: name, size and time at the server, and
 *			how many bytes of the part have which SHA-256
 *
 * KEY is made of the name. A part is worth nothing without a mark that fits
 * what the server says now; what the mark vouches for is proven by its sum,
 * so nothing here is ever synced. Small files have no name in the file system
 * at all and end with the process.
 *
 * Any thread, but for one name one at a time.
 */
#ifndef SOURCE_SFTP_SPOOL_H
#define SOURCE_SFTP_SPOOL_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/names.h"
#include "landfall/catalog.h"

/* Files smaller than this begin again after a crash. */
#define SPOOL_NAMED_MIN (UINT64_C(1) << 20)

struct spool {
	int dir; /* -1: there is none, and files are in memory */
	pthread_mutex_t lock;
	struct names touched; /* keys taken since it was opened; under lock */
	bool full;	      /* of them; then nothing is swept */
};

/* A file being fetched. */
struct spooled {
	int fd;
	bool named;
	char key[33];
	uint64_t have;	       /* bytes, by the mark; 0: none */
	uint8_t sum[HASH_LEN]; /* of these */
};

/* state: directory, or -1: nothing is kept. BROKEN: our disk. */
enum rc spool_open(
	int state, const char *source, struct spool *s, struct err *e) MUST_USE;
void spool_close(struct spool *s);

/* A file that nobody else sees, for what need not outlive us. */
enum rc spool_temp(const struct spool *s, int *ret_fd, struct err *e) MUST_USE;

/*
 * The file for a name that looks like sig: with what is there of it already,
 * or empty.
 */
enum rc spool_take(struct spool *s, const uint8_t *name, size_t len,
	const struct signature *sig, struct spooled *ret,
	struct err *e) MUST_USE;

/* What is there is worth nothing: begin again. */
enum rc spool_begin_again(struct spooled *f, struct err *e) MUST_USE;

/* So many bytes are there. */
enum rc spool_mark(struct spool *s, const struct spooled *f,
	const uint8_t *name, size_t len, const struct signature *sig,
	uint64_t have, const uint8_t sum[HASH_LEN], struct err *e) MUST_USE;

/* Closes the file; what is there stays. */
void spool_leave(struct spooled *f);

/* Nobody needs what is there of this name. */
void spool_forget(struct spool *s, const uint8_t *name, size_t len);

/* This name may be taken another time: a sweep leaves it alone. */
void spool_keep(struct spool *s, const uint8_t *name, size_t len);

/* Removes all but what was taken or kept since it was opened. */
void spool_sweep(struct spool *s);

#endif
