#include "source/drop/watch-dirs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/mem.h"

#define BUCKETS_MIN 64

void
watch_dirs_release(struct watch_dirs *d)
{
	for (size_t i = 0; i < d->n_buckets; i++)
		while (d->bucket[i] != NULL) {
			struct watch_dir *w = d->bucket[i];

			d->bucket[i] = w->next;
			free(w);
		}
	free(d->bucket);
	*d = (struct watch_dirs){0};
}

/* The kernel counts descriptors up: they spread by themselves. */
static struct watch_dir **
bucket_of(const struct watch_dirs *d, int wd)
{
	return &d->bucket[(size_t)wd & (d->n_buckets - 1)];
}

/* Where the pointer to it stands, or NULL. */
static struct watch_dir **
place_of(const struct watch_dirs *d, int wd)
{
	struct watch_dir **at;

	if (d->n_buckets == 0)
		return NULL;
	for (at = bucket_of(d, wd); *at != NULL; at = &(*at)->next)
		if ((*at)->wd == wd)
			return at;
	return NULL;
}

const struct watch_dir *
watch_dirs_find(const struct watch_dirs *d, int wd)
{
	struct watch_dir **at = place_of(d, wd);

	return at != NULL ? *at : NULL;
}

int
watch_dirs_at(const struct watch_dirs *d, const char *path)
{
	for (size_t i = 0; i < d->n_buckets; i++)
		for (const struct watch_dir *w = d->bucket[i]; w != NULL;
			w = w->next)
			if (strcmp(w->path, path) == 0)
				return w->wd;
	return -1;
}

static void
grow(struct watch_dirs *d)
{
	struct watch_dirs more = {
		.n_buckets = d->n_buckets > 0 ? 2 * d->n_buckets : BUCKETS_MIN,
		.n = d->n,
	};

	more.bucket = mem_array(more.n_buckets, sizeof(struct watch_dir *));
	for (size_t i = 0; i < d->n_buckets; i++)
		while (d->bucket[i] != NULL) {
			struct watch_dir *w = d->bucket[i];
			struct watch_dir **to = bucket_of(&more, w->wd);

			d->bucket[i] = w->next;
			w->next = *to;
			*to = w;
		}
	free(d->bucket);
	*d = more;
}

static void
remove_at(struct watch_dirs *d, struct watch_dir **at)
{
	struct watch_dir *w = *at;

	*at = w->next;
	free(w);
	d->n--;
}

bool
watch_dirs_put(struct watch_dirs *d, int wd, const char *path, size_t len,
	unsigned round)
{
	struct watch_dir **at = place_of(d, wd), *w;

	if (at != NULL && (*at)->len == len &&
		memcmp((*at)->path, path, len) == 0) {
		(*at)->round = round;
		return false;
	}
	if (at != NULL)
		remove_at(d, at);
	if (d->n >= d->n_buckets)
		grow(d);
	w = mem_alloc(sizeof(*w) + len + 1);
	w->wd = wd;
	w->round = round;
	w->len = len;
	memcpy(w->path, path, len);
	at = bucket_of(d, wd);
	w->next = *at;
	*at = w;
	d->n++;
	return true;
}

void
watch_dirs_drop(struct watch_dirs *d, int wd)
{
	struct watch_dir **at = place_of(d, wd);

	if (at != NULL)
		remove_at(d, at);
}

static bool
is_at_or_below(const struct watch_dir *w, const char *path, size_t len)
{
	return w->len >= len && memcmp(w->path, path, len) == 0 &&
		(w->len == len || w->path[len] == '/');
}

/* path NULL: by round. */
static void
forget(struct watch_dirs *d, int inotify, const char *path, size_t len,
	unsigned round)
{
	for (size_t i = 0; i < d->n_buckets; i++)
		for (struct watch_dir **at = &d->bucket[i]; *at != NULL;) {
			const struct watch_dir *w = *at;

			if (path != NULL ? !is_at_or_below(w, path, len)
					 : w->round == round) {
				at = &(*at)->next;
				continue;
			}
			/* Fails when the directory went meanwhile. */
			(void)inotify_rm_watch(inotify, w->wd);
			remove_at(d, at);
		}
}

void
watch_dirs_forget(
	struct watch_dirs *d, int inotify, const char *path, size_t len)
{
	forget(d, inotify, path, len, 0);
}

void
watch_dirs_forget_older(struct watch_dirs *d, int inotify, unsigned round)
{
	forget(d, inotify, NULL, 0, round);
}
