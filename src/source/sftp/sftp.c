/*
 * The supervisor's side: orders go out, events come back and are checked.
 */
#include "landfall/sftp.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "source/sftp/wire.h"

#define MEMORY (96u << 20)
#define MEMORY_EACH (8u << 20) /* for a connection */
/* A child that serves its source for weeks is no endless loop: what its
 * servers do is bounded by time-outs, and an idle one costs nothing. */
#define CPU_SECONDS (30 * 24 * 3600)
#define LISTEN_IN 60 /* seconds; the child takes orders at once */
#define FILES 32

/* What a slot waits for. */
enum slot {
	SLOT_FREE,
	SLOT_SHAKING, /* the child: host key */
	SLOT_KEY,     /* the caller: sftp_trust */
	SLOT_LOGIN,   /* the child: up */
	SLOT_UP,
};

struct unfinished {
	uint64_t id;
	enum wire_kind kind;
};

struct sftp {
	pthread_mutex_t lock; /* all but what sftp_next has alone */
	struct proc *proc;
	struct message *out;
	enum slot slot[SFTP_CONNECTIONS_MAX];
	unsigned n_slots;
	struct unfinished unfinished[SFTP_REQUESTS_MAX];
	unsigned n_unfinished;
	struct err gone; /* code is not OK once the child is gone */

	struct message *in; /* sftp_next's, as all below */
	struct wire_texts texts;
	bool items; /* in holds more of them */
	uint64_t items_id;
};

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

static enum rc
sftp_gone(const struct sftp *s, struct err *e)
{
	*e = s->gone;
	return s->gone.code;
}

/* The child is gone, or has to be. Locked. */
static enum rc
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

static enum rc
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

pid_t
sftp_pid(const struct sftp *s)
{
	return proc_pid(s->proc);
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

/* ---- requests ---- */

static struct unfinished *
unfinished_at(struct sftp *s, uint64_t id)
{
	for (unsigned i = 0; i < s->n_unfinished; i++)
		if (s->unfinished[i].id == id)
			return &s->unfinished[i];
	return NULL;
}

/* fd: travels along; -1: none. */
static enum rc
sftp_order(struct sftp *s, const struct wire_order *o, int fd, struct err *e)
{
	enum rc rc;

	if (o->path_len > SFTP_PATH_MAX || o->to_len > SFTP_PATH_MAX)
		return err_set(e, BAD_ITEM, "a path of more than %d bytes",
			SFTP_PATH_MAX);
	pthread_mutex_lock(&s->lock);
	if (s->gone.code != OK) {
		rc = sftp_gone(s, e);
	} else if (s->n_unfinished == SFTP_REQUESTS_MAX) {
		rc = err_set(e, AGAIN, "too many requests at a time");
	} else if (unfinished_at(s, o->id) != NULL) {
		rc = err_set(e, BAD_ITEM, "a request of this number is there");
	} else {
		wire_put_order(s->out, o);
		s->out->fd = fd;
		rc = sftp_send(s, e);
		if (rc == OK)
			s->unfinished[s->n_unfinished++] =
				(struct unfinished){o->id, o->kind};
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

enum rc
sftp_list(struct sftp *s, uint64_t id, const struct sftp_list *l, struct err *e)
{
	const struct wire_order o = {.id = id,
		.kind = WIRE_LIST,
		.path = l->path,
		.path_len = l->path_len,
		.flag = l->follow,
		.depth = l->depth,
		.max_names = l->max_names};

	return sftp_order(s, &o, -1, e);
}

enum rc
sftp_fetch(
	struct sftp *s, uint64_t id, const struct sftp_fetch *f, struct err *e)
{
	struct wire_order o = {.id = id,
		.kind = WIRE_FETCH,
		.path = f->path,
		.path_len = f->path_len,
		.expected = f->expected,
		.offset = f->offset,
		.window = f->window,
		.max_size = f->max_size};

	if (f->offset > 0)
		memcpy(o.prefix_sum, f->prefix_sum, HASH_LEN);
	return sftp_order(s, &o, f->spool, e);
}

enum rc
sftp_look(struct sftp *s, uint64_t id, const uint8_t *path, size_t path_len,
	bool follow, struct err *e)
{
	const struct wire_order o = {.id = id,
		.kind = WIRE_LOOK,
		.path = path,
		.path_len = path_len,
		.flag = follow};

	return sftp_order(s, &o, -1, e);
}

enum rc
sftp_remove(struct sftp *s, uint64_t id, const uint8_t *path, size_t path_len,
	const struct sftp_attrs *expected, struct err *e)
{
	struct wire_order o = {.id = id,
		.kind = WIRE_REMOVE,
		.path = path,
		.path_len = path_len};

	if (expected != NULL)
		o.expected = *expected;
	return sftp_order(s, &o, -1, e);
}

enum rc
sftp_move(struct sftp *s, uint64_t id, const struct sftp_move *m, struct err *e)
{
	struct wire_order o = {.id = id,
		.kind = WIRE_MOVE,
		.path = m->path,
		.path_len = m->path_len,
		.to = m->to,
		.to_len = m->to_len,
		.flag = m->make_folders};

	if (m->expected != NULL)
		o.expected = *m->expected;
	return sftp_order(s, &o, -1, e);
}

enum rc
sftp_put(struct sftp *s, uint64_t id, const struct sftp_put *p, struct err *e)
{
	const struct wire_order o = {.id = id,
		.kind = WIRE_PUT,
		.path = p->path,
		.path_len = p->path_len,
		.flag = p->make_folders,
		.size = p->size};

	return sftp_order(s, &o, p->fd, e);
}

enum rc
sftp_cancel(struct sftp *s, uint64_t id, struct err *e)
{
	enum rc rc = OK;

	pthread_mutex_lock(&s->lock);
	if (unfinished_at(s, id) != NULL) {
		message_begin(s->out, WIRE_CANCEL);
		message_put_u64(s->out, id);
		rc = sftp_send(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- events ---- */

/* Does the event fit to what is under way? Notes what it ends. Locked. */
static bool
sftp_fits(struct sftp *s, const struct sftp_event *ev)
{
	struct unfinished *u = NULL;
	enum slot *slot = NULL;

	if (ev->type <= SFTP_DOWN) {
		if (ev->slot >= s->n_slots)
			return false;
		slot = &s->slot[ev->slot];
	} else {
		u = unfinished_at(s, ev->id);
		if (u == NULL)
			return false;
	}
	switch (ev->type) {
	case SFTP_HOST_KEY:
		if (*slot != SLOT_SHAKING)
			return false;
		*slot = SLOT_KEY;
		return true;
	case SFTP_UP:
		if (*slot != SLOT_LOGIN)
			return false;
		*slot = SLOT_UP;
		return true;
	case SFTP_DOWN:
		if (*slot == SLOT_FREE)
			return false;
		*slot = SLOT_FREE;
		return true;
	case SFTP_ITEM:
	case SFTP_TROUBLE:
		return u->kind == WIRE_LIST;
	case SFTP_PROGRESS:
		return u->kind == WIRE_FETCH;
	case SFTP_DONE:
		*u = s->unfinished[--s->n_unfinished];
		return true;
	}
	return false;
}

static bool
sftp_understand(struct sftp *s, struct sftp_event *ev)
{
	switch (s->in->type) {
	case WIRE_EVENT:
		return wire_take_event(s->in, ev, &s->texts) &&
			sftp_fits(s, ev);
	case WIRE_ITEMS:
		*ev = (struct sftp_event){.type = SFTP_ITEM};
		ev->id = s->items_id = message_take_u64(s->in);
		s->items = true;
		return sftp_fits(s, ev);
	}
	return false;
}

/* One message, if there is one. */
static enum rc
sftp_hear(struct sftp *s, struct sftp_event *ev, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->lock);
	if (s->gone.code != OK) {
		rc = sftp_gone(s, e);
	} else {
		rc = proc_recv(s->proc, s->in, 0, e);
		if (rc == OK && !sftp_understand(s, ev))
			rc = sftp_lose(s, "sftp child: it talks nonsense", e);
		else if (rc != OK && rc != AGAIN)
			rc = sftp_lose(s, e->text, e);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* The next of the items at hand. END: there is none. */
static enum rc
sftp_item(struct sftp *s, struct sftp_event *ev, struct err *e)
{
	enum rc rc;

	*ev = (struct sftp_event){.id = s->items_id, .text = ""};
	rc = wire_take_item(s->in, ev);
	if (rc == OK)
		return OK;
	s->items = false;
	if (rc == END)
		return END;
	pthread_mutex_lock(&s->lock);
	rc = sftp_lose(s, "sftp child: it tells of names that are none", e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

enum rc
sftp_next(
	struct sftp *s, struct sftp_event *ev, int64_t deadline, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = sftp_fd(s), .events = POLLIN};
		int64_t left;
		enum rc rc;

		if (s->items) {
			rc = sftp_item(s, ev, e);
			if (rc != END)
				return rc;
		}
		rc = sftp_hear(s, ev, e);
		if (rc == OK && s->items)
			continue;
		if (rc != AGAIN)
			return rc;
		left = deadline - clock_mono();
		if (left <= 0)
			return AGAIN;
		/* Another thread may find the child gone, and close: look
		 * again now and then. */
		if (left > CLOCK_SECOND)
			left = CLOCK_SECOND;
		(void)poll(&p, 1, (int)(left / 1000000 + 1));
	}
}
