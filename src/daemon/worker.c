/*
 * The engine's threads: workers take jobs from the lanes in turn and stage
 * what they read; the committer makes groups of it true.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "daemon/crew.h"
#include "daemon/engine-state.h"
#include "daemon/fetch.h"
#include "daemon/set.h"

/*
 * While others are still being read, a small group waits this long for
 * company: the syncs cost the same for one as for a thousand.
 */
#define LINGER (20 * CLOCK_SECOND / 1000)
#define GROUP_GOOD 1024

void
engine_fail(struct engine *g, const struct err *e)
{
	pthread_mutex_lock(&g->lock);
	if (g->err.code == OK)
		g->err = *e;
	team_wake_all(g);
	pthread_cond_broadcast(&g->has_room);
	pthread_cond_broadcast(&g->has_staged);
	pthread_cond_broadcast(&g->idle);
	pthread_mutex_unlock(&g->lock);
}

void
engine_stage(struct engine *g, struct delivery *d)
{
	d->next = NULL;
	*g->last_staged = d;
	g->last_staged = &d->next;
	g->n_staged++;
	pthread_cond_signal(&g->has_staged);
}

static struct job *
take_job(struct team *t)
{
	struct engine *g = t->engine;
	struct job *j = team_take(t);

	j->lane->reading++;
	g->jobs--;
	g->reading++;
	g->reading_bytes += j->signature.size;
	return j;
}

static void
begin_reading(struct engine *g, struct reading *r, const struct job *j)
{
	r->job = j;
	r->since = clock_mono();
	atomic_store(&r->bytes, 0);
	r->next = g->readings;
	g->readings = r;
}

static void
end_reading(struct engine *g, const struct reading *r)
{
	struct reading **at = &g->readings;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
}

/* A set may have more members than we may have descriptors. */
static enum rc
close_staged(struct delivery *d, struct err *e)
{
	for (; d != NULL; d = d->next)
		if (d->fd >= 0 && io_close(&d->fd, BROKEN, e) != OK)
			return err_add(e, "zone: staged file");
	return OK;
}

/*
 * What came of a job of this lane: to the committer, what belongs together in
 * one group. Under lock.
 */
static void
stage_all(struct lane *l, struct set *set, struct delivery *d)
{
	struct engine *g = l->engine;
	struct delivery *next;
	size_t n = 0;

	for (struct delivery *x = d; x != NULL; x = x->next, n++)
		x->owner = l;
	if (n > 1)
		l->open += n - 1;
	if (set != NULL) {
		set_put(g, set, d);
		return;
	}
	if (n > 1)
		d->together = n;
	for (; d != NULL; d = next) {
		next = d->next;
		engine_stage(g, d);
	}
}

/* Our own trouble: while what was read? */
static enum rc
say_which(const struct job *j, struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;

	str_add_quoted(&name, j->name, j->name_len);
	return err_add(e, "%s: %s", j->config->name, name.s);
}

/* It would be read in vain: its set does not land. */
static struct delivery *
pass_over(const struct job *j)
{
	struct delivery *d =
		delivery_new(j->config->name, j->name, j->name_len);

	d->signature = j->signature;
	d->disposition = DISPOSITION_PENDING;
	return d;
}

void *
worker_main(void *arg)
{
	struct team *t = arg;
	struct engine *g = t->engine;
	struct reading reading = {.job = NULL};
	struct fetch_context fetch = {
		.engine = g,
		.zone = g->commit.zone,
		.pool = g->pool,
		.spool = g->spool,
		.bytes = &g->bytes,
		.own = &reading.bytes,
		.members = &g->members,
		.room = &g->room,
	};

	pthread_mutex_lock(&g->lock);
	for (;;) {
		struct delivery *d = NULL;
		struct err e = ERR_INIT;
		struct lane *l;
		struct job *j;
		uint64_t size;
		struct set *set;
		bool vain;

		if (g->err.code != OK || (t->jobs == 0 && t->stop))
			break;
		if (crew_help(g, &fetch))
			continue;
		if (t->jobs == 0 || g->n_staged >= g->group_max) {
			pthread_cond_wait(&t->has_job, &g->lock);
			continue;
		}
		j = take_job(t);
		begin_reading(g, &reading, j);
		l = j->lane;
		size = j->signature.size;
		set = j->set;
		vain = set != NULL && set_is_lost(set);
		/* Not for every job: the two would take turns ever after. */
		if (l->jobs == LANE_LOW)
			pthread_cond_broadcast(&g->has_room);
		pthread_mutex_unlock(&g->lock);

		if (vain)
			d = pass_over(j);
		else if (fetch_job(&fetch, j, &d, &e) != OK ||
			(set != NULL && close_staged(d, &e) != OK)) {
			(void)say_which(j, &e);
			engine_fail(g, &e);
		}

		pthread_mutex_lock(&g->lock);
		end_reading(g, &reading);
		job_free(j);
		stage_all(l, set, d);
		g->reading--;
		g->reading_bytes -= size;
		l->reading--;
		/* After a failure nobody takes what is staged: say it here. */
		if (l->reading == 0)
			pthread_cond_broadcast(&g->idle);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* Waits until a group is worth committing; false: nothing will come any more.
 */
static bool
wait_for_group(struct engine *g)
{
	int64_t since = 0;

	for (;;) {
		bool more = g->jobs > 0 || g->reading > 0;
		int64_t now;

		if (g->err.code != OK || (g->n_staged == 0 && g->stop && !more))
			return false;
		if (g->n_staged == 0) {
			pthread_cond_wait(&g->has_staged, &g->lock);
			since = 0;
			continue;
		}
		if (!more || g->n_staged >= GROUP_GOOD ||
			g->n_staged >= g->group_max)
			return true;
		now = clock_mono();
		if (since == 0)
			since = now;
		if (now - since >= LINGER)
			return true;
		pthread_mutex_unlock(&g->lock);
		clock_sleep(LINGER / 10);
		pthread_mutex_lock(&g->lock);
	}
}

/*
 * Up to GROUP_MAX staged deliveries, oldest first; a set is never divided and
 * may be more. The caller frees the group. Under lock.
 */
static size_t
take_group(struct engine *g, struct delivery ***ret_group)
{
	struct delivery **group, *d = g->staged;
	size_t n = 0;

	while (d != NULL) {
		size_t unit = d->together > 0 ? d->together : 1;

		if (n > 0 && n + unit > GROUP_MAX)
			break;
		n += unit;
		while (unit-- > 0)
			d = d->next;
	}
	group = mem_array(n, sizeof(*group));
	for (size_t i = 0; i < n; i++) {
		group[i] = g->staged;
		g->staged = g->staged->next;
	}
	if (g->staged == NULL)
		g->last_staged = &g->staged;
	g->n_staged -= n;
	g->committing = n;
	*ret_group = group;
	return n;
}

/* What the catalog alone knows of: passes, marks, lines of stories. */
static enum rc
record_others(
	struct engine *g, struct delivery **group, size_t n, struct err *e)
{
	struct catalog *c = g->commit.catalog;

	if (catalog_begin(c, e) != OK)
		return e->code;
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = group[i];
		enum rc rc = d->write != NULL
			? d->write(c, d->write_arg, e)
			: catalog_tell(c, d->source, d->name, d->name_len,
				  clock_wall(), d->line, e);

		if (rc == OK)
			continue;
		catalog_abort(c);
		return rc == END ? err_set(e, BROKEN, "catalog: a name is gone")
				 : rc;
	}
	return catalog_commit(c, e);
}

static bool
is_other(const struct delivery *d)
{
	return d->write != NULL || d->line != NULL;
}

/* Deliveries first, then what comes of them. */
static enum rc
commit_all(struct engine *g, struct delivery **group, size_t n, struct err *e)
{
	struct delivery **others = mem_array(n, sizeof(*others));
	struct delivery **landings = mem_array(n, sizeof(*landings));
	size_t n_others = 0, n_landings = 0;
	enum rc rc = OK;

	for (size_t i = 0; i < n; i++) {
		if (is_other(group[i]))
			others[n_others++] = group[i];
		else
			landings[n_landings++] = group[i];
	}
	if (n_landings > 0)
		rc = commit_group(&g->commit, landings, n_landings, e);
	if (rc == OK && n_others > 0)
		rc = record_others(g, others, n_others, e);
	free(landings);
	free(others);
	return rc;
}

void *
committer_main(void *arg)
{
	struct engine *g = arg;

	pthread_mutex_lock(&g->lock);
	while (wait_for_group(g)) {
		struct err e = ERR_INIT;
		struct delivery **group;
		size_t n = take_group(g, &group);
		enum rc rc;

		team_wake_all(g);
		pthread_mutex_unlock(&g->lock);

		rc = commit_all(g, group, n, &e);
		if (rc != OK)
			engine_fail(g, &e);
		for (size_t i = 0; i < n && rc == OK; i++) {
			const struct lane *l = group[i]->owner;

			if (l->done != NULL && !is_other(group[i]))
				l->done(l->arg, group[i]);
		}

		pthread_mutex_lock(&g->lock);
		g->committing = 0;
		g->done += n;
		for (size_t i = 0; i < n; i++) {
			struct lane *l = group[i]->owner;

			l->open--;
			delivery_free(group[i]);
		}
		free(group);
		pthread_cond_broadcast(&g->idle);
		pthread_cond_broadcast(&g->has_room);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}
