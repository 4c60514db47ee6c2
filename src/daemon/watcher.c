#include "daemon/watcher.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "landfall/side.h"

/* Hints that make everything be looked at come this many times rarer. */
#define REST 9
#define REST_MOST (60 * CLOCK_SECOND)

void
watcher_init(struct watcher *w, const struct source_config *cfg)
{
	*w = (struct watcher){
		.config = cfg,
		.since = clock_wall(),
		.since_mono = clock_mono(),
		.rests = STR_INIT,
		.names = NAMES_INIT(WATCHER_NAMES, WATCHER_BYTES),
		.next_look = INT64_MIN,
		.rescan = INT64_MAX,
		.wake = INT64_MAX,
		.rested = INT64_MIN,
	};
	pthread_mutex_init(&w->lock, NULL);
}

/* Under lock. */
static void
forget_names(struct watcher *w)
{
	names_release(&w->names);
	free(w->name);
	w->name = NULL;
	w->first = 0;
}

void
watcher_looked(struct watcher *w, int64_t began)
{
	int64_t ago = clock_wall() - began;

	w->looked = true;
	w->since = began;
	w->since_mono = clock_mono() - (ago > 0 ? ago : 0);
}

void
watcher_release(struct watcher *w)
{
	forget_names(w);
	watch_close(w->watch);
	rate_release(&w->rate);
	str_release(&w->rests);
	pthread_mutex_destroy(&w->lock);
}

/* Look at everything then, or before. Under lock. */
static void
rescan(struct watcher *w, int64_t due)
{
	if (due < w->rescan)
		w->rescan = due;
}

/* Under lock. */
static void
add(struct watcher *w, const uint8_t *name, size_t len, int64_t due)
{
	/* One of a set is judged with all of it, by looking at everything. */
	if (side_manifest(w->config) != NULL) {
		rescan(w, due > w->rested ? due : w->rested);
		return;
	}
	size_t n = w->names.n, cap = w->names.cap;
	size_t i = names_put(&w->names, name, len);

	if (w->names.cap != cap)
		w->name = mem_resize(w->name, w->names.cap, sizeof(*w->name));
	if (i == NAMES_FULL)
		rescan(w, INT64_MIN);
	else if (i == n)
		w->name[i] = (struct watcher_name){.due = due};
	else if (due < w->name[i].due)
		w->name[i].due = due;
}

void
watcher_add(struct watcher *w, const uint8_t *name, size_t len, int64_t due)
{
	pthread_mutex_lock(&w->lock);
	add(w, name, len, due);
	pthread_mutex_unlock(&w->lock);
}

void
watcher_rescan(struct watcher *w)
{
	pthread_mutex_lock(&w->lock);
	rescan(w, INT64_MIN);
	pthread_mutex_unlock(&w->lock);
}

static void
wake_at(struct watcher *w, int64_t at)
{
	pthread_mutex_lock(&w->lock);
	if (at < w->wake)
		w->wake = at;
	pthread_mutex_unlock(&w->lock);
}

void
watcher_wake(struct watcher *w)
{
	wake_at(w, INT64_MIN);
}

void
watcher_wake_by(struct watcher *w, int64_t wall)
{
	int64_t left = wall - clock_wall();

	wake_at(w, clock_mono() + (left > 0 ? left : 0));
}

void
watcher_plan(struct watcher *w, int64_t at)
{
	pthread_mutex_lock(&w->lock);
	w->next_look = at;
	pthread_mutex_unlock(&w->lock);
}

void
watcher_plan_by(struct watcher *w, int64_t at)
{
	pthread_mutex_lock(&w->lock);
	if (at < w->next_look)
		w->next_look = at;
	pthread_mutex_unlock(&w->lock);
}

bool
watcher_is_planned(struct watcher *w, int64_t now)
{
	bool hinted;

	pthread_mutex_lock(&w->lock);
	hinted = w->rescan <= now || w->wake <= now;
	for (size_t i = 0; i < w->names.n; i++)
		hinted |= w->name[i].due <= now;
	pthread_mutex_unlock(&w->lock);
	return !hinted;
}

int64_t
watcher_planned(struct watcher *w)
{
	int64_t at;

	pthread_mutex_lock(&w->lock);
	at = w->next_look;
	pthread_mutex_unlock(&w->lock);
	return at;
}

int64_t
watcher_due(struct watcher *w)
{
	int64_t due;

	pthread_mutex_lock(&w->lock);
	due = w->rescan < w->next_look ? w->rescan : w->next_look;
	if (w->wake < due)
		due = w->wake;
	for (size_t i = 0; i < w->names.n; i++)
		if (w->name[i].due < due)
			due = w->name[i].due;
	pthread_mutex_unlock(&w->lock);
	return due;
}

/* Adds to l what is due; true: something was. Under lock. */
static bool
take_due(struct watcher *w, struct pass_list *l)
{
	int64_t now = clock_mono();
	size_t before = l->n;

	l->name = mem_resize(
		l->name, l->n + w->names.n - w->first, sizeof(*l->name));
	for (size_t i = w->first; i < w->names.n && l->n < WATCHER_LOOK; i++) {
		struct watcher_name *x = &w->name[i];
		const uint8_t *name;
		size_t len;

		if (x->looking || x->due > now)
			continue;
		*x = (struct watcher_name){.due = INT64_MAX, .looking = true};
		name = names_at(&w->names, i, &len);
		l->name[l->n++] = (struct pass_name){mem_dup(name, len), len};
	}
	while (w->first < w->names.n && w->name[w->first].looking)
		w->first++;
	return l->n > before;
}

void
watcher_begin(struct watcher *w, bool *ret_full, struct pass_list *l)
{
	*l = (struct pass_list){.more = watcher_more, .arg = w};
	pthread_mutex_lock(&w->lock);
	w->began = clock_mono();
	*ret_full = w->rescan <= w->began || w->next_look <= w->began;
	/* A full look sees them all; they come back if it must be. */
	if (*ret_full) {
		forget_names(w);
		w->rescan = INT64_MAX;
	} else {
		(void)take_due(w, l);
	}
	if (*ret_full || w->wake <= w->began)
		w->wake = INT64_MAX;
	w->hurry = false;
	pthread_mutex_unlock(&w->lock);
}

bool
watcher_more(void *watcher, struct pass_list *l)
{
	struct watcher *w = watcher;
	bool more;

	pthread_mutex_lock(&w->lock);
	more = w->rescan > clock_mono() && !w->hurry && w->first < w->names.n &&
		take_due(w, l);
	pthread_mutex_unlock(&w->lock);
	return more;
}

void
watcher_hurry(struct watcher *w)
{
	pthread_mutex_lock(&w->lock);
	w->hurry = true;
	pthread_mutex_unlock(&w->lock);
}

void
watcher_end(struct watcher *w, struct pass_list *l)
{
	struct names old;
	struct watcher_name *name;
	int64_t now = clock_mono();

	pthread_mutex_lock(&w->lock);
	w->rested = now + REST * (now - w->began);
	if (w->rested > now + REST_MOST)
		w->rested = now + REST_MOST;
	old = w->names;
	name = w->name;
	w->names = (struct names)NAMES_INIT(old.max, old.bytes_max);
	w->name = NULL;
	w->first = 0;
	for (size_t i = 0; i < old.n; i++) {
		size_t len;
		const uint8_t *p = names_at(&old, i, &len);

		if (name[i].due != INT64_MAX)
			add(w, p, len, name[i].due);
	}
	pthread_mutex_unlock(&w->lock);
	names_release(&old);
	free(name);
	for (size_t i = 0; i < l->n; i++)
		free((void *)(uintptr_t)l->name[i].name);
	free(l->name);
	l->name = NULL;
	l->n = 0;
}
