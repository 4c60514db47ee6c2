/*
 * protocol.h - what supervisor and child say to each other.
 *
 * Members and their bytes travel in shared memory, which the supervisor made
 * and the child fills: SLOTS pieces of SLOT_SIZE bytes. Messages on the
 * channel only say whose a slot is. A slot holds frames, each at a multiple
 * of 8 bytes:
 *
 *	type u32 | length u32 | body
 *
 * A frame's body is plain bytes (FRAME_DATA) or a message's (message.h). So a
 * large member costs two copies and hardly a system call, and many small ones
 * share a slot.
 *
 * The child can change a slot while the supervisor reads it: everything is
 * read once, into memory of our own, and judged there.
 */
#ifndef UNPACK_PROTOCOL_H
#define UNPACK_PROTOCOL_H

#include "landfall/message.h"
#include "landfall/unpack.h"

#define SLOTS 8u
#define SLOT_SIZE (256u << 10)
#define FRAME_HEAD 8u
#define FRAME_ALIGN(n) (((n) + 7u) & ~(size_t)7)

/* The child's descriptors. */
enum { FD_OBJECT = 4, FD_SLOTS };

/* How much of a spool is asked for at a time. */
#define SPOOL_STEP (UINT64_C(64) << 20)

#define PASSWORD_MAX 1024u
#define TEXT_MAX 1500u /* of an error */

enum unpack_message {
	/* to the child: job.h */
	UNPACK_START = 1,
	/* to the child: slot `index` may be filled again */
	UNPACK_FREE,
	/* from the child: slot `index` holds `length` bytes of frames; bytes
	 * of the object read so far */
	UNPACK_SLOT,
	/* from the child: the spool of `level` is to hold `bytes`; `fresh`:
	 * what is in it is no longer wanted. The answer is UNPACK_SPOOL, with
	 * the descriptor the first time. */
	UNPACK_SPOOL,
	/* from the child, between members: its memory will not do; the answer,
	 * when it has more, is the same. Once. */
	UNPACK_MEMORY,
};

enum unpack_frame {
	/* type, name, size, has_mtime, mtime, nth, finding, look, sha256 */
	FRAME_MEMBER = 1,
	FRAME_DATA,
	FRAME_GOOD,    /* the file's end; it is sound */
	FRAME_SPOILED, /* text: the file, or what comes between files, is not */
	FRAME_LEAVE,   /* the end of an archive inside */
	FRAME_OVER,    /* text: the end, and a bad one */
	FRAME_NO_ROOM, /* text: the end, because a spool could not be written */
	FRAME_END,     /* the end, and a good one */
	FRAME_UNREAD,  /* text: the end, because a disk could not be read */
};

#endif
