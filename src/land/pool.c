#include "land/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"

struct context {
	struct context *next;
	ZSTD_CCtx *zstd;
};

struct land_pool {
	int level;
	unsigned threads;
	pthread_t *thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* All below: under lock. */
	bool stop;
	struct task *first, **last; /* to be compressed, oldest first */
	struct task *spare;
	struct context *idle;
};

static struct context *
context_take(struct land_pool *p)
{
	struct context *c;

	pthread_mutex_lock(&p->lock);
	c = p->idle;
	if (c != NULL)
		p->idle = c->next;
	pthread_mutex_unlock(&p->lock);
	if (c != NULL)
		return c;
	c = mem_alloc(sizeof(*c));
	c->zstd = ZSTD_createCCtx();
	if (c->zstd == NULL)
		abort();
	ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, p->level);
	ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_contentSizeFlag, 1);
	return c;
}

static void
context_give(struct land_pool *p, struct context *c)
{
	pthread_mutex_lock(&p->lock);
	c->next = p->idle;
	p->idle = c;
	pthread_mutex_unlock(&p->lock);
}

void
pool_compress(struct land_pool *p, struct task *t)
{
	struct context *c = context_take(p);

	t->out_len = ZSTD_compress2(c->zstd, t->out,
		ZSTD_compressBound(FORMAT_FRAME_TARGET), t->raw, t->raw_len);
	/* The bound holds and the parameters are ours: only no memory fails. */
	if (ZSTD_isError(t->out_len)) {
		fprintf(stderr, "landfall: zstd: %s\n",
			ZSTD_getErrorName(t->out_len));
		abort();
	}
	context_give(p, c);
}

static void *
pool_main(void *arg)
{
	struct land_pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct task *t = p->first;

		if (t == NULL) {
			if (p->stop)
				break;
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		p->first = t->next;
		if (p->first == NULL)
			p->last = &p->first;
		pthread_mutex_unlock(&p->lock);
		pool_compress(p, t);
		land_frame_done(t);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct land_pool *
land_pool_new(unsigned threads, int level)
{
	struct land_pool *p = mem_alloc(sizeof(*p));

	p->level = level;
	p->threads = threads;
	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->thread = mem_array(threads, sizeof(*p->thread));
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&p->thread[i], NULL, pool_main, p) != 0)
			abort();
	return p;
}

void
land_pool_free(struct land_pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	while (p->spare != NULL) {
		struct task *t = p->spare;

		p->spare = t->next;
		free(t->raw);
		free(t->out);
		free(t);
	}
	while (p->idle != NULL) {
		struct context *c = p->idle;

		p->idle = c->next;
		ZSTD_freeCCtx(c->zstd);
		free(c);
	}
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p->thread);
	free(p);
}

struct task *
pool_take(struct land_pool *p)
{
	struct task *t;

	pthread_mutex_lock(&p->lock);
	t = p->spare;
	if (t != NULL)
		p->spare = t->next;
	pthread_mutex_unlock(&p->lock);
	if (t == NULL) {
		t = mem_alloc(sizeof(*t));
		t->out = malloc(ZSTD_compressBound(FORMAT_FRAME_TARGET));
		if (t->out == NULL)
			abort();
		pool_grow(t, POOL_RAW);
	}
	t->next = NULL;
	t->raw_len = 0;
	return t;
}

void
pool_give(struct land_pool *p, struct task *t)
{
	if (t == NULL)
		return;
	/* What a giant record needed is not kept for ordinary ones. */
	if (t->raw_cap > POOL_RAW) {
		free(t->raw);
		t->raw = NULL;
		t->raw_cap = 0;
		pool_grow(t, POOL_RAW);
	}
	pthread_mutex_lock(&p->lock);
	t->next = p->spare;
	p->spare = t;
	pthread_mutex_unlock(&p->lock);
}

void
pool_grow(struct task *t, size_t n)
{
	/* Not zeroed: a megabyte nobody reads before it is written. */
	t->raw = realloc(t->raw, n);
	if (t->raw == NULL)
		abort();
	t->raw_cap = n;
}

void
pool_submit(struct land_pool *p, struct task *t)
{
	t->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = t;
	p->last = &t->next;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

unsigned
pool_threads(const struct land_pool *p)
{
	return p->threads;
}
