/*
 * trunk.h - the line to a partner's server: the child that speaks to it, the
 * connections it has, and what is asked over them.
 *
 *	trunk_open(&options, &l, &e);	waits until one connection is up
 *	trunk_ask(l, &request);		any number, from any thread
 *	trunk_wait(l, &request, &e);
 *	trunk_close(l);
 *
 * A connection that is lost comes back by itself, after a random time that
 * doubles, and what was asked over it is asked again where that is harmless:
 * a fetch goes on where it was. So many failures in a row as the source has
 * attempts, without a byte in between, are its end; whoever is
 * refused is the end at once. After it every request fails with the reason.
 * Whoever sets *cancel ends it too: then all of them are cancelled.
 *
 * Two threads work for each trunk: one listens to the child, one dials.
 */
#ifndef SOURCE_SFTP_TRUNK_H
#define SOURCE_SFTP_TRUNK_H

#include <stdatomic.h>

#include "landfall/config.h"
#include "landfall/sftp.h"

struct trunk;

enum trunk_kind {
	TRUNK_LIST,
	TRUNK_FETCH,
	TRUNK_LOOK,
	TRUNK_REMOVE,
	TRUNK_MOVE,
	TRUNK_PUT,
};

/* The asker's until it is asked, and again once it is done. */
struct trunk_request {
	enum trunk_kind kind;
	union {
		struct sftp_list list;
		struct sftp_fetch fetch;
		struct sftp_move move;
		struct sftp_put put;
		struct {
			const uint8_t *path;
			size_t path_len;
			bool follow;			   /* LOOK */
			const struct sftp_attrs *expected; /* REMOVE */
		} one;
	};
	/*
	 * ITEM, TROUBLE and PROGRESS, on the trunk's own thread: it must not
	 * wait for anything. May be NULL.
	 */
	void (*event)(void *arg, const struct sftp_event *ev);
	/* It is done, on the same thread; r may be asked again. May be NULL. */
	void (*finished)(void *arg, struct trunk_request *r);
	void *arg;

	/* What became of it. */
	bool done;
	enum sftp_fault fault;
	struct err err; /* of what is not FINE; code as sftp_fault_rc has it */
	struct sftp_attrs attrs;
	enum sftp_type type;
	uint64_t size, received;
	uint8_t sum[HASH_LEN];

	/* The trunk's. */
	struct trunk_request *next;
	uint64_t id;
	unsigned lost; /* times its connection was, since it got on */
	bool cancelled;
	uint64_t told; /* ITEMs and TROUBLEs */
	uint64_t mark; /* bytes at the last look at its pace */
};

struct trunk_options {
	const struct sftp_config *config; /* outlives the trunk */
	const char *source;
	unsigned attempts;	   /* in a row; the configuration's, or fewer */
	uint64_t file_limit;	   /* no file may be larger */
	const atomic_bool *cancel; /* NULL: nobody sets it */
};

/*
 * BAD_SOURCE: it cannot be reached, or is not to be talked to; with cause
 * EKEYREJECTED when trying again by itself would be no use: its key is not
 * the right one, or it refuses us. AGAIN: *cancel.
 */
enum rc trunk_open(const struct trunk_options *o, struct trunk **ret,
	struct err *e) MUST_USE;

/* What is unfinished ends as cancelled. NULL is fine. */
void trunk_close(struct trunk *l);

void trunk_ask(struct trunk *l, struct trunk_request *r);

/* Until it is done; its rc and error. */
enum rc
trunk_wait(struct trunk *l, struct trunk_request *r, struct err *e) MUST_USE;

/* It is done soon. */
void trunk_cancel(struct trunk *l, struct trunk_request *r);

/* "sftp://user@host:22 (10.0.0.1; host key SHA256:...; algorithms)". */
void trunk_add_facts(struct trunk *l, struct str *s);

/* What whoever runs us should know of it, or nothing: a weak sandbox, ... */
void trunk_add_remark(struct trunk *l, struct str *s);

#endif
