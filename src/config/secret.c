#include "config/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/run.h"

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
 * Its standard error goes nowhere: programs that print secrets have been
 * known to print them there too.
 */
static enum rc
from_command(const struct secret *s, struct buf *b, struct err *e)
{
	CLEANUP(str_release) struct str limit = STR_INIT;
	struct run run = {
		.argv = s->word,
		.room = b->data,
		.size = SECRET_MAX + 1,
		.cut = true,
		.all = true,
		.timeout = s->timeout,
	};
	int status;
	enum rc rc = run_program(&run, &status, e);

	b->len = run.len;
	if (rc == AGAIN) {
		str_add_duration(&limit, (uint64_t)s->timeout);
		return err_set(e, BAD_SOURCE,
			"command %s: no answer within %s; ended it", s->word[0],
			limit.s);
	}
	if (rc != OK || b->len > SECRET_MAX || status == 0)
		return rc;
	return err_set(e, BAD_SOURCE,
		"command %s: failed (%s %d); run it by hand to see why",
		s->word[0], WIFSIGNALED(status) ? "signal" : "exit status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
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
