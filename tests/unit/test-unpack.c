/*
 * Archives through unpack.h, with a real child, which is this program. The
 * archives are libarchive's own; those of other tools and of attackers are in
 * tests/unpack.
 */
#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include "../unpack/here.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/io.h"
#include "landfall/proc.h"
#include "proc/sanitized.h"
#include "scratch.h"

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

/* ---- archives ---- */

static struct unpack_options options = {
	.fd = -1, .spool = -1, .limits = UNPACK_LIMITS_DEFAULT};

struct making {
	struct archive *a;
	int fd;
};

static struct making
make(int format, int filter)
{
	struct making m = {.a = archive_write_new()};

	m.fd = memfd_create("archive", MFD_CLOEXEC);
	assert_int_equal(archive_write_set_format(m.a, format), ARCHIVE_OK);
	if (filter != 0)
		assert_int_equal(
			archive_write_add_filter(m.a, filter), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(m.a, 1);
	assert_int_equal(archive_write_open_fd(m.a, m.fd), ARCHIVE_OK);
	return m;
}

static void
add_typed(struct making *m, const char *name, const void *p, size_t n,
	unsigned type, const char *link)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, 1000000000, 0);
	archive_entry_set_size(e, (la_int64_t)n);
	if (link != NULL && type == AE_IFLNK)
		archive_entry_set_symlink(e, link);
	else if (link != NULL)
		archive_entry_set_hardlink(e, link);
	assert_int_equal(archive_write_header(m->a, e), ARCHIVE_OK);
	if (n > 0)
		assert_int_equal(archive_write_data(m->a, p, n), n);
	archive_entry_free(e);
}

static void
add(struct making *m, const char *name, const void *p, size_t n)
{
	add_typed(m, name, p, n, AE_IFREG, NULL);
}

static int
made(struct making *m)
{
	assert_int_equal(archive_write_free(m->a), ARCHIVE_OK);
	return m->fd;
}

static struct unpack *
begin(int fd, const char *name)
{
	struct unpack_options o = options;
	struct err e = ERR_INIT;
	struct unpack *u = NULL;

	o.fd = fd;
	o.size = (uint64_t)lseek(fd, 0, SEEK_END);
	o.name = (const uint8_t *)name;
	o.name_len = strlen(name);
	must(unpack_open(&o, &u, &e), &e);
	assert_null(unpack_weak(u));
	return u;
}

static struct unpack_member
expect(struct unpack *u, enum unpack_type type, const char *name)
{
	struct err e = ERR_INIT;
	struct unpack_member m;

	must(unpack_next(u, &m, &e), &e);
	assert_int_equal(m.type, type);
	assert_int_equal(m.name_len, strlen(name));
	assert_memory_equal(m.name, name, m.name_len);
	return m;
}

static void
expect_bytes(struct unpack *u, const void *p, size_t n)
{
	uint8_t *room = malloc(n + 1);
	struct err e = ERR_INIT;
	size_t got;

	must(unpack_read(u, room, n + 1, &got, &e), &e);
	assert_int_equal(got, n);
	assert_memory_equal(room, p, n);
	free(room);
}

static void
expect_end(struct unpack *u, int fd)
{
	struct err e = ERR_INIT;
	struct unpack_member m;

	for (int i = 0; i < 2; i++)
		if (unpack_next(u, &m, &e) != END)
			fail_msg("no end: %s", e.text);
	assert_true(unpack_over(u));
	unpack_free(u);
	close(fd);
}

static void
expect_bad(struct unpack *u, const char *text)
{
	struct err e = ERR_INIT;
	struct unpack_member m;
	enum rc rc;

	while ((rc = unpack_next(u, &m, &e)) == OK)
		continue;
	assert_int_equal(rc, BAD_ITEM);
	if (strstr(e.text, text) == NULL)
		fail_msg("'%s' has no '%s'", e.text, text);
}

static uint8_t large[3 << 20];

static const struct {
	int format, filter;
	const char *name;
} formats[] = {
	{ARCHIVE_FORMAT_ZIP, 0, "x.zip"},
	{ARCHIVE_FORMAT_TAR_USTAR, 0, "x.tar"},
	{ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP, "x.tar.gz"},
	{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, "x.tar.bz2"},
	{ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_XZ, "x.tar.xz"},
	{ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_ZSTD, "x.tar.zst"},
};

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

static int
copy_into(struct making *m, const char *name, int fd)
{
	size_t n = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *p = malloc(n);

	assert_int_equal(pread(fd, p, n, 0), n);
	add(m, name, p, n);
	free(p);
	close(fd);
	return made(m);
}

static int
begin_inner(void)
{
	struct making m = make(ARCHIVE_FORMAT_ZIP, 0);

	add(&m, "a.csv", "id;n\n", 5);
	return made(&m);
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

/* Member by member, and what is said of each. */
static void
expect_locked(int fd, const char *text)
{
	struct unpack *u = begin(fd, "x.zip");
	struct err e = ERR_INIT;
	uint8_t byte[10];
	size_t got;

	for (int i = 0; i < 2; i++) {
		enum rc rc;

		expect(u, UNPACK_FILE, i == 0 ? "a.csv" : "b.csv");
		do
			rc = unpack_read(u, byte, sizeof(byte), &got, &e);
		while (rc == OK);
		assert_int_equal(rc, BAD_ITEM);
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
		int fd = make_locked(ways[i]);
		struct unpack *u;

		set_password("open sesame");
		u = begin(fd, "x.zip");
		expect(u, UNPACK_FILE, "a.csv");
		expect_bytes(u, large, 100000);
		expect(u, UNPACK_FILE, "b.csv");
		expect_bytes(u, "id;n\n", 5);
		expect_end(u, -1);
		set_password("open");
		expect_locked(fd, "is the password right?");
		set_password(NULL);
		expect_locked(fd, "encrypted, and there is no password for it");
		close(fd);
	}
}

/* ---- damage: every cut, every bit ---- */

static struct here here;
static uint8_t known[2][HASH_LEN];
static bool stranger;

static void
seen(struct here *h UNUSED, const uint8_t sum[HASH_LEN])
{
	if (memcmp(sum, known[0], HASH_LEN) != 0 &&
		memcmp(sum, known[1], HASH_LEN) != 0)
		stranger = true;
}

static void
run_here(const uint8_t *p, size_t n, const char *name)
{
	memset(&here, 0, sizeof(here));
	here.whole = seen;
	stranger = false;
	here_run(p, n, name, &options.limits, &here);
	if (here.end != END && here.end != BAD_ITEM)
		fail_msg("%s: it has no end", name);
	if (strstr(here.why.text, "nonsense") != NULL)
		fail_msg("%s: %s", name, here.why.text);
}

static void
damage(const char *name, uint8_t *p, size_t n)
{
	run_here(p, n, name);
	if (here.end != END)
		fail_msg("%s: %s", name, here.why.text);
	assert_int_equal(here.files, 2);
	assert_false(stranger);
	for (size_t i = 0; i < n; i++) {
		run_here(p, i, name);
		if (here.end == END && here.spoiled == 0)
			fail_msg("%s cut at %zu ends well", name, i);
	}
	for (size_t i = 0; i < 8 * n; i++) {
		p[i / 8] ^= (uint8_t)(1 << i % 8);
		run_here(p, n, name);
		/* A bare tar archive has no sums of its members, and
		 * libarchive's zstd none either. */
		if (stranger && strcmp(name, "x.tar") != 0 &&
			strcmp(name, "x.tar.zst") != 0)
			fail_msg("%s: bit %zu changed bytes unseen", name, i);
		p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static void
test_damage(void **state UNUSED)
{
	hash_bytes("id;n\n", 5, known[0]);
	hash_bytes(large, 99, known[1]);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct making m = make(formats[i].format, formats[i].filter);
		uint8_t *p;
		size_t n;

		add(&m, "a.csv", "id;n\n", 5);
		add(&m, "b.csv", large, 99);
		made(&m);
		n = (size_t)lseek(m.fd, 0, SEEK_END);
		p = malloc(n);
		assert_int_equal(pread(m.fd, p, n, 0), n);
		damage(formats[i].name, p, n);
		free(p);
		close(m.fd);
	}
}

/* A disk that is full is not the archive's fault. */
static void
test_full(void **state UNUSED)
{
	struct making outer = make(ARCHIVE_FORMAT_TAR_USTAR, 0);
	uint8_t p[4096];
	ssize_t n;
	int fd = copy_into(&outer, "in.zip", begin_inner());

	n = pread(fd, p, sizeof(p), 0);
	assert_true(n > 0 && n < (ssize_t)sizeof(p));
	memset(&here, 0, sizeof(here));
	here.full = true;
	here_run(p, (size_t)n, "x.tar", &options.limits, &here);
	assert_int_equal(here.end, AGAIN);
	assert_non_null(strstr(here.why.text,
		"member in.zip (number 1): "
		"write: No space left"));
	close(fd);
}

/* ---- a disk that cannot be read ---- */

static unsigned reads, fails_at; /* 0: never */

/* Instead of libc's, which has no way to fail when one wants it to. */
ssize_t
pread(int fd, void *p, size_t n, off_t offset)
{
	if (++reads == fails_at) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, p, n, offset);
}

static void
fail_each_read(const char *name, const uint8_t *p, size_t n)
{
	unsigned all;

	reads = fails_at = 0;
	run_here(p, n, name);
	all = reads;
	assert_int_equal(here.end, END);
	assert_true(all > 0);
	for (unsigned i = 1; i <= all; i++) {
		reads = 0;
		fails_at = i;
		stranger = false;
		memset(&here, 0, sizeof(here));
		here.whole = seen;
		here_run(p, n, name, &options.limits, &here);
		if (here.end != AGAIN ||
			strstr(here.why.text, "Input/output error") == NULL)
			fail_msg("%s, read %u of %u: %s: %s", name, i, all,
				err_name(here.end), here.why.text);
		assert_false(stranger);
	}
	fails_at = 0;
}

static uint8_t *
bytes_of(int fd, size_t *ret_n)
{
	size_t n = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *p = malloc(n);

	assert_int_equal(pread(fd, p, n, 0), n);
	close(fd);
	*ret_n = n;
	return p;
}

/* What cannot be read is tried again: no archive is told to be bad for it. */
static void
test_unread(void **state UNUSED)
{
	struct making outer;
	uint8_t *p;
	size_t n;
	int fd;

	hash_bytes("id;n\n", 5, known[0]);
	hash_bytes(large, sizeof(large), known[1]);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct making m = make(formats[i].format, formats[i].filter);

		add(&m, "a.csv", "id;n\n", 5);
		add(&m, "large", large, sizeof(large));
		p = bytes_of(made(&m), &n);
		fail_each_read(formats[i].name, p, n);
		free(p);
	}
	fd = begin_inner();
	outer = make(ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP);
	p = bytes_of(copy_into(&outer, "in.zip", fd), &n);
	fail_each_read("x.tar.gz", p, n);
	free(p);
}

/* ---- memory ---- */

/* An .xz of five bytes that wants a window of 64 MiB, as xz -9 makes it. */
static int
make_wide(void)
{
	/* Behind a stream header of 12 bytes: the size of the block's header
	 * in words, flags, filter, length of what it is told, its window. */
	enum { HEAD = 12, WINDOW = HEAD + 4, WINDOW_64_MIB = 28 };
	struct making m = {.a = archive_write_new()};
	uint8_t head[HEAD + 1024];
	uint32_t sum;
	size_t len;

	m.fd = memfd_create("archive", MFD_CLOEXEC);
	assert_int_equal(archive_write_set_format_raw(m.a), ARCHIVE_OK);
	assert_int_equal(
		archive_write_add_filter(m.a, ARCHIVE_FILTER_XZ), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(m.a, 1);
	assert_int_equal(archive_write_open_fd(m.a, m.fd), ARCHIVE_OK);
	add(&m, "x", "id;n\n", 5);
	made(&m);
	assert_true(pread(m.fd, head, sizeof(head), 0) > HEAD);
	len = (size_t)head[HEAD] * 4;
	head[WINDOW] = WINDOW_64_MIB;
	sum = (uint32_t)crc32(0, head + HEAD, (uInt)len);
	put_le32(head + HEAD + len, sum);
	assert_int_equal(pwrite(m.fd, head, HEAD + len + 4, 0), HEAD + len + 4);
	return m.fd;
}

static atomic_bool freed;

static void *
free_later(void *u)
{
	clock_sleep(CLOCK_SECOND / 2);
	atomic_store(&freed, true);
	unpack_free(u);
	return NULL;
}

/* One at a time has the memory that large windows want; others wait. */
static void
test_memory(void **state UNUSED)
{
	struct unpack_limits before = options.limits;
	struct unpack *first, *second;
	pthread_t thread;
	int fd = make_wide();

	if (SANITIZED)
		skip();
	options.limits.widened = 0;
	expect_bad(first = begin(fd, "x.xz"), "(max_memory)");
	unpack_free(first);
	options.limits = before;

	first = begin(fd, "x.xz");
	expect(first, UNPACK_FILE, "x");
	expect_bytes(first, "id;n\n", 5);
	second = begin(fd, "y.xz");
	assert_int_equal(pthread_create(&thread, NULL, free_later, first), 0);
	expect(second, UNPACK_FILE, "y");
	assert_true(atomic_load(&freed));
	expect_bytes(second, "id;n\n", 5);
	expect_end(second, fd);
	pthread_join(thread, NULL);
}

/* ---- a child that is somebody else's ---- */

static struct message m;
static uint8_t *shared;

static void
hostile_say(uint32_t type, uint64_t a, uint64_t b, uint64_t c)
{
	struct err e = ERR_INIT;

	message_begin(&m, type);
	message_put_u64(&m, a);
	message_put_u64(&m, b);
	message_put_u64(&m, c);
	if (channel_send(CHILD_CHANNEL, &m, CHANNEL_FOREVER, &e) != OK)
		_exit(0);
}

static void
hostile_slot(uint64_t index)
{
	hostile_say(UNPACK_SLOT, index, 4096, 0);
}

/* A member in slot 0 that has no end; asks: for memory in the middle of it. */
static void
hostile_stream(bool asks)
{
	struct tell t = {.slot = shared};
	struct err e = ERR_INIT;

	message_begin(&m, FRAME_MEMBER);
	message_put_u64(&m, UNPACK_FILE);
	message_put_text(&m, "a.csv");
	message_put_u64(&m, UNPACK_UNKNOWN);
	for (int i = 0; i < 2; i++)
		message_put_u64(&m, 0);
	message_put_u64(&m, 1);
	message_put_text(&m, "");
	message_put_u64(&m, 0);
	message_put_text(&m, "");
	tell_message(&t, &m);
	hostile_say(UNPACK_SLOT, 0, t.len, 0);
	if (asks) {
		message_begin(&m, UNPACK_MEMORY);
		if (channel_send(CHILD_CHANNEL, &m, CHANNEL_FOREVER, &e) != OK)
			_exit(0);
	}
	t.slot += SLOT_SIZE;
	t.len = 0;
	tell_data(&t, large, SLOT_SIZE - FRAME_HEAD);
	for (;;)
		hostile_say(UNPACK_SLOT, 1, t.len, 0);
}

static void
hostile_spools(void)
{
	for (;;)
		hostile_say(UNPACK_SPOOL, 0, 1, 1);
}

static int
hostile(uint8_t how)
{
	struct err e = ERR_INIT;

	if (channel_recv(CHILD_CHANNEL, &m, false, CHANNEL_FOREVER, &e) != OK)
		return 9;
	shared = mmap(NULL, SLOTS * SLOT_SIZE, PROT_READ | PROT_WRITE,
		MAP_SHARED, FD_SLOTS, 0);
	if (shared == MAP_FAILED)
		return 8;
	memset(shared, how, SLOT_SIZE);
	switch (how) {
	case 'a': /* a slot of rubbish */
		hostile_slot(0);
		break;
	case 'b': /* one that is not there */
		hostile_slot(SLOTS);
		break;
	case 'c': /* longer than it is */
		hostile_say(UNPACK_SLOT, 0, SLOT_SIZE + 8, 0);
		break;
	case 'd': /* what nobody knows */
		hostile_say(77, 0, 0, 0);
		break;
	case 'e': /* a spool where none may be */
		hostile_say(UNPACK_SPOOL, 99, 1, 1);
		break;
	case 'f':
		hostile_spools();
		break;
	case 'g':
		hostile_stream(false);
		break;
	case 'k':
		hostile_stream(true);
		break;
	case 'h': /* silence */
		break;
	case 'i':
		return 5;
	case 'j': /* the end of the memory that both share */
		if (ftruncate(FD_SLOTS, 0) == 0)
			return 7;
		hostile_slot(0);
		break;
	}
	for (;;)
		clock_sleep(CLOCK_SECOND);
}

/* An object of this size says by its last byte what its child does. */
enum { TOLD = UNPACK_HEAD + 1 };

static int
be_child(const struct child *c)
{
	uint8_t how;

	if (lseek(FD_OBJECT, 0, SEEK_END) != TOLD)
		return unpack_child(c);
	return pread(FD_OBJECT, &how, 1, TOLD - 1) == 1 ? hostile(how) : 9;
}

static const struct {
	uint8_t how;
	const char *text;
} hostiles[] = {{'a', "nonsense"}, {'b', "nonsense"}, {'c', "nonsense"},
	{'d', "nonsense"}, {'e', "nonsense"}, {'f', "longer than 1.0s"},
	{'g', "unpacks to more than 1.0 MiB (max_member)"},
	{'h', "longer than 1.0s"}, {'i', "ended with status 5"},
	{'j', "nonsense"}, {'k', "nonsense: memory"}};

static void
test_hostile(void **state UNUSED)
{
	struct unpack_limits before = options.limits;
	char path[SCRATCH_PATH];

	options.spool = scratch_make(path);
	options.limits.member_bytes = 1 << 20;
	for (size_t i = 0; i < ARRAY_LEN(hostiles); i++) {
		uint8_t object[TOLD] = "PK\3\4";
		int fd = memfd_create("object", MFD_CLOEXEC);
		struct unpack *u;

		object[TOLD - 1] = hostiles[i].how;
		options.limits.wall = before.wall;
		if (strstr(hostiles[i].text, "longer") != NULL)
			options.limits.wall = CLOCK_SECOND;
		assert_int_equal(
			write(fd, object, sizeof(object)), sizeof(object));
		u = begin(fd, "x.zip");
		expect_bad(u, hostiles[i].text);
		assert_true(unpack_over(u));
		/* Said as often as it is asked. */
		expect_bad(u, hostiles[i].text);
		unpack_free(u);
		close(fd);
	}
	close(options.spool);
	options.spool = -1;
	options.limits = before;
	scratch_remove(path);
}

static void
test_cancel(void **state UNUSED)
{
	struct making making = make(ARCHIVE_FORMAT_TAR_USTAR, 0);
	atomic_bool cancel = false;
	struct unpack_member got;
	struct err e = ERR_INIT;
	struct unpack *u;
	int fd;

	add(&making, "a", large, sizeof(large));
	fd = made(&making);
	options.cancel = &cancel;
	u = begin(fd, "x.tar");
	expect(u, UNPACK_FILE, "a");
	atomic_store(&cancel, true);
	assert_int_equal(unpack_next(u, &got, &e), AGAIN);
	assert_true(unpack_over(u));
	unpack_free(u);
	options.cancel = NULL;
	close(fd);
}

static const struct child_kind kinds[] = {
	{UNPACK_CHILD, CHILD_UNPACK, be_child, NULL}, {NULL, 0, NULL, NULL}};

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
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_cancel),
	};

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 2654435761u >> 13);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
