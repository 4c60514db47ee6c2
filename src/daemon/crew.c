#include "daemon/crew.h"

#include "daemon/engine-state.h"

/* Queued errands for each worker: enough that nobody runs dry. */
#define ERRANDS_EACH 8

void
crew_begin(struct crew *c, struct lane *l)
{
	*c = (struct crew){.engine = l->engine, .team = l->team};
}

/* Under the engine's lock, which it gives up while the errand runs. */
static void
run(struct engine *g, struct errand *x, const struct fetch_context *fetch)
{
	struct crew *c = x->crew;

	pthread_mutex_unlock(&g->lock);
	x->run(x, fetch);
	pthread_mutex_lock(&g->lock);
	if (--c->open == 0)
		pthread_cond_broadcast(&g->errand_done);
}

bool
crew_help(struct engine *g, const struct fetch_context *fetch)
{
	struct errand *x = g->errand;

	if (x == NULL)
		return false;
	g->errand = x->next;
	if (g->errand == NULL)
		g->last_errand = &g->errand;
	g->errands--;
	run(g, x, fetch);
	return true;
}

void
crew_add(struct crew *c, struct errand *x, const struct fetch_context *fetch)
{
	struct engine *g = c->engine;

	x->crew = c;
	x->next = NULL;
	pthread_mutex_lock(&g->lock);
	c->open++;
	if (g->errands >= ERRANDS_EACH * c->team->workers) {
		run(g, x, fetch);
	} else {
		*g->last_errand = x;
		g->last_errand = &x->next;
		g->errands++;
		pthread_cond_signal(&c->team->has_job);
	}
	pthread_mutex_unlock(&g->lock);
}

void
crew_wait(struct crew *c, const struct fetch_context *fetch)
{
	struct engine *g = c->engine;

	pthread_mutex_lock(&g->lock);
	while (c->open > 0)
		if (!crew_help(g, fetch))
			pthread_cond_wait(&g->errand_done, &g->lock);
	pthread_mutex_unlock(&g->lock);
}
