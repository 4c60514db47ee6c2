/*
 * watcher.h - what the daemon knows of one source between looks: its hints,
 * the names to look at again, and when the next full look is due.
 *
 * Hints come from inotify on the loop's thread; names that are still pending
 * come back from the committer. Both sets are bounded: what does not fit
 * becomes a full look, which is always right. Where manifests say what lands
 * together every hint does; while they pour in, looking takes a tenth of the
 * time.
 */
#ifndef DAEMON_WATCHER_H
#define DAEMON_WATCHER_H

#include <pthread.h>

#include "base/names.h"
#include "daemon/arrival.h"
#include "daemon/pass.h"
#include "landfall/watch.h"
#include "source/http/rate.h"

#define WATCHER_NAMES 16384
#define WATCHER_BYTES (1u << 20)
#define WATCHER_LOOK 8192 /* names in one look */

/* What goes with a name. */
struct watcher_name {
	int64_t due;  /* monotonic; INT64_MAX: not again, so far */
	bool looking; /* it is being looked at */
};

struct daemon;

struct watcher {
	const struct source_config *config;
	/* The loop's thread alone: */
	struct watch *watch;   /* NULL: polled */
	bool lost;	       /* the watch must be opened again */
	int64_t polled;	       /* monotonic: the last look without a watch */
	bool busy;	       /* a looker has it; under the daemon's lock */
	struct daemon *daemon; /* of a partner's source, for its own looker */
	pthread_t looker;
	bool has_looker;   /* to be joined */
	bool looked_last;  /* the turn of before was no order's; the loop's */
	struct rate rate;  /* of an API: asked lately; the looker's */
	bool resting;	   /* it waits, and has no place; the daemon's lock */
	struct str rests;  /* why, and until when by the wall clock; */
	int64_t rest_end;  /* the daemon's lock */
	unsigned failures; /* looks in a row that failed; the looker's */
	enum arrival arrival; /* as last told, for the deadline */
	int64_t arrival_due;  /* at this instant; the looker's */
	struct lesson lesson; /* for that deadline; the looker's */
	bool looked;	      /* there was a good look */
	int64_t since;	      /* wall: when the last of them began, or the */
	int64_t since_mono;   /* waiting for the first; and monotonic */
	int64_t full_began;   /* monotonic: the full look, the looker's */
	int64_t overdue;      /* the deadline that passed without a look */
	bool judge_only;      /* the looker is to judge that, not to look */
	pthread_mutex_t lock;
	/* Under lock. */
	struct names names;
	struct watcher_name *name; /* as many as names has */
	size_t first;		   /* all before it are being looked at */
	int64_t rescan;	   /* monotonic: look at everything, for it is hinted;
			      INT64_MAX: it is not */
	int64_t began;	   /* the look that goes on, or the last one */
	int64_t rested;	   /* no sooner after that one, for a set's sake */
	bool hurry;	   /* nothing joins the look that goes on */
	int64_t next_look; /* monotonic: at everything, whatever is hinted */
	int64_t wake;	   /* monotonic: at what waits until then, of an API */
};

void watcher_init(struct watcher *w, const struct source_config *cfg);
/* The last good look began then, by the wall clock; another process had it. */
void watcher_looked(struct watcher *w, int64_t began);
void watcher_release(struct watcher *w);

/* A name to look at from `due` on; an earlier one stands. */
void
watcher_add(struct watcher *w, const uint8_t *name, size_t len, int64_t due);

/* Look at everything, as for a hint: at once. */
void watcher_rescan(struct watcher *w);

/* Look at what has waited, of an API: at once, or when the wall clock is at. */
void watcher_wake(struct watcher *w);
void watcher_wake_by(struct watcher *w, int64_t wall);

/* Look at everything at `at`, where the schedule has nothing against it. */
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
 * A look: everything (*ret_full), or the names in l that are due; of an API,
 * which has no names, what has waited. While it
 * goes on, watcher_more adds those that have become due, up to WATCHER_LOOK;
 * it has l->more's form. A name is in one look once: who is hinted again
 * meanwhile waits for the next. The end frees the names.
 */
void watcher_begin(struct watcher *w, bool *ret_full, struct pass_list *l);
bool watcher_more(void *watcher, struct pass_list *l);
void watcher_hurry(struct watcher *w); /* somebody waits for its end */
void watcher_end(struct watcher *w, struct pass_list *l);

#endif
