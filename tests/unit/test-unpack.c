/*
 * Archives through unpack.h, with a real child, which is this program. The
 * archives are libarchive's own; those of other tools and of attackers are in
 * tests/unpack.
 */
#include <archive.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "landfall/proc.h"
#include "landfall/unpack.h"
#include "unpack/walk.h"

#include "unpack-made.h"

/* ---- recognition ---- */

static const struct {
	const char *bytes;
	size_t n;
	const char *name;
	struct unpack_look look;
	const char *says; /* NULL: they agree */
} looks[] = {
	{"PK\3\4xx", 6, "a.zip", {UNPACK_ZIP, UNPACK_ZIP, false, false}, NULL},
	{"PK\5\6xx", 6, "a.ZIP", {UNPACK_ZIP, UNPACK_ZIP, false, false}, NULL},
	{"PK\3\4xx", 6, "a.xlsx", {UNPACK_ZIP, UNPACK_NOTHING, false, true},
		NULL},
	{"PK\3\4xx", 6, "a.csv", {UNPACK_ZIP, UNPACK_NOTHING, false, false},
		"its name says no archive, its bytes are zip"},
	{"\x1f\x8b\x08\0", 4, "a.tar.gz",
		{UNPACK_GZIP, UNPACK_GZIP, true, false}, NULL},
	{"\x1f\x8b\x08\0", 4, "d/a.tgz",
		{UNPACK_GZIP, UNPACK_GZIP, true, false}, NULL},
	{"\x1f\x8b\x08\0", 4, "a.csv.gz",
		{UNPACK_GZIP, UNPACK_GZIP, false, false}, NULL},
	{"\x1f\x8b\x08\x80", 4, "a",
		{UNPACK_NOTHING, UNPACK_NOTHING, false, false}, NULL},
	{"BZh91AY&SY", 10, "a.tar.bz2",
		{UNPACK_BZIP2, UNPACK_BZIP2, true, false}, NULL},
	{"BZh9 hello", 10, "a.txt",
		{UNPACK_NOTHING, UNPACK_NOTHING, false, false}, NULL},
	{"\xfd"
	 "7zXZ\0",
		6, "a.xz", {UNPACK_XZ, UNPACK_XZ, false, false}, NULL},
	{"\x28\xb5\x2f\xfd", 4, "a.tzst",
		{UNPACK_ZSTD, UNPACK_ZSTD, true, false}, NULL},
	{"\x50\x2a\x4d\x18", 4, "a.zst",
		{UNPACK_ZSTD, UNPACK_ZSTD, false, false}, NULL},
	{"id;name\n", 8, "a.zip", {UNPACK_NOTHING, UNPACK_ZIP, false, false},
		"its name says zip, its bytes are no archive"},
	{"", 0, ".gz", {UNPACK_NOTHING, UNPACK_NOTHING, false, false}, NULL},
	{"", 0, "gz", {UNPACK_NOTHING, UNPACK_NOTHING, false, false}, NULL},
};

static void
test_look(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		CLEANUP(str_release) struct str s = STR_INIT;
		struct unpack_look l;
		const char *name = looks[i].name;

		unpack_look((const uint8_t *)looks[i].bytes, looks[i].n,
			(const uint8_t *)name, strlen(name), &l);
		assert_int_equal(l.content, looks[i].look.content);
		assert_int_equal(l.named, looks[i].look.named);
		assert_int_equal(l.named_tar, looks[i].look.named_tar);
		assert_int_equal(l.document, looks[i].look.document);
		assert_int_equal(
			unpack_disagrees(&l, &s), looks[i].says != NULL);
		if (looks[i].says != NULL)
			assert_string_equal(s.s, looks[i].says);
	}
}

static void
test_name(void **state UNUSED)
{
	static const struct {
		const char *name;
		size_t len;
		bool bad;
	} names[] = {{"a", 1, false}, {"a/b.csv", 7, false}, {"./a", 3, false},
		{"..a", 3, false}, {"a..", 3, false}, {"...", 3, false},
		{"a/..b/c", 7, false}, {"a:b", 3, false}, {"c:", 2, false},
		{"%2e%2e/a", 8, false}, {"a//b", 4, false}, {"", 0, true},
		{"..", 2, true}, {"../a", 4, true}, {"a/..", 4, true},
		{"a/../b", 6, true}, {"a\\..\\b", 6, true}, {"..\\a", 4, true},
		{"/a", 2, true}, {"\\a", 2, true}, {"c:/a", 4, true},
		{"C:\\a", 4, true}, {"a\0b", 3, true}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((walk_name((const uint8_t *)names[i].name, names[i].len) !=
			    NULL) != names[i].bad)
			fail_msg("%s", names[i].name);
}

/* Everything in every format, read or passed over. */
static void
test_formats(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct making m = make(formats[i].format, formats[i].filter);
		struct unpack_member got;
		struct unpack *u;
		int fd;

		add(&m, "a.csv", "id;n\n", 5);
		add(&m, "empty", "", 0);
		add_typed(&m, "folder/", "", 0, AE_IFDIR, NULL);
		add(&m, "folder/large", large, sizeof(large));
		add(&m, "passed", large, 100000);
		add_typed(&m, "link", "", 0, AE_IFLNK, "/etc/passwd");
		add(&m, "../up", "x", 1);
		add(&m, "last", "z", 1);
		fd = made(&m);
		u = begin(fd, formats[i].name);
		got = expect(u, UNPACK_FILE, "a.csv");
		assert_int_equal(got.size, 5);
		assert_true(got.has_mtime);
		assert_true(got.mtime == 1000000000 * CLOCK_SECOND);
		expect_bytes(u, "id;n\n", 5);
		expect(u, UNPACK_FILE, "empty");
		expect_bytes(u, "", 0);
		expect(u, UNPACK_FOLDER, "folder/");
		expect(u, UNPACK_FILE, "folder/large");
		expect_bytes(u, large, sizeof(large));
		expect(u, UNPACK_FILE, "passed");
		got = expect(u, UNPACK_FINDING, "link");
		assert_string_equal(
			got.finding, "symbolic link to /etc/passwd");
		got = expect(u, UNPACK_FINDING, "../up");
		assert_string_equal(got.finding, "'..' in its name");
		expect(u, UNPACK_FILE, "last");
		expect_bytes(u, "z", 1);
		expect_end(u, fd);
	}
}

/* outer.zip!/in.tar.gz!/a.csv */
static void
test_inside(void **state UNUSED)
{
	char path[SCRATCH_PATH];
	int spool = scratch_make(path);
	struct unpack_limits before = options.limits;
	struct unpack_member m, in;
	struct making inner, outer, another = make(ARCHIVE_FORMAT_ZIP, 0);
	struct err e = ERR_INIT;
	struct unpack *u;
	uint8_t sum[HASH_LEN];
	uint8_t *bytes;
	size_t n;
	int fd;

	inner = make(ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP);
	add(&inner, "a.csv", large, 70000);
	fd = made(&inner);
	n = (size_t)lseek(fd, 0, SEEK_END);
	bytes = malloc(n);
	assert_int_equal(pread(fd, bytes, n, 0), n);
	hash_bytes(bytes, n, sum);
	free(bytes);
	outer = make(ARCHIVE_FORMAT_ZIP, 0);
	add(&outer, "in.xlsx", "PK\3\4 not one", 12);
	fd = copy_into(&outer, "d/in.tar.gz", fd);

	options.spool = spool;
	u = begin(fd, "outer.zip");
	options.spool = -1;
	m = expect(u, UNPACK_FILE, "in.xlsx");
	assert_true(m.look.document);
	in = expect(u, UNPACK_ARCHIVE, "d/in.tar.gz");
	assert_int_equal(in.n_in, 0);
	assert_int_equal(in.size, n);
	assert_memory_equal(in.sha256, sum, HASH_LEN);
	m = expect(u, UNPACK_FILE, "a.csv");
	assert_int_equal(m.n_in, 1);
	assert_int_equal(m.in[0].name_len, 11);
	assert_memory_equal(m.in[0].name, "d/in.tar.gz", 11);
	assert_int_equal(m.in[0].size, n);
	assert_memory_equal(m.in[0].sha256, sum, HASH_LEN);
	expect_bytes(u, large, 70000);
	expect_end(u, fd);
	/* No room for a spool is nobody's fault. */
	fd = copy_into(&another, "in.zip", begin_inner());
	options.spool = spool;
	options.limits.free_space = UINT64_MAX / 2;
	u = begin(fd, "outer.zip");
	assert_int_equal(unpack_next(u, &m, &e), AGAIN);
	assert_non_null(strstr(e.text, "no room on disk"));
	assert_true(unpack_over(u));
	unpack_free(u);
	close(fd);
	options.limits = before;
	options.spool = -1;

	/* Nothing was left where the spool was. */
	assert_int_equal(rmdir(path), 0);
	close(spool);
}

static void
test_limits(void **state UNUSED)
{
	struct making m = make(ARCHIVE_FORMAT_TAR_USTAR, 0);
	struct unpack_limits before = options.limits;
	struct unpack *u;
	int fd;

	add(&m, "a", large, 1000);
	add(&m, "bb", large, 2000);
	add(&m, "a", large, 10);
	fd = made(&m);
	expect_bad(u = begin(fd, "x.tar"),
		"member a (number 3): a member of "
		"this name came before");
	unpack_free(u);
	options.number = true;
	u = begin(fd, "x.tar");
	expect(u, UNPACK_FILE, "a");
	expect(u, UNPACK_FILE, "bb");
	assert_int_equal(expect(u, UNPACK_FILE, "a").nth, 2);
	unpack_free(u);

	options.limits.members = 2;
	expect_bad(u = begin(fd, "x.tar"), "more than 2 members");
	unpack_free(u);
	options.limits = before;
	options.limits.member_bytes = 1999;
	expect_bad(u = begin(fd, "x.tar"),
		"member bb (number 2): one member "
		"unpacks to more than 2.0 KiB");
	unpack_free(u);
	options.limits = before;
	options.limits.total_bytes = 2999;
	expect_bad(u = begin(fd, "x.tar"), "the archive unpacks to more than");
	unpack_free(u);
	options.limits = before;
	options.limits.name_len = 1;
	expect_bad(u = begin(fd, "x.tar"), "a name of 2 bytes");
	unpack_free(u);
	options.limits = before;
	options.number = false;
	close(fd);
}

static void
test_none(void **state UNUSED)
{
	struct unpack_options o = options;
	struct err e = ERR_INIT;
	struct unpack *u;
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_int_equal(write(fd, "id;name\n", 8), 8);
	o.fd = fd;
	o.size = 8;
	o.name = (const uint8_t *)"a.zip";
	o.name_len = 5;
	assert_int_equal(unpack_open(&o, &u, &e), BAD_ITEM);
	assert_non_null(strstr(e.text, "though its name says zip"));
	close(fd);
}

/* ---- passwords ---- */

static int
make_locked(const char *how)
{
	struct making m = {.a = archive_write_new()};

	m.fd = memfd_create("archive", MFD_CLOEXEC);
	assert_int_equal(archive_write_set_format_zip(m.a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(m.a, how), ARCHIVE_OK);
	assert_int_equal(
		archive_write_set_passphrase(m.a, "open sesame"), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(m.a, 1);
	assert_int_equal(archive_write_open_fd(m.a, m.fd), ARCHIVE_OK);
	add(&m, "a.csv", large, 100000);
	add(&m, "b.csv", "id;n\n", 5);
	return made(&m);
}

static void
set_password(const char *text)
{
	options.password = (const uint8_t *)text;
	options.password_len = text != NULL ? strlen(text) : 0;
}

/* Is a wrong password found to be wrong before anything is decrypted? */
static bool
is_told(int fd)
{
	struct unpack *u = begin(fd, "x.zip");
	struct err e = ERR_INIT;
	uint8_t byte;
	size_t got;
	bool told = true;

	for (int i = 0; i < 2 && told; i++) {
		expect(u, UNPACK_FILE, i == 0 ? "a.csv" : "b.csv");
		told = unpack_read(u, &byte, 1, &got, &e) == BAD_ITEM &&
			strstr(e.text, "assphrase") != NULL;
	}
	unpack_free(u);
	return told;
}

/*
 * The traditional way has one byte to tell a wrong password by, and takes one
 * in 256 for right: such an archive is made anew.
 */
static int
make_telling(const char *how)
{
	set_password("open");
	for (int i = 0; i < 10; i++) {
		int fd = make_locked(how);

		if (is_told(fd))
			return fd;
		close(fd);
	}
	fail_msg("%s: no wrong password is told", how);
	return -1;
}

/* Member by member, and what is said of each. */
static void
expect_locked(int fd, const char *text)
{
	struct unpack *u = begin(fd, "x.zip");
	struct err e = ERR_INIT;
	uint8_t byte[10];
	size_t got;

	for (int i = 0; i < 2; i++) {
		expect(u, UNPACK_FILE, i == 0 ? "a.csv" : "b.csv");
		assert_int_equal(
			unpack_read(u, byte, sizeof(byte), &got, &e), BAD_ITEM);
		if (strstr(e.text, text) == NULL)
			fail_msg("'%s' has no '%s'", e.text, text);
		/* And so it stays. */
		assert_int_equal(
			unpack_read(u, byte, sizeof(byte), &got, &e), BAD_ITEM);
		assert_false(unpack_over(u));
	}
	expect_end(u, -1);
}

static void
test_password(void **state UNUSED)
{
	static const char *const ways[] = {"zip:encryption=traditional",
		"zip:encryption=aes128", "zip:encryption=aes256"};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		int fd = make_telling(ways[i]);
		struct unpack *u;

		set_password("open sesame");
		u = begin(fd, "x.zip");
		expect(u, UNPACK_FILE, "a.csv");
		expect_bytes(u, large, 100000);
		expect(u, UNPACK_FILE, "b.csv");
		expect_bytes(u, "id;n\n", 5);
		expect_end(u, -1);
		set_password("open");
		expect_locked(fd, "assphrase");
		set_password(NULL);
		expect_locked(fd, "encrypted, and there is no password for it");
		close(fd);
	}
}

static const struct child_kind kinds[] = {
	{UNPACK_CHILD, CHILD_UNPACK, unpack_child, NULL},
	{NULL, 0, NULL, NULL}};

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_password),
	};

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 2654435761u >> 13);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
