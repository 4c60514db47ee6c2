/*
 * watcher.h - what the daemon knows of one source between looks: its hints,
 * the names to look at again, and when the next full look is due.
 *
 * Hints come from inotify on the loop's thread; names that are still pending
 * come back from the committer. Both sets are bounded: what does not fit
 * becomes a full look, which is always right.
 */
#ifndef DAEMON_WATCHER_H
#define DAEMON_WATCHER_H

#include <pthread.h>

#include "daemon/arrival.h"
#include "daemon/pass.h"
#include "landfall/watch.h"

#define WATCHER_NAMES 4096

struct watcher_name {
	uint8_t *name;
	size_t len;
	int64_t due; /* monotonic */
};

struct watcher {
	const struct source_config *config;
	/* The loop's thread alone: */
	struct watch *watch;  /* NULL: polled */
	bool lost;	      /* the watch must be opened again */
	int64_t polled;	      /* monotonic: the last look without a watch */
	bool busy;	      /* a looker has it; under the daemon's lock */
	unsigned failures;    /* looks in a row that failed; the looker's */
	enum arrival arrival; /* as last told, for the deadline */
	int64_t arrival_due;  /* at this instant; the looker's */
	struct lesson lesson; /* for that deadline; the looker's */
	bool looked;	      /* there was a good look */
	int64_t since;	      /* wall: when the last of them began, or the */
	int64_t since_mono;   /* waiting for the first; and monotonic */
	int64_t overdue;      /* the deadline that passed without a look */
	bool judge_only;      /* the looker is to judge that, not to look */
	pthread_mutex_t lock;
	/* Under lock. */
	struct watcher_name *name;
	size_t names;
	bool rescan;	   /* look at everything, now */
	int64_t next_look; /* monotonic: at everything, whatever is hinted */
};

void watcher_init(struct watcher *w, const struct source_config *cfg);
/* The last good look began then, by the wall clock; another process had it. */
void watcher_looked(struct watcher *w, int64_t began);
void watcher_release(struct watcher *w);

/* A name to look at from `due` on; an earlier one stands. */
void
watcher_add(struct watcher *w, const uint8_t *name, size_t len, int64_t due);

/* Look at everything: at once, or not later than `at`. */
void watcher_rescan(struct watcher *w);
void watcher_plan(struct watcher *w, int64_t at);

/* The same, if it is planned for later. */
void watcher_plan_by(struct watcher *w, int64_t at);

/* Is a full look due by plan alone, without a hint? */
bool watcher_is_planned(struct watcher *w, int64_t now);

/* When everything is looked at, whatever is hinted; monotonic. */
int64_t watcher_planned(struct watcher *w);

/* When there is something to do: INT64_MIN is now. */
int64_t watcher_due(struct watcher *w);

/*
 * Takes what is due at `now`: *ret_full, or up to WATCHER_NAMES names, which
 * the caller frees with watcher_names_free.
 */
size_t watcher_take(struct watcher *w, int64_t now, bool *ret_full,
	struct pass_name **ret_names);
void watcher_names_free(struct pass_name *names, size_t n);

#endif
