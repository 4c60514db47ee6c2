/*
 * What comes from the kernel of a drop that is watched: names to look at once
 * they have been quiet for a moment, or that a full look is due.
 */
#include <sys/epoll.h>

#include "base/log.h"
#include "daemon/daemon-state.h"
#include "daemon/next.h"
#include "landfall/side.h"

static void
take_hint(void *arg, enum watch_hint h, const uint8_t *name, size_t len)
{
	struct watcher *w = arg;

	/* What came is there when it is time. */
	if (next_is_only_then(w->config)) {
		w->lost |= h == WATCH_LOST;
		return;
	}
	if (h == WATCH_NAME) {
		CLEANUP(str_release) struct str base = STR_INIT;
		int64_t due = clock_mono() + DEBOUNCE;

		watcher_add(w, name, len, due);
		/* A side file says something of other names. */
		switch (side_of(w->config, name, len, &base, NULL)) {
		case SIDE_NONE:
			break;
		case SIDE_OF:
			watcher_add(w, (const uint8_t *)base.s, base.len, due);
			break;
		case SIDE_OF_ANY:
			watcher_rescan(w);
			break;
		}
		return;
	}
	watcher_rescan(w);
	w->lost |= h == WATCH_LOST;
}

void
hints_begin(struct daemon *d, struct watcher *w)
{
	const struct source_config *cfg = w->config;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};
	struct err e = ERR_INIT;
	enum rc rc =
		watch_open(cfg->drop.path, cfg->drop.recursive, &w->watch, &e);

	w->lost = false;
	if (rc == OK &&
		epoll_ctl(d->epoll, EPOLL_CTL_ADD, watch_fd(w->watch), &ev) ==
			0)
		return;
	if (rc == OK)
		watch_close(w->watch);
	w->watch = NULL;
	if (rc == BAD_SOURCE && w->failures == 0)
		log_say(LOG_WARNING, "polled", "%s: %s", cfg->name, e.text);
}

void
hints_end(struct daemon *d, struct watcher *w)
{
	if (w->watch == NULL)
		return;
	(void)epoll_ctl(d->epoll, EPOLL_CTL_DEL, watch_fd(w->watch), NULL);
	watch_close(w->watch);
	w->watch = NULL;
}

void
hints_read(struct daemon *d, struct watcher *w)
{
	struct err e = ERR_INIT;

	if (w->watch != NULL && watch_read(w->watch, take_hint, w, &e) != OK) {
		log_say(LOG_WARNING, "watch-failed", "%s: %s", w->config->name,
			e.text);
		w->lost = true;
	}
	if (w->lost)
		hints_end(d, w);
}
