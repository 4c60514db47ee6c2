#include "daemon/engine-state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/mem.h"
#include "daemon/lock.h"
#include "daemon/lumber.h"

#define FDS_SPARE 512 /* descriptors for everything but staged files */

struct job *
job_new(const struct source_config *cfg, const uint8_t *name, size_t name_len)
{
	struct job *j = mem_alloc(sizeof(*j));

	j->config = cfg;
	j->ops = source_ops(cfg->kind);
	j->name = mem_dup(name, name_len);
	j->name_len = name_len;
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n_lineage; i++)
		free(j->lineage[i].name);
	free(j->lineage);
	free(j->name);
	free(j->evidence);
	claims_release(&j->claims);
	free(j->previous_file);
	free(j);
}

void
job_descend(struct job *j, const struct container *c, size_t n)
{
	j->lineage = mem_array(n, sizeof(*j->lineage));
	j->n_lineage = n;
	for (size_t i = 0; i < n; i++) {
		j->lineage[i] = c[i];
		j->lineage[i].name = mem_dup(c[i].name, c[i].name_len);
	}
}

/* The job brings the version after v. */
static void
follow(struct job *j, const struct catalog_version *v)
{
	j->generation = v->generation;
	j->previous_size = v->size;
	if (*v->file != '\0')
		j->previous_file = mem_strdup(v->file);
	memcpy(j->previous_sha256, v->bytes_sha256, HASH_LEN);
}

enum rc
job_know(struct job *j, struct catalog *c, const struct catalog_version *newest,
	struct err *e)
{
	struct catalog_version landed;
	enum rc rc = catalog_shape_find(c, j->config->name, &j->shape, e);

	j->has_shape = rc == OK;
	if (rc != OK && rc != END)
		return rc;
	if (newest->id == 0)
		return OK;
	if (newest->disposition != DISPOSITION_QUARANTINED) {
		follow(j, newest);
		return OK;
	}
	rc = catalog_find_landed(
		c, j->config->name, j->name, j->name_len, &landed, e);
	if (rc == OK)
		follow(j, &landed);
	return rc == END ? OK : rc;
}

/* Staged files stay open until their group is synced: make room for them. */
static void
raise_descriptor_limit(struct engine *g)
{
	struct rlimit r;

	g->group_max = 1;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	if (r.rlim_cur < GROUP_MAX + FDS_SPARE) {
		struct rlimit more = r;

		more.rlim_cur = GROUP_MAX + FDS_SPARE;
		if (more.rlim_cur > r.rlim_max)
			more.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			r = more;
	}
	/* Half for the group being committed, half for the next. */
	if (r.rlim_cur > 2 * FDS_SPARE)
		g->group_max = (r.rlim_cur - FDS_SPARE) / 2;
	else
		g->group_max = r.rlim_cur / 8 + 1; /* slow, but it works */
}

static enum rc
open_stores(struct engine *g, struct err *e)
{
	const struct config *c = g->options.config;

	if (io_open(AT_FDCWD, c->state, O_RDONLY | O_DIRECTORY, 0, &g->state,
		    BROKEN, e) != OK)
		return err_add(e,
			"state directory (has `landfall init` been "
			"run?)");
	if (lock_take(g->state, c->state, &g->lock_file, e) != OK)
		return e->code;
	if (durable_mkdirs(g->state, "spool", 0700, e) != OK ||
		io_open(g->state, "spool", O_RDONLY | O_DIRECTORY, 0, &g->spool,
			BROKEN, e) != OK)
		return err_add(e, "state directory %s", c->state);
	if (zone_open(c->zone, &g->commit.zone, e) != OK)
		return e->code;
	if (ledger_open(zone_dir(g->commit.zone), g->state, c->origin,
		    &g->commit.ledger, e) != OK)
		return err_add(e, "ledger of zone %s", c->zone);
	switch (catalog_open(c->state, ledger_size(g->commit.ledger) == 0,
		&g->commit.catalog, e)) {
	case OK:
		break;
	case END:
		return err_set(e, BROKEN,
			"%s/catalog.db is missing, but the zone's ledger has "
			"%llu entries: run `landfall catalog rebuild`",
			c->state,
			(unsigned long long)ledger_size(g->commit.ledger));
	default:
		return e->code;
	}
	g->room.zone = g->commit.zone;
	g->room.state = g->state;
	if (commit_recover(&g->commit, &g->recovery, e) != OK)
		return err_add(e, "recovery");
	return OK;
}

static void
start_threads(struct engine *g)
{
	const struct config *c = g->options.config;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned workers;

	workers = c->limits.workers > 0 ? c->limits.workers
		: cpus > 0		? (unsigned)cpus
					: 1;
	g->pool = land_pool_new(workers, c->level);
	team_start(&g->team, g, workers);
	if (pthread_create(&g->committer, NULL, committer_main, g) != 0)
		abort();
	g->started = true;
}

enum rc
engine_open(const struct engine_options *o, struct engine **ret, struct err *e)
{
	struct engine *g = mem_alloc(sizeof(*g));

	g->options = *o;
	g->state = g->spool = g->lock_file = -1;
	g->last_staged = &g->staged;
	g->last_errand = &g->errand;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->has_room, NULL);
	pthread_cond_init(&g->has_staged, NULL);
	pthread_cond_init(&g->idle, NULL);
	pthread_cond_init(&g->errand_done, NULL);
	room_init(&g->room, NULL, -1, o->config->limits.free_space);
	raise_descriptor_limit(g);
	if (open_stores(g, e) != OK) {
		engine_close(g);
		return err_raise(e, BROKEN);
	}
	lumber_clear(g->spool, o->config);
	start_threads(g);
	*ret = g;
	return OK;
}

void
engine_close(struct engine *g)
{
	if (g == NULL)
		return;
	if (g->started) {
		team_stop(&g->team);
		pthread_mutex_lock(&g->lock);
		g->stop = true;
		pthread_cond_broadcast(&g->has_staged);
		pthread_mutex_unlock(&g->lock);
		pthread_join(g->committer, NULL);
	}
	while (g->staged != NULL) {
		struct delivery *d = g->staged;

		g->staged = d->next;
		delivery_free(d);
	}
	land_pool_free(g->pool);
	catalog_close(g->commit.catalog);
	ledger_close(g->commit.ledger);
	zone_close(g->commit.zone);
	pthread_cond_destroy(&g->has_room);
	pthread_cond_destroy(&g->has_staged);
	pthread_cond_destroy(&g->idle);
	pthread_cond_destroy(&g->errand_done);
	pthread_mutex_destroy(&g->lock);
	room_release(&g->room);
	io_drop(&g->spool);
	io_drop(&g->state);
	io_drop(&g->lock_file);
	free(g);
}

void
engine_configure(struct engine *g, const struct config *c)
{
	pthread_mutex_lock(&g->lock);
	g->options.config = c;
	room_configure(&g->room, c->limits.free_space);
	pthread_mutex_unlock(&g->lock);
}

void
engine_progress(struct engine *g, struct engine_progress *ret)
{
	ret->bytes = atomic_load(&g->bytes);
	ret->members = atomic_load(&g->members);
	pthread_mutex_lock(&g->lock);
	ret->done = g->done;
	ret->queued = g->jobs;
	ret->reading = g->reading;
	ret->reading_bytes = g->reading_bytes;
	ret->staged = g->n_staged + g->committing;
	pthread_mutex_unlock(&g->lock);
}

size_t
engine_files(
	struct engine *g, int64_t longer, struct engine_file *ret, size_t max)
{
	int64_t now = clock_mono();
	size_t n = 0;

	pthread_mutex_lock(&g->lock);
	for (const struct reading *r = g->readings; r != NULL && n < max;
		r = r->next) {
		const struct job *j = r->job;
		struct engine_file *f = &ret[n];

		if (now - r->since < longer)
			continue;
		*f = (struct engine_file){.source = mem_strdup(j->config->name),
			.name = STR_INIT,
			.size = j->signature.size,
			.bytes = atomic_load(&r->bytes)};
		str_add_percent(
			&f->name, (const char *)j->name, j->name_len, "/");
		/* What was read twice is still no more than there is. */
		if (f->bytes > f->size)
			f->bytes = f->size;
		n++;
	}
	pthread_mutex_unlock(&g->lock);
	return n;
}

enum rc
engine_catalog(struct engine *g, struct catalog **ret, struct err *e)
{
	enum rc rc = catalog_open(g->options.config->state, false, ret, e);

	return rc == OK ? OK : err_raise(e, BROKEN);
}

int
engine_state_dir(const struct engine *g)
{
	return g->state;
}

const char *
engine_zone_path(const struct engine *g)
{
	return g->options.config->zone;
}

uint64_t
engine_spool_limit(struct engine *g)
{
	uint64_t limit;

	pthread_mutex_lock(&g->lock);
	limit = g->options.config->limits.spool;
	pthread_mutex_unlock(&g->lock);
	return limit;
}

struct room *
engine_room(struct engine *g)
{
	return &g->room;
}

const struct recovery *
engine_recovery(const struct engine *g)
{
	return &g->recovery;
}
