/*
 * live.h - what a running daemon is at, for `landfall status`: one small
 * file in the state directory, replaced whole and never synced. It is to be
 * believed while the process it names holds the lock (lock.h), and says
 * nothing that the catalog does not know after a crash.
 *
 *	{"pid":1,"started":T,"written":T,"saying":"watching","reading":1,...,
 *	 "files":[{"source":"acme","name":"a.csv","size":9,"bytes":4}],
 *	 "sources":[{"name":"acme","looking":false,"failures":0,"next":T}]}
 *
 * and "order":"backfill" in a source where one is carried out, "until":T and
 * "why":"..." in one that waits before it goes on.
 */
#ifndef DAEMON_LIVE_H
#define DAEMON_LIVE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/jsonw.h"

#define LIVE_FILES 16

/* One file that takes a while to be read. */
struct live_file {
	char *source;
	char *name;	      /* percent-encoded */
	uint64_t size, bytes; /* read so far */
};

/* Work under way, in names and raw bytes. */
struct live_work {
	uint64_t queued;	/* to be read */
	uint64_t reading;	/* being read, landed from, or waiting to be */
	uint64_t reading_bytes; /* their size */
	uint64_t staged;	/* to be made durable, notes included */
	uint64_t done;		/* since the start */
	uint64_t bytes;		/* read since the start */
	uint64_t rate;		/* bytes a second, lately */
	uint64_t members;	/* taken out of archives since the start */
};

struct live_source {
	char *name;
	bool looking;
	const char *order; /* the verb of the one at it; NULL: none */
	uint64_t failures; /* looks in a row */
	int64_t next;	   /* wall: the next full look; 0: at once */
	int64_t until;	   /* wall: it waits so long; 0: it does not */
	char *why;	   /* NULL: it does not */
};

struct live {
	int64_t pid;
	int64_t started, written; /* wall */
	char *saying;		  /* what systemd is told too */
	struct live_work work;
	struct live_file file[LIVE_FILES];
	size_t n_files;
	struct live_source *source;
	size_t n_sources;
};

enum rc live_write(int state, const struct live *l, struct err *e) MUST_USE;

/* END: there is none. BAD_ITEM: it makes no sense. */
enum rc live_read(int state, struct live *ret, struct err *e) MUST_USE;
void live_release(struct live *l);
void live_release_files(struct live *l);

/* The key "files", as the file itself has it. */
void live_write_files(const struct live *l, struct jsonw *j);

/* NULL: the daemon has no such source. */
const struct live_source *live_source(const struct live *l, const char *name);

#endif
