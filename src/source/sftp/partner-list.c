/*
 * A listing: names come on the trunk's thread, wait in a backlog, and go to
 * whoever decides.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "source/sftp/backlog.h"
#include "source/sftp/partner-state.h"

/* More are no folder of deliveries but a listing that does not end. */
#define LISTED_MAX 2000000

/* ---- the backlog ---- */

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

	if (ev->type == SFTP_ITEM)
		partner_sides_note(&l->partner->sides, ev);
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

/* ---- taking ---- */

static enum rc
each_record(const uint8_t *p, size_t n,
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
		.type = partner_type(p[0]),
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
	return each(arg, &it, e);
}

/* Which folder it was, and where it was looked for. */
static void
fail_root(const char *path, struct err *e)
{
	CLEANUP(str_release) struct str quoted = STR_INIT;

	str_add_quoted(&quoted, path, strlen(path));
	if (path[0] == '\0')
		err_add(e, "list the folder of the login");
	else
		err_add(e, "list %s (sftp.path%s)", quoted.s,
			path[0] != '/' ? ", from the folder of the login" : "");
}

enum rc
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
	partner_sides_begin(&p->sides);
	trunk_ask(p->trunk, &r);
	if (p->sides.wanted) {
		/* Whose side files are there is known at the end. */
		backlog_await_end(&l->backlog);
		partner_sides_end(&p->sides, r.fault == SFTP_FINE);
	}
	while ((rc = backlog_take(&l->backlog, &record, &n, e)) == OK) {
		rc = each_record(record, n, each, trouble, arg, e);
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
		fail_root(c->path, e);
	} else {
		p->listed = true;
		rc = OK;
	}
	backlog_release(&l->backlog);
	free(l);
	return rc;
}
