#include "daemon/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

/* Whoever only asks holds it for an instant; that is no landfall at work. */
#define TRIES 5
#define PAUSE (20 * CLOCK_SECOND / 1000)

static long
pid_inside(int state)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct err ignored = ERR_INIT;

	if (io_read_file(state, "lock", 64, &text, BROKEN, &ignored) != OK)
		return 0;
	return strtol(text.s, NULL, 10);
}

static enum rc
lock(int state, const char *path, int fd, struct err *e)
{
	CLEANUP(str_release) struct str who = STR_INIT;
	long pid;

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK)
			return err_sys(
				e, BROKEN, errno, "%s/lock: flock", path);
		if (i < TRIES) {
			clock_sleep(PAUSE);
			continue;
		}
		pid = pid_inside(state);
		if (pid > 0)
			str_addf(&who, " (process %ld)", pid);
		err_set(e, BROKEN,
			"another landfall%s is at work on %s: wait for it or "
			"stop it",
			who.s, path);
		e->cause = EWOULDBLOCK;
		return e->code;
	}
	return OK;
}

enum rc
lock_take(int state, const char *path, int *ret_fd, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	int fd = -1;

	if (io_open(state, "lock", O_RDWR | O_CREAT, 0600, &fd, BROKEN, e) !=
		OK)
		return err_add(e, "state directory %s", path);
	if (lock(state, path, fd, e) != OK)
		goto fail;
	str_addf(&text, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0) {
		err_sys(e, BROKEN, errno, "%s/lock", path);
		goto fail;
	}
	if (io_write(fd, text.s, text.len, BROKEN, e) != OK) {
		err_add(e, "%s/lock", path);
		goto fail;
	}
	*ret_fd = fd;
	return OK;
fail:
	io_drop(&fd);
	return e->code;
}

enum rc
lock_holder(int state, long *ret_pid, struct err *e)
{
	int fd = -1, cause;
	bool free;

	if (io_open(state, "lock", O_RDONLY, 0, &fd, BROKEN, e) != OK)
		return e->cause == ENOENT ? END : e->code;
	free = flock(fd, LOCK_SH | LOCK_NB) == 0;
	cause = errno;
	io_drop(&fd);
	if (free)
		return END;
	if (cause != EWOULDBLOCK)
		return err_sys(e, BROKEN, cause, "lock: flock");
	*ret_pid = pid_inside(state);
	return OK;
}
