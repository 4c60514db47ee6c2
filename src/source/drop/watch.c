#include "landfall/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/names.h"
#include "source/drop/held.h"
#include "source/drop/watch-walk.h"

/* What one turn may hint: more is a reason to look at everything. */
#define TURN_NAMES 65536
#define TURN_BYTES (8u << 20)

struct watch {
	char *path;
	int inotify;
	int root_wd;
	uint64_t device, inode; /* the root's */
	bool recursive;
	bool lost;
	unsigned round; /* counts full walks */
	struct watch_dirs dirs;
	char event[64 * 1024]
		__attribute__((aligned(__alignof__(struct inotify_event))));
};

/* What one watch_read has gathered. */
struct turn {
	struct watch *w;
	struct names names;
	bool rescan;	 /* look at everything */
	bool rebuild;	 /* events are missing: the watches may be wrong */
	struct str path; /* of the event at hand */
};

int
watch_fd(const struct watch *w)
{
	return w->inotify;
}

/*
 * The root is opened for each use and not kept: as long as somebody has a
 * removed directory open, the kernel does not say that it was removed. END:
 * gone, or another one.
 */
static enum rc
open_root(struct watch *w, int *ret, struct err *e)
{
	struct stat st;
	int fd;

	if (io_open(AT_FDCWD, w->path, O_RDONLY | O_DIRECTORY, 0, &fd,
		    BAD_SOURCE, e) != OK)
		return e->cause == ENOENT || e->cause == ENOTDIR ? END
								 : e->code;
	if (fstat(fd, &st) < 0) {
		err_sys(e, BAD_SOURCE, errno, "stat %s", w->path);
		io_drop(&fd);
		return e->code;
	}
	if (w->root_wd >= 0 &&
		(st.st_dev != w->device || st.st_ino != w->inode)) {
		io_drop(&fd);
		return END;
	}
	w->device = st.st_dev;
	w->inode = st.st_ino;
	*ret = fd;
	return OK;
}

static void
add_name(void *arg, const char *name, size_t len)
{
	struct turn *t = arg;

	if (!t->rescan && names_put(&t->names, name, len) == NAMES_FULL)
		t->rescan = true;
}

/* The new directory at t->path and what it holds already. */
static enum rc
walk_new(struct turn *t, struct err *e)
{
	struct watch *w = t->w;
	struct watch_walk walk = {
		.inotify = w->inotify,
		.device = w->device,
		.dirs = &w->dirs,
		.round = w->round,
		.recursive = true,
		.found = add_name,
		.arg = t,
	};
	enum rc rc = open_root(w, &walk.root, e);

	if (rc == OK) {
		rc = watch_walk(&walk, t->path.s, t->path.len, e);
		io_drop(&walk.root);
	}
	if (rc != END)
		return rc;
	w->lost = true;
	return OK;
}

/* All watches as the tree is now. END: a filesystem that tells nothing. */
static enum rc
walk_all(struct watch *w, int root, struct err *e)
{
	const struct watch_walk walk = {
		.inotify = w->inotify,
		.root = root,
		.device = w->device,
		.dirs = &w->dirs,
		.round = ++w->round,
		.recursive = w->recursive,
		.again = true,
	};
	enum rc rc = watch_walk(&walk, "", 0, e);

	if (rc == OK)
		watch_dirs_forget_older(&w->dirs, w->inotify, w->round);
	return rc;
}

/* After events were lost. */
static enum rc
walk_again(struct watch *w, struct err *e)
{
	int root = -1;
	enum rc rc = open_root(w, &root, e);

	if (rc == OK) {
		rc = walk_all(w, root, e);
		io_drop(&root);
	}
	if (rc != END)
		return rc;
	w->lost = true;
	return OK;
}

/* ---- events ---- */

static enum rc
directory_event(struct turn *t, uint32_t mask, struct err *e)
{
	struct watch *w = t->w;

	if (!w->recursive || held_is_folder(t->path.s))
		return OK;
	if (mask & (IN_MOVED_FROM | IN_DELETE))
		watch_dirs_forget(&w->dirs, w->inotify, t->path.s, t->path.len);
	if (mask & IN_DELETE)
		return OK; /* it was empty */
	/* All names below it have changed, here or out of the tree. */
	if (mask & IN_MOVED_FROM)
		t->rescan = true;
	/* Even one that left: two directories may have changed places. */
	return walk_new(t, e);
}

static enum rc
take_event(struct turn *t, const struct inotify_event *ev, struct err *e)
{
	struct watch *w = t->w;
	const struct watch_dir *dir;

	if (ev->mask & IN_Q_OVERFLOW) {
		t->rebuild = true;
		return OK;
	}
	dir = watch_dirs_find(&w->dirs, ev->wd);
	if (dir == NULL)
		return OK; /* forgotten: what it said was walked again */
	if (ev->wd == w->root_wd &&
		(ev->mask &
			(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT |
				IN_IGNORED)))
		w->lost = true;
	if (ev->mask & IN_UNMOUNT)
		t->rescan = true; /* what it covered is there again */
	if (ev->mask & IN_IGNORED)
		watch_dirs_drop(&w->dirs, ev->wd);
	if (ev->len == 0)
		return OK; /* a subdirectory itself: its parent says it too */
	str_clear(&t->path);
	str_addn(&t->path, dir->path, dir->len);
	if (dir->len > 0)
		str_addc(&t->path, '/');
	str_addn(&t->path, ev->name, strnlen(ev->name, ev->len));
	if (ev->mask & IN_ISDIR)
		return directory_event(t, ev->mask, e);
	add_name(t, t->path.s, t->path.len);
	return OK;
}

/* What is queued now; what comes meanwhile is for the next turn. */
static enum rc
take_queue(struct turn *t, struct err *e)
{
	struct watch *w = t->w;
	int queued = 0;

	if (ioctl(w->inotify, FIONREAD, &queued) < 0)
		return err_sys(e, BAD_SOURCE, errno, "inotify");
	while (queued > 0 && !w->lost) {
		ssize_t got = read(w->inotify, w->event, sizeof(w->event));
		const char *at = w->event;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			break;
		if (got < 0)
			return err_sys(e, BAD_SOURCE, errno, "read inotify");
		queued -= (int)got;
		while (at < w->event + got && !w->lost) {
			const struct inotify_event *ev = (const void *)at;

			if (take_event(t, ev, e) != OK)
				return e->code;
			at += sizeof(*ev) + ev->len;
		}
	}
	return t->rebuild && !w->lost ? walk_again(w, e) : OK;
}

enum rc
watch_read(struct watch *w,
	void (*hint)(
		void *arg, enum watch_hint h, const uint8_t *name, size_t len),
	void *arg, struct err *e)
{
	struct turn t = {
		.w = w,
		.names = NAMES_INIT(TURN_NAMES, TURN_BYTES),
		.path = STR_INIT,
	};
	enum rc rc = take_queue(&t, e);

	if (w->lost) {
		hint(arg, WATCH_LOST, NULL, 0);
	} else if (t.rescan || t.rebuild || rc != OK) {
		hint(arg, WATCH_RESCAN, NULL, 0);
	} else {
		for (size_t i = 0; i < t.names.n; i++) {
			size_t len;
			const uint8_t *name = names_at(&t.names, i, &len);

			hint(arg, WATCH_NAME, name, len);
		}
	}
	names_release(&t.names);
	str_release(&t.path);
	return rc;
}

/* ---- open and close ---- */

void
watch_close(struct watch *w)
{
	if (w == NULL)
		return;
	io_drop(&w->inotify);
	watch_dirs_release(&w->dirs);
	mem_release(&w->path);
	mem_release(&w);
}

static enum rc
start(struct watch *w, struct err *e)
{
	int root = -1;
	enum rc rc;

	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->inotify < 0 && errno == EMFILE)
		return err_sys(e, BAD_SOURCE, errno,
			"watch: no inotify instances left, raise "
			"/proc/sys/fs/inotify/max_user_instances or this "
			"process's limit of open files");
	if (w->inotify < 0)
		return err_sys(e, BAD_SOURCE, errno, "watch");
	/* END here: it is missing, and e says so. */
	if (open_root(w, &root, e) != OK)
		return e->code;
	rc = walk_all(w, root, e);
	io_drop(&root);
	if (rc != OK)
		return rc;
	w->root_wd = watch_dirs_at(&w->dirs, "");
	if (w->root_wd < 0)
		return err_set(e, BAD_SOURCE, "watch: cannot be read");
	return OK;
}

enum rc
watch_open(const char *path, bool recursive, struct watch **ret, struct err *e)
{
	struct watch *w = mem_alloc(sizeof(*w));
	enum rc rc;

	w->path = mem_strdup(path);
	w->inotify = w->root_wd = -1;
	w->recursive = recursive;
	rc = start(w, e);
	if (rc == OK) {
		*ret = w;
		return OK;
	}
	watch_close(w);
	return rc == END ? END : err_add(e, "drop %s", path);
}
