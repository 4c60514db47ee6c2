/*
 * Archives that are cut or have a bit changed, disks that fail, and a child
 * that is somebody else's; it is this program.
 */
#include <archive.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include "../unpack/here.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "landfall/proc.h"
#include "proc/sanitized.h"

#include "unpack-made.h"

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
