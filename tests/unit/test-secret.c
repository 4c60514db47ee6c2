/* config/secret: references to secrets, and what they refer to. */
#include "config/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "unit.h"

static char dir[4096];

static bool
parse(const char *text, struct secret *s, struct str *mistakes)
{
	struct report r = REPORT_INIT;
	struct yaml y;
	bool right;

	assert_true(yaml_parse(&y, text, strlen(text), &r));
	right = secret_parse(s, y.root, dir, "password", &r);
	assert_int_equal(right, r.n == 0);
	report_write(&r, "f", mistakes);
	report_release(&r);
	yaml_release(&y);
	return right;
}

/* Resolves it: the secret, or the error text. */
static void
assert_resolves(const char *text, enum rc rc, const char *expected)
{
	struct str mistakes = STR_INIT;
	struct err e = ERR_INIT;
	struct secret s;
	struct buf b;

	if (!parse(text, &s, &mistakes))
		fail_msg("%s", mistakes.s);
	s.timeout = CLOCK_SECOND / 2;
	assert_int_equal(secret_resolve(&s, &b, &e), rc);
	if (rc == OK) {
		assert_int_equal(b.len, strlen(expected));
		assert_memory_equal(b.data, expected, b.len);
		secret_forget(&b);
		assert_null(b.data);
	} else {
		assert_string_equal(e.text, expected);
	}
	secret_release(&s);
	str_release(&mistakes);
}

static void
put(const char *name, const char *text, mode_t mode)
{
	struct str path = STR_INIT;
	FILE *f;

	str_addf(&path, "%s/%s", dir, name);
	f = fopen(path.s, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path.s, mode), 0);
	str_release(&path);
}

static const struct {
	const char *text;
	const char *mistake;
} wrong[] = {
	{"hunter2",
		"f:1:1: error: password: a secret does not stand here "
		"itself: write {credential: NAME}, {file: PATH}, {env: "
		"NAME} or {command: [PROGRAM, ARGUMENT]}\n"},
	{"{file: a, env: b}",
		"f:1:1: error: password: a secret does not stand here itself: "
		"write {credential: NAME}, {file: PATH}, {env: NAME} or "
		"{command: [PROGRAM, ARGUMENT]}\n"},
	{"{fiel: a}",
		"f:1:2: error: password: expected {credential: NAME}, {file: "
		"PATH}, {env: NAME} or {command: [PROGRAM, ARGUMENT]}\n"},
	{"{credential: ../shadow}",
		"f:1:14: error: password: credential: expected a name, not a "
		"path\n"},
	{"{credential: ..}",
		"f:1:14: error: password: credential: expected a "
		"name, not a path\n"},
	{"{env: hunter=2}",
		"f:1:7: error: password: env: expected the name "
		"of a variable, without \"=\"\n"},
	{"{file: ''}", "f:1:8: error: password: file: expected a path\n"},
	{"{env: [a]}", "f:1:7: error: password: expected a name\n"},
	{"{command: 'pass show x'}",
		"f:1:11: error: password: command: expected a list, the "
		"program first; it runs without a shell\n"},
	{"{command: [pass, [x]]}",
		"f:1:18: error: password: command: expected text\n"},
};

static void
test_a_secret_itself_is_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct str mistakes = STR_INIT;
		struct secret s;

		assert_false(parse(wrong[i].text, &s, &mistakes));
		assert_string_equal(mistakes.s, wrong[i].mistake);
		assert_null(strstr(mistakes.s, "hunter"));
		str_release(&mistakes);
	}
}

static void
test_file_is_refused_when_others_can_read_it(void **state UNUSED)
{
	struct str want = STR_INIT;

	put("key", "hunter2\n", 0600);
	assert_resolves("{file: key}", OK, "hunter2");
	put("key", "2\n3\r\n", 0400);
	assert_resolves("{file: key}", OK, "2\n3");
	put("key", "hunter2\n", 0640);
	str_addf(&want,
		"%s/key: others than its owner have access (mode 0640); run: "
		"chmod 600 %s/key",
		dir, dir);
	assert_resolves("{file: key}", BAD_SOURCE, want.s);
	put("key", "\n", 0600);
	str_clear(&want);
	str_addf(&want, "file %s/key: empty", dir);
	assert_resolves("{file: key}", BAD_SOURCE, want.s);
	str_clear(&want);
	str_addf(&want, "open %s/none: No such file or directory", dir);
	assert_resolves("{file: none}", BAD_SOURCE, want.s);
	str_clear(&want);
	str_addf(&want, "%s/.: not a regular file", dir);
	assert_resolves("{file: .}", BAD_SOURCE, want.s);
	str_clear(&want);
	str_addf(&want, "%s/fifo", dir);
	assert_int_equal(mkfifo(want.s, 0600), 0);
	str_add(&want, ": not a regular file");
	assert_resolves("{file: fifo}", BAD_SOURCE, want.s);
	str_release(&want);
}

static void
test_file_of_another_user_is_refused(void **state UNUSED)
{
	struct str path = STR_INIT, want = STR_INIT;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	put("theirs", "hunter2\n", 0600);
	str_addf(&path, "%s/theirs", dir);
	assert_int_equal(chown(path.s, 65534, 0), 0);
	str_addf(&want,
		"%s: belongs to user 65534, who could replace it; run: chown "
		"0 %s",
		path.s, path.s);
	assert_resolves("{file: theirs}", BAD_SOURCE, want.s);
	str_release(&want);
	str_release(&path);
}

static void
test_env_and_credential(void **state UNUSED)
{
	setenv("LF_TEST_SECRET", "hunter2", 1);
	assert_resolves("{env: LF_TEST_SECRET}", OK, "hunter2");
	unsetenv("LF_TEST_SECRET");
	assert_resolves("{env: LF_TEST_SECRET}", BAD_SOURCE,
		"environment variable LF_TEST_SECRET is not set");

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_resolves("{credential: cred}", BAD_SOURCE,
		"credential cred: CREDENTIALS_DIRECTORY is not set; add "
		"LoadCredential=cred:PATH to the service");
	put("cred", "from systemd\n", 0440);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_resolves("{credential: cred}", OK, "from systemd");
}

static void
test_command_runs_without_a_shell(void **state UNUSED)
{
	assert_resolves("{command: [echo, 'a $HOME; b']}", OK, "a $HOME; b");
	assert_resolves("{command: [no-such-program-here]}", BAD_SOURCE,
		"run no-such-program-here: No such file or directory");
	assert_resolves("{command: [sh, -c, 'echo hunter2; exit 3']}",
		BAD_SOURCE,
		"command sh: failed (exit status 3); run it by hand to see "
		"why");
	assert_resolves("{command: [sh, -c, 'kill -9 $$']}", BAD_SOURCE,
		"command sh: failed (signal 9); run it by hand to see why");
	assert_resolves("{command: [sh, -c, 'cat; echo end']}", OK, "end");
}

static void
test_command_is_bounded_in_time_and_output(void **state UNUSED)
{
	int64_t start = clock_mono();

	assert_resolves("{command: [sleep, '60']}", BAD_SOURCE,
		"command sleep: no answer within 500ms; ended it");
	assert_resolves("{command: [sh, -c, 'echo a; exec >&-; sleep 60']}",
		BAD_SOURCE, "command sh: no answer within 500ms; ended it");
	/* A grandchild holds the pipe. */
	assert_resolves("{command: [sh, -c, 'echo a; sleep 60 & exit 0']}",
		BAD_SOURCE, "command sh: no answer within 500ms; ended it");
	assert_resolves("{command: [cat, /dev/zero]}", BAD_SOURCE,
		"command cat: more than 65536 bytes");
	assert_resolves("{command: [head, -c, '65537', /dev/zero]}", BAD_SOURCE,
		"command head: more than 65536 bytes");
	assert_true(clock_mono() - start < 10 * CLOCK_SECOND);
}

static bool
is_running(const char *pid)
{
	struct str path = STR_INIT, stat = STR_INIT;
	struct err e = ERR_INIT;
	bool running;

	str_addf(&path, "/proc/%s/stat", pid);
	running =
		io_read_file(AT_FDCWD, path.s, 4096, &stat, BROKEN, &e) == OK &&
		strstr(stat.s, ") Z ") == NULL;
	str_release(&path);
	str_release(&stat);
	return running;
}

static void
test_command_leaves_nothing_running(void **state UNUSED)
{
	struct str text = STR_INIT, path = STR_INIT, pid = STR_INIT;
	struct err e = ERR_INIT;

	str_addf(&path, "%s/pid", dir);
	str_addf(&text, "{command: [sh, -c, 'sleep 60 & echo -n $! >%s']}",
		path.s);
	assert_resolves(text.s, BAD_SOURCE,
		"command sh: no answer within 500ms; ended it");
	must(io_read_file(AT_FDCWD, path.s, 64, &pid, BROKEN, &e), &e);
	for (int i = 0; i < 100 && is_running(pid.s); i++)
		clock_sleep(CLOCK_SECOND / 50);
	assert_false(is_running(pid.s));
	str_release(&text);
	str_release(&path);
	str_release(&pid);
}

static int
enter(void **state UNUSED)
{
	char name[] = "test-secret-XXXXXX";

	return mkdtemp(name) == NULL || realpath(name, dir) == NULL;
}

static int
leave(void **state UNUSED)
{
	struct str command = STR_INIT;
	int status;

	str_addf(&command, "rm -rf '%s'", dir);
	status = system(command.s);
	str_release(&command);
	return status;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_itself_is_refused),
		cmocka_unit_test(test_file_is_refused_when_others_can_read_it),
		cmocka_unit_test(test_file_of_another_user_is_refused),
		cmocka_unit_test(test_env_and_credential),
		cmocka_unit_test(test_command_runs_without_a_shell),
		cmocka_unit_test(test_command_is_bounded_in_time_and_output),
		cmocka_unit_test(test_command_leaves_nothing_running),
	};

	return cmocka_run_group_tests_name("secret", tests, enter, leave);
}
