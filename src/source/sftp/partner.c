#include "source/sftp/partner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "source/sftp/backlog.h"
#include "source/sftp/spool.h"
#include "source/sftp/transfer.h"
#include "source/sftp/trunk.h"

#define SUFFIX_MAX 1000 /* .1, .2, ... of a name that is taken */

struct partner {
	const struct sftp_config *config;
	struct trunk *trunk;
	struct spool spool;
	bool has_place;
	struct source_place place;
	struct transfers *transfers;
	bool listed; /* a listing was whole: the rest of the spool is waste */
};

static struct partner *
partner_of(struct source *s)
{
	return (struct partner *)s;
}

/* "." is the folder of the login; it is not said. */
static void
add_path(void *arg, struct str *s, const uint8_t *name, size_t len)
{
	const struct partner *p = arg;
	const char *root = p->config->path;

	str_clear(s);
	str_add(s, root);
	if (s->len > 0 && s->s[s->len - 1] != '/')
		str_addc(s, '/');
	str_addn(s, name, len);
}

/* What went wrong with a name, with the name. */
static enum rc
fail_name(struct err *e, const char *what, const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str quoted = STR_INIT;

	str_add_quoted(&quoted, name, len);
	return err_add(e, "%s %s", what, quoted.s);
}

/* ---- listing ---- */

/*
 * A record of the backlog: kind, flags, size, time, and then the bytes of the
 * name; of trouble, the length of the name and behind it the text.
 */
enum { RECORD_TROUBLE = 255, RECORD_HEAD = 2 + 8 + 8 };

struct looking {
	struct partner *partner;
	struct backlog backlog;
	uint8_t record[BACKLOG_MAX];
	/* On the trunk's thread. */
	uint64_t troubles;
};

#define TROUBLES_MAX 1000 /* are passed on; a hostile server has more */

static void
on_listed(void *arg, const struct sftp_event *ev)
{
	struct looking *l = arg;
	uint8_t *p = l->record;
	size_t n = ev->name_len;

	p[0] = (uint8_t)ev->kind;
	p[1] = ev->attrs.has_size | ev->attrs.has_time << 1;
	put_le64(p + 2, ev->attrs.size);
	put_le64(p + 10, (uint64_t)ev->attrs.mtime);
	if (n > SFTP_PATH_MAX)
		n = SFTP_PATH_MAX;
	memcpy(p + RECORD_HEAD, ev->name, n);
	if (ev->type == SFTP_TROUBLE) {
		size_t text = strlen(ev->text);

		if (l->troubles++ >= TROUBLES_MAX)
			return;
		if (text > 1024)
			text = 1024;
		p[0] = RECORD_TROUBLE;
		put_le64(p + 2, n);
		memcpy(p + RECORD_HEAD + n, ev->text, text);
		n += text;
	}
	backlog_add(&l->backlog, p, RECORD_HEAD + n);
}

static void
on_list_end(void *arg, struct trunk_request *r UNUSED)
{
	struct looking *l = arg;

	backlog_end(&l->backlog);
}

static enum item_type
item_type_of(unsigned kind)
{
	switch (kind) {
	case SFTP_TYPE_FILE:
		return ITEM_FILE;
	case SFTP_TYPE_SYMLINK:
		return ITEM_SYMLINK;
	default:
		return ITEM_OTHER;
	}
}

static enum rc look(struct partner *p, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret, struct err *e);

static enum rc
each_record(struct looking *l, const uint8_t *p, size_t n,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	const struct sftp_attrs a = {
		.has_size = (p[1] & 1) != 0,
		.has_time = (p[1] & 2) != 0,
		.size = get_le64(p + 2),
		.mtime = (int64_t)get_le64(p + 10),
	};
	struct item it = {
		.name = p + RECORD_HEAD,
		.name_len = n - RECORD_HEAD,
		.type = item_type_of(p[0]),
	};
	struct err why = ERR_INIT;

	if (p[0] == RECORD_TROUBLE) {
		it.name_len = a.size;
		err_set(&why, BAD_SOURCE, "%.*s",
			(int)(n - RECORD_HEAD - a.size),
			(const char *)p + RECORD_HEAD + a.size);
		trouble(arg, it.name, it.name_len, &why);
		return OK;
	}
	transfer_sign(&it.signature, &a);
	if (p[0] == SFTP_TYPE_UNKNOWN) {
		enum rc rc = look(l->partner, it.name, it.name_len, &it.type,
			&it.signature, &why);

		if (rc == END)
			return OK;
		if (rc == BAD_ITEM)
			trouble(arg, it.name, it.name_len, &why);
		if (rc != OK) {
			*e = why;
			return rc == BAD_ITEM ? OK : rc;
		}
	}
	return each(arg, &it, e);
}

static enum rc
partner_list(struct source *s,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	struct partner *p = partner_of(s);
	const struct sftp_config *c = p->config;
	struct looking *l = mem_alloc(sizeof(*l));
	struct trunk_request r = {
		.kind = TRUNK_LIST,
		.list = {.path = (const uint8_t *)c->path,
			.path_len = strlen(c->path),
			.depth = c->recursive ? c->depth : 0,
			.follow = c->symlinks == SYMLINKS_FOLLOW},
		.event = on_listed,
		.finished = on_list_end,
		.arg = l,
	};
	const uint8_t *record;
	bool seen_enough = false;
	size_t n;
	int fd;
	enum rc rc;

	if (spool_temp(&p->spool, &fd, e) != OK) {
		free(l);
		return e->code;
	}
	l->partner = p;
	backlog_init(&l->backlog, fd);
	trunk_ask(p->trunk, &r);
	while ((rc = backlog_take(&l->backlog, &record, &n, e)) == OK) {
		rc = each_record(l, record, n, each, trouble, arg, e);
		seen_enough = rc != OK;
		if (seen_enough)
			break;
	}
	/* Whoever looks may have seen enough. */
	if (rc != END || seen_enough) {
		trunk_cancel(p->trunk, &r);
		backlog_await_end(&l->backlog);
	} else if (r.fault != SFTP_FINE) {
		*e = r.err;
		rc = err_raise(e, BAD_SOURCE);
		if (c->path[0] != '\0')
			fail_name(e, "list", (const uint8_t *)c->path,
				strlen(c->path));
		else
			err_add(e, "list the folder of the login");
	} else {
		p->listed = true;
		rc = OK;
	}
	backlog_release(&l->backlog);
	free(l);
	return rc;
}

/* ---- one name ---- */

static enum rc
look(struct partner *p, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct trunk_request r = {.kind = TRUNK_LOOK};
	enum rc rc;

	add_path(p, &path, name, len);
	r.one.path = (const uint8_t *)path.s;
	r.one.path_len = path.len;
	r.one.follow = p->config->symlinks == SYMLINKS_FOLLOW;
	trunk_ask(p->trunk, &r);
	rc = trunk_wait(p->trunk, &r, e);
	if (rc == END)
		return END;
	if (rc != OK)
		return fail_name(e, "look at", name, len);
	if (r.type == SFTP_TYPE_DIRECTORY)
		return END;
	if (ret_type != NULL)
		*ret_type = r.type == SFTP_TYPE_UNKNOWN ? ITEM_FILE
							: item_type_of(r.type);
	transfer_sign(ret, &r.attrs);
	return OK;
}

static enum rc
partner_look(struct source *s, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret, struct err *e)
{
	struct partner *p = partner_of(s);

	/* Behind its last byte the server has just said so. */
	if (transfers_seen(p->transfers, name, len, ret)) {
		if (ret_type != NULL)
			*ret_type = ITEM_FILE;
		return OK;
	}
	return look(p, name, len, ret_type, ret, e);
}

static void
partner_want(struct source *s, const uint8_t *name, size_t len,
	const struct signature *sig)
{
	transfers_want(partner_of(s)->transfers, name, len, sig);
}

static void
partner_forget(struct source *s, const uint8_t *name, size_t len)
{
	spool_forget(&partner_of(s)->spool, name, len);
}

static enum rc
partner_fetch(struct source *s, const uint8_t *name, size_t len,
	struct feed **ret_feed, struct signature *ret, struct err *e)
{
	struct partner *p = partner_of(s);
	struct signature sig;
	enum rc rc;

	if (!transfers_wanted(p->transfers, name, len, &sig)) {
		enum item_type type;

		rc = look(p, name, len, &type, &sig, e);
		if (rc != OK)
			return rc;
		if (type != ITEM_FILE)
			return err_set(e, BAD_ITEM, "is not a regular file");
	}
	rc = transfers_feed(p->transfers, name, len, &sig, ret_feed, e);
	if (rc == OK)
		*ret = sig;
	else if (rc != END && e->cause != ENOSPC)
		fail_name(e, "fetch", name, len);
	return rc;
}

/* ---- leaving ---- */

static enum rc
partner_recover(struct source *s UNUSED,
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why) UNUSED,
	void *arg UNUSED, struct err *e UNUSED)
{
	/* A rename at the server is whole or did not happen. */
	return OK;
}

/* What a request that changes something there means for its item. */
static enum rc
judge_change(struct trunk_request *r, const char *what, const uint8_t *name,
	size_t len, struct err *e)
{
	switch (r->fault) {
	case SFTP_FINE:
		return OK;
	case SFTP_GONE:
		return END;
	case SFTP_CHANGED:
		return err_set(e, AGAIN, "%s", r->err.text);
	default:
		*e = r->err;
		err_raise(e, BAD_ITEM);
		return fail_name(e, what, name, len);
	}
}

static enum rc
partner_remove(struct source *s, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct partner *p = partner_of(s);
	struct trunk_request r = {.kind = TRUNK_REMOVE};
	struct sftp_attrs a;
	struct err ignored = ERR_INIT;

	add_path(p, &path, name, len);
	transfer_expect(&a, expected);
	r.one.path = (const uint8_t *)path.s;
	r.one.path_len = path.len;
	r.one.expected = &a;
	trunk_ask(p->trunk, &r);
	(void)!trunk_wait(p->trunk, &r, &ignored);
	return judge_change(&r, "delete", name, len, e);
}

/* To exactly this path. */
static enum rc
move_to(struct partner *p, const uint8_t *name, size_t len, const char *to,
	size_t to_len, const struct signature *expected, bool *ret_taken,
	struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(str_release) struct str target = STR_INIT;
	struct trunk_request r = {.kind = TRUNK_MOVE};
	struct sftp_attrs a;
	struct err ignored = ERR_INIT;

	add_path(p, &path, name, len);
	add_path(p, &target, (const uint8_t *)to, to_len);
	transfer_expect(&a, expected);
	r.move = (struct sftp_move){
		.path = (const uint8_t *)path.s,
		.path_len = path.len,
		.to = (const uint8_t *)target.s,
		.to_len = target.len,
		.make_folders = true,
		.expected = &a,
	};
	trunk_ask(p->trunk, &r);
	(void)!trunk_wait(p->trunk, &r, &ignored);
	*ret_taken = r.fault == SFTP_EXISTS;
	return judge_change(&r, "move", name, len, e);
}

static enum rc
partner_move(struct source *s, const uint8_t *name, size_t len,
	const char *folder, const struct signature *expected,
	struct str *ret_to, struct err *e)
{
	struct partner *p = partner_of(s);
	bool taken = true;
	enum rc rc = BAD_ITEM;

	for (unsigned i = 0; i < SUFFIX_MAX && taken; i++) {
		str_clear(ret_to);
		str_addf(ret_to, "%s/", folder);
		str_addn(ret_to, name, len);
		if (i > 0)
			str_addf(ret_to, ".%u", i);
		rc = move_to(p, name, len, ret_to->s, ret_to->len, expected,
			&taken, e);
	}
	return rc;
}

static enum rc
partner_sync(struct source *s UNUSED, struct err *e UNUSED)
{
	/* What the server has answered is the server's to keep. */
	return OK;
}

/* ---- the source ---- */

static void
partner_facts(struct source *s, struct str *ret)
{
	trunk_add_facts(partner_of(s)->trunk, ret);
}

static void
partner_remark(struct source *s, struct str *ret)
{
	trunk_add_remark(partner_of(s)->trunk, ret);
}

static void
partner_close(struct source *s)
{
	struct partner *p = partner_of(s);

	if (p == NULL)
		return;
	transfers_free(p->transfers);
	trunk_close(p->trunk);
	if (p->listed)
		spool_sweep(&p->spool);
	spool_close(&p->spool);
	free(p);
}

static enum rc
partner_open(const struct source_config *cfg, const struct source_place *place,
	struct source **ret, struct err *e)
{
	struct partner *p = mem_alloc(sizeof(*p));
	const struct trunk_options options = {
		.config = &cfg->sftp,
		.source = cfg->name,
		/* Who only looks is not made to wait. */
		.attempts = place != NULL ? cfg->sftp.retry.attempts : 1,
	};
	struct transfers_options t = {
		.spool = &p->spool,
		.path = add_path,
		.arg = p,
		.connections = cfg->sftp.connections,
	};
	enum rc rc;

	p->config = &cfg->sftp;
	if (place != NULL) {
		p->has_place = true;
		p->place = *place;
		t.place = &p->place;
	}
	rc = spool_open(
		place != NULL ? place->state : -1, cfg->name, &p->spool, e);
	if (rc == OK) {
		rc = trunk_open(&options, &p->trunk, e);
		if (rc != OK)
			spool_close(&p->spool);
	}
	if (rc != OK) {
		free(p);
		return rc;
	}
	t.trunk = p->trunk;
	p->transfers = transfers_new(&t);
	*ret = (struct source *)p;
	return OK;
}

const struct source_ops partner_ops = {
	.open = partner_open,
	.close = partner_close,
	.facts = partner_facts,
	.remark = partner_remark,
	.list = partner_list,
	.want = partner_want,
	.forget = partner_forget,
	.fetch = partner_fetch,
	.look = partner_look,
	.recover = partner_recover,
	.remove = partner_remove,
	.move = partner_move,
	.sync = partner_sync,
};
