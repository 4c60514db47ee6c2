/*
 * The frame of a child process, with children that this very program is: the
 * messages, the sandbox it is told to break out of, and every way to die.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "landfall/proc.h"
#include "proc/sandbox.h"
#include "proc/sanitized.h"

enum { TRY = 1, SAY, DATA, FDS, DIE, EAT };

#define SOON (clock_mono() + 60 * CLOCK_SECOND)

static struct message m; /* too large for a stack, and used by one at a time */

static const struct proc_limits limits = {
	.memory = 64 << 20, .file_size = 1 << 20, .cpu = 60};

/* ---- the children ---- */

static void
answer(uint32_t type, uint64_t v)
{
	struct err e = ERR_INIT;

	message_begin(&m, type);
	message_put_u64(&m, v);
	if (channel_send(CHILD_CHANNEL, &m, CHANNEL_FOREVER, &e) != OK)
		_exit(9);
}

/* A bit for each of the first 64 descriptors that is open. */
static uint64_t
open_fds(void)
{
	uint64_t set = 0;

	for (int fd = 0; fd < 64; fd++)
		if (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF)
			set |= UINT64_C(1) << fd;
	for (int fd = 64; fd < 4096; fd++)
		if (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF)
			return UINT64_MAX;
	return set;
}

static void
die(uint64_t how)
{
	static volatile uint64_t spin = 1;

	if (how == 1000) {
		while (spin)
			spin++;
	} else if (how == 1001) {
		fprintf(stderr, "the last\nwords");
		abort();
	} else if (how == 1002) {
		close(CHILD_CHANNEL);
		for (;;)
			clock_sleep(CLOCK_SECOND);
	} else if (how >= 500) {
		_exit((int)how - 500);
	}
	signal((int)how, SIG_DFL);
	syscall(SYS_tgkill, getpid(), gettid(), (int)how);
}

static int
obey(const struct child *c UNUSED)
{
	struct err e = ERR_INIT;

	while (channel_recv(CHILD_CHANNEL, &m, true, CHANNEL_FOREVER, &e) ==
		OK) {
		uint64_t v;
		uint8_t byte = 0;

		switch (m.type) {
		case TRY:
			v = message_take_u64(&m);
			answer(TRY,
				(uint64_t)attempts[v].run(
					(pid_t)message_take_u64(&m)));
			break;
		case SAY:
		case DATA:
			if (channel_send(CHILD_CHANNEL, &m, CHANNEL_FOREVER,
				    &e) != OK)
				return 1;
			break;
		case FDS:
			if (m.fd < 0)
				answer(FDS, open_fds());
			else if (read(m.fd, &byte, 1) == 1)
				answer(FDS, byte);
			break;
		case EAT:
			v = message_take_u64(&m);
			answer(EAT, malloc((size_t)v) != NULL);
			break;
		case DIE:
			die(message_take_u64(&m));
		}
	}
	return environ[0] == NULL ? 0 : 1;
}

static const struct child_kind kinds[] = {
	{"obey", CHILD_UNPACK, obey, NULL},
	{"fetch", CHILD_FETCH, obey, NULL},
	{NULL, 0, NULL, NULL},
};

/* ---- the supervisor ---- */

static struct proc *
spawn_with(const char *kind, const int *fds, unsigned n, uint64_t cpu)
{
	struct proc_start s = {
		.kind = kind, .fds = fds, .n_fds = n, .limits = limits};
	struct err e = ERR_INIT;
	struct proc *p = NULL;

	s.limits.cpu = cpu;
	must(proc_spawn(&s, &p, &e), &e);
	return p;
}

static struct proc *
spawn(const char *kind)
{
	return spawn_with(kind, NULL, 0, limits.cpu);
}

static void
tell(struct proc *p, uint32_t type, uint64_t a, uint64_t b)
{
	struct err e = ERR_INIT;

	message_begin(&m, type);
	message_put_u64(&m, a);
	message_put_u64(&m, b);
	must(proc_send(p, &m, SOON, &e), &e);
}

static uint64_t
hear(struct proc *p, uint32_t type)
{
	struct err e = ERR_INIT;
	uint64_t v;

	must(proc_recv(p, &m, SOON, &e), &e);
	assert_int_equal(m.type, type);
	v = message_take_u64(&m);
	assert_true(message_end(&m));
	return v;
}

static void
must_die(struct proc *p, uint64_t how, const char *text)
{
	struct err e = ERR_INIT;

	tell(p, DIE, how, 0);
	assert_int_equal(proc_recv(p, &m, SOON, &e), BAD_ITEM);
	if (strstr(e.text, text) == NULL)
		fail_msg("'%s' has no '%s'", e.text, text);
	/* Said as often as it is asked. */
	assert_int_equal(proc_recv(p, &m, SOON, &e), BAD_ITEM);
	assert_non_null(strstr(e.text, text));
	proc_free(p);
}

/* ---- messages ---- */

static void
test_message(void **state UNUSED)
{
	const uint8_t *p;
	char text[4];
	size_t n;

	message_begin(&m, 7);
	message_put_u64(&m, UINT64_MAX);
	message_put_bytes(&m, "a\0b", 3);
	message_put_text(&m, "abc");
	message_put_bytes(&m, NULL, 0);
	assert_int_equal(m.len, 8 + 7 + 7 + 4);
	assert_true(message_take_u64(&m) == UINT64_MAX);
	p = message_take_bytes(&m, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(p, "a\0b", 3);
	assert_false(message_end(&m));
	message_take_text(&m, text, sizeof(text));
	assert_string_equal(text, "abc");
	message_take_bytes(&m, &n);
	assert_int_equal(n, 0);
	assert_true(message_end(&m));
	/* One value too many, and everything after it is nothing. */
	assert_int_equal(message_take_u64(&m), 0);
	assert_true(m.bad);
	assert_false(message_end(&m));

	/* Too long for the room. */
	m.bad = false;
	m.at = 15;
	message_take_text(&m, text, 3);
	assert_string_equal(text, "");
	assert_true(m.bad);
	/* A NUL within. */
	m.bad = false;
	m.at = 8;
	message_take_text(&m, text, sizeof(text));
	assert_string_equal(text, "");
	assert_true(m.bad);
}

static void
test_message_bounds(void **state UNUSED)
{
	static uint8_t large[MESSAGE_MAX];
	struct err e = ERR_INIT;
	size_t n;

	message_begin(&m, 7);
	message_put_bytes(&m, large, MESSAGE_MAX - 4);
	assert_false(m.bad);
	message_put_bytes(&m, NULL, 0);
	assert_true(m.bad);
	assert_int_equal(channel_send(-1, &m, SOON, &e), BAD_ITEM);
	message_begin(&m, 7);
	message_put_bytes(&m, large, SIZE_MAX);
	assert_true(m.bad);
	assert_int_equal(m.len, 0);

	/* A length that points behind the end. */
	message_begin(&m, 7);
	message_put_bytes(&m, "abc", 3);
	for (unsigned i = 4; i < 256; i++) {
		m.body[0] = (uint8_t)i;
		m.at = 0;
		m.bad = false;
		message_take_bytes(&m, &n);
		assert_int_equal(n, 0);
		assert_true(m.bad);
	}
	m.body[0] = m.body[1] = m.body[2] = m.body[3] = 0xff;
	m.at = 0;
	m.bad = false;
	message_take_bytes(&m, &n);
	assert_true(m.bad);
}

static void
test_channel(void **state UNUSED)
{
	static uint8_t raw[MESSAGE_MAX + 64];
	struct err e = ERR_INIT;
	int fd[2];
	uint8_t room[10];
	size_t n = 99;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(
		channel_recv(fd[0], &m, false, clock_mono() + 1000, &e), AGAIN);

	/* Too large, too short. */
	assert_int_equal(send(fd[1], raw, MESSAGE_MAX + 5, 0), MESSAGE_MAX + 5);
	assert_int_equal(channel_recv(fd[0], &m, false, SOON, &e), BAD_ITEM);
	assert_int_equal(send(fd[1], raw, MESSAGE_MAX + 5, 0), MESSAGE_MAX + 5);
	assert_int_equal(channel_recv_data(fd[0], &m, 0, room, sizeof(room), &n,
				 SOON, &e),
		BAD_ITEM);
	assert_int_equal(send(fd[1], raw, 3, 0), 3);
	assert_int_equal(channel_recv(fd[0], &m, false, SOON, &e), BAD_ITEM);

	/* Bytes straight into place, the rest behind. */
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i % 251);
	must(channel_send_data(fd[1], DATA, raw, MESSAGE_MAX, SOON, &e), &e);
	must(channel_recv_data(
		     fd[0], &m, DATA, room, sizeof(room), &n, SOON, &e),
		&e);
	assert_int_equal(n, sizeof(room));
	assert_memory_equal(room, raw, sizeof(room));
	assert_int_equal(m.len, MESSAGE_MAX - sizeof(room));
	assert_memory_equal(m.body, raw + sizeof(room), m.len);
	/* Another type is whole in the body, wherever its bytes fell. */
	for (size_t len = 0; len < 20; len++) {
		must(channel_send_data(fd[1], SAY, raw, len, SOON, &e), &e);
		must(channel_recv_data(
			     fd[0], &m, DATA, room, sizeof(room), &n, SOON, &e),
			&e);
		assert_int_equal(m.type, SAY);
		assert_int_equal(n, 0);
		assert_int_equal(m.len, len);
		assert_memory_equal(m.body, raw, len);
	}
	/* What was said before the end is heard, though we left words. */
	must(channel_send_data(fd[0], SAY, raw, 5, SOON, &e), &e);
	must(channel_send_data(fd[1], SAY, raw, 5, SOON, &e), &e);
	close(fd[1]);
	must(channel_recv(fd[0], &m, false, SOON, &e), &e);
	assert_int_equal(m.len, 5);
	assert_int_equal(channel_recv(fd[0], &m, false, SOON, &e), END);
	assert_int_equal(channel_send_data(fd[0], SAY, raw, 5, SOON, &e), END);
	close(fd[0]);
}

/* Nobody reads: the sender waits to its deadline and no longer. */
static void
test_channel_full(void **state UNUSED)
{
	static uint8_t raw[MESSAGE_MAX];
	struct err e = ERR_INIT;
	enum rc rc = OK;
	int fd[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	for (int i = 0; i < 1000 && rc == OK; i++)
		rc = channel_send_data(fd[0], DATA, raw, sizeof(raw),
			clock_mono() + CLOCK_SECOND / 100, &e);
	assert_int_equal(rc, AGAIN);
	close(fd[0]);
	close(fd[1]);
}

/* ---- a child's life ---- */

static void
test_talk(void **state UNUSED)
{
	struct proc *p = spawn("obey");
	static uint8_t large[MESSAGE_MAX];
	struct err e = ERR_INIT;
	uint8_t byte = 0;
	int file[2];
	size_t n;

	assert_null(proc_weak(p));
	memset(large, 'x', sizeof(large));
	for (int i = 0; i < 100; i++) {
		must(proc_send_data(p, DATA, large, sizeof(large), SOON, &e),
			&e);
		must(proc_recv_data(p, &m, DATA, &byte, 1, &n, SOON, &e), &e);
		assert_int_equal(byte, 'x');
		assert_int_equal(m.len, MESSAGE_MAX - 1);
	}
	/* Nothing to hear by the deadline: it still lives. */
	assert_int_equal(proc_recv(p, &m, clock_mono() + 1000, &e), AGAIN);

	/* A descriptor that comes later. */
	assert_int_equal(pipe2(file, O_CLOEXEC), 0);
	assert_int_equal(write(file[1], "z", 1), 1);
	message_begin(&m, FDS);
	m.fd = file[0];
	must(proc_send(p, &m, SOON, &e), &e);
	assert_int_equal(hear(p, FDS), 'z');
	close(file[0]);
	close(file[1]);

	/* It ends with 0 only when its environment was empty. */
	must(proc_end(p, SOON, &e), &e);
	proc_free(p);
	proc_free(NULL);
}

/* It has what it was given, in order, and nothing else of ours. */
static void
test_descriptors(void **state UNUSED)
{
	int fds[8], extra[200];
	uint8_t byte;

	/* Without close-on-exec, as a careless library would leave them, and
	 * with numbers that cross those they get. */
	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		extra[i] = dup(STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		int file[2];

		assert_int_equal(pipe(file), 0);
		byte = (uint8_t)('a' + i);
		assert_int_equal(write(file[1], &byte, 1), 1);
		close(file[1]);
		/* extra[] begins where a child's descriptors are. */
		fds[i] = extra[ARRAY_LEN(fds) - i];
		assert_int_equal(dup2(file[0], fds[i]), fds[i]);
		close(file[0]);
	}
	struct proc *p = spawn_with("obey", fds, ARRAY_LEN(fds), 60);

	tell(p, FDS, 0, 0);
	assert_int_equal(hear(p, FDS), (UINT64_C(1) << (CHILD_FDS + 8)) - 1);
	proc_free(p);
	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		close(extra[i]);
}

static void
test_deaths(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct proc *p;

	must_die(spawn("obey"), 503, "obey child: ended with status 3");
	must_die(spawn("obey"), 500, "ended with status 0");
	must_die(spawn("obey"), SIGBUS, "crashed (SIGBUS)");
	must_die(spawn("obey"), SIGSYS, "the sandbox refused");
	must_die(spawn("obey"), SIGKILL, "want of memory");
	must_die(spawn("obey"), SIGUSR1, "killed by signal 10");
	must_die(spawn("obey"), 1001, "aborted (SIGABRT)");
	if (!SANITIZED)
		must_die(spawn("obey"), 1001, "words 'the last\\x0awords'");
	must_die(spawn("obey"), 1002, "killed: it closed its channel");
	must_die(spawn_with("obey", NULL, 0, 1), 1000,
		"used up its 1 s of CPU time");

	/* A child that computes and does not hear: killed, and no trace. */
	p = spawn("obey");
	pid_t pid = proc_pid(p);

	tell(p, DIE, 1000, 0);
	assert_int_equal(
		proc_end(p, clock_mono() + CLOCK_SECOND / 10, &e), BAD_ITEM);
	assert_non_null(strstr(e.text, "killed: it did not end in time"));
	assert_int_equal(kill(pid, 0), -1);
	proc_free(p);
	p = spawn("obey");
	pid = proc_pid(p);
	tell(p, DIE, 1000, 0);
	proc_free(p);
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_memory(void **state UNUSED)
{
	struct proc *p;

	if (SANITIZED)
		skip();
	p = spawn("obey");
	tell(p, EAT, 32 << 20, 0);
	assert_int_equal(hear(p, EAT), 1);
	tell(p, EAT, 40 << 20, 0);
	assert_int_equal(hear(p, EAT), 0);
	proc_free(p);
}

static void
test_unknown_kind(void **state UNUSED)
{
	struct proc_start s = {.kind = "nobody", .limits = limits};
	struct err e = ERR_INIT;
	struct proc *p = NULL;

	assert_int_equal(proc_spawn(&s, &p, &e), BROKEN);
	assert_non_null(strstr(e.text, "nobody child: ended with status"));
	assert_null(p);
}

/* Kills every child of one thread that it sees, however young. */
static atomic_bool killing;

static void *
kill_children(void *arg)
{
	char path[64], text[64];
	const pid_t *of = arg;

	(void)snprintf(
		path, sizeof(path), "/proc/self/task/%d/children", (int)*of);
	while (atomic_load(&killing)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		kill((pid_t)strtol(text, NULL, 10), SIGKILL);
	}
	return NULL;
}

/* One that somebody kills before it is ready is nobody's fault. */
static void
test_killed_young(void **state UNUSED)
{
	const struct proc_start s = {.kind = "obey", .limits = limits};
	pid_t us = gettid();
	unsigned killed = 0;
	pthread_t killer;

	atomic_store(&killing, true);
	assert_int_equal(pthread_create(&killer, NULL, kill_children, &us), 0);
	for (int i = 0; i < 20; i++) {
		struct err e = ERR_INIT;
		struct proc *p = NULL;
		enum rc rc = proc_spawn(&s, &p, &e);

		if (rc == AGAIN)
			assert_non_null(strstr(e.text, "killed by SIGKILL"));
		else
			must(rc, &e);
		killed += rc == AGAIN;
		proc_free(p);
	}
	atomic_store(&killing, false);
	pthread_join(killer, NULL);
	assert_true(killed > 0);
}

/* ---- the sandbox ---- */

/* Runs in a process of its own; its status is what run returned. */
static int
apart(int (*run)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int
run_attempt(void *arg)
{
	const struct attempt *a = arg;

	return a->run(getppid());
}

static void
expect_refused(const char *kind, size_t i)
{
	struct proc *p = spawn(kind);
	struct err e = ERR_INIT;
	enum rc rc;

	tell(p, TRY, i, (uint64_t)getpid());
	rc = proc_recv(p, &m, SOON, &e);
	if (rc == OK && message_take_u64(&m) == 0)
		fail_msg("a %s child can %s", kind, attempts[i].name);
	if (rc != OK && strstr(e.text, "SIGSYS") == NULL)
		fail_msg("%s: %s", attempts[i].name, e.text);
	proc_free(p);
}

static void
test_sandbox(void **state UNUSED)
{
	for (size_t i = 0; attempts[i].name != NULL; i++) {
		struct attempt a = attempts[i];

		/* An attempt that never works proves nothing. */
		if (a.otherwise && apart(run_attempt, &a) != 0)
			fail_msg("%s: fails outside of the sandbox", a.name);
		for (const struct child_kind *k = kinds; k->name != NULL; k++)
			expect_refused(k->name, i);
	}
	assert_int_equal(access("/tmp/landfall-escaped", F_OK), -1);
}

/* Each wall alone: what the filter lets through, Landlock stops. */
static int
behind_landlock(void *arg UNUSED)
{
	struct err e = ERR_INIT;
	enum rc rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 1;
	rc = sandbox_landlock(&e);
	if (rc == END)
		return 77;
	if (rc != OK || open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES ||
		open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0)
		return 2;
	if (syscall(444, NULL, 0, 1) >= 6 &&
		(kill(getppid(), 0) == 0 || errno != EPERM))
		return 3;
	return 0;
}

static void
test_landlock(void **state UNUSED)
{
	int status = apart(behind_landlock, NULL);

	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

/* A kernel that lacks a part: the call fails as it does there. */
struct lack {
	int call;
	int first; /* argument; -1: any */
	int error;
	const char *text;
};

static int
with_less(void *arg)
{
	const struct lack *l = arg;
	struct proc_start s = {.kind = "obey", .limits = limits};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp first = {
		.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)l->first};
	struct err e = ERR_INIT;
	struct proc *p;

	if (f == NULL ||
		seccomp_rule_add_array(f, SCMP_ACT_ERRNO(l->error), l->call,
			l->first >= 0, &first) != 0 ||
		seccomp_load(f) != 0)
		return 1;
	seccomp_release(f);
	if (proc_spawn(&s, &p, &e) != OK)
		return 2;
	if (proc_weak(p) == NULL || strstr(proc_weak(p), l->text) == NULL)
		return 3;
	/* The rest of the sandbox is there. */
	message_begin(&m, TRY);
	message_put_u64(&m, 0); /* open a file */
	message_put_u64(&m, (uint64_t)getpid());
	if (proc_send(p, &m, SOON, &e) != OK ||
		proc_recv(p, &m, SOON, &e) != OK ||
		message_take_u64(&m) != EACCES)
		return 4;
	proc_free(p);
	return 0;
}

static void
test_weak(void **state UNUSED)
{
	struct lack no_landlock = {444, -1, ENOSYS, "no Landlock"};
	struct lack off = {444, -1, EOPNOTSUPP, "no Landlock"};
	struct lack no_filter = {SCMP_SYS(prctl), PR_GET_SECCOMP, EINVAL,
		"no system call filter"};

	assert_int_equal(apart(with_less, &no_landlock), 0);
	assert_int_equal(apart(with_less, &off), 0);
	if (apart(behind_landlock, NULL) == 0)
		assert_int_equal(apart(with_less, &no_filter), 0);
}

/* ---- the supervisor dies ---- */

static int
leave_a_child(void *arg)
{
	struct proc_start s = {.kind = "obey", .limits = limits};
	struct err e = ERR_INIT;
	struct proc *p;
	pid_t pid;

	if (proc_spawn(&s, &p, &e) != OK)
		return 1;
	pid = proc_pid(p);
	if (write(*(int *)arg, &pid, sizeof(pid)) != sizeof(pid))
		return 1;
	kill(getpid(), SIGKILL);
	return 0;
}

static void
test_orphan(void **state UNUSED)
{
	pid_t pid;
	int file[2], status;

	/* Its next parent is this test, which can wait for it. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(pipe2(file, O_CLOEXEC), 0);
	assert_int_equal(apart(leave_a_child, &file[1]), 255);
	assert_int_equal(read(file[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	close(file[0]);
	close(file[1]);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_message_bounds),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_channel_full),
		cmocka_unit_test(test_talk),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_unknown_kind),
		cmocka_unit_test(test_killed_young),
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_orphan),
	};

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
