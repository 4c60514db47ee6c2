#include "daemon/engine-state.h"

#include <stdlib.h>

#include "base/mem.h"
#include "daemon/set.h"

enum rc
lane_open(struct engine *g, const struct lane_options *o, struct lane **ret,
	struct err *e)
{
	static const struct lane_options none;
	struct lane *l = mem_alloc(sizeof(*l));

	if (o == NULL)
		o = &none;
	l->engine = g;
	l->team = &g->team;
	l->done = o->done;
	l->arg = o->arg;
	l->last_job = &l->job;
	if (catalog_open(g->options.config->state, true, &l->catalog, e) !=
		OK) {
		free(l);
		return err_raise(e, BROKEN);
	}
	if (o->workers > 0) {
		l->team = &l->own;
		team_start(&l->own, g, o->workers);
	}
	*ret = l;
	return OK;
}

static enum rc
failed(const struct engine *g, struct err *e)
{
	if (g->err.code != OK)
		*e = g->err;
	return g->err.code;
}

enum rc
lane_submit(struct lane *l, struct job *j, struct err *e)
{
	struct engine *g = l->engine;
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	while (l->jobs >= LANE_JOBS && g->err.code == OK)
		pthread_cond_wait(&g->has_room, &g->lock);
	rc = failed(g, e);
	if (rc == OK) {
		j->next = NULL;
		j->lane = l;
		*l->last_job = j;
		l->last_job = &j->next;
		if (l->jobs++ == 0)
			team_add(l->team, l);
		l->open++;
		if (j->set != NULL)
			set_expect(j->set);
		g->jobs++;
		l->team->jobs++;
		pthread_cond_signal(&l->team->has_job);
	}
	pthread_mutex_unlock(&g->lock);
	if (rc != OK)
		job_free(j);
	return rc;
}

enum rc
lane_note(struct lane *l, struct delivery *d, struct err *e)
{
	struct engine *g = l->engine;
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	while (g->n_staged >= g->group_max && g->err.code == OK)
		pthread_cond_wait(&g->has_room, &g->lock);
	rc = failed(g, e);
	if (rc == OK) {
		d->owner = l;
		l->open++;
		engine_stage(g, d);
	}
	pthread_mutex_unlock(&g->lock);
	if (rc != OK)
		delivery_free(d);
	return rc;
}

enum rc
lane_wait(struct lane *l, struct err *e)
{
	struct engine *g = l->engine;
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	/*
	 * Workers use their job's source: never return while one is reading.
	 * Nor, after a failure, while the committer has deliveries that know
	 * this lane.
	 */
	while (l->reading > 0 ||
		(g->err.code == OK ? l->open > 0 : g->committing > 0))
		pthread_cond_wait(&g->idle, &g->lock);
	rc = failed(g, e);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

enum rc
lane_write(struct lane *l,
	enum rc (*write)(struct catalog *c, void *arg, struct err *e),
	void *arg, struct err *e)
{
	struct delivery *d = delivery_new(NULL, NULL, 0);

	d->write = write;
	d->write_arg = arg;
	if (lane_note(l, d, e) != OK)
		return e->code;
	return lane_wait(l, e);
}

enum rc
lane_write_later(struct lane *l,
	enum rc (*write)(struct catalog *c, void *arg, struct err *e),
	void *arg, struct err *e)
{
	struct delivery *d = delivery_new(NULL, NULL, 0);

	d->write = write;
	d->write_arg = arg;
	d->write_owned = true;
	return lane_note(l, d, e);
}

enum rc
lane_tell(struct lane *l, const char *source, const uint8_t *name, size_t len,
	const char *line, struct err *e)
{
	struct delivery *d = delivery_new(source, name, len);

	d->line = mem_strdup(line);
	return lane_note(l, d, e);
}

/* What a failed engine never took. Under lock. */
static void
drop_jobs(struct lane *l)
{
	struct engine *g = l->engine;

	team_remove(l->team, l);
	while (l->job != NULL) {
		struct job *j = l->job;

		l->job = j->next;
		g->jobs--;
		l->team->jobs--;
		if (j->set != NULL)
			set_put(g, j->set, NULL);
		job_free(j);
	}
}

void
lane_close(struct lane *l)
{
	struct err ignored = ERR_INIT;

	if (l == NULL)
		return;
	if (lane_wait(l, &ignored) != OK) {
		pthread_mutex_lock(&l->engine->lock);
		if (l->jobs > 0)
			drop_jobs(l);
		pthread_mutex_unlock(&l->engine->lock);
	}
	if (l->team == &l->own)
		team_stop(&l->own);
	catalog_close(l->catalog);
	free(l);
}

struct catalog *
lane_catalog(struct lane *l)
{
	return l->catalog;
}
