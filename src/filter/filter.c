/*
 * The supervisor: starts the child that starts the program, watches time and
 * disk, and believes its output only when it ended well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "filter/order.h"
#include "landfall/proc.h"

#define LOOK_UP (CLOCK_SECOND / 5)  /* at time, disk, and who cancels */
#define ENDS_IN (10 * CLOCK_SECOND) /* for the child to end all of it */

enum { FDS_OF_OTHERS = 1000 }; /* a program may have open */

struct filter {
	const struct filter_options *o;
	struct proc *proc;
	int home; /* locked; -1: none */
	int in;
	int password; /* a file in memory; -1: none */
	int64_t deadline;
	struct message m;
};

static enum rc
put_words(struct message *m, const char *const *words, struct err *e)
{
	size_t n = 0;

	while (words != NULL && words[n] != NULL)
		n++;
	if (n > FILTER_WORDS_MAX)
		return err_set(e, BAD_SOURCE, "too many words or paths");
	message_put_u64(m, n);
	for (size_t i = 0; i < n; i++)
		message_put_text(m, words[i]);
	return OK;
}

static enum rc
make_password(struct filter *f, struct err *e)
{
	const struct filter_options *o = f->o;

	if (o->password == NULL)
		return OK;
	f->password = memfd_create("landfall-password", MFD_CLOEXEC);
	if (f->password < 0)
		return err_sys(e, AGAIN, errno, "memfd_create");
	if (io_write(f->password, o->password, o->password_len, AGAIN, e) != OK)
		return e->code;
	if (lseek(f->password, 0, SEEK_SET) != 0)
		return err_sys(e, AGAIN, errno, "lseek");
	return OK;
}

/* The file from its first byte, by a position that nobody shares. */
static enum rc
open_input(struct filter *f, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;

	str_addf(&path, "/proc/self/fd/%d", f->o->in);
	return io_open(AT_FDCWD, path.s, O_RDONLY, 0, &f->in, BROKEN, e);
}

static enum rc
start(struct filter *f, struct err *e)
{
	const struct filter_options *o = f->o;
	const int fds[] = {f->in, o->out, f->password};
	const struct proc_start s = {.kind = FILTER_CHILD,
		.fds = fds,
		.n_fds = f->password >= 0 ? 3 : 2,
		.limits = {.memory = o->limits.memory,
			.file_size = o->limits.bytes,
			.cpu = o->limits.cpu,
			.fds = FDS_OF_OTHERS}};
	struct message *m = &f->m;
	enum rc rc;

	message_begin(m, FILTER_START);
	message_put_u64(m, f->password >= 0);
	message_put_text(m, o->home != NULL ? o->home : "");
	rc = put_words(m, o->argv, e);
	if (rc == OK)
		rc = put_words(m, o->read, e);
	if (rc == OK && m->bad)
		rc = err_set(e, BAD_SOURCE, "its words are too long together");
	if (rc == OK)
		rc = proc_spawn(&s, &f->proc, e);
	if (rc == OK)
		rc = proc_send(f->proc, m, f->deadline, e);
	return rc;
}

/* What must stay as it is while it runs. */
static enum rc
check(const struct filter *f, struct err *e)
{
	const struct filter_limits *l = &f->o->limits;
	CLEANUP(str_release) struct str s = STR_INIT;
	struct statvfs v;

	if (f->o->cancel != NULL && atomic_load(f->o->cancel))
		return err_set(e, AGAIN, "stopped while it ran");
	if (clock_mono() > f->deadline) {
		str_add_duration(&s, (uint64_t)l->wall);
		return err_set(
			e, BAD_ITEM, "took longer than %s (max_time)", s.s);
	}
	if (fstatvfs(f->o->out, &v) != 0)
		return err_sys(e, BROKEN, errno, "statvfs of the spool");
	if ((uint64_t)v.f_bavail * v.f_frsize < l->free_space) {
		str_add_size(&s, l->free_space);
		return err_set(
			e, AGAIN, "no room on disk: less than %s is left", s.s);
	}
	return OK;
}

static enum rc
wait_for(struct filter *f, struct err *e)
{
	for (;;) {
		enum rc rc = check(f, e);

		if (rc != OK)
			return rc;
		rc = proc_recv(f->proc, &f->m, clock_mono() + LOOK_UP, e);
		if (rc != AGAIN)
			return rc;
		*e = (struct err)ERR_INIT;
	}
}

/* ---- how it ended ---- */

static enum rc
judge_status(const struct filter *f, int status, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OK;
	if (WIFEXITED(status))
		return err_set(e, BAD_ITEM, "ended with status %d",
			WEXITSTATUS(status));
	if (WTERMSIG(status) == SIGXFSZ) {
		str_add_size(&s, f->o->limits.bytes);
		return err_set(
			e, BAD_ITEM, "gave more than %s (max_bytes)", s.s);
	}
	if (WTERMSIG(status) == SIGXCPU)
		return err_set(e, BAD_ITEM,
			"used up its %" PRIu64 " s of CPU time",
			f->o->limits.cpu);
	return err_set(e, BAD_ITEM, "killed by signal %d", WTERMSIG(status));
}

static enum rc
judge(struct filter *f, struct err *e)
{
	struct message *m = &f->m;
	char said[FILTER_SAID_MAX + 1];
	uint64_t status = 0;
	enum rc rc;

	if (m->type == FILTER_DONE)
		status = message_take_u64(m);
	message_take_text(m, said, sizeof(said));
	if (!message_end(m))
		return err_set(e, BROKEN, "the filter child talks nonsense");
	if (m->type == FILTER_FAILED)
		return err_set(e, BAD_SOURCE, "%s", said);
	rc = judge_status(f, (int)status, e);
	if (rc != OK && said[0] != '\0') {
		CLEANUP(str_release) struct str s = STR_INIT;
		CLEANUP(str_release) struct str why = STR_INIT;

		/* One line of ours, whatever it said. */
		for (char *c = said; *c != '\0'; c++)
			if (*c == '\n')
				*c = '|';
		str_add(&why, e->text);
		str_add_quoted(&s, said, strlen(said));
		err_set(e, rc, "%s, and said %s", why.s, s.s);
	}
	return rc;
}

/*
 * One at a time in a home: gpg's agent is shared by all who use it, and ends
 * with the one who started it.
 */
static enum rc
take_home(struct filter *f, struct err *e)
{
	const struct filter_options *o = f->o;
	enum rc rc = OK;

	if (o->home == NULL)
		return OK;
	if (io_open(AT_FDCWD, o->home, O_RDONLY | O_DIRECTORY, 0, &f->home,
		    BAD_SOURCE, e) != OK)
		return err_add(e, "home %s", o->home);
	while (rc == OK && flock(f->home, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(
				e, BAD_SOURCE, errno, "flock of %s", o->home);
		clock_sleep(CLOCK_SECOND / 50);
		rc = check(f, e);
		f->deadline = clock_mono() + o->limits.wall;
	}
	return rc;
}

static enum rc
run(struct filter *f, uint64_t *ret_size, struct str *weak, struct err *e)
{
	struct err ending = ERR_INIT;
	struct stat st;
	enum rc rc = make_password(f, e);

	if (rc == OK)
		rc = take_home(f, e);
	if (rc == OK)
		rc = open_input(f, e);
	if (rc == OK)
		rc = start(f, e);
	if (rc != OK)
		return rc;
	if (proc_weak(f->proc) != NULL)
		str_add(weak, proc_weak(f->proc));
	rc = wait_for(f, e);
	if (rc == OK)
		rc = judge(f, e);
	/* Closing its channel makes it end what still runs. */
	if (proc_end(f->proc, clock_mono() + ENDS_IN, &ending) != OK &&
		rc == OK)
		*e = ending, rc = ending.code;
	if (rc != OK)
		return rc;
	if (fstat(f->o->out, &st) != 0)
		return err_sys(e, BROKEN, errno, "fstat of the spool");
	*ret_size = (uint64_t)st.st_size;
	return OK;
}

enum rc
filter_run(const struct filter_options *o, uint64_t *ret_size, struct str *weak,
	struct err *e)
{
	struct filter *f = mem_alloc(sizeof(*f));
	enum rc rc;

	f->o = o;
	f->home = -1;
	f->in = -1;
	f->password = -1;
	f->deadline = clock_mono() + o->limits.wall;
	rc = run(f, ret_size, weak, e);
	if (rc != OK)
		err_add(e, "filter %s", o->argv[0]);
	proc_free(f->proc);
	io_drop(&f->home);
	io_drop(&f->in);
	io_drop(&f->password);
	free(f);
	return rc;
}
