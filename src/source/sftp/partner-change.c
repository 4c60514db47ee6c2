/*
 * What is changed at the server: what has landed leaves, receipts arrive.
 */
#include <string.h>

#include "base/io.h"
#include "source/sftp/partner-state.h"

#define SUFFIX_MAX 1000 /* .1, .2, ... of a name that is taken */

/* ---- leaving ---- */

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
		return partner_fail_request(r, e, what, name, len);
	}
}

enum rc
partner_remove(struct source *s, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct partner *p = partner_of(s);
	struct trunk_request r = {.kind = TRUNK_REMOVE};
	struct sftp_attrs a;
	struct err ignored = ERR_INIT;

	partner_path(p, &path, name, len);
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

	partner_path(p, &path, name, len);
	partner_path(p, &target, (const uint8_t *)to, to_len);
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

enum rc
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
	return partner_fail_name(
		e, "receipt", (const uint8_t *)path, strlen(path));
}

static void
add_file(struct str *s, const char *folder, const char *file)
{
	str_add(s, folder);
	if (s->len > 0 && s->s[s->len - 1] != '/')
		str_addc(s, '/');
	str_add(s, file);
}

enum rc
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

enum rc
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
