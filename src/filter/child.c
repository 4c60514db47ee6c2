/*
 * The child: starts the program behind its walls, keeps the end of what it
 * says, and ends whatever it leaves running. It reads nothing of a partner's
 * itself, and the program cannot reach it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "filter/order.h"
#include "landfall/proc.h"

enum { NO_ORDER = 3, NO_START = 4, PASSWORD_AT = 3 };

#define PATH_VALUE "/usr/local/bin:/usr/bin:/bin"

/* What programs and their libraries read, wherever they are from. */
static const char *const system_paths[] = {"/usr", "/bin", "/sbin", "/lib",
	"/lib64", "/etc/ld.so.cache", "/etc/passwd", "/etc/group",
	"/etc/nsswitch.conf", "/etc/localtime", "/etc/gnupg", "/etc/gcrypt",
	"/etc/ssl/openssl.cnf", "/dev/urandom", "/dev/random", "/dev/zero"};
static const char *const system_writable[] = {"/dev/null"};

struct order {
	bool has_password;
	char home[4096];
	char *argv[FILTER_WORDS_MAX + 1];
	char *read[FILTER_WORDS_MAX + 1];
};

static struct message m;

/* ---- what is to be done ---- */

static bool
take_words(char **words)
{
	uint64_t n = message_take_u64(&m);

	if (n > FILTER_WORDS_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		size_t len;
		const uint8_t *p = message_take_bytes(&m, &len);

		words[i] = mem_dup(p, len);
	}
	words[n] = NULL;
	return true;
}

static bool
take_order(struct order *o)
{
	struct err e = ERR_INIT;

	if (channel_recv(CHILD_CHANNEL, &m, false, CHANNEL_FOREVER, &e) != OK ||
		m.type != FILTER_START)
		return false;
	o->has_password = message_take_u64(&m) != 0;
	message_take_text(&m, o->home, sizeof(o->home));
	return take_words(o->argv) && take_words(o->read) && message_end(&m) &&
		o->argv[0] != NULL;
}

/* ---- the program's side of the fork ---- */

struct paths {
	int fd[FILTER_WORDS_MAX + ARRAY_LEN(system_paths)];
	size_t n;
};

static enum rc
add_path(struct paths *p, const char *path, bool must, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd >= 0)
		p->fd[p->n++] = fd;
	else if (must || errno != ENOENT)
		return err_sys(e, BAD_SOURCE, errno, "%s", path);
	return OK;
}

/* gpg decrypts through its agent, which listens on a socket in its home. */
static bool
needs_sockets(const char *program)
{
	const char *base = strrchr(program, '/');

	base = base != NULL ? base + 1 : program;
	return strcmp(base, "gpg") == 0 || strcmp(base, "gpg2") == 0;
}

static enum rc
wall_in(const struct order *o, struct err *e)
{
	struct paths readable = {.n = 0}, writable = {.n = 0};
	struct proc_confine c = {.readable = readable.fd,
		.writable = writable.fd,
		.unix_sockets = needs_sockets(o->argv[0])};
	enum rc rc = OK;

	for (size_t i = 0; i < ARRAY_LEN(system_paths); i++)
		if (add_path(&readable, system_paths[i], false, e) != OK)
			return e->code;
	if (strchr(o->argv[0], '/') != NULL)
		rc = add_path(&readable, o->argv[0], true, e);
	for (size_t i = 0; o->read[i] != NULL && rc == OK; i++)
		rc = add_path(&readable, o->read[i], true, e);
	for (size_t i = 0; i < ARRAY_LEN(system_writable) && rc == OK; i++)
		rc = add_path(&writable, system_writable[i], false, e);
	if (rc == OK && o->home[0] != '\0')
		rc = add_path(&writable, o->home, true, e);
	if (rc != OK)
		return rc;
	c.n_readable = readable.n;
	c.n_writable = writable.n;
	return proc_confine(&c, e);
}

static enum rc
set_streams(const struct order *o, int said, struct err *e)
{
	if (dup2(FILTER_IN, STDIN_FILENO) < 0 ||
		dup2(FILTER_OUT, STDOUT_FILENO) < 0 ||
		dup2(said, STDERR_FILENO) < 0)
		return err_sys(e, BAD_SOURCE, errno, "its streams");
	if (!o->has_password)
		fcntl(CHILD_CHANNEL, F_SETFD, FD_CLOEXEC);
	else if (dup2(FILTER_PASSWORD, PASSWORD_AT) < 0)
		return err_sys(e, BAD_SOURCE, errno, "its password");
	for (int fd = FILTER_IN; fd <= FILTER_PASSWORD; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return OK;
}

/* Does not return. Why it could not is written to `failed`. */
static void NORETURN
become(const struct order *o, int said, int failed)
{
	CLEANUP(str_release) struct str home = STR_INIT;
	CLEANUP(str_release) struct str gnupg = STR_INIT;
	char path[] = "PATH=" PATH_VALUE, lang[] = "LANG=C.UTF-8";
	char *env[5] = {path, lang, NULL, NULL, NULL};
	struct err e = ERR_INIT;

	if (o->home[0] != '\0') {
		str_addf(&home, "HOME=%s", o->home);
		str_addf(&gnupg, "GNUPGHOME=%s", o->home);
		env[2] = home.s;
		env[3] = gnupg.s;
	}
	if (wall_in(o, &e) == OK && set_streams(o, said, &e) == OK) {
		setenv("PATH", PATH_VALUE, 1);
		execvpe(o->argv[0], o->argv, env);
		err_sys(&e, BAD_SOURCE, errno, "cannot be started");
	}
	if (write(failed, e.text, strlen(e.text)) < 0)
		_exit(NO_START);
	_exit(NO_START);
}

/* ---- our side ---- */

static void
say(uint32_t type, int status, const uint8_t *text, size_t n)
{
	struct err e = ERR_INIT;

	message_begin(&m, type);
	if (type == FILTER_DONE)
		message_put_u64(&m, (uint64_t)status);
	/* A NUL in it would make the message a bad one. */
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0')
			n = i;
	message_put_bytes(&m, text, n);
	if (channel_send(CHILD_CHANNEL, &m, CHANNEL_FOREVER, &e) != OK)
		return;
}

/* Of what comes, the end. */
struct tail {
	uint8_t text[4096];
	size_t len;
};

/* False: nobody writes there any more, or nothing came now. */
static bool
tail_take(struct tail *t, int fd)
{
	ssize_t n;

	if (t->len > sizeof(t->text) / 2) {
		memmove(t->text, t->text + t->len - FILTER_SAID_MAX,
			FILTER_SAID_MAX);
		t->len = FILTER_SAID_MAX;
	}
	n = read(fd, t->text + t->len, sizeof(t->text) - t->len);
	if (n > 0)
		t->len += (size_t)n;
	return n > 0;
}

static void
tail_say(const struct tail *t, uint32_t type, int status)
{
	size_t len = t->len, from;

	while (len > 0 && t->text[len - 1] == '\n')
		len--;
	from = len > FILTER_SAID_MAX ? len - FILTER_SAID_MAX : 0;
	say(type, status, t->text + from, len - from);
}

/* Ours by now: what the program left behind came to us. */
static bool
is_ours(const char *pid)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	char text[512];
	const char *p;
	ssize_t n;
	int fd;

	str_addf(&path, "/proc/%s/stat", pid);
	fd = open(path.s, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* PID (NAME) STATE PPID: the name may have anything in it. */
	p = strrchr(text, ')');
	return p != NULL && strlen(p) > 4 && atoi(p + 4) == getpid();
}

static void
kill_ours(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' &&
			is_ours(d->d_name))
			kill(atoi(d->d_name), SIGKILL);
	closedir(dir);
}

/* Until there is nobody left, also of those whom the killed had started. */
static void
end_all(void)
{
	pid_t pid;

	for (;;) {
		kill_ours();
		do
			pid = waitpid(-1, NULL, 0);
		while (pid < 0 && errno == EINTR);
		if (pid < 0)
			return;
	}
}

/* The supervisor closed the channel or is gone: the program ends too. */
static int
watch(pid_t pid, int said, struct tail *t)
{
	struct pollfd fds[] = {{.fd = said, .events = POLLIN},
		{.fd = CHILD_CHANNEL, .events = POLLIN},
		{.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN}};
	int status = 0;

	if (fds[2].fd < 0)
		return -1;
	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[0].revents != 0 && !tail_take(t, said))
			fds[0].fd = -1;
		if (fds[1].revents != 0)
			return -1;
		if (fds[2].revents != 0)
			break;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	while (fds[0].fd >= 0 && tail_take(t, said))
		continue;
	return status;
}

/* The program as a child of this process: 0, or what was said of why not. */
static pid_t
launch(const struct order *o, int *ret_said, struct tail *t)
{
	int said[2], failed[2];
	pid_t pid;

	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0 ||
		pipe2(failed, O_CLOEXEC) != 0)
		return -1;
	/* What it writes to must not refuse it. */
	fcntl(said[1], F_SETFL, 0);
	pid = fork();
	if (pid == 0)
		become(o, said[1], failed[1]);
	close(said[1]);
	close(failed[1]);
	if (pid > 0 && tail_take(t, failed[0])) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(failed[0]);
	*ret_said = said[0];
	return pid;
}

int
filter_child(const struct child *c UNUSED)
{
	struct order *o = mem_alloc(sizeof(*o));
	static struct tail t;
	int said = -1, status;
	pid_t pid;

	if (!take_order(o))
		return NO_ORDER;
	/* What it starts and leaves behind becomes ours. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return NO_START;
	pid = launch(o, &said, &t);
	if (pid < 0)
		return NO_START;
	if (pid == 0) {
		tail_say(&t, FILTER_FAILED, 0);
		return 0;
	}
	status = watch(pid, said, &t);
	end_all();
	if (status >= 0)
		tail_say(&t, FILTER_DONE, status);
	return 0;
}
