#include "daemon/watcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void
watcher_init(struct watcher *w, const struct source_config *cfg)
{
	*w = (struct watcher){
		.config = cfg,
		.since = clock_wall(),
		.since_mono = clock_mono(),
		.next_look = INT64_MIN,
	};
	pthread_mutex_init(&w->lock, NULL);
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
	for (size_t i = 0; i < w->names; i++)
		free(w->name[i].name);
	free(w->name);
	watch_close(w->watch);
	pthread_mutex_destroy(&w->lock);
}

void
watcher_add(struct watcher *w, const uint8_t *name, size_t len, int64_t due)
{
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->names; i++) {
		struct watcher_name *n = &w->name[i];

		if (n->len == len && memcmp(n->name, name, len) == 0) {
			if (due < n->due)
				n->due = due;
			pthread_mutex_unlock(&w->lock);
			return;
		}
	}
	if (w->names == WATCHER_NAMES) {
		w->rescan = true;
	} else {
		if ((w->names & (w->names + 1)) == 0)
			w->name = mem_resize(
				w->name, 2 * w->names + 1, sizeof(*w->name));
		w->name[w->names++] = (struct watcher_name){
			.name = mem_dup(name, len), .len = len, .due = due};
	}
	pthread_mutex_unlock(&w->lock);
}

void
watcher_rescan(struct watcher *w)
{
	pthread_mutex_lock(&w->lock);
	w->rescan = true;
	pthread_mutex_unlock(&w->lock);
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
	hinted = w->rescan;
	for (size_t i = 0; i < w->names; i++)
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
	due = w->rescan ? INT64_MIN : w->next_look;
	for (size_t i = 0; i < w->names; i++)
		if (w->name[i].due < due)
			due = w->name[i].due;
	pthread_mutex_unlock(&w->lock);
	return due;
}

size_t
watcher_take(struct watcher *w, int64_t now, bool *ret_full,
	struct pass_name **ret_names)
{
	size_t n = 0, kept = 0;

	pthread_mutex_lock(&w->lock);
	*ret_full = w->rescan || w->next_look <= now;
	*ret_names = mem_array(w->names, sizeof(**ret_names));
	for (size_t i = 0; i < w->names; i++) {
		struct watcher_name *x = &w->name[i];

		/* A full look sees them all; they come back if it must be. */
		if (*ret_full)
			free(x->name);
		else if (x->due <= now)
			(*ret_names)[n++] = (struct pass_name){x->name, x->len};
		else
			w->name[kept++] = *x;
	}
	w->names = kept;
	w->rescan = false;
	if (kept == 0) {
		free(w->name);
		w->name = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	return n;
}

void
watcher_names_free(struct pass_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)names[i].name);
	free(names);
}
