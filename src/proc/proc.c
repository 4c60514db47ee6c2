#include "landfall/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "proc/death.h"
#include "proc/frame.h"
#include "proc/sanitized.h"

enum {
	READY_IN = 60,	/* seconds; a loaded machine is slow to execute */
	CLEAR = 64,	/* above all the numbers a child's descriptors have */
	WORDS_MAX = 300 /* of what a child says on stderr before it dies */
};

struct proc {
	pid_t pid;
	int pidfd;   /* -1: reaped */
	int channel; /* -1: closed */
	int words;   /* what it writes to stderr; -1: inherited */
	bool gone;   /* reaped: cause says how */
	bool well;   /* ... with status 0 */
	bool killed; /* ... by SIGKILL: no fault of its own */
	struct proc_limits limits;
	struct str kind;
	struct str weak;
	struct str cause;
	struct message m;
};

/* ---- starting ---- */

/*
 * The child's descriptors: /dev/null, words, the channel, then those given.
 * They are moved out of the way first: one could have the number of another's
 * place. Those copies are ours to close.
 */
struct plan {
	posix_spawn_file_actions_t actions;
	int copy[CHILD_FDS + CHILD_FDS_MAX];
	unsigned n;
};

static enum rc
plan_fd(struct plan *p, int fd, int at, struct err *e)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, CLEAR);

	if (copy < 0)
		return err_sys(e, AGAIN, errno, "a descriptor for a child");
	p->copy[p->n++] = copy;
	if (posix_spawn_file_actions_adddup2(&p->actions, copy, at) != 0)
		abort();
	return OK;
}

static enum rc
plan_fds(struct plan *p, const struct proc_start *s, int null, int words,
	int channel, struct err *e)
{
	enum rc rc = plan_fd(p, null, STDIN_FILENO, e);

	if (rc == OK)
		rc = plan_fd(p, null, STDOUT_FILENO, e);
	if (rc == OK)
		rc = plan_fd(p, words, STDERR_FILENO, e);
	if (rc == OK)
		rc = plan_fd(p, channel, CHILD_CHANNEL, e);
	for (unsigned i = 0; i < s->n_fds && rc == OK; i++)
		rc = plan_fd(p, s->fds[i], CHILD_FDS + (int)i, e);
	if (rc == OK &&
		posix_spawn_file_actions_addclosefrom_np(
			&p->actions, CHILD_FDS + (int)s->n_fds) != 0)
		abort();
	return rc;
}

/*
 * No signal is blocked or ignored in it, and it is in a group of its own: what
 * somebody types at a terminal is for the supervisor.
 */
static enum rc
execute(const struct proc_start *s, const struct plan *p, pid_t *ret_pid,
	struct err *e)
{
	CLEANUP(str_release) struct str arg = STR_INIT;
	char self[] = "/proc/self/exe", name[] = "landfall";
	char *const environment[] = {NULL};
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	str_addf(&arg, FRAME_ARGUMENT "%s", s->kind);
	char *const argv[] = {name, arg.s, NULL};

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawnattr_init(&attr) != 0)
		abort();
	posix_spawnattr_setflags(&attr,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	rc = posix_spawn(ret_pid, self, &p->actions, &attr, argv, environment);
	posix_spawnattr_destroy(&attr);
	if (rc == EAGAIN || rc == ENOMEM)
		return err_sys(e, AGAIN, rc, "cannot start a child process");
	if (rc != 0)
		return err_sys(e, BROKEN, rc,
			"cannot start a child process from %s", self);
	return OK;
}

static enum rc
proc_execute(struct proc *p, const struct proc_start *s, int channel, int words,
	struct err *e)
{
	struct plan plan = {.n = 0};
	int null = -1;
	enum rc rc;

	if (posix_spawn_file_actions_init(&plan.actions) != 0)
		abort();
	rc = io_open(AT_FDCWD, "/dev/null", O_RDWR, 0, &null, BROKEN, e);
	if (rc == OK)
		rc = plan_fds(&plan, s, null, words, channel, e);
	if (rc == OK)
		rc = execute(s, &plan, &p->pid, e);
	io_drop(&null);
	while (plan.n > 0)
		io_drop(&plan.copy[--plan.n]);
	posix_spawn_file_actions_destroy(&plan.actions);
	if (rc != OK)
		return rc;
	/* Nobody else waits for it, so its number is still its own. */
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0) {
		int cause = errno;

		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		return err_sys(e, AGAIN, cause, "pidfd_open");
	}
	return OK;
}

/* The limits out, and what the sandbox lacks back. */
static enum rc
proc_meet(struct proc *p, const struct proc_start *s, struct err *e)
{
	int64_t deadline = clock_mono() + READY_IN * CLOCK_SECOND;
	struct message *m = &p->m;
	const uint8_t *text;
	size_t n;
	enum rc rc;

	message_begin(m, FRAME_START);
	message_put_u64(m, s->limits.memory);
	message_put_u64(m, s->limits.widened);
	message_put_u64(m, s->limits.file_size);
	message_put_u64(m, s->limits.cpu);
	message_put_u64(m, s->limits.fds);
	message_put_u64(m, s->n_fds);
	rc = proc_send(p, m, deadline, e);
	if (rc == OK)
		rc = proc_recv(p, m, deadline, e);
	if (rc == AGAIN)
		return err_set(e, AGAIN, "%s child: not ready within %d s",
			s->kind, READY_IN);
	/* It has not met anything hostile yet: the fault is here, or nobody's.
	 */
	if (rc != OK && p->killed)
		return e->code = AGAIN;
	if (rc != OK)
		return err_raise(e, BROKEN);
	text = message_take_bytes(m, &n);
	if (m->type != FRAME_READY)
		return err_set(e, BROKEN, "%s child: %.*s", s->kind, (int)n,
			(const char *)text);
	str_addn(&p->weak, text, n);
	return OK;
}

enum rc
proc_spawn(const struct proc_start *s, struct proc **ret, struct err *e)
{
	struct proc *p;
	int sock[2] = {-1, -1}, words[2] = {-1, -1};
	enum rc rc;

	if (s->n_fds > CHILD_FDS_MAX)
		return err_set(
			e, BROKEN, "%u descriptors for a child", s->n_fds);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) != 0)
		return err_sys(e, AGAIN, errno, "socketpair");
	/* Nobody waits for a child that talks much to a full pipe. */
	if (pipe2(words, O_CLOEXEC | O_NONBLOCK) != 0) {
		err_sys(e, AGAIN, errno, "pipe");
		io_drop(&sock[0]);
		io_drop(&sock[1]);
		return AGAIN;
	}
	p = mem_alloc(sizeof(*p));
	*p = (struct proc){.pidfd = -1,
		.channel = sock[0],
		.words = words[0],
		.limits = s->limits,
		.kind = STR_INIT,
		.weak = STR_INIT,
		.cause = STR_INIT};
	str_add(&p->kind, s->kind);
	/* A sanitizer's report is long, and for who runs the tests. */
	rc = proc_execute(
		p, s, sock[1], SANITIZED ? STDERR_FILENO : words[1], e);
	io_drop(&sock[1]);
	io_drop(&words[1]);
	if (rc == OK)
		rc = proc_meet(p, s, e);
	if (rc != OK) {
		proc_free(p);
		return rc;
	}
	*ret = p;
	return OK;
}

const char *
proc_weak(const struct proc *p)
{
	return p->weak.len > 0 ? p->weak.s : NULL;
}

pid_t
proc_pid(const struct proc *p)
{
	return p->pid;
}

int
proc_fd(const struct proc *p)
{
	return p->channel;
}

enum rc
proc_widen(struct proc *p, struct err *e)
{
	struct rlimit r;

	if (SANITIZED || p->gone)
		return OK;
	if (prlimit(p->pid, RLIMIT_AS, NULL, &r) != 0)
		return err_sys(e, BROKEN, errno, "memory of a child");
	r.rlim_cur = r.rlim_max;
	if (prlimit(p->pid, RLIMIT_AS, &r, NULL) != 0)
		return err_sys(e, BROKEN, errno, "more memory for a child");
	return OK;
}

/* ---- ending ---- */

/* What it wrote to stderr, the end of it. */
static void
proc_hear(struct proc *p)
{
	uint8_t words[4096];
	size_t len = 0;
	ssize_t n;

	/* The newest bytes stay at the end of what has room. */
	while (p->words >= 0) {
		if (len > sizeof(words) / 2) {
			memmove(words, words + len - WORDS_MAX, WORDS_MAX);
			len = WORDS_MAX;
		}
		n = read(p->words, words + len, sizeof(words) - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	while (len > 0 && words[len - 1] == '\n')
		len--;
	if (len == 0)
		return;
	str_add(&p->cause, ", its last words ");
	if (len <= WORDS_MAX)
		str_add_quoted(&p->cause, words, len);
	else
		str_add_quoted(&p->cause, words + len - WORDS_MAX, WORDS_MAX);
}

/* False: it still runs at the deadline. */
static bool
proc_wait(struct proc *p, int64_t deadline)
{
	struct pollfd fd = {.fd = p->pidfd, .events = POLLIN};

	while (!p->gone) {
		int64_t left = deadline - clock_mono();
		int ms = -1;

		if (deadline != CHANNEL_FOREVER) {
			left = left <= 0 ? 0 : left / 1000000 + 1;
			ms = left > 1000000 ? 1000000 : (int)left;
		}
		if (poll(&fd, 1, ms) > 0)
			return true;
		if (ms == 0)
			return false;
	}
	return true;
}

/* It is dead or dying: take what the kernel knows. */
static void
proc_reap(struct proc *p, const char *ours)
{
	siginfo_t info = {0};

	if (p->gone)
		return;
	while (waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED) != 0)
		if (errno != EINTR)
			abort(); /* somebody else waited for our child */
	p->gone = true;
	p->well = info.si_code == CLD_EXITED && info.si_status == 0;
	p->killed = info.si_code == CLD_KILLED && info.si_status == SIGKILL;
	str_addf(&p->cause, "%s child: ", p->kind.s);
	death_describe(&p->cause, &info, &p->limits, ours);
	proc_hear(p);
	io_drop(&p->pidfd);
	io_drop(&p->channel);
	io_drop(&p->words);
}

static void
proc_kill(struct proc *p, const char *why)
{
	if (p->gone)
		return;
	syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
	proc_reap(p, why);
}

void
proc_free(struct proc *p)
{
	if (p == NULL)
		return;
	if (p->pidfd >= 0)
		proc_kill(p, "no longer wanted");
	io_drop(&p->channel);
	io_drop(&p->words);
	str_release(&p->kind);
	str_release(&p->weak);
	str_release(&p->cause);
	free(p);
}

/*
 * The channel said rc. A closed channel is a death: wait for it, but not for
 * one that closed its end and lives on.
 */
static enum rc
proc_explain(struct proc *p, enum rc rc, struct err *e)
{
	if (rc == OK || rc == AGAIN)
		return rc;
	if (rc == BAD_ITEM) {
		proc_kill(p, e->text);
	} else if (rc == END) {
		if (proc_wait(p, clock_mono() + 5 * CLOCK_SECOND))
			proc_reap(p, NULL);
		else
			proc_kill(p, "it closed its channel");
	} else {
		return rc;
	}
	return err_set(e, BAD_ITEM, "%s", p->cause.s);
}

static bool
proc_is_gone(const struct proc *p, struct err *e)
{
	if (!p->gone)
		return false;
	err_set(e, BAD_ITEM, "%s", p->cause.s);
	return true;
}

enum rc
proc_send(struct proc *p, const struct message *m, int64_t deadline,
	struct err *e)
{
	if (proc_is_gone(p, e))
		return BAD_ITEM;
	return proc_explain(p, channel_send(p->channel, m, deadline, e), e);
}

enum rc
proc_send_data(struct proc *p, uint32_t type, const void *data, size_t n,
	int64_t deadline, struct err *e)
{
	if (proc_is_gone(p, e))
		return BAD_ITEM;
	return proc_explain(p,
		channel_send_data(p->channel, type, data, n, deadline, e), e);
}

enum rc
proc_recv(struct proc *p, struct message *m, int64_t deadline, struct err *e)
{
	if (proc_is_gone(p, e))
		return BAD_ITEM;
	return proc_explain(
		p, channel_recv(p->channel, m, false, deadline, e), e);
}

enum rc
proc_recv_data(struct proc *p, struct message *m, uint32_t type, void *data,
	size_t n, size_t *ret_n, int64_t deadline, struct err *e)
{
	if (proc_is_gone(p, e))
		return BAD_ITEM;
	return proc_explain(p,
		channel_recv_data(
			p->channel, m, type, data, n, ret_n, deadline, e),
		e);
}

enum rc
proc_end(struct proc *p, int64_t deadline, struct err *e)
{
	io_drop(&p->channel);
	if (proc_wait(p, deadline))
		proc_reap(p, NULL);
	else
		proc_kill(p, "it did not end in time");
	if (p->well)
		return OK;
	return err_set(e, BAD_ITEM, "%s", p->cause.s);
}
