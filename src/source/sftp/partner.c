#include "source/sftp/partner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/sftp/partner-state.h"

/* "." is the folder of the login; it is not said. */
void
partner_path(void *arg, struct str *s, const uint8_t *name, size_t len)
{
	const struct partner *p = arg;
	const char *root = p->config->path;

	str_clear(s);
	str_add(s, root);
	if (s->len > 0 && s->s[s->len - 1] != '/')
		str_addc(s, '/');
	str_addn(s, name, len);
}

enum rc
partner_fail_name(
	struct err *e, const char *what, const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str quoted = STR_INIT;

	str_add_quoted(&quoted, name, len);
	return err_add(e, "%s %s", what, quoted.s);
}

enum rc
partner_fail_request(const struct trunk_request *r, struct err *e,
	const char *what, const uint8_t *name, size_t len)
{
	return sftp_fault_rc(r->fault) == BAD_ITEM
		? e->code
		: partner_fail_name(e, what, name, len);
}

enum item_type
partner_type(unsigned kind)
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

/* ---- one name ---- */

static enum rc
ask(struct partner *p, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct trunk_request r = {.kind = TRUNK_LOOK};
	enum rc rc;

	partner_path(p, &path, name, len);
	r.one.path = (const uint8_t *)path.s;
	r.one.path_len = path.len;
	r.one.follow = p->config->symlinks == SYMLINKS_FOLLOW;
	trunk_ask(p->trunk, &r);
	rc = trunk_wait(p->trunk, &r, e);
	if (rc == END)
		return END;
	if (rc != OK)
		return partner_fail_request(&r, e, "look at", name, len);
	if (r.type == SFTP_TYPE_DIRECTORY)
		return END;
	if (ret_type != NULL)
		*ret_type = r.type == SFTP_TYPE_UNKNOWN ? ITEM_FILE
							: partner_type(r.type);
	transfer_sign(ret, &r.attrs);
	return OK;
}

/* The listing has told of it, or the server does. END: it is not there. */
static enum rc
look(struct partner *p, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret, struct err *e)
{
	return partner_sides_know(&p->sides, name, len)
		? partner_sides_find(&p->sides, name, len, ret_type, ret)
		: ask(p, name, len, ret_type, ret, e);
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
	struct partner *p = partner_of(s);
	struct signature listed;

	if (sig == NULL &&
		(!partner_sides_know(&p->sides, name, len) ||
			partner_sides_find(
				&p->sides, name, len, NULL, &listed) != OK))
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
		partner_fail_name(e, "fetch", name, len);
	return rc;
}

/* ---- what a server does by itself ---- */

static enum rc
partner_recover(struct source *s UNUSED,
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why) UNUSED,
	void *arg UNUSED, struct err *e UNUSED)
{
	/* A rename at the server is whole or did not happen. */
	return OK;
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
	partner_sides_release(&p->sides);
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
		.cancel = place != NULL ? place->cancel : NULL,
		/* Who only looks is not made to wait. */
		.attempts = place != NULL ? cfg->sftp.retry.attempts : 1,
	};
	struct transfers_options t = {
		.spool = &p->spool,
		.path = partner_path,
		.arg = p,
		.connections = cfg->sftp.connections,
	};
	enum rc rc;

	p->source = cfg;
	p->config = &cfg->sftp;
	partner_sides_init(&p->sides, cfg);
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
