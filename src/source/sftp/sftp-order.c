/*
 * What the child is asked to do.
 */
#include <string.h>

#include "source/sftp/sftp-state.h"

struct unfinished *
sftp_unfinished(struct sftp *s, uint64_t id)
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
	} else if (sftp_unfinished(s, o->id) != NULL) {
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
	if (sftp_unfinished(s, id) != NULL) {
		message_begin(s->out, WIRE_CANCEL);
		message_put_u64(s->out, id);
		rc = sftp_send(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}
