/* source/drop/: a local directory, whatever lies in it. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/source.h"
#include "unit.h"

#include "scratch.h"

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct source_config cfg;
	const struct source_ops *ops;
	struct source *source;
	/* What a listing said, "name type\n" in byte order, and its troubles */
	struct str listed, trouble;
	char *line[256];
	size_t n;
};

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make(p->path);
	p->cfg.kind = SOURCE_DROP;
	p->cfg.drop.path = p->path;
	p->cfg.drop.recursive = true;
	p->ops = source_ops(SOURCE_DROP);
	p->listed = p->trouble = (struct str)STR_INIT;
	must(p->ops->open(&p->cfg, NULL, &p->source, &e), &e);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	p->ops->close(p->source);
	str_release(&p->listed);
	str_release(&p->trouble);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static enum rc
add_item(void *arg, const struct item *it, struct err *e UNUSED)
{
	static const char type[] = {
		[ITEM_FILE] = 'f', [ITEM_SYMLINK] = 'l', [ITEM_OTHER] = 'o'};
	struct place *p = arg;
	struct str s = STR_INIT;

	assert_true(p->n < ARRAY_LEN(p->line));
	str_add_quoted(&s, it->name, it->name_len);
	str_addf(&s, " %c", type[it->type]);
	p->line[p->n++] = str_take(&s);
	return OK;
}

static void
add_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct place *p = arg;

	str_add_quoted(&p->trouble, name, len);
	str_addf(&p->trouble, ": %s\n", why->text);
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *
list(struct place *p)
{
	struct err e = ERR_INIT;

	str_clear(&p->listed);
	str_clear(&p->trouble);
	p->n = 0;
	must(p->ops->list(p->source, add_item, add_trouble, p, &e), &e);
	qsort(p->line, p->n, sizeof(*p->line), by_bytes);
	for (size_t i = 0; i < p->n; i++) {
		str_addf(&p->listed, "%s\n", p->line[i]);
		free(p->line[i]);
	}
	return p->listed.s;
}

static enum rc
fetch(struct place *p, const char *name, int *ret_fd, struct signature *ret,
	struct err *e)
{
	struct feed *f = NULL;
	enum rc rc = p->ops->fetch(
		p->source, (const uint8_t *)name, strlen(name), &f, ret, e);

	if (rc == OK) {
		must(feed_whole(f, ret_fd, e), e);
		*ret_fd = fcntl(*ret_fd, F_DUPFD_CLOEXEC, 0);
		feed_free(f);
	} else {
		assert_null(f);
	}
	return rc;
}

static enum rc
look(struct place *p, const char *name, struct signature *ret, struct err *e)
{
	return p->ops->look(
		p->source, (const uint8_t *)name, strlen(name), NULL, ret, e);
}

/* However it is looked at before, a feed gives each byte once, in order. */
static void
test_a_feed_gives_each_byte_once(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	struct feed *f;
	const uint8_t *head;
	uint8_t got[16];
	size_t n;

	scratch_file(p->dir, "f", "0123456789");
	must(p->ops->fetch(p->source, (const uint8_t *)"f", 1, &f, &sig, &e),
		&e);
	for (size_t look = 1; look <= 12; look++) {
		must(feed_head(f, look, &head, &n, &e), &e);
		assert_int_equal(n, look < 10 ? look : 10);
		assert_memory_equal(head, "0123456789", n);
	}
	for (size_t looked = 0; looked <= 12; looked++) {
		for (size_t step = 1; step <= 12; step++) {
			size_t all = 0;

			assert_int_equal(feed_rewind(f, &e), OK);
			if (looked > 0)
				must(feed_head(f, looked, &head, &n, &e), &e);
			do {
				must(feed_read(f, got, step, &n, &e), &e);
				assert_memory_equal(got, &"0123456789"[all], n);
				all += n;
			} while (n == step);
			assert_int_equal(all, 10);
		}
	}
	feed_free(f);
}

static void
test_every_name_is_listed_once(void **state)
{
	struct place *p = *state;

	assert_string_equal(list(p), "");
	scratch_file(p->dir, "a.csv", "1");
	scratch_file(p->dir, "new\nline", "1");
	scratch_file(p->dir, "\xff\xfe", "1");
	scratch_file(p->dir, "-rf", "1");
	scratch_file(p->dir, "...", "1");
	assert_int_equal(mkdirat(p->dir, "empty", 0700), 0);
	assert_int_equal(mkdirat(p->dir, ".git", 0700), 0);
	scratch_file(p->dir, ".git/x", "1");
	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	assert_int_equal(mkdirat(p->dir, "sub/sub", 0700), 0);
	scratch_file(p->dir, "sub/b.csv", "1");
	scratch_file(p->dir, "sub/sub/c.csv", "1");
	scratch_file(p->dir, "z.csv", "1");
	assert_string_equal(list(p),
		"'\\xff\\xfe' f\n"
		"'new\\x0aline' f\n"
		"-rf f\n"
		"... f\n"
		".git/x f\n"
		"a.csv f\n"
		"sub/b.csv f\n"
		"sub/sub/c.csv f\n"
		"z.csv f\n");
	assert_string_equal(p->trouble.s, "");
	/* Again: a listing leaves nothing behind. */
	assert_int_equal(strlen(list(p)) > 0 ? p->n : 0, 9);
}

static void
test_folders_are_skipped_unless_recursive(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct source *flat;

	scratch_file(p->dir, "a.csv", "1");
	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	scratch_file(p->dir, "sub/b.csv", "1");
	p->cfg.drop.recursive = false;
	must(p->ops->open(&p->cfg, NULL, &flat, &e), &e);
	p->ops->close(p->source);
	p->source = flat;
	assert_string_equal(list(p), "a.csv f\n");
}

static void
test_no_link_is_followed(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	int fd = -1;

	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	scratch_file(p->dir, "sub/f", "1");
	assert_int_equal(symlinkat(".", p->dir, "sub/loop"), 0);
	assert_int_equal(symlinkat("..", p->dir, "sub/up"), 0);
	assert_int_equal(symlinkat("/etc/passwd", p->dir, "out"), 0);
	assert_int_equal(symlinkat("/", p->dir, "root"), 0);
	assert_int_equal(symlinkat("self", p->dir, "self"), 0);
	assert_string_equal(list(p),
		"out l\nroot l\nself l\nsub/f f\nsub/loop l\nsub/up l\n");
	assert_string_equal(p->trouble.s, "");
	assert_int_equal(fetch(p, "out", &fd, &sig, &e), BAD_ITEM);
	assert_non_null(strstr(e.text, "symbolic link"));
	assert_int_equal(fetch(p, "root/etc/passwd", &fd, &sig, &e), BAD_ITEM);
	assert_int_equal(e.cause, ELOOP);
	assert_int_equal(fetch(p, "sub/loop/f", &fd, &sig, &e), BAD_ITEM);
	assert_int_equal(look(p, "sub/up/sub/f", &sig, &e), BAD_ITEM);
	assert_int_equal(fetch(p, "self", &fd, &sig, &e), BAD_ITEM);
	assert_int_equal(fd, -1);
}

static void
test_nothing_leads_out_of_the_root(void **state)
{
	static const char *const names[] = {"", "/etc/passwd", "..", ".",
		"../x", "sub/../f", "sub//f", "sub/./f", "sub/", "/"};
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	struct feed *f = NULL;
	int fd = -1;

	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	scratch_file(p->dir, "sub/f", "1");
	scratch_file(p->dir, "f", "1");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(fetch(p, names[i], &fd, &sig, &e), BAD_ITEM);
		assert_int_equal(look(p, names[i], &sig, &e), BAD_ITEM);
	}
	assert_int_equal(p->ops->fetch(p->source, (const uint8_t *)"f\0x", 3,
				 &f, &sig, &e),
		BAD_ITEM);
	assert_null(f);
	assert_int_equal(fd, -1);
}

static void
test_what_is_no_file_never_hangs(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	int fd = -1, s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", p->path);
	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(s);
	assert_int_equal(mkfifoat(p->dir, "fifo", 0600), 0);
	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	assert_string_equal(list(p), "fifo o\nsocket o\n");
	assert_int_equal(fetch(p, "fifo", &fd, &sig, &e), BAD_ITEM);
	assert_string_equal(e.text, "fifo is not a regular file");
	assert_int_equal(fetch(p, "socket", &fd, &sig, &e), BAD_ITEM);
	assert_int_equal(fetch(p, "sub", &fd, &sig, &e), BAD_ITEM);
	assert_int_equal(fd, -1);
}

static void
test_fetch_reads_and_says_what_it_opened(void **state)
{
	const struct timespec old[2] = {{1, 2}, {1700000000, 123456789}};
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature a, b, c;
	struct stat st;
	char bytes[8];
	size_t got;
	int fd = -1;

	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	scratch_file(p->dir, "sub/f", "hello");
	assert_int_equal(utimensat(p->dir, "sub/f", old, 0), 0);
	assert_int_equal(fstatat(p->dir, "sub/f", &st, 0), 0);
	must(fetch(p, "sub/f", &fd, &a, &e), &e);
	must(io_read(fd, bytes, sizeof(bytes), &got, BAD_ITEM, &e), &e);
	assert_int_equal(got, 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(a.size, 5);
	assert_int_equal(a.mtime, INT64_C(1700000000123456789));
	assert_int_equal(a.ctime,
		st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec);
	assert_int_equal(a.inode, st.st_ino);
	assert_int_equal(a.device, st.st_dev);
	must(look(p, "sub/f", &b, &e), &e);
	assert_memory_equal(&a, &b, sizeof(a));
	scratch_file(p->dir, "sub/f", "hello, again");
	must(look(p, "sub/f", &c, &e), &e);
	assert_int_equal(c.size, 12);
	assert_int_not_equal(c.mtime, a.mtime);
}

static void
test_an_mtime_from_beyond_is_no_overflow(void **state)
{
	const struct timespec far[2] = {{1, 0}, {INT64_C(15000000000), 5}};
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	struct stat st;

	scratch_file(p->dir, "f", "1");
	assert_int_equal(utimensat(p->dir, "f", far, 0), 0);
	assert_int_equal(fstatat(p->dir, "f", &st, 0), 0);
	if (st.st_mtim.tv_sec != far[1].tv_sec)
		skip(); /* this filesystem cannot */
	must(look(p, "f", &sig, &e), &e);
	assert_true(sig.mtime == INT64_MAX);
}

static void
test_what_vanished_is_gone_and_no_error(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	int fd = -1;

	assert_int_equal(mkdirat(p->dir, "sub", 0700), 0);
	scratch_file(p->dir, "sub/f", "1");
	assert_string_equal(list(p), "sub/f f\n");
	assert_int_equal(unlinkat(p->dir, "sub/f", 0), 0);
	assert_int_equal(fetch(p, "sub/f", &fd, &sig, &e), END);
	assert_int_equal(look(p, "sub/f", &sig, &e), END);
	assert_int_equal(unlinkat(p->dir, "sub", AT_REMOVEDIR), 0);
	assert_int_equal(fetch(p, "sub/f", &fd, &sig, &e), END);
	/* Its folder is a file now. */
	scratch_file(p->dir, "sub", "1");
	assert_int_equal(fetch(p, "sub/f", &fd, &sig, &e), END);
	assert_int_equal(e.code, OK);
	assert_int_equal(fd, -1);
}

/* Removes what comes after the name at hand, while it is being listed. */
static enum rc
remove_others(void *arg, const struct item *it UNUSED, struct err *e UNUSED)
{
	struct place *p = arg;

	p->n++;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		(void)unlinkat(p->dir, name, 0);
	}
	return OK;
}

static void
test_names_that_vanish_while_listing_are_no_names(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		scratch_file(p->dir, name, "1");
	}
	must(p->ops->list(p->source, remove_others, add_trouble, p, &e), &e);
	assert_int_equal(p->n, 1);
	assert_string_equal(p->trouble.s, "");
}

static enum rc
stop(void *arg, const struct item *it UNUSED, struct err *e)
{
	++*(int *)arg;
	return err_set(e, BROKEN, "stop");
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
test_a_stopped_listing_leaves_no_descriptor(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	int n = 0, before = open_descriptors();

	assert_int_equal(mkdirat(p->dir, "a", 0700), 0);
	assert_int_equal(mkdirat(p->dir, "a/b", 0700), 0);
	scratch_file(p->dir, "a/b/f", "1");
	assert_int_equal(
		p->ops->list(p->source, stop, add_trouble, &n, &e), BROKEN);
	assert_string_equal(e.text, "stop");
	assert_int_equal(n, 1);
	assert_int_equal(open_descriptors(), before);
}

static void
test_folders_nested_too_deep_are_told(void **state)
{
	struct place *p = *state;
	struct str path = STR_INIT;
	int dir = dup(p->dir);

	/* The last level within the limit has a file, and so has the next. */
	for (int i = 0; i <= SOURCE_DEPTH_MAX; i++) {
		int next;

		assert_int_equal(mkdirat(dir, "d", 0700), 0);
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
		if (i >= SOURCE_DEPTH_MAX - 1)
			scratch_file(dir, "f", "1");
		if (i < SOURCE_DEPTH_MAX)
			str_add(&path, "d/");
	}
	close(dir);
	scratch_file(p->dir, "z", "1");
	str_add(&path, "f f\nz f\n");
	assert_string_equal(list(p), path.s);
	assert_non_null(strstr(p->trouble.s, "too many nested folders"));
	str_release(&path);
}

/*
 * root reads everything, so the check runs as nobody, with the root at this
 * mode. A child, because a failed assertion must not leave this process
 * without its rights.
 */
static void
as_nobody(struct place *p, mode_t mode, int (*check)(struct place *p))
{
	int status;
	pid_t pid;

	assert_int_equal(chmod(p->path, mode), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && seteuid(65534) < 0)
			_exit(100);
		_exit(check(p));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(p->path, 0700), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("step %d as nobody", WEXITSTATUS(status));
}

static int
check_unreadable(struct place *p)
{
	struct err e = ERR_INIT;
	struct signature sig;
	int fd = -1;

	if (strcmp(list(p), "open/f f\nz f\n") != 0)
		return 1;
	if (strstr(p->trouble.s, "shut: list folder shut: Permission denied") !=
		p->trouble.s)
		return 2;
	if (fetch(p, "z", &fd, &sig, &e) != BAD_ITEM || e.cause != EACCES ||
		strcmp(e.text, "open z: Permission denied") != 0)
		return 3;
	if (fetch(p, "shut/f", &fd, &sig, &e) != BAD_ITEM || e.cause != EACCES)
		return 4;
	if (look(p, "z", &sig, &e) != OK)
		return 5;
	return fd != -1 ? 6 : 0;
}

static void
test_an_unreadable_folder_is_told_and_the_rest_goes_on(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkdirat(p->dir, "open", 0755), 0);
	scratch_file(p->dir, "open/f", "1");
	assert_int_equal(mkdirat(p->dir, "shut", 0755), 0);
	scratch_file(p->dir, "shut/f", "1");
	scratch_file(p->dir, "z", "1");
	assert_int_equal(fchmodat(p->dir, "z", 0, 0), 0);
	assert_int_equal(fchmodat(p->dir, "shut", 0, 0), 0);
	as_nobody(p, 0755, check_unreadable);
	assert_int_equal(fchmodat(p->dir, "shut", 0700, 0), 0);
}

static int
check_unreadable_root(struct place *p)
{
	struct err e = ERR_INIT;
	struct source *s;

	if (p->ops->list(p->source, add_item, add_trouble, p, &e) != BAD_SOURCE)
		return 1;
	if (p->n != 0 || strstr(e.text, p->path) == NULL)
		return 2;
	return p->ops->open(&p->cfg, NULL, &s, &e) != BAD_SOURCE ? 3 : 0;
}

static void
test_a_root_that_was_replaced_is_a_bad_source(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	char away[SCRATCH_PATH + 8];
	struct source *s;
	int n = 0;

	scratch_file(p->dir, "f", "1");
	/* Replaced by an empty one, as by an unmount: not "no new files". */
	snprintf(away, sizeof(away), "%s.away", p->path);
	assert_int_equal(rename(p->path, away), 0);
	assert_int_equal(
		p->ops->list(p->source, stop, add_trouble, &n, &e), BAD_SOURCE);
	assert_int_equal(p->ops->open(&p->cfg, NULL, &s, &e), BAD_SOURCE);
	assert_int_equal(mkdir(p->path, 0755), 0);
	assert_int_equal(
		p->ops->list(p->source, stop, add_trouble, &n, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, p->path));
	assert_int_equal(n, 0);
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(rename(away, p->path), 0);
	assert_string_equal(list(p), "f f\n");
}

static void
test_a_root_without_rights_is_a_bad_source(void **state)
{
	as_nobody(*state, 0, check_unreadable_root);
}

static void
test_running_out_of_descriptors_is_not_the_files_fault(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct signature sig;
	struct rlimit old, low;
	int fd = -1;
	enum rc rc;

	scratch_file(p->dir, "f", "1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = fetch(p, "f", &fd, &sig, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, AGAIN);
}

#define with_drop(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_drop(test_every_name_is_listed_once),
		with_drop(test_a_feed_gives_each_byte_once),
		with_drop(test_folders_are_skipped_unless_recursive),
		with_drop(test_no_link_is_followed),
		with_drop(test_nothing_leads_out_of_the_root),
		with_drop(test_what_is_no_file_never_hangs),
		with_drop(test_fetch_reads_and_says_what_it_opened),
		with_drop(test_an_mtime_from_beyond_is_no_overflow),
		with_drop(test_what_vanished_is_gone_and_no_error),
		with_drop(test_names_that_vanish_while_listing_are_no_names),
		with_drop(test_a_stopped_listing_leaves_no_descriptor),
		with_drop(test_folders_nested_too_deep_are_told),
		with_drop(
			test_an_unreadable_folder_is_told_and_the_rest_goes_on),
		with_drop(test_a_root_that_was_replaced_is_a_bad_source),
		with_drop(test_a_root_without_rights_is_a_bad_source),
		with_drop(
			test_running_out_of_descriptors_is_not_the_files_fault),
	};

	return cmocka_run_group_tests_name("drop", tests, NULL, NULL);
}
