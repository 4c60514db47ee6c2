#include "daemon/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/mem.h"
#include "daemon/fetch.h"

#define QUEUE_JOBS 1024 /* names decided, not yet read */
#define GROUP_MAX 4096	/* deliveries in one commit */
#define FDS_SPARE 128	/* descriptors for everything but staged files */

/*
 * While others are still being read, a small group waits this long for
 * company: the syncs cost the same for one as for a thousand.
 */
#define LINGER (20 * CLOCK_SECOND / 1000)
#define GROUP_GOOD 1024

struct engine {
	struct engine_options options;
	int state;     /* directory */
	int spool;     /* directory */
	int lock_file; /* held as long as we live */
	struct commit commit;
	struct catalog *reader;
	struct land_pool *pool;
	struct recovery recovery;
	size_t group_max;
	atomic_uint_fast64_t bytes;

	pthread_t *worker;
	unsigned workers;
	pthread_t committer;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t has_job, has_room, has_staged, idle;
	/* All below: under lock. */
	struct job *job, **last_job;
	size_t jobs;	/* queued */
	size_t reading; /* taken by a worker, not yet staged */
	struct delivery *staged, **last_staged;
	size_t n_staged;
	size_t committing;
	uint64_t done;
	bool stop;
	struct err err; /* the first BROKEN */
};

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
	free(j->name);
	free(j->evidence);
	free(j->previous_file);
	free(j);
}

/* The job brings the version after v. */
static void
follow(struct job *j, const struct catalog_version *v)
{
	j->generation = v->generation;
	j->previous_size = v->size;
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

/* ---- workers ---- */

static void
fail(struct engine *g, const struct err *e)
{
	pthread_mutex_lock(&g->lock);
	if (g->err.code == OK)
		g->err = *e;
	pthread_cond_broadcast(&g->has_job);
	pthread_cond_broadcast(&g->has_room);
	pthread_cond_broadcast(&g->has_staged);
	pthread_cond_broadcast(&g->idle);
	pthread_mutex_unlock(&g->lock);
}

static void
stage(struct engine *g, struct delivery *d)
{
	d->next = NULL;
	*g->last_staged = d;
	g->last_staged = &d->next;
	g->n_staged++;
	pthread_cond_signal(&g->has_staged);
}

static void *
worker_main(void *arg)
{
	struct engine *g = arg;
	const struct fetch_context fetch = {
		.zone = g->commit.zone,
		.pool = g->pool,
		.spool = g->spool,
		.free_space = g->options.config->limits.free_space,
		.bytes = &g->bytes,
	};

	pthread_mutex_lock(&g->lock);
	for (;;) {
		struct job *j = g->job;
		struct delivery *d = NULL;
		struct err e = ERR_INIT;

		if (g->err.code != OK || (j == NULL && g->stop))
			break;
		if (j == NULL || g->n_staged >= g->group_max) {
			pthread_cond_wait(&g->has_job, &g->lock);
			continue;
		}
		g->job = j->next;
		if (g->job == NULL)
			g->last_job = &g->job;
		g->jobs--;
		g->reading++;
		pthread_cond_signal(&g->has_room);
		pthread_mutex_unlock(&g->lock);

		if (fetch_job(&fetch, j, &d, &e) != OK)
			fail(g, &e);
		job_free(j);

		pthread_mutex_lock(&g->lock);
		g->reading--;
		if (d != NULL)
			stage(g, d);
		/* After a failure nobody takes what is staged: say it here. */
		pthread_cond_broadcast(&g->idle);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* ---- the committer ---- */

/* Waits until a group is worth committing; 0: nothing will come any more. */
static size_t
wait_for_group(struct engine *g)
{
	int64_t since = 0;

	for (;;) {
		bool more = g->jobs > 0 || g->reading > 0;
		int64_t now;

		if (g->err.code != OK || (g->n_staged == 0 && g->stop && !more))
			return 0;
		if (g->n_staged == 0) {
			pthread_cond_wait(&g->has_staged, &g->lock);
			since = 0;
			continue;
		}
		if (!more || g->n_staged >= GROUP_GOOD ||
			g->n_staged >= g->group_max)
			return g->n_staged;
		now = clock_mono();
		if (since == 0)
			since = now;
		if (now - since >= LINGER)
			return g->n_staged;
		pthread_mutex_unlock(&g->lock);
		clock_sleep(LINGER / 10);
		pthread_mutex_lock(&g->lock);
	}
}

static void *
committer_main(void *arg)
{
	struct engine *g = arg;
	struct delivery **group = mem_array(GROUP_MAX, sizeof(*group));
	size_t n;

	pthread_mutex_lock(&g->lock);
	while ((n = wait_for_group(g)) > 0) {
		struct err e = ERR_INIT;
		enum rc rc;

		if (n > GROUP_MAX)
			n = GROUP_MAX;
		for (size_t i = 0; i < n; i++) {
			group[i] = g->staged;
			g->staged = g->staged->next;
		}
		if (g->staged == NULL)
			g->last_staged = &g->staged;
		g->n_staged -= n;
		g->committing = n;
		pthread_cond_broadcast(&g->has_job);
		pthread_mutex_unlock(&g->lock);

		rc = commit_group(&g->commit, group, n, &e);
		for (size_t i = 0; i < n; i++) {
			if (rc == OK && g->options.done != NULL)
				g->options.done(g->options.arg, group[i]);
			delivery_free(group[i]);
		}
		if (rc != OK)
			fail(g, &e);

		pthread_mutex_lock(&g->lock);
		g->committing = 0;
		g->done += n;
		pthread_cond_broadcast(&g->idle);
		pthread_cond_broadcast(&g->has_room);
	}
	pthread_mutex_unlock(&g->lock);
	free(group);
	return NULL;
}

/* ---- opening ---- */

/*
 * One landfall on one state directory. The lock dies with the process, so a
 * crash leaves nothing to clean up; the number inside is for humans.
 */
static enum rc
take_lock(struct engine *g, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	const char *state = g->options.config->state;

	if (io_open(g->state, "lock", O_RDWR | O_CREAT, 0600, &g->lock_file,
		    BROKEN, e) != OK)
		return err_add(e, "state directory %s", state);
	if (flock(g->lock_file, LOCK_EX | LOCK_NB) < 0) {
		struct err ignored = ERR_INIT;

		if (errno != EWOULDBLOCK)
			return err_sys(
				e, BROKEN, errno, "%s/lock: flock", state);
		if (io_read_file(g->state, "lock", 64, &text, BROKEN,
			    &ignored) != OK)
			str_clear(&text);
		str_cut(&text, strcspn(text.s, "\n"));
		return err_set(e, BROKEN,
			"another landfall (process %s) is at work on %s: wait "
			"for it or stop it",
			text.len > 0 ? text.s : "unknown", state);
	}
	str_addf(&text, "%ld\n", (long)getpid());
	if (ftruncate(g->lock_file, 0) < 0)
		return err_sys(e, BROKEN, errno, "%s/lock", state);
	if (io_write(g->lock_file, text.s, text.len, BROKEN, e) != OK)
		return err_add(e, "%s/lock", state);
	return OK;
}

/* Staged files stay open until their group is synced: make room for them. */
static void
raise_descriptor_limit(struct engine *g)
{
	struct rlimit r;

	g->group_max = 256;
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
	if (take_lock(g, e) != OK ||
		durable_mkdirs(g->state, "spool", 0700, e) != OK ||
		io_open(g->state, "spool", O_RDONLY | O_DIRECTORY, 0, &g->spool,
			BROKEN, e) != OK ||
		zone_open(c->zone, &g->commit.zone, e) != OK ||
		ledger_open(zone_dir(g->commit.zone), g->state, c->origin,
			&g->commit.ledger, e) != OK)
		return e->code;
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
	if (commit_recover(&g->commit, &g->recovery, e) != OK)
		return err_add(e, "recovery");
	return catalog_open(c->state, true, &g->reader, e);
}

static void
start_threads(struct engine *g)
{
	const struct config *c = g->options.config;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	g->workers = c->limits.workers > 0 ? c->limits.workers
		: cpus > 0		   ? (unsigned)cpus
					   : 1;
	g->pool = land_pool_new(g->workers, c->level);
	g->worker = mem_array(g->workers, sizeof(*g->worker));
	for (unsigned i = 0; i < g->workers; i++)
		if (pthread_create(&g->worker[i], NULL, worker_main, g) != 0)
			abort();
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
	g->last_job = &g->job;
	g->last_staged = &g->staged;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->has_job, NULL);
	pthread_cond_init(&g->has_room, NULL);
	pthread_cond_init(&g->has_staged, NULL);
	pthread_cond_init(&g->idle, NULL);
	raise_descriptor_limit(g);
	if (open_stores(g, e) != OK) {
		engine_close(g);
		return err_raise(e, BROKEN);
	}
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
		pthread_mutex_lock(&g->lock);
		g->stop = true;
		pthread_cond_broadcast(&g->has_job);
		pthread_cond_broadcast(&g->has_staged);
		pthread_mutex_unlock(&g->lock);
		for (unsigned i = 0; i < g->workers; i++)
			pthread_join(g->worker[i], NULL);
		pthread_mutex_lock(&g->lock);
		pthread_cond_broadcast(&g->has_staged);
		pthread_mutex_unlock(&g->lock);
		pthread_join(g->committer, NULL);
	}
	while (g->job != NULL) {
		struct job *j = g->job;

		g->job = j->next;
		job_free(j);
	}
	while (g->staged != NULL) {
		struct delivery *d = g->staged;

		g->staged = d->next;
		delivery_free(d);
	}
	land_pool_free(g->pool);
	catalog_close(g->reader);
	catalog_close(g->commit.catalog);
	ledger_close(g->commit.ledger);
	zone_close(g->commit.zone);
	pthread_cond_destroy(&g->has_job);
	pthread_cond_destroy(&g->has_room);
	pthread_cond_destroy(&g->has_staged);
	pthread_cond_destroy(&g->idle);
	pthread_mutex_destroy(&g->lock);
	free(g->worker);
	io_drop(&g->spool);
	io_drop(&g->state);
	io_drop(&g->lock_file);
	free(g);
}

/* ---- what the submitting thread calls ---- */

static enum rc
failed(struct engine *g, struct err *e)
{
	if (g->err.code != OK)
		*e = g->err;
	return g->err.code;
}

enum rc
engine_submit(struct engine *g, struct job *j, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	while (g->jobs >= QUEUE_JOBS && g->err.code == OK)
		pthread_cond_wait(&g->has_room, &g->lock);
	rc = failed(g, e);
	if (rc == OK) {
		j->next = NULL;
		*g->last_job = j;
		g->last_job = &j->next;
		g->jobs++;
		pthread_cond_signal(&g->has_job);
	}
	pthread_mutex_unlock(&g->lock);
	if (rc != OK)
		job_free(j);
	return rc;
}

enum rc
engine_note(struct engine *g, struct delivery *d, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	while (g->n_staged >= g->group_max && g->err.code == OK)
		pthread_cond_wait(&g->has_room, &g->lock);
	rc = failed(g, e);
	if (rc == OK)
		stage(g, d);
	pthread_mutex_unlock(&g->lock);
	if (rc != OK)
		delivery_free(d);
	return rc;
}

enum rc
engine_drain(struct engine *g, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&g->lock);
	/* Workers use their job's source: never return while one is reading. */
	while (g->reading > 0 ||
		(g->err.code == OK &&
			(g->jobs > 0 || g->n_staged > 0 || g->committing > 0)))
		pthread_cond_wait(&g->idle, &g->lock);
	rc = failed(g, e);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

struct catalog *
engine_catalog(struct engine *g)
{
	return g->reader;
}

enum rc
engine_pass(struct engine *g, const struct catalog_pass *p, struct err *e)
{
	if (catalog_begin(g->commit.catalog, e) != OK)
		return e->code;
	if (catalog_pass_put(g->commit.catalog, p, e) != OK) {
		catalog_abort(g->commit.catalog);
		return e->code;
	}
	return catalog_commit(g->commit.catalog, e);
}

void
engine_progress(struct engine *g, struct engine_progress *ret)
{
	ret->bytes = atomic_load(&g->bytes);
	pthread_mutex_lock(&g->lock);
	ret->done = g->done;
	pthread_mutex_unlock(&g->lock);
}

const struct recovery *
engine_recovery(const struct engine *g)
{
	return &g->recovery;
}

const struct ledger *
engine_ledger(const struct engine *g)
{
	return g->commit.ledger;
}
