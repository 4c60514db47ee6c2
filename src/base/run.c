#include "base/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

#define CANCEL_EVERY 100 /* ms between two looks at r->cancel */

static int
spawn(const struct run *r, int in, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int cause;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setflags(&attr,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
			POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (r->errors)
		posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	else
		posix_spawn_file_actions_addopen(
			&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	else
		posix_spawn_file_actions_addopen(
			&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	cause = posix_spawnp(ret_pid, r->argv[0], &files, &attr, r->argv,
		r->env != NULL ? r->env : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return cause;
}

/* Takes what there is. False: the end, or the room is full and that is it. */
static bool
take_output(struct run *r, int fd)
{
	uint8_t lost[4096];

	for (;;) {
		bool full = r->len == r->size;
		ssize_t n;

		if (full && r->cut)
			return false;
		n = read(fd, full ? lost : r->room + r->len,
			full ? sizeof(lost) : r->size - r->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		if (!full)
			r->len += (size_t)n;
		/* More may come for ever: the deadline is looked at between. */
		if (full)
			return true;
	}
}

/* AGAIN: no longer. OK: fds[0] (or [1]) has something to say. */
static enum rc
wait_for(const struct run *r, struct pollfd *fds, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - clock_mono();
		int ms;

		if (left <= 0 || (r->cancel != NULL && *r->cancel))
			return AGAIN;
		/* Rounded up: a wait of 0 ms would spin. */
		ms = (int)(left / 1000000 + 1);
		if (r->cancel != NULL && ms > CANCEL_EVERY)
			ms = CANCEL_EVERY;
		if (poll(fds, 2, ms) > 0)
			return OK;
	}
}

/* Until it has ended, which may be before those who share its output have. */
static enum rc
watch(struct run *r, int out, int pidfd)
{
	int64_t deadline = clock_mono() + r->timeout;
	struct pollfd fds[2] = {
		{.fd = out, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	bool ended = false;

	for (;;) {
		if (wait_for(r, fds, deadline) != OK)
			return AGAIN;
		ended |= fds[1].revents != 0;
		if (ended)
			fds[1].fd = -1; /* poll leaves it out */
		if (fds[0].fd >= 0 && (ended || fds[0].revents != 0) &&
			!take_output(r, out)) {
			fds[0].fd = -1;
			if (r->cut && r->len == r->size)
				return END;
		}
		if (ended && (fds[0].fd < 0 || !r->all))
			return OK;
	}
}

/* The input as a file that only we know; -1: none was asked for. */
static enum rc
make_input(const struct run *r, int *ret, struct err *e)
{
	int fd;

	*ret = -1;
	if (r->input == NULL)
		return OK;
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, BAD_SOURCE, errno, "memfd");
	if (io_write(fd, r->input, r->input_len, BAD_SOURCE, e) != OK ||
		lseek(fd, 0, SEEK_SET) < 0) {
		io_drop(&fd);
		return err_set(e, BAD_SOURCE, "memfd: cannot be written");
	}
	*ret = fd;
	return OK;
}

enum rc
run_program(struct run *r, int *ret_status, struct err *e)
{
	CLEANUP(io_drop) int in = -1;
	CLEANUP(io_drop) int pidfd = -1;
	int out[2], cause, status = 0;
	enum rc rc;
	pid_t pid;

	r->len = 0;
	if (make_input(r, &in, e) != OK)
		return e->code;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, BAD_SOURCE, errno, "pipe");
	cause = spawn(r, in, out[1], &pid);
	io_drop(&out[1]);
	if (cause != 0) {
		io_drop(&out[0]);
		return err_sys(e, BAD_SOURCE, cause, "run %s", r->argv[0]);
	}
	/* Our end alone: the program's own writes wait as they would. */
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	pidfd = pidfd_open(pid, 0);
	rc = pidfd >= 0 ? watch(r, out[0], pidfd) : AGAIN;
	io_drop(&out[0]);
	if (rc != OK)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			status = -1;
			break;
		}
	*ret_status = status;
	return rc == END ? OK : rc;
}
