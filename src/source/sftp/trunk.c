#include "source/sftp/trunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "source/sftp/trunk-state.h"

void
trunk_ring(struct trunk *l)
{
	const uint64_t one = 1;

	/* It can only be full of rings. */
	(void)!write(l->ring, &one, sizeof(one));
}

static void
release(struct trunk *l)
{
	sftp_free(l->sftp);
	trust_close(l->trust);
	io_drop(&l->ring);
	str_release(&l->address);
	str_release(&l->key);
	str_release(&l->algorithms);
	pthread_cond_destroy(&l->changed);
	pthread_cond_destroy(&l->call);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void
trunk_close(struct trunk *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->quit = true;
	atomic_store(&l->cancel, true);
	pthread_cond_broadcast(&l->call);
	pthread_mutex_unlock(&l->lock);
	trunk_ring(l);
	if (l->started) {
		pthread_join(l->listener, NULL);
		pthread_join(l->dialer, NULL);
	}
	release(l);
}

/* The first connection is up, or none will be. */
static enum rc
wait_until_up(struct trunk *l, struct err *e)
{
	enum rc rc = OK;

	pthread_mutex_lock(&l->lock);
	while (!l->dead && trunk_up(l, SLOT_UP) == 0)
		pthread_cond_wait(&l->changed, &l->lock);
	if (l->dead) {
		*e = l->why;
		rc = e->code;
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

enum rc
trunk_open(const struct trunk_options *o, struct trunk **ret, struct err *e)
{
	struct trunk *l = mem_alloc(sizeof(*l));
	enum rc rc;

	*l = (struct trunk){.options = *o,
		.config = o->config,
		.last = &l->queue,
		.address = STR_INIT,
		.key = STR_INIT,
		.algorithms = STR_INIT};
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	pthread_cond_init(&l->call, NULL);
	l->ring = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = l->ring < 0 ? err_sys(e, BROKEN, errno, "eventfd")
			 : trust_open(o->config, &l->trust, e);
	if (rc == OK) {
		if (pthread_create(&l->listener, NULL, trunk_listener, l) !=
				0 ||
			pthread_create(&l->dialer, NULL, trunk_dialer, l) != 0)
			abort();
		l->started = true;
		rc = wait_until_up(l, e);
	}
	if (rc != OK) {
		trunk_close(l);
		return rc;
	}
	*ret = l;
	return OK;
}

void
trunk_add_facts(struct trunk *l, struct str *s)
{
	pthread_mutex_lock(&l->lock);
	str_add(s, "sftp://");
	str_add_percent(s, l->config->user, strlen(l->config->user), "");
	str_addf(s,
		strchr(l->config->host, ':') != NULL ? "@[%s]:%u" : "@%s:%u",
		l->config->host, l->config->port);
	str_addf(s, " (%s; host key %s", l->address.s, l->key.s);
	if (l->algorithms.len > 0)
		str_addf(s, "; %s", l->algorithms.s);
	str_addc(s, ')');
	pthread_mutex_unlock(&l->lock);
}

void
trunk_add_remark(struct trunk *l, struct str *s)
{
	const uint32_t widened = l->config->algorithms;

	pthread_mutex_lock(&l->lock);
	if (l->weak != NULL)
		str_addf(s, "the sandbox of its child is weaker here: %s",
			l->weak);
	pthread_mutex_unlock(&l->lock);
	if (widened == 0)
		return;
	str_addf(s, "%sold algorithms are allowed (", s->len > 0 ? "; " : "");
	for (unsigned i = 0, n = 0; sftp_widening_names[i] != NULL; i++)
		if ((widened & 1u << i) != 0)
			str_addf(s, "%s%s", n++ > 0 ? ", " : "",
				sftp_widening_names[i]);
	str_add(s, "): ask the partner for a newer server");
}
