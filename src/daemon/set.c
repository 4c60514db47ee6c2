#include "daemon/set.h"

#include <stdlib.h>

#include "base/io.h"
#include "base/mem.h"
#include "daemon/engine-state.h"

struct set {
	char *what;
	/* All below: under the engine's lock, until nobody else has it. */
	bool closed;
	size_t open; /* submitted, not yet read */
	size_t n;
	struct delivery *first, **last;
	char *spoiled; /* why; NULL: all is well so far */
	bool lost;     /* one could not be had: the others need not be read */
	struct delivery *note; /* what is true once all have landed, or NULL */
};

struct set *
set_new(const char *what)
{
	struct set *s = mem_alloc(sizeof(*s));

	s->what = mem_strdup(what);
	s->last = &s->first;
	return s;
}

static void
set_free(struct set *s)
{
	free(s->spoiled);
	free(s->what);
	free(s);
}

/* Of an archive: all that it brings, and the archive, which has no file. */
static bool
is_good(const struct delivery *d)
{
	return (d->staged || d->recorded || d->member ||
		       d->disposition == DISPOSITION_DUPLICATE) &&
		!d->quarantine;
}

/* The first member that is not good; by order of coming. */
static const struct delivery *
find_bad(const struct set *s)
{
	for (const struct delivery *d = s->first; d != NULL; d = d->next)
		if (!is_good(d))
			return d;
	return NULL;
}

static void
add_why(struct str *why, const struct set *s, const struct delivery *bad)
{
	str_addf(why, "%s lands as a whole or not at all", s->what);
	if (s->spoiled != NULL) {
		str_addf(why, ": %s", s->spoiled);
		return;
	}
	str_add(why, ", and ");
	str_add_quoted(why, bad->name, bad->name_len);
	str_addf(why, " is %s", bad->staged ? "quarantined" : "not there");
	if (bad->reason != NULL)
		str_addf(why, ": %s", bad->reason);
}

/*
 * None of it lands. What is wrong with a member itself stays: what is to be
 * quarantined is, and what could not be read says why.
 */
static void
give_up(struct engine *g, struct set *s, const struct delivery *bad)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	add_why(&why, s, bad);
	for (struct delivery *d = s->first; d != NULL; d = d->next) {
		d->container = NULL;
		if (!is_good(d) && d->reason != NULL)
			continue;
		if (d->staged)
			zone_unstage(g->commit.zone, d->stage);
		io_drop(&d->fd);
		d->staged = d->recorded = d->unpacked = d->is_again = false;
		d->tried = false;
		d->disposition = DISPOSITION_PENDING;
		free(d->reason);
		d->reason = mem_strdup(why.s);
	}
	if (s->note == NULL)
		return;
	s->note->disposition = DISPOSITION_PENDING;
	free(s->note->reason);
	s->note->reason = mem_strdup(why.s);
}

static void
add(struct set *s, struct delivery *d)
{
	d->next = NULL;
	*s->last = d;
	s->last = &d->next;
	s->n++;
}

/* Members of an archive that does not land are forgotten. Under lock. */
static bool
forget(struct delivery *d)
{
	struct lane *l = d->owner;

	if (!d->member || d->disposition != DISPOSITION_PENDING)
		return false;
	l->open--;
	delivery_free(d);
	return true;
}

/* All are there: to the committer with them. Nobody else has the set now. */
static void
end(struct engine *g, struct set *s)
{
	const struct delivery *bad;
	struct delivery *d;

	pthread_mutex_unlock(&g->lock);
	bad = find_bad(s);
	if (bad != NULL || s->spoiled != NULL)
		give_up(g, s, bad);
	if (s->note != NULL)
		add(s, s->note);
	if (bad == NULL && s->spoiled == NULL && s->first != NULL)
		s->first->together = s->n;
	pthread_mutex_lock(&g->lock);
	while ((d = s->first) != NULL) {
		s->first = d->next;
		if (!forget(d))
			engine_stage(g, d);
	}
	set_free(s);
}

void
set_spoil(struct lane *l, struct set *s, const char *why)
{
	struct engine *g = l->engine;

	pthread_mutex_lock(&g->lock);
	if (s->spoiled == NULL)
		s->spoiled = mem_strdup(why);
	pthread_mutex_unlock(&g->lock);
}

void
set_close(struct lane *l, struct set *s)
{
	struct engine *g = l->engine;

	if (s == NULL)
		return;
	pthread_mutex_lock(&g->lock);
	s->closed = true;
	if (s->open == 0)
		end(g, s);
	pthread_mutex_unlock(&g->lock);
}

enum rc
set_conclude(
	struct lane *l, struct set *s, struct delivery *note, struct err *e)
{
	struct engine *g = l->engine;
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	rc = g->err.code;
	if (rc == OK) {
		note->owner = l;
		l->open++;
		s->note = note;
	} else {
		*e = g->err;
		delivery_free(note);
	}
	s->closed = true;
	if (s->open == 0)
		end(g, s);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

bool
set_is_lost(const struct set *s)
{
	return s->lost || s->spoiled != NULL;
}

void
set_expect(struct set *s)
{
	s->open++;
}

void
set_put(struct engine *g, struct set *s, struct delivery *d)
{
	s->open--;
	while (d != NULL) {
		struct delivery *next = d->next;

		/* Of an archive: its members, and the archive. */
		s->lost |= !d->staged && !is_good(d);
		add(s, d);
		d = next;
	}
	if (s->closed && s->open == 0)
		end(g, s);
}
