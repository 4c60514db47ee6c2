/*
 * source/drop/held: a file that landed is removed or moved, and no other one,
 * whatever happens at whatever moment.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/source.h"
#include "source/drop/held.h"
#include "unit.h"

#include "scratch.h"

#define HEX "0123456789abcdef"

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct source_config cfg;
	const struct source_ops *ops;
	struct source *source;
	struct str trouble, to;
	unsigned listed;
};

static void
reopen(struct place *p)
{
	struct err e = ERR_INIT;

	p->ops->close(p->source);
	p->source = NULL;
	must(p->ops->open(&p->cfg, NULL, &p->source, &e), &e);
}

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));

	p->dir = scratch_make(p->path);
	p->cfg.kind = SOURCE_DROP;
	p->cfg.drop.path = p->path;
	p->cfg.drop.recursive = true;
	p->ops = source_ops(SOURCE_DROP);
	p->trouble = p->to = (struct str)STR_INIT;
	reopen(p);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	p->ops->close(p->source);
	str_release(&p->trouble);
	str_release(&p->to);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static struct signature
look(struct place *p, const char *name)
{
	struct signature sig;
	struct err e = ERR_INIT;

	must(p->ops->look(p->source, (const uint8_t *)name, strlen(name), NULL,
		     &sig, &e),
		&e);
	return sig;
}

static enum rc
remove_it(struct place *p, const char *name, const struct signature *sig,
	struct err *e)
{
	return p->ops->remove(
		p->source, (const uint8_t *)name, strlen(name), sig, e);
}

static enum rc
move_it(struct place *p, const char *name, const struct signature *sig,
	struct err *e)
{
	return p->ops->move(p->source, (const uint8_t *)name, strlen(name),
		"processed", sig, &p->to, e);
}

static void
add_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct place *p = arg;

	str_add_quoted(&p->trouble, name, len);
	str_addf(&p->trouble, ": %s\n", why->text);
}

static const char *
recover(struct place *p)
{
	struct err e = ERR_INIT;

	str_clear(&p->trouble);
	must(p->ops->recover(p->source, add_trouble, p, &e), &e);
	return p->trouble.s;
}

static enum rc
count_one(void *arg, const struct item *it UNUSED, struct err *e UNUSED)
{
	((struct place *)arg)->listed++;
	return OK;
}

static unsigned
count(struct place *p)
{
	struct err e = ERR_INIT;

	p->listed = 0;
	must(p->ops->list(p->source, count_one, add_trouble, p, &e), &e);
	return p->listed;
}

static bool
is_there(struct place *p, const char *name)
{
	return faccessat(p->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the file says; "-" when there is none. */
static const char *
text_of(struct place *p, const char *name)
{
	static char text[64];
	int fd = openat(p->dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return "-";
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void
make_dir(struct place *p, const char *name)
{
	assert_int_equal(mkdirat(p->dir, name, 0755), 0);
}

/* ---- as it should be ---- */

static void
test_what_landed_is_removed(void **state)
{
	struct place *p = *state;
	struct signature sig;
	struct err e = ERR_INIT;

	make_dir(p, "sub");
	scratch_file(p->dir, "sub/a\xff\n", "1");
	scratch_file(p->dir, "b", "2");
	sig = look(p, "sub/a\xff\n");
	must(remove_it(p, "sub/a\xff\n", &sig, &e), &e);
	assert_int_equal(remove_it(p, "sub/a\xff\n", &sig, &e), END);
	/* What is on its way is no delivery. */
	assert_true(is_there(p, HELD_FOLDER));
	assert_int_equal(count(p), 1);
	must(p->ops->sync(p->source, &e), &e);
	reopen(p);
	assert_false(is_there(p, HELD_FOLDER));
	assert_string_equal(text_of(p, "b"), "2");
	assert_true(is_there(p, "sub"));
}

static void
test_what_landed_is_moved_and_never_over_another(void **state)
{
	struct place *p = *state;
	static const char *const wanted[] = {
		"processed/sub/a.csv",
		"processed/sub/a.csv.1",
		"processed/sub/a.csv.2",
	};
	struct signature sig;
	struct err e = ERR_INIT;

	make_dir(p, "sub");
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		char text[2] = {(char)('0' + i), '\0'};

		scratch_file(p->dir, "sub/a.csv", text);
		sig = look(p, "sub/a.csv");
		must(move_it(p, "sub/a.csv", &sig, &e), &e);
		assert_string_equal(p->to.s, wanted[i]);
	}
	assert_string_equal(text_of(p, wanted[0]), "0");
	assert_string_equal(text_of(p, wanted[1]), "1");
	assert_string_equal(text_of(p, wanted[2]), "2");
	assert_false(is_there(p, "sub/a.csv"));
}

static void
test_the_longest_name_gets_its_suffix_too(void **state)
{
	struct place *p = *state;
	struct signature sig;
	struct err e = ERR_INIT;
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	for (int i = 0; i < 2; i++) {
		scratch_file(p->dir, name, "1");
		sig = look(p, name);
		must(move_it(p, name, &sig, &e), &e);
	}
	assert_int_equal(p->to.len, strlen("processed/") + 255);
	assert_string_equal(p->to.s + p->to.len - 3, "n.1");
	assert_true(is_there(p, p->to.s));
}

/* ---- what must stay ---- */

/* Neither is done, and the file is as it was. */
static void
must_stay(struct place *p, const char *name, const struct signature *sig,
	const char *why)
{
	struct err e = ERR_INIT;

	assert_int_equal(remove_it(p, name, sig, &e), AGAIN);
	assert_non_null(strstr(e.text, why));
	assert_int_equal(move_it(p, name, sig, &e), AGAIN);
	assert_non_null(strstr(e.text, why));
	assert_true(is_there(p, name));
}

static void
test_what_changed_stays(void **state)
{
	struct place *p = *state;
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct signature sig;

	scratch_file(p->dir, "a", "1");
	sig = look(p, "a");
	scratch_file(p->dir, "a", "12");
	must_stay(p, "a", &sig, "changed");

	/* The same size, and the time put back: the ctime tells. */
	assert_int_equal(utimensat(p->dir, "a", old, 0), 0);
	sig = look(p, "a");
	usleep(20000);
	scratch_file(p->dir, "a", "34");
	assert_int_equal(utimensat(p->dir, "a", old, 0), 0);
	must_stay(p, "a", &sig, "changed");

	sig = look(p, "a");
	scratch_file(p->dir, "b", "56");
	assert_int_equal(renameat(p->dir, "b", p->dir, "a"), 0);
	must_stay(p, "a", &sig, "changed");
	assert_string_equal(text_of(p, "a"), "56");
}

static void
test_what_is_being_written_stays(void **state)
{
	struct place *p = *state;
	struct signature sig;
	int fd;

	scratch_file(p->dir, "a", "1");
	sig = look(p, "a");
	fd = openat(p->dir, "a", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	must_stay(p, "a", &sig, "open for writing");
	close(fd);
}

static void
test_nothing_leads_out_of_the_root(void **state)
{
	struct place *p = *state;
	struct signature sig;
	struct err e = ERR_INIT;
	char out[SCRATCH_PATH];
	int fd = scratch_make(out);

	scratch_file(p->dir, "a", "1");
	scratch_file(fd, "a", "1");
	sig = look(p, "a");
	assert_int_equal(symlinkat(out, p->dir, "processed"), 0);
	assert_int_equal(symlinkat(out, p->dir, "link"), 0);
	assert_int_equal(move_it(p, "a", &sig, &e), BAD_ITEM);
	assert_string_equal(text_of(p, "a"), "1");
	assert_int_equal(remove_it(p, "link/a", &sig, &e), BAD_ITEM);
	assert_int_equal(remove_it(p, "../a", &sig, &e), BAD_ITEM);
	assert_int_equal(move_it(p, "../a", &sig, &e), BAD_ITEM);
	/* Nor does the folder of what is on its way. */
	assert_int_equal(symlinkat(out, p->dir, HELD_FOLDER), 0);
	assert_int_equal(remove_it(p, "a", &sig, &e), BAD_ITEM);
	assert_string_equal(recover(p), "");
	assert_string_equal(text_of(p, "a"), "1");
	assert_int_equal(faccessat(fd, "a", F_OK, 0), 0);
	close(fd);
	scratch_remove(out);
}

static void
test_a_file_in_the_way_of_a_folder_is_said(void **state)
{
	struct place *p = *state;
	struct signature sig;
	struct err e = ERR_INIT;

	scratch_file(p->dir, "a", "1");
	scratch_file(p->dir, "processed", "2");
	sig = look(p, "a");
	assert_int_equal(move_it(p, "a", &sig, &e), BAD_ITEM);
	assert_non_null(strstr(e.text, "processed"));
	assert_string_equal(text_of(p, "a"), "1");
	assert_string_equal(text_of(p, "processed"), "2");
}

/* ---- after a crash ---- */

static void
test_what_was_held_goes_back(void **state)
{
	struct place *p = *state;
	char longest[sizeof(HELD_FOLDER "/" HEX "/") + 255];
	size_t n = (size_t)snprintf(
		longest, sizeof(longest), HELD_FOLDER "/" HEX "/");

	memset(longest + n, '\xfe', 255);
	longest[n + 255] = '\0';
	make_dir(p, "sub");
	make_dir(p, HELD_FOLDER);
	make_dir(p, HELD_FOLDER "/" HEX);
	make_dir(p, HELD_FOLDER "/" HEX "/sub");
	make_dir(p, HELD_FOLDER "/" HEX "/empty");
	make_dir(p, HELD_FOLDER "/" HEX "/lost");
	scratch_file(p->dir, HELD_FOLDER "/" HEX "/a\n", "1");
	scratch_file(p->dir, HELD_FOLDER "/" HEX "/sub/b", "2");
	scratch_file(p->dir, HELD_FOLDER "/" HEX "/lost/c", "3");
	scratch_file(p->dir, longest, "4");
	/* Nothing in there is a delivery. */
	assert_int_equal(count(p), 0);
	assert_string_equal(recover(p), "");
	assert_string_equal(text_of(p, "a\n"), "1");
	assert_string_equal(text_of(p, "sub/b"), "2");
	/* Its folder is gone: it comes back with it. */
	assert_string_equal(text_of(p, "lost/c"), "3");
	assert_string_equal(text_of(p, longest + n), "4");
	assert_false(is_there(p, "empty"));
	assert_false(is_there(p, HELD_FOLDER));
	assert_string_equal(recover(p), "");
}

static void
test_a_name_that_was_taken_keeps_both(void **state)
{
	struct place *p = *state;

	make_dir(p, "sub");
	scratch_file(p->dir, "sub/a", "new");
	make_dir(p, HELD_FOLDER);
	make_dir(p, HELD_FOLDER "/" HEX);
	make_dir(p, HELD_FOLDER "/" HEX "/sub");
	scratch_file(p->dir, HELD_FOLDER "/" HEX "/sub/a", "old");
	scratch_file(p->dir, HELD_FOLDER "/" HEX "/b", "b");
	assert_non_null(strstr(recover(p), "sub/a: "));
	assert_non_null(strstr(p->trouble.s, "a new file has its name"));
	assert_string_equal(text_of(p, "sub/a"), "new");
	assert_string_equal(text_of(p, HELD_FOLDER "/" HEX "/sub/a"), "old");
	assert_string_equal(text_of(p, "b"), "b");
	/* Once the way is free it goes. */
	assert_int_equal(unlinkat(p->dir, "sub/a", 0), 0);
	assert_string_equal(recover(p), "");
	assert_string_equal(text_of(p, "sub/a"), "old");
	assert_false(is_there(p, HELD_FOLDER));
}

static void
test_what_is_not_ours_is_left(void **state)
{
	struct place *p = *state;

	make_dir(p, HELD_FOLDER);
	make_dir(p, HELD_FOLDER "/notes");
	scratch_file(p->dir, HELD_FOLDER "/notes/a", "1");
	make_dir(p, HELD_FOLDER "/" HEX "x");
	scratch_file(p->dir, HELD_FOLDER "/" HEX "x/a", "1");
	assert_string_equal(recover(p), "");
	assert_string_equal(text_of(p, HELD_FOLDER "/notes/a"), "1");
	assert_string_equal(text_of(p, HELD_FOLDER "/" HEX "x/a"), "1");
}

/* ---- at every system call ---- */

enum act {
	KILL,
	REPLACE,
	APPEND,
	WAIT, /* append, by a writer who waits until it may open the file */
};

/* A writer of its own; its exit status 0: what it wrote is in the file. */
static pid_t
start_writer(struct place *p)
{
	pid_t pid = fork();
	int fd;

	assert_true(pid >= 0);
	if (pid > 0) {
		/* Long enough to be in open(2); if not, it is too late. */
		usleep(3000);
		return pid;
	}
	fd = openat(p->dir, "sub/a", O_WRONLY | O_APPEND | O_CLOEXEC);
	_exit(fd >= 0 && write(fd, "new", 3) == 3 ? 0 : 1);
}

/*
 * Lets a child do it, stops it at its n-th system call (entry and exit count
 * each) and acts there. False when the child was done before; *ret_acted: it
 * could be acted at all.
 */
static bool
act_at(struct place *p, unsigned n, bool moves, enum act act, bool *ret_acted)
{
	struct signature sig = look(p, "sub/a");
	int status = 0, fd;
	pid_t pid = fork(), writer = -1;
	bool acted = false;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = ERR_INIT;

		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(77);
		raise(SIGSTOP);
		if (moves)
			(void)!move_it(p, "sub/a", &sig, &e);
		else
			(void)!remove_it(p, "sub/a", &sig, &e);
		p->ops->close(p->source);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		skip();
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			return false;
		assert_true(WIFSTOPPED(status));
	}
	if (act == KILL) {
		kill(pid, SIGKILL);
		acted = true;
	} else if (act == REPLACE) {
		scratch_file(p->dir, "b", "new");
		assert_int_equal(renameat(p->dir, "b", p->dir, "sub/a"), 0);
		acted = true;
	} else if (act == WAIT) {
		writer = start_writer(p);
	} else {
		/* Nonblocking: with a lease it is refused for now. */
		fd = openat(p->dir, "sub/a",
			O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
		acted = fd >= 0;
		if (acted) {
			assert_int_equal(write(fd, "new", 3), 3);
			close(fd);
		}
	}
	if (act != KILL)
		assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (act != KILL)
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (writer >= 0) {
		assert_int_equal(waitpid(writer, &status, 0), writer);
		acted = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	*ret_acted = acted;
	return true;
}

static bool
is_one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static void
at_every_call(struct place *p, bool moves, enum act act)
{
	unsigned n;
	bool acted = false;

	make_dir(p, "sub");
	for (n = 1;; n++) {
		unsigned left, moved;
		bool more;

		scratch_file(p->dir, "sub/a", "old");
		more = act_at(p, n, moves, act, &acted);
		if (more) {
			reopen(p);
			assert_string_equal(recover(p), "");
		}
		assert_false(is_there(p, HELD_FOLDER));
		left = is_there(p, "sub/a");
		moved = is_there(p, "processed/sub/a");
		if (!more) {
			assert_int_equal(left, 0);
			assert_int_equal(moved, moves);
			break;
		}
		assert_true(left + moved <= 1 || act == REPLACE);
		if (act == KILL && left)
			assert_string_equal(text_of(p, "sub/a"), "old");
		if (act == KILL && moves)
			assert_int_equal(left + moved, 1);
		if (act == REPLACE)
			assert_string_equal(text_of(p, "sub/a"), "new");
		if (moved)
			assert_string_equal(
				text_of(p, "processed/sub/a"), "old");
		if ((act == APPEND || act == WAIT) && acted)
			assert_string_equal(text_of(p, "sub/a"), "oldnew");
		if ((act == APPEND || act == WAIT) && left)
			assert_true(is_one_of(
				text_of(p, "sub/a"), "old", "oldnew"));
		(void)unlinkat(p->dir, "sub/a", 0);
		(void)unlinkat(p->dir, "processed/sub/a", 0);
	}
	/* The way there is longer than a few calls. */
	assert_true(n > 40);
}

static void
test_a_kill_anywhere_in_remove_loses_nothing(void **state)
{
	at_every_call(*state, false, KILL);
}

static void
test_a_kill_anywhere_in_move_loses_nothing(void **state)
{
	at_every_call(*state, true, KILL);
}

static void
test_a_file_that_comes_anywhere_in_remove_stays(void **state)
{
	at_every_call(*state, false, REPLACE);
}

static void
test_a_file_that_comes_anywhere_in_move_stays(void **state)
{
	at_every_call(*state, true, REPLACE);
}

static void
test_bytes_that_come_anywhere_in_remove_stay(void **state)
{
	at_every_call(*state, false, APPEND);
}

static void
test_bytes_that_come_anywhere_in_move_stay(void **state)
{
	at_every_call(*state, true, APPEND);
}

static void
test_a_writer_who_waits_in_remove_loses_nothing(void **state)
{
	at_every_call(*state, false, WAIT);
}

static void
test_a_writer_who_waits_in_move_loses_nothing(void **state)
{
	at_every_call(*state, true, WAIT);
}

#define with_place(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(test_what_landed_is_removed),
		with_place(test_what_landed_is_moved_and_never_over_another),
		with_place(test_the_longest_name_gets_its_suffix_too),
		with_place(test_what_changed_stays),
		with_place(test_what_is_being_written_stays),
		with_place(test_nothing_leads_out_of_the_root),
		with_place(test_a_file_in_the_way_of_a_folder_is_said),
		with_place(test_what_was_held_goes_back),
		with_place(test_a_name_that_was_taken_keeps_both),
		with_place(test_what_is_not_ours_is_left),
		with_place(test_a_kill_anywhere_in_remove_loses_nothing),
		with_place(test_a_kill_anywhere_in_move_loses_nothing),
		with_place(test_a_file_that_comes_anywhere_in_remove_stays),
		with_place(test_a_file_that_comes_anywhere_in_move_stays),
		with_place(test_bytes_that_come_anywhere_in_remove_stay),
		with_place(test_bytes_that_come_anywhere_in_move_stay),
		with_place(test_a_writer_who_waits_in_remove_loses_nothing),
		with_place(test_a_writer_who_waits_in_move_loses_nothing),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
