#include "source/sftp/wire.h"

#include <string.h>

/* ---- parts ---- */

enum { HAS_SIZE = 1, HAS_TIME = 2, HAS_MODE = 4 };

static void
put_attrs(struct message *m, const struct sftp_attrs *a)
{
	message_put_u64(m,
		(a->has_size ? HAS_SIZE : 0) | (a->has_time ? HAS_TIME : 0) |
			(a->has_mode ? HAS_MODE : 0));
	message_put_u64(m, a->size);
	message_put_u64(m, (uint64_t)a->mtime);
	message_put_u64(m, a->mode);
}

static void
take_attrs(struct message *m, struct sftp_attrs *a)
{
	uint64_t has = message_take_u64(m);
	uint64_t mode;

	a->has_size = (has & HAS_SIZE) != 0;
	a->has_time = (has & HAS_TIME) != 0;
	a->has_mode = (has & HAS_MODE) != 0;
	a->size = message_take_u64(m);
	a->mtime = (int64_t)message_take_u64(m);
	mode = message_take_u64(m);
	a->mode = (uint32_t)mode;
	if (has > (HAS_SIZE | HAS_TIME | HAS_MODE) || mode > UINT32_MAX ||
		a->mtime < 0 || a->mtime > UINT32_MAX)
		m->bad = true;
}

/* A number below a limit. */
static uint64_t
take_below(struct message *m, uint64_t limit)
{
	uint64_t v = message_take_u64(m);

	if (v < limit)
		return v;
	m->bad = true;
	return 0;
}

static void
take_sum(struct message *m, uint8_t sum[HASH_LEN])
{
	size_t n;
	const uint8_t *p = message_take_bytes(m, &n);

	if (n == HASH_LEN)
		memcpy(sum, p, n);
	else
		m->bad = true;
}

/* A path as it is asked for: any bytes but NUL. */
static const uint8_t *
take_path(struct message *m, size_t *ret_len)
{
	const uint8_t *p = message_take_bytes(m, ret_len);

	if (*ret_len > SFTP_PATH_MAX || memchr(p, '\0', *ret_len) != NULL)
		m->bad = true;
	return p;
}

bool
wire_name_ok(const uint8_t *name, size_t len)
{
	const uint8_t *at = name, *end = name + len;

	if (len == 0 || len > SFTP_PATH_MAX || memchr(name, '\0', len) != NULL)
		return false;
	for (;;) {
		const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
		size_t n = (size_t)((slash != NULL ? slash : end) - at);

		if (n == 0 || (n == 1 && at[0] == '.') ||
			(n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		if (slash == NULL)
			return true;
		at = slash + 1;
	}
}

/* ---- orders ---- */

void
wire_put_options(struct message *m, const struct wire_options *o)
{
	message_begin(m, WIRE_OPTIONS);
	message_put_u64(m, o->connections);
	message_put_u64(m, o->files);
	message_put_u64(m, o->max_rate);
	message_put_u64(m, o->max_file);
	message_put_u64(m, o->auth_timeout);
	message_put_u64(m, o->idle_timeout);
	message_put_u64(m, o->keepalive);
}

bool
wire_take_options(struct message *m, struct wire_options *o)
{
	o->connections = take_below(m, SFTP_CONNECTIONS_MAX + 1);
	o->files = take_below(m, SFTP_REQUESTS_MAX + 1);
	o->max_rate = message_take_u64(m);
	o->max_file = message_take_u64(m);
	o->auth_timeout = take_below(m, INT64_MAX / 2);
	o->idle_timeout = take_below(m, INT64_MAX / 2);
	o->keepalive = take_below(m, INT64_MAX / 2);
	return message_end(m) && o->connections > 0 && o->files > 0 &&
		o->auth_timeout > 0 && o->idle_timeout > 0 && o->keepalive > 0;
}

void
wire_put_connect(struct message *m, const struct wire_connect *c)
{
	message_begin(m, WIRE_CONNECT);
	message_put_u64(m, c->slot);
	message_put_u64(m, c->old);
	message_put_text(m, c->key_types);
}

bool
wire_take_connect(struct message *m, struct wire_connect *c)
{
	c->slot = take_below(m, SFTP_CONNECTIONS_MAX);
	c->old = take_below(m, SFTP_OLD_SHA1_MACS << 1);
	message_take_text(m, c->key_types, sizeof(c->key_types));
	return message_end(m);
}

void
wire_put_trust(struct message *m, unsigned slot, const struct sftp_login *l)
{
	message_begin(m, WIRE_TRUST);
	message_put_u64(m, slot);
	message_put_u64(m, l != NULL);
	message_put_text(m, l != NULL ? l->user : "");
	message_put_u64(m, l != NULL ? l->n_credentials : 0);
	for (unsigned i = 0; l != NULL && i < l->n_credentials; i++) {
		const struct sftp_credential *c = &l->credential[i];

		message_put_u64(m, c->kind);
		message_put_text(m, c->name);
		message_put_bytes(m, c->secret, c->len);
		message_put_text(m, c->passphrase != NULL ? c->passphrase : "");
		if (c->kind == SFTP_AGENT)
			m->fd = c->agent;
	}
}

void
wire_wipe(struct message *m)
{
	explicit_bzero(m->body, sizeof(m->body));
}

void
wire_put_order(struct message *m, const struct wire_order *o)
{
	message_begin(m, WIRE_ORDER);
	message_put_u64(m, o->id);
	message_put_u64(m, o->kind);
	message_put_bytes(m, o->path, o->path_len);
	message_put_bytes(m, o->to, o->to_len);
	message_put_u64(m, o->flag);
	put_attrs(m, &o->expected);
	message_put_u64(m, o->depth);
	message_put_u64(m, o->max_names);
	message_put_u64(m, o->offset);
	message_put_u64(m, o->window);
	message_put_u64(m, o->max_size);
	message_put_bytes(m, o->prefix_sum, HASH_LEN);
	message_put_u64(m, o->size);
}

bool
wire_take_order(struct message *m, struct wire_order *o)
{
	o->id = message_take_u64(m);
	o->kind = (enum wire_kind)take_below(m, WIRE_KINDS);
	o->path = take_path(m, &o->path_len);
	o->to = take_path(m, &o->to_len);
	o->flag = take_below(m, 2) != 0;
	take_attrs(m, &o->expected);
	o->depth = message_take_u64(m);
	o->max_names = message_take_u64(m);
	o->offset = message_take_u64(m);
	o->window = message_take_u64(m);
	o->max_size = message_take_u64(m);
	take_sum(m, o->prefix_sum);
	o->size = message_take_u64(m);
	return message_end(m);
}

/* ---- events ---- */

void
wire_put_event(struct message *m, const struct sftp_event *ev)
{
	message_begin(m, WIRE_EVENT);
	message_put_u64(m, ev->type);
	message_put_u64(m, ev->slot);
	message_put_u64(m, ev->id);
	message_put_u64(m, ev->fault);
	message_put_text(m, ev->text != NULL ? ev->text : "");
	message_put_bytes(m, ev->key, ev->key_len);
	message_put_text(m, ev->algorithms != NULL ? ev->algorithms : "");
	message_put_text(m, ev->banner != NULL ? ev->banner : "");
	message_put_bytes(m, ev->name, ev->name_len);
	message_put_u64(m, ev->kind);
	put_attrs(m, &ev->attrs);
	message_put_u64(m, ev->size);
	message_put_bytes(m, ev->sum, HASH_LEN);
	message_put_u64(m, ev->received);
	message_put_u64(m, ev->names);
}

/* What is true of an event whatever it answers. */
static bool
event_ok(const struct sftp_event *ev)
{
	switch (ev->type) {
	case SFTP_HOST_KEY:
		return ev->key_len > 0 && ev->fault == SFTP_FINE;
	case SFTP_UP:
	case SFTP_PROGRESS:
		return ev->fault == SFTP_FINE;
	case SFTP_DOWN:
		return ev->fault != SFTP_FINE;
	case SFTP_TROUBLE:
		/* Its name may be one that no file may have. */
		return ev->fault != SFTP_FINE && ev->name_len <= SFTP_PATH_MAX;
	case SFTP_DONE:
		return true;
	case SFTP_ITEM:
		break;
	}
	return false;
}

bool
wire_take_event(
	struct message *m, struct sftp_event *ev, struct wire_texts *buf)
{
	*ev = (struct sftp_event){0};
	ev->type = (enum sftp_event_type)take_below(m, SFTP_DONE + 1);
	ev->slot = (unsigned)take_below(m, SFTP_CONNECTIONS_MAX);
	ev->id = message_take_u64(m);
	ev->fault = (enum sftp_fault)take_below(m, SFTP_FAULTS);
	message_take_text(m, buf->text, sizeof(buf->text));
	ev->key = message_take_bytes(m, &ev->key_len);
	message_take_text(m, buf->algorithms, sizeof(buf->algorithms));
	message_take_text(m, buf->banner, sizeof(buf->banner));
	ev->name = message_take_bytes(m, &ev->name_len);
	ev->kind = (enum sftp_type)take_below(m, SFTP_TYPE_UNKNOWN + 1);
	take_attrs(m, &ev->attrs);
	ev->size = message_take_u64(m);
	take_sum(m, ev->sum);
	ev->received = message_take_u64(m);
	ev->names = message_take_u64(m);
	ev->text = buf->text;
	ev->algorithms = buf->algorithms;
	ev->banner = buf->banner;
	return message_end(m) && event_ok(ev);
}

void
wire_begin_items(struct message *m, uint64_t id)
{
	message_begin(m, WIRE_ITEMS);
	message_put_u64(m, id);
}

bool
wire_put_item(struct message *m, enum sftp_type kind,
	const struct sftp_attrs *a, const uint8_t *name, size_t len)
{
	uint32_t before = m->len;

	message_put_u64(m, kind);
	put_attrs(m, a);
	message_put_bytes(m, name, len);
	if (!m->bad)
		return true;
	m->len = before;
	m->bad = false;
	return false;
}

enum rc
wire_take_item(struct message *m, struct sftp_event *ev)
{
	if (message_end(m))
		return END;
	ev->type = SFTP_ITEM;
	ev->kind = (enum sftp_type)take_below(m, SFTP_TYPE_UNKNOWN);
	take_attrs(m, &ev->attrs);
	ev->name = message_take_bytes(m, &ev->name_len);
	if (m->bad || ev->kind == SFTP_TYPE_DIRECTORY ||
		!wire_name_ok(ev->name, ev->name_len))
		return BAD_ITEM;
	return OK;
}
