#include "daemon/outbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"

/* A directory in the way, the partner's perhaps, costs the one file. */
static enum rc
failed(const struct outbox_folder *f, struct err *e)
{
	enum rc rc = e->cause == EISDIR || e->cause == ENOTEMPTY ||
			e->cause == ENAMETOOLONG
		? BAD_ITEM
		: BAD_SOURCE;

	err_add(e, "outbox %s", f->path);
	return err_raise(e, rc);
}

static enum rc
has(void *arg, const char *file, struct err *e)
{
	const struct outbox_folder *f = arg;

	if (faccessat(f->fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return OK;
	if (errno == ENOENT)
		return END;
	err_sys(e, BAD_SOURCE, errno, "%s", file);
	return failed(f, e);
}

static enum rc
put(void *arg, const char *file, const char *text, size_t len, bool together,
	struct err *e)
{
	const struct outbox_folder *f = arg;

	if ((together ? durable_replace_later : durable_replace)(
		    f->fd, file, text, len, 0644, e) == OK)
		return OK;
	return failed(f, e);
}

static enum rc
sync_all(void *arg, struct err *e)
{
	const struct outbox_folder *f = arg;

	return durable_sync_fs(f->fd, e) == OK ? OK : failed(f, e);
}

enum rc
outbox_open(const char *path, struct outbox_folder *f, struct outbox *ret,
	struct err *e)
{
	*f = (struct outbox_folder){.path = path, .fd = -1};
	if (io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &f->fd,
		    BAD_SOURCE, e) != OK)
		return err_add(e, "outbox");
	if (faccessat(f->fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		err_sys(e, BAD_SOURCE, errno, "outbox %s", path);
		outbox_close(f);
		return e->code;
	}
	*ret = (struct outbox){
		.arg = f, .has = has, .put = put, .sync = sync_all};
	return OK;
}

void
outbox_close(struct outbox_folder *f)
{
	io_drop(&f->fd);
}
