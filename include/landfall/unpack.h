/*
 * unpack.h - archives, taken apart in a sandboxed child: zip, tar, tar in
 * gzip, bzip2, xz or zstd, one file in one of those, and any of them inside
 * another.
 *
 *	unpack_look(head, n, name, len, &look);		is it one?
 *	unpack_open(&options, &u, &e);
 *	  unpack_weak(u): log it
 *	while ((rc = unpack_next(u, &m, &e)) == OK)
 *		if (m.type == UNPACK_FILE)
 *			while (... unpack_read(u, p, n, &got, &e) ...)
 *	rc == END: this was all of it, and all of it was sound
 *	unpack_free(u);				also abandons, at any point
 *
 * The supervisor hands the child a descriptor of the complete object and gets
 * names and bytes back. It believes nothing: every number is checked against
 * the limits on this side too, and no name is ever used as a path. Nothing is
 * written to disk but archives inside archives: those are read from an
 * unlinked temporary file in `spool`, which the supervisor makes.
 *
 * A struct unpack belongs to one thread at a time.
 *
 * Returns, besides OK and END: BAD_ITEM, the archive or this member is at
 * fault: damaged, hostile, over a limit, or its child crashed over it; the
 * text says which member and why. AGAIN: not now (no processes, no room for
 * the spool, cancelled). BROKEN: our disk, or our own program.
 */
#ifndef LANDFALL_UNPACK_H
#define LANDFALL_UNPACK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

struct child;

/* ---- recognition: of the first bytes and of the name alone ---- */

#define UNPACK_HEAD 512 /* so many first bytes tell everything */

enum unpack_kind {
	UNPACK_NOTHING, /* no archive */
	UNPACK_ZIP,
	UNPACK_TAR,
	/* One stream: of a tar archive or of a single file. */
	UNPACK_GZIP,
	UNPACK_BZIP2,
	UNPACK_XZ,
	UNPACK_ZSTD,
};

struct unpack_look {
	enum unpack_kind content; /* what its bytes are: this decides */
	enum unpack_kind named;	  /* what its name says */
	bool named_tar;		  /* ... a tar archive in a stream */
	bool document; /* a zip that is a file of its own: .xlsx, .jar */
};

/* head: the first UNPACK_HEAD bytes, or all when there are fewer. */
void unpack_look(const uint8_t *head, size_t n, const uint8_t *name, size_t len,
	struct unpack_look *ret);

/* "zip", "gzip", ... */
const char *unpack_kind_name(enum unpack_kind k);

/*
 * False: name and content agree. True, and how they do not in words: "its
 * name says zip, its bytes are gzip".
 */
bool unpack_disagrees(const struct unpack_look *l, struct str *s) MUST_USE;

/* ---- limits ---- */

#define UNPACK_DEPTH_MAX 8
#define UNPACK_NAME_MAX 32768u

/* The ratio is of no interest before so many bytes came out. */
#define UNPACK_GRACE (UINT64_C(10) << 20)

struct unpack_limits {
	uint64_t member_bytes; /* of one member or archive inside, unpacked */
	uint64_t total_bytes;  /* of all of them */
	uint64_t members;      /* files, folders and everything else */
	uint64_t ratio;	       /* unpacked : size of the object */
	unsigned depth;	       /* 1: no archive inside another */
	unsigned name_len;     /* bytes */
	int64_t wall;	       /* ns that we wait for the child, in all */
	uint64_t cpu;	       /* seconds of the child */
	uint64_t memory;       /* bytes of the child, */
	uint64_t widened;      /* ... of one that needs more; see below */
	uint64_t free_space;   /* bytes that stay free where the spool is */
};

#define UNPACK_LIMITS_DEFAULT \
	{ \
		.member_bytes = UINT64_C(20) << 30, \
		.total_bytes = UINT64_C(50) << 30, .members = 100000, \
		.ratio = 200, .depth = 3, .name_len = 4096, \
		.wall = INT64_C(3600) * 1000000000, .cpu = 3600, \
		.memory = UINT64_C(32) << 20, .widened = UINT64_C(80) << 20, \
		.free_space = UINT64_C(1) << 30, \
	}

/*
 * Nearly every archive is content with limits.memory. One with a large window
 * (xz -9 wants 64 MiB) or very many names is given limits.widened, and of
 * those one is taken apart at a time in a process: the others wait for it,
 * between two members of theirs. So what all children take together does not
 * grow with what partners send.
 */

/* ---- taking apart ---- */

struct unpack_options {
	int fd; /* the complete object; stays the caller's, read by offset */
	uint64_t size;
	const uint8_t *name; /* a single file's name is made of it */
	size_t name_len;
	const uint8_t *password; /* NULL: none; for encrypted zip members */
	size_t password_len;
	bool number;	  /* names that come again are numbered, not refused */
	bool keep_deeper; /* an archive below limits.depth is a plain file,
			   * and not refused */
	int spool;	  /* directory for archives inside; -1: none */
	struct unpack_limits limits;
	const atomic_bool *cancel; /* looked at while waiting; may be NULL */
};

enum unpack_type {
	UNPACK_FILE,	/* a regular file: its bytes are to be read */
	UNPACK_ARCHIVE, /* an archive inside: its members follow */
	UNPACK_FOLDER,
	UNPACK_FINDING, /* nothing that lands, ever: m.finding says what */
};

/* An archive inside that the member is in. */
struct unpack_container {
	const uint8_t *name; /* in the archive that it is in */
	size_t name_len;
	uint64_t size;
	uint8_t sha256[HASH_LEN];
};

#define UNPACK_UNKNOWN UINT64_MAX

/* Good until the next unpack_next. */
struct unpack_member {
	enum unpack_type type;
	const uint8_t *name; /* exactly the archive's bytes */
	size_t name_len;
	uint64_t size; /* UNPACK_UNKNOWN: not said in advance */
	bool has_mtime;
	int64_t mtime;		 /* wall, ns */
	uint64_t nth;		 /* of those with this name, from 1; > 1 only if
				  * options.number */
	const char *finding;	 /* "symbolic link to '/etc/passwd'", "absolute
				  * name"; NULL */
	struct unpack_look look; /* of an UNPACK_ARCHIVE; of a file too, when
				  * it was looked at */
	uint8_t sha256[HASH_LEN]; /* of an UNPACK_ARCHIVE, as its size */

	/* Where it is: outermost first, without the object itself. */
	const struct unpack_container *in;
	unsigned n_in;
};

struct unpack;

/* Starts the child. BAD_ITEM: it is no archive at all. */
enum rc unpack_open(const struct unpack_options *o, struct unpack **ret,
	struct err *e) MUST_USE;
void unpack_free(struct unpack *u);

/* As proc_weak: NULL, or what the sandbox lacks here. */
const char *unpack_weak(const struct unpack *u);

/* How many bytes of the object the child has read so far: for progress. */
uint64_t unpack_done(const struct unpack *u);

/*
 * After BAD_ITEM: true, nothing more can be had of the archive; false, it was
 * one member, and unpack_next goes on with what comes after it.
 */
bool unpack_over(const struct unpack *u);

/*
 * The next member, whether all of the last one was read or not; what was not
 * read is checked all the same. END: no more, and the archive ended as it
 * should. BAD_ITEM: the archive, an archive inside, or a member that was not
 * read to its end, is damaged.
 */
enum rc unpack_next(
	struct unpack *u, struct unpack_member *ret, struct err *e) MUST_USE;

/*
 * The next bytes of an UNPACK_FILE; *ret_got < n only at its end, when its
 * size and checksums were right. BAD_ITEM: this member is damaged, and what
 * was read of it is worth nothing.
 */
enum rc unpack_read(struct unpack *u, void *p, size_t n, size_t *ret_got,
	struct err *e) MUST_USE;

/* ---- the child's side: a row in the table of children ---- */

#define UNPACK_CHILD "unpack"
int unpack_child(const struct child *c);

#endif
