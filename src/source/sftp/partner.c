#include "source/sftp/partner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "landfall/side.h"
#include "source/sftp/backlog.h"
#include "source/sftp/spool.h"
#include "source/sftp/transfer.h"
#include "source/sftp/trunk.h"

#define SUFFIX_MAX 1000 /* .1, .2, ... of a name that is taken */

/* More are no folder of deliveries but a listing that does not end. */
#define LISTED_MAX 2000000

/* More side files than this are asked for one by one. */
#define SIDES_MAX 200000
#define SIDES_BYTES (16u << 20)

/*
 * Side files of a listing that was whole: what is not among them is not
 * there, and no delivery costs a round trip to see whether its own is.
 */
struct sides {
	bool wanted; /* some rule asks for them */
	bool whole;
	struct names names;
	struct sftp_attrs *attrs;
	unsigned *kind;
	size_t cap;
};

struct partner {
	const struct source_config *source;
	const struct sftp_config *config;
	struct sides sides; /* filled while a listing goes on; then it stays */
	struct trunk *trunk;
	struct spool spool;
	struct source_place place; /* all of it 0: there is none */
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

/* The same of a request: what its server refused has the name already. */
static enum rc
fail_request(const struct trunk_request *r, struct err *e, const char *what,
	const uint8_t *name, size_t len)
{
	return sftp_fault_rc(r->fault) == BAD_ITEM
		? e->code
		: fail_name(e, what, name, len);
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
note_side(struct partner *p, const struct sftp_event *ev)
{
	CLEANUP(str_release) struct str base = STR_INIT;
	struct sides *x = &p->sides;
	size_t i;

	if (!x->whole ||
		side_of(p->source, ev->name, ev->name_len, &base, NULL) ==
			SIDE_NONE)
		return;
	i = names_put(&x->names, ev->name, ev->name_len);
	if (i == NAMES_FULL) {
		x->whole = false;
		return;
	}
	if (i >= x->cap) {
		x->cap = x->cap > 0 ? 2 * x->cap : 64;
		x->attrs = mem_resize(x->attrs, x->cap, sizeof(*x->attrs));
		x->kind = mem_resize(x->kind, x->cap, sizeof(*x->kind));
	}
	x->attrs[i] = ev->attrs;
	x->kind[i] = ev->kind;
}

static void
on_listed(void *arg, const struct sftp_event *ev)
{
	struct looking *l = arg;
	uint8_t *p = l->record;
	size_t n = ev->name_len;

	if (ev->type == SFTP_ITEM)
		note_side(l->partner, ev);
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
			.max_names = LISTED_MAX,
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
	names_release(&p->sides.names);
	p->sides.whole = p->sides.wanted;
	trunk_ask(p->trunk, &r);
	if (p->sides.wanted) {
		/* Whose side files are there is known at the end. */
		backlog_await_end(&l->backlog);
		p->sides.whole &= r.fault == SFTP_FINE;
	}
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
		return fail_request(&r, e, "look at", name, len);
	if (r.type == SFTP_TYPE_DIRECTORY)
		return END;
	if (ret_type != NULL)
		*ret_type = r.type == SFTP_TYPE_UNKNOWN ? ITEM_FILE
							: item_type_of(r.type);
	transfer_sign(ret, &r.attrs);
	return OK;
}

/* Is it one of the side files that were listed? END: it is not there. */
static enum rc
find_side(const struct partner *p, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret)
{
	size_t i = names_find(&p->sides.names, name, len);

	if (i == NAMES_FULL)
		return END;
	if (ret_type != NULL)
		*ret_type = item_type_of(p->sides.kind[i]);
	transfer_sign(ret, &p->sides.attrs[i]);
	return OK;
}

static bool
is_side(const struct partner *p, const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str base = STR_INIT;

	return p->sides.whole &&
		side_of(p->source, name, len, &base, NULL) != SIDE_NONE;
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
	if (is_side(p, name, len))
		return find_side(p, name, len, ret_type, ret);
	return look(p, name, len, ret_type, ret, e);
}

static void
partner_want(struct source *s, const uint8_t *name, size_t len,
	const struct signature *sig)
{
	struct partner *p = partner_of(s);
	struct signature listed;

	if (sig == NULL &&
		(!is_side(p, name, len) ||
			find_side(p, name, len, NULL, &listed) != OK))
		return;
	transfers_want(p->transfers, name, len, sig != NULL ? sig : &listed);
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

		rc = is_side(p, name, len)
			? find_side(p, name, len, &type, &sig)
			: look(p, name, len, &type, &sig, e);
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
		return fail_request(r, e, what, name, len);
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

/* ---- receipts ---- */

/* What it says of the folder, not of one file in it. */
static enum rc
fail_folder(const struct trunk_request *r, const char *path, struct err *e)
{
	*e = r->err;
	err_raise(e, r->fault == SFTP_TOO_LARGE ? BAD_ITEM : BAD_SOURCE);
	return fail_name(e, "receipt", (const uint8_t *)path, strlen(path));
}

static void
add_file(struct str *s, const char *folder, const char *file)
{
	str_add(s, folder);
	if (s->len > 0 && s->s[s->len - 1] != '/')
		str_addc(s, '/');
	str_add(s, file);
}

static enum rc
partner_has(
	struct source *s, const char *folder, const char *file, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct partner *p = partner_of(s);
	struct trunk_request r = {.kind = TRUNK_LOOK};
	enum rc rc;

	add_file(&path, folder, file);
	r.one.path = (const uint8_t *)path.s;
	r.one.path_len = path.len;
	trunk_ask(p->trunk, &r);
	rc = trunk_wait(p->trunk, &r, e);
	return rc == OK || rc == END ? rc : fail_folder(&r, path.s, e);
}

static enum sftp_fault
put_once(struct partner *p, const struct str *path, int fd, size_t n,
	struct trunk_request *r)
{
	struct err ignored = ERR_INIT;

	*r = (struct trunk_request){
		.kind = TRUNK_PUT,
		.put = {.path = (const uint8_t *)path->s,
			.path_len = path->len,
			.fd = fd,
			.size = n,
			.make_folders = true},
	};
	trunk_ask(p->trunk, r);
	(void)!trunk_wait(p->trunk, r, &ignored);
	return r->fault;
}

/* Version 3 renames over nothing: what is there goes first. */
static void
clear_way(struct partner *p, const struct str *path)
{
	struct trunk_request r = {.kind = TRUNK_REMOVE};
	struct err ignored = ERR_INIT;

	r.one.path = (const uint8_t *)path->s;
	r.one.path_len = path->len;
	trunk_ask(p->trunk, &r);
	(void)!trunk_wait(p->trunk, &r, &ignored);
}

static enum rc
partner_put(struct source *s, const char *folder, const char *file,
	const void *bytes, size_t n, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(io_drop) int fd = -1;
	struct partner *p = partner_of(s);
	struct trunk_request r;

	add_file(&path, folder, file);
	if (spool_temp(&p->spool, &fd, e) != OK ||
		io_write(fd, bytes, n, BROKEN, e) != OK)
		return err_raise(e, BAD_SOURCE);
	if (put_once(p, &path, fd, n, &r) == SFTP_EXISTS) {
		clear_way(p, &path);
		(void)put_once(p, &path, fd, n, &r);
	}
	return r.fault == SFTP_FINE ? OK : fail_folder(&r, path.s, e);
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
	/* What a look that was cancelled did not come to is no waste. */
	if (p->listed && (p->place.cancel == NULL || !*p->place.cancel))
		spool_sweep(&p->spool);
	spool_close(&p->spool);
	names_release(&p->sides.names);
	free(p->sides.attrs);
	free(p->sides.kind);
	free(p);
}

/* Some rule of `ready` is about a file beside each delivery. */
static bool
asks_for_sides(const struct source_config *cfg)
{
	for (size_t i = 0; i < cfg->ready.n; i++)
		if (cfg->ready.rule[i].side != NULL)
			return true;
	return false;
}

static enum rc
partner_open(const struct source_config *cfg, const struct source_place *place,
	struct source **ret, struct err *e)
{
	struct partner *p = mem_alloc(sizeof(*p));
	const struct trunk_options options = {
		.config = &cfg->sftp,
		.source = cfg->name,
		.cancel = place != NULL ? place->cancel : NULL,
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

	p->source = cfg;
	p->config = &cfg->sftp;
	p->sides.names = (struct names)NAMES_INIT(SIDES_MAX, SIDES_BYTES);
	p->sides.wanted = asks_for_sides(cfg);
	if (place != NULL) {
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
	.has = partner_has,
	.put = partner_put,
	.sync = partner_sync,
};
