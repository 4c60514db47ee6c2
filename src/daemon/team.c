#include "daemon/team.h"

#include <stdlib.h>

#include "base/mem.h"
#include "daemon/engine-state.h"

void
team_start(struct team *t, struct engine *g, unsigned workers)
{
	*t = (struct team){.engine = g, .workers = workers};
	t->last_lane = &t->lane;
	t->worker = mem_array(workers, sizeof(*t->worker));
	pthread_cond_init(&t->has_job, NULL);
	pthread_mutex_lock(&g->lock);
	t->next = g->teams;
	g->teams = t;
	pthread_mutex_unlock(&g->lock);
	for (unsigned i = 0; i < workers; i++)
		if (pthread_create(&t->worker[i], NULL, worker_main, t) != 0)
			abort();
}

void
team_stop(struct team *t)
{
	struct engine *g = t->engine;

	pthread_mutex_lock(&g->lock);
	t->stop = true;
	pthread_cond_broadcast(&t->has_job);
	pthread_mutex_unlock(&g->lock);
	for (unsigned i = 0; i < t->workers; i++)
		pthread_join(t->worker[i], NULL);
	pthread_mutex_lock(&g->lock);
	for (struct team **at = &g->teams; *at != NULL; at = &(*at)->next) {
		if (*at != t)
			continue;
		*at = t->next;
		break;
	}
	pthread_mutex_unlock(&g->lock);
	pthread_cond_destroy(&t->has_job);
	free(t->worker);
}

void
team_add(struct team *t, struct lane *l)
{
	l->next = NULL;
	*t->last_lane = l;
	t->last_lane = &l->next;
}

void
team_remove(struct team *t, struct lane *l)
{
	for (struct lane **at = &t->lane; *at != NULL; at = &(*at)->next) {
		if (*at != l)
			continue;
		*at = l->next;
		if (*at == NULL)
			t->last_lane = at;
		break;
	}
}

struct job *
team_take(struct team *t)
{
	struct lane *l = t->lane;
	struct job *j = l->job;

	t->lane = l->next;
	if (t->lane == NULL)
		t->last_lane = &t->lane;
	l->job = j->next;
	if (l->job == NULL)
		l->last_job = &l->job;
	l->jobs--;
	t->jobs--;
	if (l->jobs > 0)
		team_add(t, l);
	return j;
}

void
team_wake_all(struct engine *g)
{
	for (struct team *t = g->teams; t != NULL; t = t->next)
		pthread_cond_broadcast(&t->has_job);
}
