/* source/drop/watch: every change makes a hint, or a reason to look again. */
#include "landfall/watch.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/str.h"
#include "landfall/source.h"
#include "source/drop/watch-fs.h"
#include "unit.h"

#include "scratch.h"

#define QUEUE_HUGE 100000

struct place {
	char path[SCRATCH_PATH];
	char aside[SCRATCH_PATH]; /* outside of what is watched */
	int dir, out;
	struct watch *watch;
	struct str said; /* "name\n" in order; "RESCAN", "LOST" */
};

static void
say(void *arg, enum watch_hint h, const uint8_t *name, size_t len)
{
	struct place *p = arg;

	if (h == WATCH_NAME) {
		str_add_quoted(&p->said, name, len);
	} else {
		assert_null(name);
		str_add(&p->said, h == WATCH_LOST ? "LOST" : "RESCAN");
	}
	str_addc(&p->said, '\n');
}

static const char *
hints(struct place *p)
{
	struct err e = ERR_INIT;

	str_clear(&p->said);
	must(watch_read(p->watch, say, p, &e), &e);
	return p->said.s;
}

static void
open_watch(struct place *p, bool recursive)
{
	struct err e = ERR_INIT;

	watch_close(p->watch);
	p->watch = NULL;
	must(watch_open(p->path, recursive, &p->watch, &e), &e);
}

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));

	p->dir = scratch_make(p->path);
	p->out = scratch_make(p->aside);
	p->said = (struct str)STR_INIT;
	open_watch(p, true);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	watch_close(p->watch);
	str_release(&p->said);
	close(p->dir);
	close(p->out);
	if (access(p->path, F_OK) == 0)
		scratch_remove(p->path);
	scratch_remove(p->aside);
	free(p);
	return 0;
}

static void
make_dir(int dir, const char *name)
{
	assert_int_equal(mkdirat(dir, name, 0755), 0);
}

/* ---- files ---- */

static void
test_a_quiet_tree_says_nothing(void **state)
{
	assert_string_equal(hints(*state), "");
}

static void
test_every_kind_of_change_is_hinted(void **state)
{
	struct place *p = *state;
	struct pollfd poll_fd = {.fd = watch_fd(p->watch), .events = POLLIN};

	assert_int_equal(poll(&poll_fd, 1, 0), 0);
	scratch_file(p->dir, "written", "1");
	assert_int_equal(poll(&poll_fd, 1, 0), 1);
	assert_string_equal(hints(p), "written\n");
	assert_int_equal(poll(&poll_fd, 1, 0), 0);

	assert_int_equal(linkat(p->dir, "written", p->dir, "link", 0), 0);
	/* The link count of the first changed as well. */
	assert_non_null(strstr(hints(p), "link\n"));

	assert_int_equal(fchmodat(p->dir, "link", 0600, 0), 0);
	assert_string_equal(hints(p), "link\n");

	assert_int_equal(renameat(p->dir, "written", p->dir, "new"), 0);
	assert_string_equal(hints(p), "written\nnew\n");

	assert_int_equal(renameat(p->dir, "new", p->out, "new"), 0);
	assert_string_equal(hints(p), "new\n");
	assert_int_equal(renameat(p->out, "new", p->dir, "back"), 0);
	assert_string_equal(hints(p), "back\n");

	assert_int_equal(symlinkat("/etc", p->dir, "sym"), 0);
	assert_string_equal(hints(p), "sym\n");

	assert_int_equal(unlinkat(p->dir, "back", 0), 0);
	assert_non_null(strstr(hints(p), "back\n"));
}

static void
test_a_hard_link_from_outside_arrives(void **state)
{
	struct place *p = *state;

	scratch_file(p->out, "f", "1");
	assert_int_equal(linkat(p->out, "f", p->dir, "arrived", 0), 0);
	assert_string_equal(hints(p), "arrived\n");
}

static void
test_equal_names_come_once(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 10; i++) {
		scratch_file(p->dir, "a", "1");
		scratch_file(p->dir, "b", "1");
	}
	assert_string_equal(hints(p), "a\nb\n");
	assert_string_equal(hints(p), "");
}

static void
test_names_are_bytes(void **state)
{
	struct place *p = *state;
	char longest[256];

	memset(longest, '\xfe', 255);
	longest[255] = '\0';
	make_dir(p->dir, "d\n");
	scratch_file(p->dir, "\xff\n'", "1");
	scratch_file(p->dir, "d\n/ ", "1");
	assert_string_equal(hints(p), "'d\\x0a/ '\n'\\xff\\x0a''\n");
	scratch_file(p->dir, longest, "1");
	assert_int_equal(strlen(hints(p)), 255 * 4 + 3);
}

/* ---- directories ---- */

static void
test_new_folders_are_watched_and_searched(void **state)
{
	struct place *p = *state;

	/* The files are there before the first event is read. */
	make_dir(p->dir, "a");
	make_dir(p->dir, "a/b");
	make_dir(p->dir, "a/b/c");
	scratch_file(p->dir, "a/b/c/f", "1");
	scratch_file(p->dir, "a/g", "1");
	hints(p);
	assert_non_null(strstr(p->said.s, "a/b/c/f\n"));
	assert_non_null(strstr(p->said.s, "a/g\n"));
	assert_null(strstr(p->said.s, "RESCAN"));
	scratch_file(p->dir, "a/b/c/late", "1");
	scratch_file(p->dir, "a/b/late", "1");
	assert_string_equal(hints(p), "a/b/c/late\na/b/late\n");
}

static void
test_what_was_there_before_is_watched_too(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, "a");
	make_dir(p->dir, "a/b");
	open_watch(p, true);
	assert_string_equal(hints(p), "");
	scratch_file(p->dir, "a/b/f", "1");
	assert_string_equal(hints(p), "a/b/f\n");
}

static void
test_without_recursion_folders_are_nothing(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, "a");
	open_watch(p, false);
	make_dir(p->dir, "b");
	scratch_file(p->dir, "a/f", "1");
	scratch_file(p->dir, "b/f", "1");
	scratch_file(p->dir, "f", "1");
	assert_int_equal(renameat(p->dir, "a", p->dir, "c"), 0);
	assert_string_equal(hints(p), "f\n");
}

static void
test_a_renamed_folder_is_followed(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, "a");
	make_dir(p->dir, "a/sub");
	scratch_file(p->dir, "a/sub/f", "1");
	hints(p);
	assert_int_equal(renameat(p->dir, "a", p->dir, "z"), 0);
	assert_string_equal(hints(p), "RESCAN\n");
	scratch_file(p->dir, "z/sub/f", "12");
	assert_string_equal(hints(p), "z/sub/f\n");
	/* There and back in one go; and two that change places. */
	assert_int_equal(renameat(p->dir, "z", p->dir, "y"), 0);
	assert_int_equal(renameat(p->dir, "y", p->dir, "z"), 0);
	hints(p);
	scratch_file(p->dir, "z/sub/f", "12");
	assert_string_equal(hints(p), "z/sub/f\n");
	make_dir(p->dir, "b");
	make_dir(p->dir, "b/in");
	hints(p);
	if (renameat2(p->dir, "z", p->dir, "b", RENAME_EXCHANGE) != 0)
		skip();
	assert_string_equal(hints(p), "RESCAN\n");
	scratch_file(p->dir, "b/sub/f", "12");
	scratch_file(p->dir, "z/in/g", "12");
	assert_string_equal(hints(p), "b/sub/f\nz/in/g\n");
}

static void
test_a_folder_that_leaves_is_let_go(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, "a");
	make_dir(p->dir, "a/sub");
	hints(p);
	assert_int_equal(renameat(p->dir, "a", p->out, "a"), 0);
	assert_string_equal(hints(p), "RESCAN\n");
	scratch_file(p->out, "a/sub/f", "1");
	assert_string_equal(hints(p), "");
	assert_int_equal(renameat(p->out, "a", p->dir, "b"), 0);
	assert_string_equal(hints(p), "b/sub/f\n");
	scratch_file(p->dir, "b/sub/g", "1");
	assert_string_equal(hints(p), "b/sub/g\n");
}

static void
test_a_folder_made_again_is_watched_again(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 3; i++) {
		make_dir(p->dir, "a");
		make_dir(p->dir, "a/b");
		scratch_file(p->dir, "a/b/f", "1");
		/* Half of the time the events of two lives meet. */
		if (i != 1)
			assert_non_null(strstr(hints(p), "a/b/f\n"));
		assert_int_equal(unlinkat(p->dir, "a/b/f", 0), 0);
		assert_int_equal(unlinkat(p->dir, "a/b", AT_REMOVEDIR), 0);
		assert_int_equal(unlinkat(p->dir, "a", AT_REMOVEDIR), 0);
	}
	make_dir(p->dir, "a");
	make_dir(p->dir, "a/b");
	hints(p);
	scratch_file(p->dir, "a/b/f", "1");
	assert_string_equal(hints(p), "a/b/f\n");
}

static void
test_no_link_is_followed(void **state)
{
	struct place *p = *state;

	assert_int_equal(symlinkat(p->aside, p->dir, "link"), 0);
	assert_string_equal(hints(p), "link\n");
	scratch_file(p->out, "f", "1");
	assert_string_equal(hints(p), "");
	open_watch(p, true);
	scratch_file(p->out, "f", "1");
	assert_string_equal(hints(p), "");
}

static void
test_folders_nested_too_deep_are_left(void **state)
{
	struct place *p = *state;
	struct str path = STR_INIT;

	for (unsigned i = 0; i <= SOURCE_DEPTH_MAX; i++) {
		if (i > 0)
			str_addc(&path, '/');
		str_addc(&path, 'd');
		make_dir(p->dir, path.s);
	}
	/* One go from above, and one event from the last that is watched. */
	hints(p);
	open_watch(p, true);
	str_cut(&path, 2 * SOURCE_DEPTH_MAX - 1);
	str_add(&path, "/f");
	scratch_file(p->dir, path.s, "1");
	str_cut(&path, path.len - 1);
	str_add(&path, "d/f");
	scratch_file(p->dir, path.s, "1");
	hints(p);
	assert_int_equal(p->said.len, 2 * SOURCE_DEPTH_MAX + 2);
	str_release(&path);
}

static void
test_what_leaves_a_drop_is_no_folder_of_it(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, ".landfall-held");
	scratch_file(p->dir, ".landfall-held/f", "1");
	assert_string_equal(hints(p), "");
	open_watch(p, true);
	scratch_file(p->dir, ".landfall-held/f", "1");
	assert_string_equal(hints(p), "");
}

/* ---- what goes wrong ---- */

static unsigned
read_limit(const char *path)
{
	unsigned n = 0;
	FILE *f = fopen(path, "r");

	if (f != NULL) {
		if (fscanf(f, "%u", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n;
}

static void
test_an_overflow_is_a_reason_to_look_at_all(void **state)
{
	struct place *p = *state;
	unsigned n = read_limit("/proc/sys/fs/inotify/max_queued_events");

	if (n == 0 || n > QUEUE_HUGE) {
		print_message("max_queued_events is %u\n", n);
		skip();
	}
	make_dir(p->dir, "gone");
	make_dir(p->dir, "stays");
	make_dir(p->dir, "leaves");
	hints(p);
	/* Two names in turn: equal events in a row are one. */
	for (unsigned i = 0; i <= n / 2 + 1; i++) {
		assert_int_equal(fchmodat(p->dir, "gone", 0700, 0), 0);
		assert_int_equal(fchmodat(p->dir, "stays", 0700, 0), 0);
	}
	/* The queue is full: nobody says any of this. */
	assert_int_equal(unlinkat(p->dir, "gone", AT_REMOVEDIR), 0);
	make_dir(p->dir, "new");
	make_dir(p->dir, "new/sub");
	assert_int_equal(renameat(p->dir, "stays", p->dir, "moved"), 0);
	assert_int_equal(renameat(p->dir, "leaves", p->out, "left"), 0);
	assert_string_equal(hints(p), "RESCAN\n");
	/* The watches are right again. */
	scratch_file(p->dir, "new/sub/f", "1");
	scratch_file(p->dir, "moved/f", "1");
	scratch_file(p->out, "left/f", "1");
	assert_string_equal(hints(p), "new/sub/f\nmoved/f\n");
}

static void
test_too_many_names_are_a_reason_too(void **state)
{
	struct place *p = *state;
	char name[32];

	make_dir(p->out, "many");
	for (int i = 0; i < 65537; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		if (i == 0)
			scratch_file(p->out, name, "");
		/* Links of one file, anew before it has too many. */
		else if (i % 30000 == 0)
			scratch_file(p->out, name, "");
		else {
			char first[32];

			snprintf(first, sizeof(first), "many/%d",
				i / 30000 * 30000);
			assert_int_equal(
				linkat(p->out, first, p->out, name, 0), 0);
		}
	}
	assert_int_equal(renameat(p->out, "many", p->dir, "many"), 0);
	assert_string_equal(hints(p), "RESCAN\n");
	assert_int_equal(renameat(p->dir, "many", p->out, "many"), 0);
}

static void
test_a_root_that_was_removed_is_lost(void **state)
{
	struct place *p = *state;

	close(p->dir);
	p->dir = -1;
	assert_int_equal(rmdir(p->path), 0);
	assert_string_equal(hints(p), "LOST\n");
	/* And stays it, even when another one comes. */
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_string_equal(hints(p), "LOST\n");
	open_watch(p, true);
	assert_string_equal(hints(p), "");
}

static void
test_a_root_that_was_moved_is_lost(void **state)
{
	struct place *p = *state;
	char away[SCRATCH_PATH + 8];

	snprintf(away, sizeof(away), "%s.away", p->path);
	assert_int_equal(rename(p->path, away), 0);
	assert_string_equal(hints(p), "LOST\n");
	assert_int_equal(rename(away, p->path), 0);
}

static void
test_a_missing_root_says_so(void **state UNUSED)
{
	struct watch *w = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(watch_open("/nonexistent", true, &w, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "/nonexistent"));
	assert_non_null(strstr(e.text, "No such file"));
	assert_int_equal(watch_open("/etc/passwd", true, &w, &e), BAD_SOURCE);
	assert_null(w);
	watch_close(NULL);
}

static void
test_missing_descriptors_name_the_limit(void **state)
{
	struct place *p = *state;
	struct watch *w = NULL;
	struct err e = ERR_INIT;
	struct rlimit old, low;
	enum rc rc;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = watch_open(p->path, true, &w, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, BAD_SOURCE);
	assert_non_null(strstr(e.text, "max_user_instances"));
}

static void
test_filesystems_of_others_are_polled(void **state UNUSED)
{
	/* nfs, cifs, fuse; ext4, xfs, btrfs, tmpfs, overlay. */
	assert_false(watch_fs_tells(0x6969));
	assert_false(watch_fs_tells(0xff534d42));
	assert_false(watch_fs_tells(0x65735546));
	assert_true(watch_fs_tells(0xef53));
	assert_true(watch_fs_tells(0x58465342));
	assert_true(watch_fs_tells(0x9123683e));
	assert_true(watch_fs_tells(0x01021994));
	assert_true(watch_fs_tells(0x794c7630));
}

/* ---- what needs another process ---- */

#define CHILD_SKIPS 77

/* Runs fn in a child; its exit status says how it went. */
static void
in_child(struct place *p, int (*fn)(struct place *p))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CHILD_SKIPS)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* 0 when the next hints are these. */
static bool
says(struct place *p, const char *wanted)
{
	struct err e = ERR_INIT;

	str_clear(&p->said);
	if (watch_read(p->watch, say, p, &e) == OK &&
		strcmp(p->said.s, wanted) == 0)
		return true;
	fprintf(stderr, "wanted %snot %s%s\n", wanted, p->said.s, e.text);
	return false;
}

static int
read_as_nobody(struct place *p)
{
	struct err e = ERR_INIT;

	/* Root can read everything; somebody else shows it. */
	if (geteuid() == 0 &&
		(fchownat(p->dir, "open", 65534, 65534, 0) != 0 ||
			fchown(p->dir, 65534, 65534) != 0 ||
			fchownat(p->dir, "shut", 65534, 65534, 0) != 0 ||
			setgid(65534) != 0 || setuid(65534) != 0))
		return CHILD_SKIPS;
	watch_close(p->watch);
	p->watch = NULL;
	if (watch_open(p->path, true, &p->watch, &e) != OK)
		return 1;
	scratch_file(p->dir, "open/f", "1");
	if (!says(p, "open/f\n"))
		return 2;
	if (fchmodat(p->dir, "shut", 0700, 0) != 0 || !says(p, "shut/hidden\n"))
		return 3;
	scratch_file(p->dir, "shut/f", "1");
	return says(p, "shut/f\n") ? 0 : 4;
}

static void
test_an_unreadable_folder_is_watched_once_it_can_be(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, "open");
	make_dir(p->dir, "shut");
	scratch_file(p->dir, "shut/hidden", "1");
	assert_int_equal(fchmodat(p->dir, "shut", 0, 0), 0);
	in_child(p, read_as_nobody);
}

static int
unmount(struct place *p)
{
	char sub[SCRATCH_PATH + 8];
	struct err e = ERR_INIT;

	snprintf(sub, sizeof(sub), "%s/sub", p->path);
	if (unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", p->path, "tmpfs", 0, "size=1m") != 0 ||
		mkdir(sub, 0700) != 0 ||
		mount("none", sub, "tmpfs", 0, "size=1m") != 0)
		return CHILD_SKIPS;
	watch_close(p->watch);
	p->watch = NULL;
	if (watch_open(p->path, true, &p->watch, &e) != OK)
		return 1;
	if (umount(sub) != 0 || !says(p, "RESCAN\n"))
		return 2;
	if (umount(p->path) != 0 || !says(p, "LOST\n"))
		return 3;
	return 0;
}

static void
test_an_unmount_is_noticed(void **state)
{
	in_child(*state, unmount);
}

/* Watches are counted by user: in a namespace there can be few. */
static int
run_out_of_watches(struct place *p)
{
	struct watch *w = NULL;
	struct err e = ERR_INIT;
	FILE *f;

	if (unshare(CLONE_NEWUSER) != 0)
		return CHILD_SKIPS;
	/* The namespace's own; the one below fs/ is the whole machine's. */
	f = fopen("/proc/sys/user/max_inotify_watches", "w");
	if (f == NULL || fputs("2", f) < 0 || fclose(f) != 0)
		return CHILD_SKIPS;
	if (watch_open(p->path, true, &w, &e) != BAD_SOURCE ||
		strstr(e.text, "max_user_watches") == NULL)
		return 1;
	if (watch_open(p->path, false, &w, &e) != OK)
		return 2;
	watch_close(w);
	return 0;
}

static void
test_too_few_watches_name_the_limit(void **state)
{
	struct place *p = *state;

	make_dir(p->dir, "a");
	make_dir(p->dir, "b");
	in_child(p, run_out_of_watches);
}

#define with_place(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_place(test_a_quiet_tree_says_nothing),
		with_place(test_every_kind_of_change_is_hinted),
		with_place(test_a_hard_link_from_outside_arrives),
		with_place(test_equal_names_come_once),
		with_place(test_names_are_bytes),
		with_place(test_new_folders_are_watched_and_searched),
		with_place(test_what_was_there_before_is_watched_too),
		with_place(test_without_recursion_folders_are_nothing),
		with_place(test_a_renamed_folder_is_followed),
		with_place(test_a_folder_that_leaves_is_let_go),
		with_place(test_a_folder_made_again_is_watched_again),
		with_place(test_no_link_is_followed),
		with_place(test_folders_nested_too_deep_are_left),
		with_place(test_what_leaves_a_drop_is_no_folder_of_it),
		with_place(test_an_overflow_is_a_reason_to_look_at_all),
		with_place(test_too_many_names_are_a_reason_too),
		with_place(test_a_root_that_was_removed_is_lost),
		with_place(test_a_root_that_was_moved_is_lost),
		cmocka_unit_test(test_a_missing_root_says_so),
		with_place(test_missing_descriptors_name_the_limit),
		cmocka_unit_test(test_filesystems_of_others_are_polled),
		with_place(test_an_unreadable_folder_is_watched_once_it_can_be),
		with_place(test_an_unmount_is_noticed),
		with_place(test_too_few_watches_name_the_limit),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
