#include "source/drop/held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/durable.h"
#include "source/drop/drop-name.h"
#include "source/drop/held-back.h"

#define SUFFIX_MAX 100000

bool
held_is_folder(const char *path)
{
	return strcmp(path, HELD_FOLDER) == 0;
}

void
held_init(struct held *h, int root)
{
	*h = (struct held){.root = root, .folder = -1};
}

/* The hex folder, made when it is needed first. */
static enum rc
open_folder(struct held *h, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	uint64_t id;

	if (h->folder >= 0)
		return OK;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_sys(e, BAD_SOURCE, errno, "random number");
	/* Nobody else looks in: what is in there cannot be replaced. */
	if (mkdirat(h->root, HELD_FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, BAD_ITEM, errno,
			"make the folder %s in the drop", HELD_FOLDER);
	snprintf(h->id, sizeof(h->id), "%016llx", (unsigned long long)id);
	str_addf(&path, "%s/%s", HELD_FOLDER, h->id);
	return drop_name_folder(h->root, path.s, true, &h->folder, e);
}

void
held_close(struct held *h)
{
	if (h->folder < 0)
		return;
	io_drop(&h->folder);
	held_back_one(h->root, h->id, NULL, NULL);
	(void)unlinkat(h->root, HELD_FOLDER, AT_REMOVEDIR);
}

/* ---- one file ---- */

struct leaving {
	struct str path; /* below the root, and below the hex folder */
	struct str text; /* the same for a human */
	const char *last;
	int file; /* open for reading, with a lease if there is one */
	bool leased;
	int from, held; /* directories */
};

#define LEAVING_INIT \
	{ \
		.path = STR_INIT, .text = STR_INIT, .file = -1, .from = -1, \
		.held = -1 \
	}

static void
leaving_release(struct leaving *l)
{
	io_drop(&l->file);
	io_drop(&l->from);
	io_drop(&l->held);
	str_release(&l->path);
	str_release(&l->text);
}

static bool
is_same(const struct signature *a, const struct signature *b)
{
	return a->size == b->size && a->mtime == b->mtime &&
		a->inode == b->inode && a->device == b->device;
}

static enum rc
refuse(const struct leaving *l, const char *why, struct err *e)
{
	return err_set(e, AGAIN, "%s %s: left alone", l->text.s, why);
}

/* A rename at the source: not our disk, so not what durable.h calls it. */
static enum rc
move_one(const struct leaving *l, int from, const char *name, int to,
	const char *as, struct err *e)
{
	if (durable_publish(from, name, to, as, e) == OK)
		return OK;
	if (e->cause == EXDEV)
		return err_set(e, BAD_ITEM,
			"%s lies on another filesystem than the folder it is "
			"to go to; `after` works within one",
			l->text.s);
	if (e->cause == EEXIST)
		return BAD_ITEM;
	return drop_name_fail(e, e->cause, "rename", l->path.s, l->path.len);
}

/* What was taken is not what landed: give it its name again. */
static enum rc
put_back(const struct leaving *l, enum rc code, const char *why, struct err *e)
{
	struct err back = ERR_INIT;

	if (move_one(l, l->held, l->last, l->from, l->last, &back) == OK)
		return code == AGAIN ? refuse(l, why, e) : code;
	return held_back_stuck(l->path.s, l->path.len, &back, e);
}

/* No writer now, and none later without our knowing. */
static enum rc
lease(struct leaving *l, struct err *e)
{
	enum rc rc = drop_name_lease(l->file);

	l->leased = rc == OK;
	return rc == AGAIN ? refuse(l, "is open for writing", e) : OK;
}

/*
 * Takes the file out of everybody's way, if it is the one expected. On OK it
 * is l->last in l->held, and nobody else's name leads to it.
 */
static enum rc
take_out(struct held *h, struct leaving *l, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e)
{
	CLEANUP(str_release) struct str above = STR_INIT;
	struct signature sig;
	struct stat st;
	enum rc rc;

	str_add_quoted(&l->text, name, len);
	rc = drop_name_find(
		h->root, name, len, &l->path, &l->from, &l->last, e);
	if (rc == OK)
		rc = drop_name_open(h->root, name, len, &l->file, &sig, e);
	if (rc == OK)
		rc = lease(l, e);
	if (rc != OK)
		return rc;
	if (fstat(l->file, &st) < 0)
		return drop_name_fail(e, errno, "stat", name, len);
	sig = drop_name_sign(&st);
	if (!is_same(&sig, expected) || sig.ctime != expected->ctime)
		return refuse(l, "has changed since it landed", e);

	rc = open_folder(h, e);
	if (rc != OK)
		return err_raise(e, rc == END ? BAD_ITEM : rc);
	str_addn(&above, l->path.s, (size_t)(l->last - l->path.s));
	if (drop_name_folder(h->folder, above.s, true, &l->held, e) != OK)
		return err_raise(e, BAD_ITEM);
	rc = move_one(l, l->from, l->last, l->held, l->last, e);
	if (rc != OK)
		return rc;

	/* Our rename has changed its ctime; all else must be as it was. */
	if (fstatat(l->held, l->last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(l, "was taken by somebody else", e);
	sig = drop_name_sign(&st);
	if (!is_same(&sig, expected))
		return put_back(l, AGAIN, "was replaced while it went", e);
	if (l->leased && fcntl(l->file, F_GETLEASE) != F_RDLCK)
		return put_back(l, AGAIN, "is being opened for writing", e);
	return OK;
}

enum rc
held_remove(struct held *h, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e)
{
	CLEANUP(leaving_release) struct leaving l = LEAVING_INIT;
	enum rc rc = take_out(h, &l, name, len, expected, e);

	if (rc != OK)
		return rc;
	if (unlinkat(l.held, l.last, 0) == 0)
		return OK;
	rc = drop_name_fail(e, errno, "remove", name, len);
	if (rc == END)
		return refuse(&l, "was taken by somebody else", e);
	return put_back(&l, rc, NULL, e);
}

/* "a.csv.17", cut in front of the suffix if the filesystem needs it. */
static void
add_suffix(struct str *s, const char *name, unsigned i)
{
	char suffix[16];
	int n = snprintf(suffix, sizeof(suffix), ".%u", i);
	size_t len = strlen(name);

	if (len + (size_t)n > NAME_MAX)
		len = NAME_MAX - (size_t)n;
	str_clear(s);
	str_addn(s, name, len);
	str_add(s, suffix);
}

enum rc
held_move(struct held *h, const uint8_t *name, size_t len, const char *folder,
	const struct signature *expected, struct str *ret_to, struct err *e)
{
	CLEANUP(leaving_release) struct leaving l = LEAVING_INIT;
	CLEANUP(str_release) struct str to = STR_INIT;
	CLEANUP(str_release) struct str as = STR_INIT;
	CLEANUP(io_drop) int dir = -1;
	const uint8_t *slash = memrchr(name, '/', len);
	enum rc rc;

	/* The way is made first: nothing has happened yet when it fails. */
	str_addf(&to, "%s/", folder);
	if (slash != NULL)
		str_addn(&to, name, (size_t)(slash + 1 - name));
	if (!drop_name_is_below(name, len))
		return drop_name_fail(e, EINVAL, "move", name, len);
	if (drop_name_folder(h->root, to.s, true, &dir, e) != OK)
		return err_raise(e, BAD_ITEM);
	rc = take_out(h, &l, name, len, expected, e);
	if (rc != OK)
		return rc;
	str_add(&as, l.last);
	for (unsigned i = 1;; i++) {
		rc = move_one(&l, l.held, l.last, dir, as.s, e);
		if (rc == OK || e->cause != EEXIST || i == SUFFIX_MAX)
			break;
		add_suffix(&as, l.last, i);
	}
	if (rc == END)
		return refuse(&l, "was taken by somebody else", e);
	if (rc != OK)
		return put_back(&l, rc, NULL, e);
	str_clear(ret_to);
	str_add(ret_to, to.s);
	str_add(ret_to, as.s);
	return OK;
}

enum rc
held_recover(struct held *h,
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	return held_back_all(h->root, trouble, arg, e);
}
