/*
 * source/sftp: whom a partner's source trusts, how it dials, and what it keeps
 * of files that have not landed.
 */
#include "source/sftp/trust.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/io.h"
#include "source/dial.h"
#include "source/sftp/backlog.h"
#include "source/sftp/host-key.h"
#include "source/sftp/spool.h"
#include "source/sftp/transfer.h"
#include "unit.h"

#include "scratch.h"

static char dir[SCRATCH_PATH];
static int dir_fd;

static int
set_up(void **state UNUSED)
{
	dir_fd = scratch_make(dir);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	close(dir_fd);
	scratch_remove(dir);
	return 0;
}

/* ---- trust ---- */

/* A blob of this type, unlike those with other bytes. */
static size_t
make_blob(uint8_t *blob, const char *type, uint8_t byte)
{
	size_t n = strlen(type);

	memset(blob, 0, 4);
	blob[3] = (uint8_t)n;
	memcpy(blob + 4, type, n);
	memset(blob + 4 + n, byte, 36);
	return n + 40;
}

static char *
fingerprint(const uint8_t *blob, size_t len)
{
	struct str s = STR_INIT;

	host_key_add_fingerprint(&s, blob, len);
	return str_take(&s);
}

static void
test_a_pinned_key_is_trusted(void **state UNUSED)
{
	uint8_t blob[128];
	size_t n = make_blob(blob, "ssh-ed25519", 1);
	char host[] = "h",
	     other[] = "SHA256:"
		       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		       "A";
	char *pin = fingerprint(blob, n), *pins[] = {other, pin};
	struct sftp_config c = {
		.host = host, .port = 22, .host_key = {pins, 2}};
	struct err e = ERR_INIT;
	struct trust *t;

	must(trust_open(&c, &t, &e), &e);
	assert_string_equal(trust_types(t), "");
	must(trust_judge(t, blob, n, &e), &e);
	assert_string_equal(trust_shown(t), pin);
	assert_false(trust_has_refused(t));
	trust_close(t);
	free(pin);
}

/* A server has several keys: the pinned one may be another of them. */
static void
test_other_keys_are_asked_for(void **state UNUSED)
{
	uint8_t first[128], second[128], third[128];
	size_t n1 = make_blob(first, "ssh-ed25519", 1);
	size_t n2 = make_blob(second, "ecdsa-sha2-nistp256", 2);
	size_t n3 = make_blob(third, "ssh-rsa", 3);
	char host[] = "h";
	char *pin = fingerprint(third, n3), *pins[] = {pin};
	struct sftp_config c = {
		.host = host, .port = 22, .host_key = {pins, 1}};
	struct err e = ERR_INIT;
	struct trust *t;

	must(trust_open(&c, &t, &e), &e);
	assert_int_equal(trust_judge(t, first, n1, &e), AGAIN);
	assert_string_equal(trust_types(t),
		"ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
		"ecdsa-sha2-nistp521,ssh-rsa");
	assert_int_equal(trust_judge(t, second, n2, &e), AGAIN);
	assert_string_equal(trust_types(t),
		"ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa");
	must(trust_judge(t, third, n3, &e), &e);
	trust_close(t);

	/* The server that shows the same again has no other. */
	must(trust_open(&c, &t, &e), &e);
	assert_int_equal(trust_judge(t, first, n1, &e), AGAIN);
	assert_int_equal(trust_judge(t, first, n1, &e), BAD_SOURCE);
	assert_int_equal(e.cause, EKEYREJECTED);
	assert_non_null(strstr(e.text, pin));
	assert_non_null(strstr(e.text, trust_shown(t)));
	trust_close(t);
	free(pin);
}

static void
write_known(const char *type, const uint8_t *blob, size_t n)
{
	struct str s = STR_INIT;

	str_addf(&s, "[h]:2222 %s ", type);
	str_add_base64(&s, blob, n);
	str_addc(&s, '\n');
	scratch_file(dir_fd, "known", s.s);
	str_release(&s);
}

static void
test_known_hosts_decide(void **state UNUSED)
{
	uint8_t blob[128], other[128];
	size_t n = make_blob(blob, "ssh-ed25519", 1);
	size_t n2 = make_blob(other, "ssh-ed25519", 2);
	char host[] = "h", path[SCRATCH_PATH + 8];
	struct sftp_config c = {
		.host = host, .port = 2222, .known_hosts = path};
	char *known = fingerprint(blob, n);
	struct err e = ERR_INIT;
	struct trust *t;

	snprintf(path, sizeof(path), "%s/known", dir);
	assert_int_equal(trust_open(&c, &t, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "no such file"));
	write_known("ssh-ed25519", blob, n);
	must(trust_open(&c, &t, &e), &e);
	assert_string_equal(trust_types(t), "ssh-ed25519");
	must(trust_judge(t, blob, n, &e), &e);
	assert_int_equal(trust_judge(t, other, n2, &e), BAD_SOURCE);
	assert_int_equal(e.cause, EKEYREJECTED);
	/* Both fingerprints. */
	assert_non_null(strstr(e.text, known));
	assert_non_null(strstr(e.text, trust_shown(t)));
	trust_close(t);

	/* Another port is another server. */
	c.port = 22;
	must(trust_open(&c, &t, &e), &e);
	assert_int_equal(trust_judge(t, blob, n, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "not known"));
	trust_close(t);
	free(known);
}

/* ---- dial ---- */

static int
listen_at(int family, unsigned *ret_port)
{
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage found;
	socklen_t len = sizeof(found);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
		bind(fd,
			family == AF_INET ? (struct sockaddr *)&four
					  : (struct sockaddr *)&six,
			family == AF_INET ? sizeof(four) : sizeof(six)) < 0)
		return -1;
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&found, &len), 0);
	*ret_port = ntohs(family == AF_INET
			? ((struct sockaddr_in *)&found)->sin_port
			: ((struct sockaddr_in6 *)&found)->sin6_port);
	return fd;
}

static enum rc
call(const char *host, unsigned port, int64_t timeout, struct str *address,
	struct err *e)
{
	const struct dial d = {.host = host, .port = port, .timeout = timeout};
	int fd = -1;
	enum rc rc = dial_open(&d, &fd, address, e);

	assert_int_equal(rc == OK, fd >= 0);
	io_drop(&fd);
	return rc;
}

static void
test_dialing(void **state UNUSED)
{
	CLEANUP(str_release) struct str address = STR_INIT;
	struct err e = ERR_INIT;
	unsigned port, six_port;
	int four = listen_at(AF_INET, &port);
	int six = listen_at(AF_INET6, &six_port);

	must(call("127.0.0.1", port, 20 * CLOCK_SECOND, &address, &e), &e);
	assert_string_equal(address.s, "127.0.0.1");
	/* A name with two kinds of address, one of which nobody answers. */
	must(call("localhost", port, 20 * CLOCK_SECOND, &address, &e), &e);
	assert_string_equal(address.s, "127.0.0.1");
	if (six >= 0) {
		must(call("::1", six_port, 20 * CLOCK_SECOND, &address, &e),
			&e);
		assert_string_equal(address.s, "::1");
	}
	close(four);
	assert_int_equal(
		call("127.0.0.1", port, 20 * CLOCK_SECOND, &address, &e),
		AGAIN);
	assert_non_null(strstr(e.text, "refused"));
	assert_int_equal(call("no-such-host.invalid", 22, 20 * CLOCK_SECOND,
				 &address, &e),
		AGAIN);
	assert_non_null(strstr(e.text, "no-such-host.invalid"));
	io_drop(&six);
}

static void
test_dialing_this_machine_alone(void **state UNUSED)
{
	CLEANUP(str_release) struct str address = STR_INIT;
	struct err e = ERR_INIT;
	struct dial d = {.host = "localhost",
		.local = true,
		.timeout = 20 * CLOCK_SECOND};
	int listening = listen_at(AF_INET, &d.port), fd = -1;

	must(dial_open(&d, &fd, &address, &e), &e);
	io_drop(&fd);
	d.host = "192.0.2.1";
	assert_int_equal(dial_open(&d, &fd, &address, &e), END);
	assert_int_equal(fd, -1);
	close(listening);
}

/* Who does not answer costs the time that was given, and no more. */
static void
test_dialing_ends(void **state UNUSED)
{
	CLEANUP(str_release) struct str address = STR_INIT;
	struct err e = ERR_INIT;
	int64_t before = clock_mono();
	unsigned port;
	int fd = listen_at(AF_INET, &port), full[16];
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	/* A backlog that is full answers nobody. */
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(full); i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(full[i], (struct sockaddr *)&a, sizeof(a));
	}
	assert_int_equal(
		call("127.0.0.1", port, CLOCK_SECOND / 5, &address, &e), AGAIN);
	assert_non_null(strstr(e.text, "timed out"));
	assert_true(clock_mono() - before < 10 * CLOCK_SECOND);
	for (size_t i = 0; i < ARRAY_LEN(full); i++)
		close(full[i]);
	close(fd);
}

/* ---- the spool ---- */

static const uint8_t name[] = "in/a b.csv";
static const size_t len = sizeof(name) - 1;

static unsigned
count_files(const char *below)
{
	int fd = openat(dir_fd, below, O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(fd);
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
put_bytes(struct spooled *f, const char *text)
{
	assert_int_equal(pwrite(f->fd, text, strlen(text), 0), strlen(text));
}

static void
test_spool_remembers(void **state UNUSED)
{
	struct signature sig = {.size = 2 * SPOOL_NAMED_MIN, .mtime = 7};
	struct signature other = {.size = 2 * SPOOL_NAMED_MIN, .mtime = 8};
	uint8_t sum[HASH_LEN];
	struct err e = ERR_INIT;
	struct spooled f;
	struct spool s;

	hash_bytes("hello", 5, sum);
	must(spool_open(dir_fd, "acme", &s, &e), &e);
	must(spool_take(&s, name, len, &sig, &f, &e), &e);
	assert_true(f.named);
	assert_int_equal(f.have, 0);
	put_bytes(&f, "hello");
	must(spool_mark(&s, &f, name, len, &sig, 5, sum, &e), &e);
	spool_leave(&f);
	spool_close(&s);

	/* Another process, the same file at the server. */
	must(spool_open(dir_fd, "acme", &s, &e), &e);
	must(spool_take(&s, name, len, &sig, &f, &e), &e);
	assert_int_equal(f.have, 5);
	assert_memory_equal(f.sum, sum, HASH_LEN);
	spool_leave(&f);
	spool_sweep(&s);
	assert_int_equal(count_files("spool/acme"), 2);

	/* It has changed there: what is here is worth nothing. */
	must(spool_take(&s, name, len, &other, &f, &e), &e);
	assert_int_equal(f.have, 0);
	assert_int_equal(lseek(f.fd, 0, SEEK_END), 0);
	spool_leave(&f);
	spool_forget(&s, name, len);
	assert_int_equal(count_files("spool/acme"), 0);
	spool_close(&s);
}

/* A mark that promises what is not there, or was written by nobody of us. */
static void
test_spool_doubts(void **state UNUSED)
{
	struct signature sig = {.size = 2 * SPOOL_NAMED_MIN, .mtime = 7};
	uint8_t sum[HASH_LEN];
	struct err e = ERR_INIT;
	struct spooled f;
	struct spool s;
	char mark[64];

	hash_bytes("hello", 5, sum);
	must(spool_open(dir_fd, "doubt", &s, &e), &e);
	must(spool_take(&s, name, len, &sig, &f, &e), &e);
	must(spool_mark(&s, &f, name, len, &sig, 5, sum, &e), &e);
	spool_leave(&f);
	must(spool_take(&s, name, len, &sig, &f, &e), &e);
	assert_int_equal(f.have, 0);
	put_bytes(&f, "hello");
	snprintf(mark, sizeof(mark), "spool/doubt/%s.mark", f.key);
	scratch_file(dir_fd, mark, "landfall spool 1\nhave 5 sum 00\n");
	spool_leave(&f);
	must(spool_take(&s, name, len, &sig, &f, &e), &e);
	assert_int_equal(f.have, 0);
	spool_leave(&f);
	spool_forget(&s, name, len);
	spool_close(&s);
}

static void
test_spool_is_swept(void **state UNUSED)
{
	struct signature large = {.size = SPOOL_NAMED_MIN, .mtime = 7};
	struct signature small = {.size = SPOOL_NAMED_MIN - 1, .mtime = 7};
	uint8_t sum[HASH_LEN] = {0};
	struct err e = ERR_INIT;
	struct spooled f;
	struct spool s;

	must(spool_open(dir_fd, "swept", &s, &e), &e);
	/* A small one has no name that could be left behind. */
	must(spool_take(&s, name, len, &small, &f, &e), &e);
	assert_false(f.named);
	spool_leave(&f);
	assert_int_equal(count_files("spool/swept"), 0);
	for (uint8_t i = 0; i < 3; i++) {
		must(spool_take(&s, &i, 1, &large, &f, &e), &e);
		put_bytes(&f, "x");
		must(spool_mark(&s, &f, &i, 1, &large, 1, sum, &e), &e);
		spool_leave(&f);
	}
	scratch_file(dir_fd, "spool/swept/stray", "x");
	spool_sweep(&s);
	assert_int_equal(count_files("spool/swept"), 6);
	spool_close(&s);

	must(spool_open(dir_fd, "swept", &s, &e), &e);
	must(spool_take(&s, &(uint8_t){1}, 1, &large, &f, &e), &e);
	spool_leave(&f);
	spool_keep(&s, &(uint8_t){2}, 1);
	spool_sweep(&s);
	assert_int_equal(count_files("spool/swept"), 4);
	spool_close(&s);
}

/* ---- the backlog ---- */

#define RECORDS 200000

static void *
add_records(void *arg)
{
	struct backlog *b = arg;
	uint8_t record[64];

	for (uint32_t i = 0; i < RECORDS; i++) {
		memcpy(record, &i, sizeof(i));
		memset(record + 4, (int)(i & 255), i % 60);
		backlog_add(b, record, 4 + i % 60);
	}
	backlog_end(b);
	return NULL;
}

static void
take_records(struct backlog *b)
{
	const uint8_t *p;
	size_t n;
	struct err e = ERR_INIT;

	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t found;

		must(backlog_take(b, &p, &n, &e), &e);
		memcpy(&found, p, sizeof(found));
		assert_int_equal(found, i);
		assert_int_equal(n, 4 + i % 60);
		if (n > 4)
			assert_int_equal(p[n - 1], i & 255);
	}
	assert_int_equal(backlog_take(b, &p, &n, &e), END);
}

/* In order and whole, whoever is faster; and little of it in memory. */
static void
test_backlog(void **state UNUSED)
{
	struct backlog b;
	pthread_t thread;
	int fd;

	fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	assert_true(fd >= 0);
	backlog_init(&b, fd);
	add_records(&b);
	assert_true(b.tail.cap <= 128u << 10);
	take_records(&b);
	backlog_release(&b);

	fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	backlog_init(&b, fd);
	assert_int_equal(pthread_create(&thread, NULL, add_records, &b), 0);
	take_records(&b);
	pthread_join(thread, NULL);
	backlog_release(&b);
}

/* ---- signatures ---- */

static int64_t now;

static int64_t
test_now(void)
{
	return now;
}

static void
test_times_a_server_tells(void **state UNUSED)
{
	const struct clock_ops ops = {.wall = test_now, .mono = test_now};
	struct sftp_attrs a = {.has_size = true, .size = 5, .has_time = true};
	struct signature one, two;

	clock_replace(&ops);
	/* To the second: the same is the same. */
	now = 1000000 * CLOCK_SECOND;
	a.mtime = 999990 + 7;
	transfer_sign(&one, &a);
	now += 86400 * CLOCK_SECOND;
	transfer_sign(&two, &a);
	assert_true(signature_equal(&one, &two));
	/* To the minute, and young: it may change and look the same. */
	now = 1200030 * CLOCK_SECOND;
	a.mtime = 1200000;
	transfer_sign(&one, &a);
	now += 300 * CLOCK_SECOND;
	transfer_sign(&two, &a);
	assert_false(signature_equal(&one, &two));
	/* Not at all: read again each day. */
	a.has_time = false;
	transfer_sign(&one, &a);
	assert_int_equal(one.mtime, 0);
	now += 86400 * CLOCK_SECOND;
	transfer_sign(&two, &a);
	assert_false(signature_equal(&one, &two));
	clock_replace(NULL);
}

static void
test_backoff(void **state UNUSED)
{
	for (unsigned i = 1; i < 100; i++) {
		int64_t most = i < 20 ? INT64_C(10) << (i - 1) : 1000;

		assert_in_range(backoff_wait(i, 10, 1000), 0,
			(uintmax_t)(most < 1000 ? most : 1000) - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pinned_key_is_trusted),
		cmocka_unit_test(test_other_keys_are_asked_for),
		cmocka_unit_test(test_known_hosts_decide),
		cmocka_unit_test(test_dialing),
		cmocka_unit_test(test_dialing_this_machine_alone),
		cmocka_unit_test(test_dialing_ends),
		cmocka_unit_test(test_spool_remembers),
		cmocka_unit_test(test_spool_doubts),
		cmocka_unit_test(test_spool_is_swept),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_times_a_server_tells),
		cmocka_unit_test(test_backoff),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
