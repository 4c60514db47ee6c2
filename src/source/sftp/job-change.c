/*
 * What is done to one name: look, remove, move, put. Each is a walk through
 * steps, one request at a time; what a step's answer makes of it stands in
 * the table's order below each kind.
 *
 *	look	LSTAT or STAT
 *	remove	LSTAT, REMOVE
 *	move	LSTAT, LSTAT of the target, MKDIR ..., RENAME; LSTAT, if it is
 *		gone then
 *	put	LSTAT of the target, MKDIR ..., OPEN, WRITE ..., CLOSE, RENAME
 *
 * RENAME is that of version 3, which does not replace: never OpenSSH's
 * posix-rename. Servers that replace all the same are met by the look before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "source/sftp/answer.h"
#include "source/sftp/job.h"

#define WRITE_MAX 32768u
#define PART ".part"

enum step {
	LOOK,	/* at path: is it what was expected? */
	TARGET, /* it must not be there */
	FOLDER, /* each of the target's, from the top */
	REMOVE,
	OPEN,
	WRITE,
	CLOSE,
	RENAME,
	END_OF_STEPS,
};

struct change {
	struct job job; /* first */
	enum wire_kind kind;
	enum step step;
	bool asked;
	struct str path, to, from; /* from: what is renamed */
	struct str quoted, quoted_to;
	bool flag; /* follow, or make folders */
	struct sftp_attrs expected, found;
	size_t folder;		/* of `to`, made up to here */
	enum sftp_fault barred; /* FINE: no folder was refused */
	struct str bar;		/* which was, and why */
	bool doubted;		/* LOOK again: is it that what is gone? */
	int file;
	uint64_t size, at;
	struct handle handle;
};

static struct change *
change_of(struct job *j)
{
	return (struct change *)j;
}

/* ---- the end ---- */

static void
change_told(struct job *j, struct sftp_event *ev)
{
	struct change *c = change_of(j);

	answer_close(j->server, &c->handle);
	ev->attrs = c->found;
	ev->kind = packet_type_of(&c->found, NULL, 0);
}

static void
change_release(struct job *j)
{
	struct change *c = change_of(j);

	str_release(&c->path);
	str_release(&c->to);
	str_release(&c->from);
	str_release(&c->quoted);
	str_release(&c->quoted_to);
	str_release(&c->bar);
	io_drop(&c->file);
}

static void
change_done(
	struct change *c, enum sftp_fault f, const char *doing, const char *why)
{
	server_done(&c->job, f, "%s %s%s%s%s%s", doing, c->quoted.s,
		c->kind == WIRE_MOVE ? " to " : "",
		c->kind == WIRE_MOVE ? c->quoted_to.s : "",
		f != SFTP_FINE ? ": " : "", f != SFTP_FINE ? why : "");
}

static const char *
doing(const struct change *c)
{
	static const char *const words[WIRE_KINDS] = {
		[WIRE_LOOK] = "look at",
		[WIRE_REMOVE] = "remove",
		[WIRE_MOVE] = "move",
		[WIRE_PUT] = "put",
	};

	return words[c->kind];
}

/* ---- steps ---- */

static const enum step walks[WIRE_KINDS][8] = {
	[WIRE_LOOK] = {LOOK, END_OF_STEPS},
	[WIRE_REMOVE] = {LOOK, REMOVE, END_OF_STEPS},
	[WIRE_MOVE] = {LOOK, TARGET, FOLDER, RENAME, END_OF_STEPS},
	[WIRE_PUT] = {TARGET, FOLDER, OPEN, WRITE, CLOSE, RENAME, END_OF_STEPS},
};

/* The next folder of the target that is to be made; false: none is. */
static bool
next_folder(struct change *c)
{
	const char *slash;
	size_t from = c->folder;

	if (!c->flag)
		return false;
	while (from < c->to.len && c->to.s[from] == '/')
		from++;
	slash = memchr(c->to.s + from, '/', c->to.len - from);
	if (slash == NULL)
		return false;
	c->folder = (size_t)(slash - c->to.s);
	return true;
}

static void
change_next(struct change *c)
{
	const enum step *walk = walks[c->kind];
	unsigned i = 0;

	while (walk[i] != c->step)
		i++;
	c->step = walk[i + 1];
	if (c->step == FOLDER && !next_folder(c))
		c->step = walk[i + 2];
	if (c->step == WRITE && c->size == 0)
		c->step = CLOSE;
	if (c->step == END_OF_STEPS)
		change_done(c, SFTP_FINE, doing(c), "");
}

/* The next piece of what is put. False: it cannot be read. */
static bool
put_piece(struct change *c, struct packet_out *o)
{
	uint64_t left = c->size - c->at;
	size_t n = left < WRITE_MAX ? (size_t)left : WRITE_MAX, got = 0;
	uint8_t piece[WRITE_MAX];
	struct err e = ERR_INIT;
	enum rc rc = io_pread(c->file, piece, n, c->at, &got, BAD_ITEM, &e);

	if (rc != OK || got != n) {
		change_done(c, SFTP_SPOOL, doing(c),
			rc != OK ? e.text : "it is shorter than was said");
		return false;
	}
	packet_put_bytes(o, c->handle.p, c->handle.len);
	packet_put_u64(o, c->at);
	packet_put_bytes(o, piece, n);
	c->at += n;
	return true;
}

static void
change_ask(struct change *c)
{
	static const uint8_t types[] = {
		[LOOK] = PACKET_LSTAT,
		[TARGET] = PACKET_LSTAT,
		[FOLDER] = PACKET_MKDIR,
		[REMOVE] = PACKET_REMOVE,
		[OPEN] = PACKET_OPEN,
		[WRITE] = PACKET_WRITE,
		[CLOSE] = PACKET_CLOSE,
		[RENAME] = PACKET_RENAME,
	};
	uint8_t type = types[c->step];
	struct packet_out *o;

	if (c->kind == WIRE_LOOK && c->flag)
		type = PACKET_STAT;
	o = server_begin(c->job.server, type);
	switch (c->step) {
	case LOOK:
	case REMOVE:
		packet_put_bytes(o, c->path.s, c->path.len);
		break;
	case TARGET:
		packet_put_bytes(o, c->to.s, c->to.len);
		break;
	case FOLDER:
		packet_put_bytes(o, c->to.s, c->folder);
		packet_put_u32(o, 0);
		break;
	case OPEN:
		packet_put_bytes(o, c->from.s, c->from.len);
		packet_put_u32(o,
			PACKET_OPEN_WRITE | PACKET_OPEN_CREATE |
				PACKET_OPEN_TRUNCATE);
		packet_put_u32(o, 0);
		break;
	case WRITE:
		if (!put_piece(c, o))
			return;
		break;
	case CLOSE:
		packet_put_bytes(o, c->handle.p, c->handle.len);
		c->handle.open = false;
		break;
	case RENAME:
		packet_put_bytes(o, c->from.s, c->from.len);
		packet_put_bytes(o, c->to.s, c->to.len);
		break;
	case END_OF_STEPS:
		return;
	}
	server_ask(c->job.server, &c->job, c->step, 0);
	c->asked = true;
}

static void
change_step(struct job *j)
{
	struct change *c = change_of(j);

	if (!j->over && !c->asked && server_room(j->server, 0))
		change_ask(c);
}

/* ---- answers ---- */

static void
reply_look(struct change *c, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault f = answer_attrs(c->job.server, k, &c->found, &why);

	if (f != SFTP_FINE)
		change_done(c, f, doing(c), why.s);
	else if (c->doubted)
		change_done(c, c->barred, doing(c), c->bar.s);
	else if (job_expected(&c->expected, &c->found, &why))
		change_next(c);
	else
		change_done(c, SFTP_CHANGED, doing(c), why.s);
}

static void
reply_target(struct change *c, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct sftp_attrs ignored;
	enum sftp_fault f = answer_attrs(c->job.server, k, &ignored, &why);

	if (f == SFTP_GONE)
		change_next(c);
	else if (f == SFTP_FINE)
		change_done(c, SFTP_EXISTS, doing(c), "the target is there");
	else
		change_done(c, f, doing(c), why.s);
}

/*
 * Servers say in many ways that a folder is there already; if it is not, the
 * step after tells: something is gone, then. The deepest that was refused is
 * the cause, but for those whose own parent is missing.
 */
static void
reply_folder(struct change *c, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault f = answer_status(c->job.server, k, &why);

	if (f == SFTP_FULL) {
		change_done(c, f, doing(c), why.s);
		return;
	}
	if (f == SFTP_FINE || f == SFTP_EXISTS) {
		c->barred = SFTP_FINE;
	} else if (f != SFTP_GONE) {
		c->barred = f;
		str_clear(&c->bar);
		str_add(&c->bar, "the folder ");
		str_add_quoted(&c->bar, c->to.s, c->folder);
		str_addf(
			&c->bar, " is not there and cannot be made: %s", why.s);
	}
	if (!next_folder(c))
		change_next(c);
}

/* What is gone: the folder, or the file? */
static void
reply_gone(struct change *c, const char *why)
{
	if (c->barred == SFTP_FINE) {
		change_done(c, SFTP_GONE, doing(c), why);
	} else if (c->step == OPEN) {
		change_done(c, c->barred, doing(c), c->bar.s);
	} else {
		c->doubted = true;
		c->step = LOOK;
	}
}

static void
reply_open(struct change *c, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault f = answer_handle(c->job.server, k, &c->handle, &why);

	if (f == SFTP_GONE) {
		reply_gone(c, why.s);
	} else if (f != SFTP_FINE) {
		change_done(c, f, doing(c), why.s);
	} else {
		c->barred = SFTP_FINE; /* its folder is there */
		change_next(c);
	}
}

static void
change_reply(struct job *j, const struct pending *p, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct change *c = change_of(j);
	enum sftp_fault f;

	(void)p;
	c->asked = false;
	switch (c->step) {
	case LOOK:
		reply_look(c, k);
		break;
	case TARGET:
		reply_target(c, k);
		break;
	case FOLDER:
		reply_folder(c, k);
		break;
	case OPEN:
		reply_open(c, k);
		break;
	default:
		f = answer_status(j->server, k, &why);
		if (f == SFTP_GONE && c->step == RENAME)
			reply_gone(c, why.s);
		else if (f != SFTP_FINE)
			change_done(c, f, doing(c), why.s);
		else if (c->step != WRITE || c->at == c->size)
			change_next(c);
	}
	change_step(j);
}

static const struct job_ops change_ops = {
	.step = change_step,
	.reply = change_reply,
	.told = change_told,
	.release = change_release,
};

static struct change *
change_new(const struct wire_order *o, enum step first)
{
	struct change *c = mem_alloc(sizeof(*c));

	c->job.ops = &change_ops;
	c->job.id = o->id;
	c->kind = o->kind;
	c->step = first;
	c->path = c->to = c->from = (struct str)STR_INIT;
	c->quoted = c->quoted_to = c->bar = (struct str)STR_INIT;
	str_addn(&c->path, o->path, o->path_len);
	str_add_quoted(&c->quoted, o->path, o->path_len);
	c->expected = o->expected;
	c->flag = o->flag;
	c->file = -1;
	return c;
}

struct job *
job_look_new(const struct wire_order *o)
{
	return &change_new(o, LOOK)->job;
}

struct job *
job_move_new(const struct wire_order *o)
{
	struct change *c = change_new(o, LOOK);

	str_addn(&c->from, o->path, o->path_len);
	str_addn(&c->to, o->to, o->to_len);
	str_add_quoted(&c->quoted_to, o->to, o->to_len);
	return &c->job;
}

struct job *
job_put_new(const struct wire_order *o, int file)
{
	struct change *c = change_new(o, TARGET);

	str_addn(&c->to, o->path, o->path_len);
	str_addf(&c->from, "%s" PART, c->to.s);
	c->size = o->size;
	c->file = file;
	return &c->job;
}
