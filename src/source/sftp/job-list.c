/*
 * A listing: folders are read one after another, a few at a time, each by
 * OPENDIR, READDIR until the end, CLOSE. What READDIR tells of a name is
 * taken as it is; only where it tells no type, or links are to be followed,
 * the name is asked for with STAT.
 *
 * One READDIR at a time for each folder: servers that work on several at
 * once have lost names that way, and a lost name is a lost delivery.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/sftp/answer.h"
#include "source/sftp/job.h"
#include "source/sftp/looks.h"

enum {
	FOLDERS = 4,	/* at a time */
	LOOKS = 32,	/* STATs at a time, for each folder */
	EMPTY_MAX = 16, /* READDIR answers in a row without a name */
};

#define NAMES_MAX UINT64_C(10000000)
#define WAITING_MAX (4u << 20) /* bytes of names of folders yet to be read */

enum tag { TAG_OPEN, TAG_READ, TAG_LOOK };

/* A folder to be read. */
struct folder {
	struct folder *next;
	uint64_t number; /* unlike any other's */
	unsigned depth;
	bool opening, reading, ended;
	unsigned empty;
	struct handle handle;
	struct looks looks;
	struct str path; /* below the root; empty: the root */
};

struct list {
	struct job job; /* first */
	struct str root;
	uint64_t depth, max_names;
	bool follow;
	uint64_t names;			 /* told, trouble included */
	uint64_t entries;		 /* heard of, dots included */
	uint64_t folders, looks;	 /* seen so far */
	struct folder *active, *waiting; /* waiting: newest first */
	unsigned n_active;
	size_t waiting_bytes;
};

static struct list *
list_of(struct job *j)
{
	return (struct list *)j;
}

/* ---- folders ---- */

static void
folder_free(struct folder *d)
{
	looks_release(&d->looks);
	str_release(&d->path);
	free(d);
}

static struct folder *
folder_new(struct list *l, const uint8_t *name, size_t len, unsigned depth)
{
	struct folder *d = mem_alloc(sizeof(*d));

	d->number = l->folders++;
	d->depth = depth;
	d->path = (struct str)STR_INIT;
	str_addn(&d->path, name, len);
	return d;
}

static struct folder *
folder_at(struct list *l, uint64_t number)
{
	struct folder *d = l->active;

	while (d != NULL && d->number != number)
		d = d->next;
	return d;
}

/* Tells what is wrong with a name, which counts as one. */
static void
list_trouble(struct list *l, const uint8_t *name, size_t len, enum sftp_fault f,
	const char *why)
{
	struct sftp_event ev = {.type = SFTP_TROUBLE,
		.id = l->job.id,
		.fault = f,
		.text = why,
		.name = name,
		.name_len = len < SFTP_PATH_MAX ? len : SFTP_PATH_MAX};

	l->names++;
	say_event(l->job.server->shared->say, &ev);
}

/* It is closed at the server and forgotten here. */
static void
folder_leave(struct list *l, struct folder *d)
{
	struct folder **at = &l->active;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	l->n_active--;
	answer_close(l->job.server, &d->handle);
	folder_free(d);
}

/* It could not be read: all is over when it is the root. */
static void
folder_fail(
	struct list *l, struct folder *d, enum sftp_fault f, const char *why)
{
	if (d->depth > 0) {
		list_trouble(
			l, (const uint8_t *)d->path.s, d->path.len, f, why);
		folder_leave(l, d);
		return;
	}
	server_done(&l->job, f, "%s", why);
}

static void
list_told(struct job *j, struct sftp_event *ev)
{
	struct list *l = list_of(j);

	for (struct folder *d = l->active; d != NULL; d = d->next)
		answer_close(j->server, &d->handle);
	ev->names = l->names;
}

static void
list_release(struct job *j)
{
	struct list *l = list_of(j);

	while (l->active != NULL) {
		struct folder *d = l->active;

		l->active = d->next;
		folder_free(d);
	}
	while (l->waiting != NULL) {
		struct folder *d = l->waiting;

		l->waiting = d->next;
		folder_free(d);
	}
	str_release(&l->root);
}

/* ---- asking ---- */

/* root/name; either may be empty. */
static void
put_path(struct list *l, struct packet_out *o, const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str path = STR_INIT;

	str_addn(&path, l->root.s, l->root.len);
	if (len > 0 && path.len > 0 && path.s[path.len - 1] != '/')
		str_addc(&path, '/');
	str_addn(&path, name, len);
	if (path.len == 0)
		str_addc(&path, '.');
	packet_put_bytes(o, path.s, path.len);
}

static void
ask_looks(struct list *l, struct folder *d)
{
	unsigned under_way = 0;

	for (struct look *k = d->looks.first; k != NULL && under_way < LOOKS;
		k = k->next, under_way++) {
		if (k->asked)
			continue;
		if (!server_room(l->job.server, 0))
			return;
		put_path(l, server_begin(l->job.server, PACKET_STAT), k->name,
			k->len);
		server_ask(
			l->job.server, &l->job, k->number << 2 | TAG_LOOK, 0);
		k->asked = true;
	}
}

/* True: it was left, or all is over. */
static bool
folder_step(struct list *l, struct folder *d)
{
	struct server *s = l->job.server;

	if (!d->handle.open && !d->opening && server_room(s, 0)) {
		put_path(l, server_begin(s, PACKET_OPENDIR),
			(const uint8_t *)d->path.s, d->path.len);
		server_ask(s, &l->job, d->number << 2 | TAG_OPEN, 0);
		d->opening = true;
	}
	ask_looks(l, d);
	if (d->handle.open && !d->reading && !d->ended &&
		d->looks.first == NULL && server_room(s, 0)) {
		packet_put_bytes(server_begin(s, PACKET_READDIR), d->handle.p,
			d->handle.len);
		server_ask(s, &l->job, d->number << 2 | TAG_READ, 0);
		d->reading = true;
	}
	if (!d->ended || d->looks.first != NULL)
		return false;
	folder_leave(l, d);
	return true;
}

static void
list_step(struct job *j)
{
	struct list *l = list_of(j);
	struct folder *d, *next;

	while (l->waiting != NULL && l->n_active < FOLDERS) {
		d = l->waiting;
		l->waiting = d->next;
		l->waiting_bytes -= sizeof(*d) + d->path.len;
		d->next = l->active;
		l->active = d;
		l->n_active++;
	}
	for (d = l->active; d != NULL; d = next) {
		next = d->next;
		(void)folder_step(l, d);
	}
	if (l->active == NULL && l->waiting == NULL)
		server_done(j, SFTP_FINE, "%" PRIu64 " names", l->names);
}

/* ---- names ---- */

/* A folder to be read, if that is wanted. name is below the root. */
static void
list_descend(struct list *l, const struct folder *in, const uint8_t *name,
	size_t len)
{
	struct folder *d;

	if (in->depth >= l->depth) {
		if (l->depth > 0)
			list_trouble(l, name, len, SFTP_TOO_LARGE,
				"a folder below the deepest that is looked at");
		return;
	}
	if (l->waiting_bytes >= WAITING_MAX) {
		list_trouble(l, name, len, SFTP_TOO_LARGE,
			"too many folders to be read at once");
		return;
	}
	d = folder_new(l, name, len, in->depth + 1);
	d->next = l->waiting;
	l->waiting = d;
	l->waiting_bytes += sizeof(*d) + len;
}

static void
list_name(struct list *l, const struct folder *in, const uint8_t *name,
	size_t len, enum sftp_type kind, const struct sftp_attrs *a)
{
	if (kind == SFTP_TYPE_DIRECTORY) {
		list_descend(l, in, name, len);
		return;
	}
	l->names++;
	say_item(l->job.server->shared->say, l->job.id, kind, a, name, len);
}

/* One entry of a READDIR. */
static void
list_entry(struct list *l, struct folder *d, const uint8_t *name, size_t len,
	const struct sftp_attrs *a, enum sftp_type kind)
{
	CLEANUP(str_release) struct str path = STR_INIT;

	if ((len == 1 && name[0] == '.') ||
		(len == 2 && name[0] == '.' && name[1] == '.'))
		return;
	str_addn(&path, d->path.s, d->path.len);
	if (d->path.len > 0)
		str_addc(&path, '/');
	str_addn(&path, name, len < SFTP_PATH_MAX ? len : SFTP_PATH_MAX);
	if (memchr(name, '/', len) != NULL || memchr(name, '\0', len) != NULL ||
		len == 0)
		list_trouble(l, (const uint8_t *)path.s, path.len, SFTP_GARBAGE,
			"a name that no file can have");
	else if (path.len > SFTP_PATH_MAX ||
		l->root.len + path.len + 1 > SFTP_PATH_MAX ||
		len > SFTP_PATH_MAX)
		list_trouble(l, (const uint8_t *)path.s, path.len,
			SFTP_TOO_LARGE, "a name that is too long");
	else if (kind == SFTP_TYPE_UNKNOWN ||
		(kind == SFTP_TYPE_SYMLINK && l->follow))
		looks_add(&d->looks, l->looks++, &path, a);
	else
		list_name(l, d, (const uint8_t *)path.s, path.len, kind, a);
}

/* ---- answers ---- */

/* What ended the connection is told by its end. */
static void
folder_refused(
	struct list *l, struct folder *d, enum sftp_fault f, const char *why)
{
	if (l->job.server->link.state == LINK_UP)
		folder_fail(l, d, f, why);
}

static void
reply_open(struct list *l, struct folder *d, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault f = answer_handle(l->job.server, k, &d->handle, &why);

	d->opening = false;
	if (f != SFTP_FINE)
		folder_refused(l, d, f, why.s);
}

static void
reply_names(struct list *l, struct folder *d, struct packet *k)
{
	struct server *s = l->job.server;
	uint32_t n = packet_u32(k);

	if (n > 0) {
		d->empty = 0;
	} else if (++d->empty > EMPTY_MAX) {
		server_garbage(s, "a listing of no names, again and again");
		return;
	}
	for (; n > 0 && !k->bad; n--) {
		size_t len, line_len;
		const uint8_t *name = packet_bytes(k, &len);
		const uint8_t *line = packet_bytes(k, &line_len);
		struct sftp_attrs a;

		packet_attrs(k, &a);
		if (k->bad)
			break;
		list_entry(l, d, name, len, &a,
			packet_type_of(&a, line, line_len));
		if (++l->entries <= l->max_names)
			continue;
		server_done(&l->job, SFTP_TOO_LARGE,
			"more than %" PRIu64 " names, the limit", l->max_names);
		return;
	}
	if (!packet_end(k))
		server_garbage(s, "names that are none");
}

static void
reply_read(struct list *l, struct folder *d, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault f;

	d->reading = false;
	if (k->type == PACKET_NAME) {
		reply_names(l, d, k);
		return;
	}
	f = answer_status(l->job.server, k, &why);
	if (f == SFTP_FINE)
		d->ended = true;
	else
		folder_refused(l, d, f, why.s);
}

static void
take_look(struct list *l, struct folder *d, const struct look *k,
	struct packet *p)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct sftp_attrs a = {0};
	enum sftp_fault f = answer_attrs(l->job.server, p, &a, &why);
	enum sftp_type kind = packet_type_of(&a, NULL, 0);
	bool is_link = packet_type_of(&k->attrs, NULL, 0) == SFTP_TYPE_SYMLINK;

	if (f == SFTP_FINE) {
		/* No link to a folder is followed: they may lead in circles. */
		if (kind == SFTP_TYPE_DIRECTORY && is_link)
			kind = SFTP_TYPE_SYMLINK;
		/* Who tells no types tells of files. */
		if (kind == SFTP_TYPE_UNKNOWN)
			kind = SFTP_TYPE_FILE;
		list_name(l, d, k->name, k->len, kind, &a);
	} else if (f == SFTP_GONE && is_link) {
		/* A link to nothing is a link. */
		list_name(l, d, k->name, k->len, SFTP_TYPE_SYMLINK, &k->attrs);
	} else if (f != SFTP_GONE && l->job.server->link.state == LINK_UP) {
		/* But what went meanwhile is gone. */
		list_trouble(l, k->name, k->len, f, why.s);
	}
}

static void
reply_look(struct list *l, uint64_t number, struct packet *p)
{
	for (struct folder *d = l->active; d != NULL; d = d->next) {
		struct look *k = looks_take(&d->looks, number);

		if (k == NULL)
			continue;
		take_look(l, d, k, p);
		free(k);
		return;
	}
}

static void
list_reply(struct job *j, const struct pending *p, struct packet *k)
{
	struct list *l = list_of(j);
	uint64_t number = p->tag >> 2;
	struct folder *d;

	if ((p->tag & 3) == TAG_LOOK) {
		reply_look(l, number, k);
	} else {
		d = folder_at(l, number);
		if (d == NULL)
			return; /* it was left with this still under way */
		if ((p->tag & 3) == TAG_OPEN)
			reply_open(l, d, k);
		else
			reply_read(l, d, k);
	}
	if (!j->over)
		list_step(j);
}

static const struct job_ops list_ops = {
	.step = list_step,
	.reply = list_reply,
	.told = list_told,
	.release = list_release,
};

struct job *
job_list_new(const struct wire_order *o)
{
	struct list *l = mem_alloc(sizeof(*l));

	l->job.ops = &list_ops;
	l->job.id = o->id;
	l->root = (struct str)STR_INIT;
	str_addn(&l->root, o->path, o->path_len);
	l->depth = o->depth;
	l->max_names = o->max_names > 0 ? o->max_names : NAMES_MAX;
	l->follow = o->flag;
	l->waiting = folder_new(l, NULL, 0, 0);
	l->waiting_bytes = sizeof(*l->waiting);
	return &l->job;
}
