/*
 * The supervisor's side: the child, and its connections.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/sftp/sftp-state.h"

#define MEMORY (96u << 20)
#define MEMORY_EACH (8u << 20) /* for a connection */
/* A child that serves its source for weeks is no endless loop: what its
 * servers do is bounded by time-outs, and an idle one costs nothing. */
#define CPU_SECONDS (30 * 24 * 3600)
#define LISTEN_IN 60 /* seconds; the child takes orders at once */
#define FILES 32

/* ---- faults ---- */

static const struct {
	const char *name;
	enum rc rc;
} faults[SFTP_FAULTS] = {
	[SFTP_FINE] = {"fine", OK},
	[SFTP_AUTH] = {"auth", BAD_SOURCE},
	[SFTP_UNTRUSTED] = {"untrusted", BAD_SOURCE},
	[SFTP_MISMATCH] = {"mismatch", BAD_SOURCE},
	[SFTP_NETWORK] = {"network", AGAIN},
	[SFTP_GARBAGE] = {"garbage", BAD_SOURCE},
	[SFTP_GONE] = {"gone", END},
	[SFTP_DENIED] = {"denied", BAD_ITEM},
	[SFTP_EXISTS] = {"exists", BAD_ITEM},
	[SFTP_FULL] = {"full", BAD_ITEM},
	[SFTP_UNSUPPORTED] = {"unsupported", BAD_ITEM},
	[SFTP_REFUSED] = {"refused", BAD_ITEM},
	[SFTP_CHANGED] = {"changed", AGAIN},
	[SFTP_TOO_LARGE] = {"too-large", BAD_ITEM},
	[SFTP_SPOOL] = {"spool", BROKEN},
	[SFTP_STALE] = {"stale", AGAIN},
	[SFTP_CANCELLED] = {"cancelled", AGAIN},
};

const char *
sftp_fault_name(enum sftp_fault f)
{
	return faults[f].name;
}

enum rc
sftp_fault_rc(enum sftp_fault f)
{
	return faults[f].rc;
}

bool
sftp_attrs_same(const struct sftp_attrs *a, const struct sftp_attrs *b)
{
	return (!a->has_size || !b->has_size || a->size == b->size) &&
		(!a->has_time || !b->has_time || a->mtime == b->mtime) &&
		(!a->has_mode || !b->has_mode ||
			(a->mode & S_IFMT) == (b->mode & S_IFMT));
}

/* ---- the child ---- */

enum rc
sftp_gone(const struct sftp *s, struct err *e)
{
	*e = s->gone;
	return s->gone.code;
}

enum rc
sftp_lose(struct sftp *s, const char *why, struct err *e)
{
	struct err how = ERR_INIT;

	if (s->gone.code == OK) {
		err_set(&s->gone, BAD_SOURCE, "%s", why);
		/* It is killed if it still runs. */
		if (proc_end(s->proc, 0, &how) == OK)
			how.code = OK;
	}
	return sftp_gone(s, e);
}

enum rc
sftp_send(struct sftp *s, struct err *e)
{
	enum rc rc;

	if (s->gone.code != OK)
		return sftp_gone(s, e);
	rc = proc_send(
		s->proc, s->out, clock_mono() + LISTEN_IN * CLOCK_SECOND, e);
	if (rc == OK)
		return OK;
	if (s->out->bad)
		return err_set(e, BAD_ITEM,
			"more than one message holds: paths or credentials");
	return sftp_lose(
		s, rc == AGAIN ? "sftp child: it does not listen" : e->text, e);
}

enum rc
sftp_start(const struct sftp_start *o, struct sftp **ret, struct err *e)
{
	struct wire_options w = {.connections = o->connections,
		.files = o->files > 0 ? o->files : FILES,
		.max_rate = o->max_rate,
		.max_file = o->max_file,
		.auth_timeout = (uint64_t)o->auth_timeout,
		.idle_timeout = (uint64_t)o->idle_timeout,
		.keepalive = (uint64_t)o->keepalive};
	struct proc_start start = {.kind = SFTP_CHILD,
		.limits = {.memory = MEMORY + o->connections * MEMORY_EACH,
			.file_size = o->max_file > 0 ? o->max_file : UINT64_MAX,
			.cpu = CPU_SECONDS,
			.fds = SFTP_REQUESTS_MAX + 3 * SFTP_CONNECTIONS_MAX}};
	struct proc *p;
	struct sftp *s;
	enum rc rc;

	if (o->connections == 0 || o->connections > SFTP_CONNECTIONS_MAX)
		return err_set(e, BROKEN, "%u connections", o->connections);
	if (w.auth_timeout == 0)
		w.auth_timeout = (uint64_t)(60 * CLOCK_SECOND);
	if (w.idle_timeout == 0)
		w.idle_timeout = (uint64_t)(60 * CLOCK_SECOND);
	if (w.keepalive == 0)
		w.keepalive = (uint64_t)(30 * CLOCK_SECOND);
	rc = proc_spawn(&start, &p, e);
	if (rc != OK)
		return rc;
	s = mem_alloc(sizeof(*s));
	s->proc = p;
	s->n_slots = o->connections;
	s->out = mem_alloc(sizeof(*s->out));
	s->in = mem_alloc(sizeof(*s->in));
	s->gone = (struct err)ERR_INIT;
	pthread_mutex_init(&s->lock, NULL);
	wire_put_options(s->out, &w);
	rc = sftp_send(s, e);
	if (rc != OK) {
		sftp_free(s);
		return rc;
	}
	*ret = s;
	return OK;
}

void
sftp_free(struct sftp *s)
{
	if (s == NULL)
		return;
	proc_free(s->proc);
	pthread_mutex_destroy(&s->lock);
	free(s->out);
	free(s->in);
	free(s);
}

const char *
sftp_weak(const struct sftp *s)
{
	return proc_weak(s->proc);
}

int
sftp_fd(struct sftp *s)
{
	int fd;

	pthread_mutex_lock(&s->lock);
	fd = proc_fd(s->proc);
	pthread_mutex_unlock(&s->lock);
	return fd;
}

unsigned
sftp_pending(struct sftp *s)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->n_unfinished;
	pthread_mutex_unlock(&s->lock);
	return n;
}

enum rc
sftp_end(struct sftp *s, int64_t deadline, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->lock);
	message_begin(s->out, WIRE_GOODBYE);
	rc = sftp_send(s, e);
	if (rc == OK)
		rc = proc_end(s->proc, deadline, e);
	if (s->gone.code == OK)
		err_set(&s->gone, BAD_SOURCE, "sftp child: it was ended");
	pthread_mutex_unlock(&s->lock);
	return rc == OK ? OK : err_raise(e, BAD_SOURCE);
}

/* ---- connections ---- */

enum rc
sftp_connect(struct sftp *s, const struct sftp_connection *c, struct err *e)
{
	struct wire_connect w = {.slot = c->slot, .old = c->old};
	const char *types = c->key_types != NULL ? c->key_types : "";
	enum rc rc;

	if (strlen(types) >= sizeof(w.key_types))
		return err_set(e, BAD_ITEM, "too many host key types");
	memcpy(w.key_types, types, strlen(types) + 1);
	pthread_mutex_lock(&s->lock);
	if (c->slot >= s->n_slots || s->slot[c->slot] != SLOT_FREE) {
		rc = err_set(e, BAD_ITEM, "connection %u is in use", c->slot);
	} else {
		wire_put_connect(s->out, &w);
		s->out->fd = c->socket;
		rc = sftp_send(s, e);
		if (rc == OK)
			s->slot[c->slot] = SLOT_SHAKING;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

enum rc
sftp_trust(struct sftp *s, unsigned slot, const struct sftp_login *l,
	struct err *e)
{
	enum rc rc = OK;

	pthread_mutex_lock(&s->lock);
	/* It may have gone down meanwhile: then that is what follows. */
	if (slot < s->n_slots && s->slot[slot] == SLOT_KEY) {
		wire_put_trust(s->out, slot, l);
		rc = sftp_send(s, e);
		wire_wipe(s->out);
		if (rc == OK)
			s->slot[slot] = SLOT_LOGIN;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

enum rc
sftp_drop(struct sftp *s, unsigned slot, struct err *e)
{
	enum rc rc = OK;

	pthread_mutex_lock(&s->lock);
	if (slot < s->n_slots && s->slot[slot] != SLOT_FREE) {
		message_begin(s->out, WIRE_DROP);
		message_put_u64(s->out, slot);
		rc = sftp_send(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}
