#include "config/secret.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

static const char how[] = "{credential: NAME}, {file: PATH}, {env: NAME} or "
			  "{command: [PROGRAM, ARGUMENT]}";

static const char *const kinds[] = {
	[SECRET_CREDENTIAL] = "credential",
	[SECRET_FILE] = "file",
	[SECRET_ENV] = "env",
	[SECRET_COMMAND] = "command",
};

static bool
is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && n->len > 0 &&
		strlen(n->text) == n->len;
}

static bool
report_wrong(struct report *r, const struct yaml_node *n, const char *option,
	const char *what)
{
	if (n->kind != YAML_WRONG)
		report_add(r, n->line, n->column, "%s: %s", option, what);
	return false;
}

/* One path component, so that a name cannot leave its directory. */
static bool
is_component(const char *text)
{
	return strchr(text, '/') == NULL && strcmp(text, ".") != 0 &&
		strcmp(text, "..") != 0;
}

static bool
parse_command(struct secret *s, const struct yaml_node *n, const char *option,
	struct report *r)
{
	if (n->kind != YAML_SEQUENCE || n->n == 0)
		return report_wrong(r, n, option,
			"command: expected a list, the program first; it runs "
			"without a shell");
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next)
		if (i->kind != YAML_SCALAR || strlen(i->text) != i->len ||
			(i == n->first && i->len == 0))
			return report_wrong(
				r, i, option, "command: expected text");
	s->word = mem_array(n->n + 1, sizeof(*s->word));
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next)
		s->word[s->n++] = mem_strdup(i->text);
	return true;
}

static bool
parse_name(struct secret *s, const struct yaml_node *n, const char *dir,
	const char *option, struct report *r)
{
	struct str path = STR_INIT;

	if (!is_text(n))
		return report_wrong(r, n, option,
			s->kind == SECRET_FILE ? "file: expected a path"
					       : "expected a name");
	if (s->kind == SECRET_CREDENTIAL && !is_component(n->text))
		return report_wrong(r, n, option,
			"credential: expected a name, not a path");
	if (s->kind == SECRET_ENV && strchr(n->text, '=') != NULL)
		return report_wrong(r, n, option,
			"env: expected the name of a variable, without \"=\"");
	if (s->kind == SECRET_FILE && n->text[0] != '/')
		str_addf(&path, "%s/", dir);
	str_add(&path, n->text);
	s->word = mem_array(2, sizeof(*s->word));
	s->word[s->n++] = str_take(&path);
	return true;
}

/* No message shows the value: it may be the secret, in the wrong place. */
bool
secret_parse(struct secret *s, const struct yaml_node *n, const char *dir,
	const char *option, struct report *r)
{
	struct secret made = {.timeout = SECRET_TIMEOUT};
	const struct yaml_node *v = n->first;
	bool right;

	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_MAPPING || n->n != 1 ||
		v->key->kind != YAML_SCALAR) {
		report_add(r, n->line, n->column,
			"%s: a secret does not stand here itself: write %s",
			option, how);
		return false;
	}
	while (made.kind < ARRAY_LEN(kinds) &&
		strcmp(kinds[made.kind], v->key->text) != 0)
		made.kind++;
	if (made.kind == ARRAY_LEN(kinds)) {
		report_add(r, v->key->line, v->key->column, "%s: expected %s",
			option, how);
		return false;
	}
	if (made.kind == SECRET_COMMAND)
		right = parse_command(&made, v, option, r);
	else
		right = parse_name(&made, v, dir, option, r);
	if (right)
		*s = made;
	return right;
}

void
secret_release(struct secret *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->word[i]);
	free(s->word);
	*s = (struct secret){.n = 0};
}

void
secret_forget(struct buf *b)
{
	if (b->cap > 0)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

static enum rc
read_whole(int fd, struct buf *b, struct err *e)
{
	size_t got;

	/* One byte more than there may be: it shows that there is more. */
	if (io_read(fd, b->data, SECRET_MAX + 1, &got, BAD_SOURCE, e) != OK)
		return e->code;
	b->len = got;
	return OK;
}

static enum rc
check_access(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, BAD_SOURCE, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, BAD_SOURCE, "%s: not a regular file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, BAD_SOURCE,
			"%s: belongs to user %u, who could replace it; run: "
			"chown %u %s",
			path, (unsigned)st.st_uid, (unsigned)geteuid(), path);
	if ((st.st_mode & 077) != 0)
		return err_set(e, BAD_SOURCE,
			"%s: others than its owner have access (mode %04o); "
			"run: chmod 600 %s",
			path, (unsigned)st.st_mode & 07777, path);
	return OK;
}

static enum rc
from_file(const char *path, bool guarded, struct buf *b, struct err *e)
{
	int fd;
	enum rc rc;

	/* O_NONBLOCK: a FIFO must not hold us up before fstat sees it. */
	if (io_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0, &fd, BAD_SOURCE,
		    e) != OK)
		return e->code;
	rc = guarded ? check_access(fd, path, e) : OK;
	if (rc == OK && (rc = read_whole(fd, b, e)) != OK)
		rc = err_add(e, "%s", path);
	io_drop(&fd);
	return rc;
}

/* systemd made the directory for us alone: its modes are not ours to judge. */
static enum rc
from_credential(const struct secret *s, struct buf *b, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (dir == NULL)
		return err_set(e, BAD_SOURCE,
			"credential %s: CREDENTIALS_DIRECTORY is not set; add "
			"LoadCredential=%s:PATH to the service",
			s->word[0], s->word[0]);
	str_addf(&path, "%s/%s", dir, s->word[0]);
	return from_file(path.s, false, b, e);
}

static enum rc
from_guarded_file(const struct secret *s, struct buf *b, struct err *e)
{
	return from_file(s->word[0], true, b, e);
}

static enum rc
from_env(const struct secret *s, struct buf *b, struct err *e)
{
	const char *value = getenv(s->word[0]);

	if (value == NULL)
		return err_set(e, BAD_SOURCE,
			"environment variable %s is not set", s->word[0]);
	if (strlen(value) > SECRET_MAX)
		b->len = SECRET_MAX + 1;
	else
		b->len = strlen(value);
	memcpy(b->data, value, b->len);
	return OK;
}

/*
 * The program in a process group of its own, so that what it starts can be
 * ended with it. Its standard error goes nowhere: programs that print
 * secrets have been known to print them there too.
 */
static int
spawn(char *const *argv, int out, pid_t *ret_pid)
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
	posix_spawn_file_actions_addopen(
		&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(
		&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	cause = posix_spawnp(ret_pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return cause;
}

/* AGAIN: not before the deadline. */
static enum rc
wait_readable(int fd, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - clock_mono();
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (left <= 0)
			return AGAIN;
		/* Rounded up: a wait of 0 ms would spin. */
		if (poll(&p, 1, (int)(left / 1000000 + 1)) > 0)
			return OK;
	}
}

static enum rc
read_output(int fd, int64_t deadline, struct buf *b)
{
	while (b->len <= SECRET_MAX) {
		ssize_t n;

		if (wait_readable(fd, deadline) != OK)
			return AGAIN;
		n = read(fd, b->data + b->len, SECRET_MAX + 1 - b->len);
		if (n < 0 && errno != EINTR)
			return BAD_SOURCE;
		if (n == 0)
			break;
		if (n > 0)
			b->len += (size_t)n;
	}
	return OK;
}

/* Its exit status, once it has ended by itself or been ended. */
static enum rc
finish(pid_t pid, int64_t deadline, bool kill_now, int *ret_status)
{
	int watch = pidfd_open(pid, 0);
	enum rc rc = OK;

	if (kill_now || watch < 0 || wait_readable(watch, deadline) != OK) {
		kill(-pid, SIGKILL);
		rc = AGAIN;
	}
	io_drop(&watch);
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR) {
			*ret_status = -1;
			break;
		}
	return rc;
}

static enum rc
from_command(const struct secret *s, struct buf *b, struct err *e)
{
	CLEANUP(str_release) struct str limit = STR_INIT;
	int64_t deadline = clock_mono() + s->timeout;
	int out[2], cause, status = 0;
	bool whole, more;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, BAD_SOURCE, errno, "pipe");
	cause = spawn(s->word, out[1], &pid);
	io_drop(&out[1]);
	if (cause != 0) {
		io_drop(&out[0]);
		return err_sys(e, BAD_SOURCE, cause, "run %s", s->word[0]);
	}
	whole = read_output(out[0], deadline, b) == OK;
	more = b->len > SECRET_MAX;
	io_drop(&out[0]);
	if (finish(pid, deadline, !whole || more, &status) != OK && !more) {
		str_add_duration(&limit, (uint64_t)s->timeout);
		return err_set(e, BAD_SOURCE,
			"command %s: no answer within %s; ended it", s->word[0],
			limit.s);
	}
	if (status != 0 && !more)
		return err_set(e, BAD_SOURCE,
			"command %s: failed (%s %d); run it by hand to see why",
			s->word[0],
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status)
					    : WEXITSTATUS(status));
	return OK;
}

static enum rc (*const resolvers[])(
	const struct secret *, struct buf *, struct err *) = {
	[SECRET_CREDENTIAL] = from_credential,
	[SECRET_FILE] = from_guarded_file,
	[SECRET_ENV] = from_env,
	[SECRET_COMMAND] = from_command,
};

enum rc
secret_resolve(const struct secret *s, struct buf *ret, struct err *e)
{
	struct buf b;
	enum rc rc;

	/* All the room at once: growing would leave copies behind. */
	buf_init(&b, SECRET_MAX + 1);
	if (buf_reserve(&b, SECRET_MAX + 1, e) != OK)
		return e->code;
	rc = resolvers[s->kind](s, &b, e);
	if (rc == OK && b.len > SECRET_MAX)
		rc = err_set(e, BAD_SOURCE, "%s %s: more than %d bytes",
			kinds[s->kind], s->word[0], SECRET_MAX);
	if (rc == OK && b.len > 0 && b.data[b.len - 1] == '\n')
		b.len -= b.len > 1 && b.data[b.len - 2] == '\r' ? 2 : 1;
	if (rc == OK && b.len == 0)
		rc = err_set(e, BAD_SOURCE, "%s %s: empty", kinds[s->kind],
			s->word[0]);
	if (rc != OK) {
		secret_forget(&b);
		return rc;
	}
	*ret = b;
	return OK;
}
