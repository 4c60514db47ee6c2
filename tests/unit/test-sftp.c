/*
 * source/sftp: what goes over the wires, forwards and spoiled; who may be
 * asked for how much; which algorithms and keys will do.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/sftp/algorithms.h"
#include "source/sftp/auth.h"
#include "source/sftp/job.h"
#include "source/sftp/pace.h"
#include "source/sftp/packet.h"
#include "source/sftp/rsa.h"
#include "source/sftp/wire.h"
#include "unit.h"

static struct message m;

/* As if it had been received. */
static void
again(void)
{
	assert_false(m.bad);
	m.at = 0;
}

/* ---- wire ---- */

static void
orders_come_as_they_went(void **state UNUSED)
{
	const struct wire_order o = {.id = 7,
		.kind = WIRE_FETCH,
		.path = (const uint8_t *)"out/a\xff\n",
		.path_len = 7,
		.to = (const uint8_t *)"",
		.expected = {.has_size = true,
			.has_time = true,
			.size = UINT64_MAX,
			.mtime = UINT32_MAX},
		.offset = 1,
		.window = 2,
		.max_size = 3,
		.prefix_sum = {1, 2, 3}};
	struct wire_order r;

	wire_put_order(&m, &o);
	again();
	assert_true(wire_take_order(&m, &r));
	assert_int_equal(r.id, 7);
	assert_int_equal(r.kind, WIRE_FETCH);
	assert_int_equal(r.path_len, 7);
	assert_memory_equal(r.path, "out/a\xff\n", 7);
	assert_true(sftp_attrs_same(&r.expected, &o.expected));
	assert_false(r.expected.has_mode);
	assert_int_equal(r.window, 2);
	assert_int_equal(r.prefix_sum[2], 3);
	/* Each shorter one is nonsense. */
	for (uint32_t len = m.len; len-- > 0;) {
		m.at = 0;
		m.bad = false;
		m.len = len;
		assert_false(wire_take_order(&m, &r));
	}
}

static void
a_path_with_nul_is_no_order(void **state UNUSED)
{
	const struct wire_order o = {.kind = WIRE_LOOK,
		.path = (const uint8_t *)"a\0b",
		.path_len = 3,
		.to = (const uint8_t *)""};
	struct wire_order r;

	wire_put_order(&m, &o);
	again();
	assert_false(wire_take_order(&m, &r));
}

static void
events_are_checked(void **state UNUSED)
{
	struct sftp_event ev = {.type = SFTP_DONE,
				  .id = 9,
				  .fault = SFTP_GONE,
				  .text = "no",
				  .kind = SFTP_TYPE_SYMLINK},
			  r;
	struct wire_texts texts;

	wire_put_event(&m, &ev);
	again();
	assert_true(wire_take_event(&m, &r, &texts));
	assert_string_equal(r.text, "no");
	assert_int_equal(r.kind, SFTP_TYPE_SYMLINK);
	ev.type = SFTP_ITEM; /* has a message of its own */
	wire_put_event(&m, &ev);
	again();
	assert_false(wire_take_event(&m, &r, &texts));
	ev.type = SFTP_UP; /* and a fault */
	wire_put_event(&m, &ev);
	again();
	assert_false(wire_take_event(&m, &r, &texts));
	ev.type = SFTP_DOWN;
	ev.slot = SFTP_CONNECTIONS_MAX;
	wire_put_event(&m, &ev);
	again();
	assert_false(wire_take_event(&m, &r, &texts));
}

static void
names_that_leave_their_folder_are_none(void **state UNUSED)
{
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".",
		"..", "../a", "a/../b", "a/.", "./a"};
	static const char *const good[] = {
		"a", "a/b", "...", ".a", "a/..b/c", "\xff\n"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(
			wire_name_ok((const uint8_t *)bad[i], strlen(bad[i])));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(wire_name_ok(
			(const uint8_t *)good[i], strlen(good[i])));
	assert_false(wire_name_ok((const uint8_t *)"a\0b", 3));
}

static void
items_fill_a_message_and_no_more(void **state UNUSED)
{
	const struct sftp_attrs a = {.has_size = true, .size = 5};
	struct sftp_event ev = {0};
	uint8_t name[1000];
	unsigned n = 0, found = 0;

	memset(name, 'x', sizeof(name));
	wire_begin_items(&m, 3);
	while (wire_put_item(&m, SFTP_TYPE_FILE, &a, name, sizeof(name)))
		n++;
	assert_in_range(n, 50, 66);
	again();
	assert_int_equal(message_take_u64(&m), 3);
	while (wire_take_item(&m, &ev) == OK) {
		assert_int_equal(ev.attrs.size, 5);
		assert_int_equal(ev.name_len, sizeof(name));
		found++;
	}
	assert_int_equal(found, n);
	wire_begin_items(&m, 3);
	assert_true(wire_put_item(
		&m, SFTP_TYPE_FILE, &a, (const uint8_t *)"../x", 4));
	again();
	message_take_u64(&m);
	assert_int_equal(wire_take_item(&m, &ev), BAD_ITEM);
}

static void
secrets_are_wiped(void **state UNUSED)
{
	static const struct sftp_credential c = {.kind = SFTP_PASSWORD,
		.name = "p",
		.secret = (const uint8_t *)"xyzzy-secret",
		.len = 12};
	const struct sftp_login l = {
		.user = "u", .credential = &c, .n_credentials = 1};
	struct auth a;

	wire_put_trust(&m, 1, &l);
	again();
	assert_int_equal(message_take_u64(&m), 1);
	assert_int_equal(message_take_u64(&m), 1);
	auth_init(&a, 0);
	assert_true(auth_take(&a, &m));
	assert_string_equal(a.user.s, "u");
	assert_string_equal(a.credential[0].secret.s, "xyzzy-secret");
	wire_wipe(&m);
	assert_null(memmem(m.body, sizeof(m.body), "xyzzy", 5));
	auth_release(&a);
	assert_int_equal(a.n, 0);
}

/* ---- packets ---- */

static void
packets_are_taken_whole(void **state UNUSED)
{
	static struct packet_out o;
	struct packet k;
	size_t used, n;

	packet_begin(&o, PACKET_STATUS, 0x01020304);
	packet_put_u32(&o, 2);
	packet_put_text(&o, "gone");
	packet_put_text(&o, "");
	packet_finish(&o);
	for (n = 0; n < o.len; n++)
		assert_int_equal(packet_take(o.p, n, &k, &used), AGAIN);
	assert_int_equal(packet_take(o.p, o.len, &k, &used), OK);
	assert_int_equal(used, o.len);
	assert_int_equal(k.id, 0x01020304);
	assert_int_equal(packet_u32(&k), 2);
	assert_memory_equal(packet_bytes(&k, &n), "gone", 4);
	packet_bytes(&k, &n);
	assert_true(packet_end(&k));
	packet_u32(&k);
	assert_false(packet_end(&k));
}

static void
packets_of_impossible_lengths(void **state UNUSED)
{
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 101, 0, 0, 0, 0},
			     none[] = {0, 0, 0, 0, 101},
			     few[] = {0, 0, 0, 4, 101, 0, 0, 0};
	struct packet k;
	size_t used;

	assert_int_equal(packet_take(huge, sizeof(huge), &k, &used), BAD_ITEM);
	assert_int_equal(packet_take(none, sizeof(none), &k, &used), BAD_ITEM);
	assert_int_equal(packet_take(few, sizeof(few), &k, &used), BAD_ITEM);
}

static void
statuses_mean_faults(void **state UNUSED)
{
	static const struct {
		uint32_t code;
		const char *words;
		enum sftp_fault fault;
	} t[] = {
		{2, "", SFTP_GONE},
		{3, "", SFTP_DENIED},
		{4, "Failure", SFTP_REFUSED},
		{4, "Disk Quota exceeded", SFTP_FULL},
		{4, "No space left on device", SFTP_FULL},
		{4, "File already exists", SFTP_EXISTS},
		{8, "", SFTP_UNSUPPORTED},
		{11, "", SFTP_EXISTS},
		{15, "", SFTP_FULL},
		{9, "", SFTP_REFUSED},
		{4000000000, "", SFTP_REFUSED},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(
			packet_fault(t[i].code, (const uint8_t *)t[i].words,
				strlen(t[i].words)),
			t[i].fault);
}

static void
types_come_from_modes_or_lines(void **state UNUSED)
{
	static const struct {
		uint32_t mode; /* 0: none */
		const char *line;
		enum sftp_type type;
	} t[] = {
		{S_IFREG | 0644, "drwxr-xr-x", SFTP_TYPE_FILE},
		{S_IFDIR, "", SFTP_TYPE_DIRECTORY},
		{S_IFLNK, "", SFTP_TYPE_SYMLINK},
		{S_IFIFO, "", SFTP_TYPE_OTHER},
		{0644, "", SFTP_TYPE_UNKNOWN},
		{0, "-rw-r--r--   1 a b 5 Jan 1 x", SFTP_TYPE_FILE},
		{0, "drwxr-xr-x   1 a b 5 Jan 1 x", SFTP_TYPE_DIRECTORY},
		{0, "lrwxrwxrwx   1 a b 5 Jan 1 x", SFTP_TYPE_SYMLINK},
		{0, "-a-file-of-some-length.csv", SFTP_TYPE_UNKNOWN},
		{0, "data.csv", SFTP_TYPE_UNKNOWN},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct sftp_attrs a = {
			.has_mode = t[i].mode != 0, .mode = t[i].mode};

		assert_int_equal(packet_type_of(&a, (const uint8_t *)t[i].line,
					 strlen(t[i].line)),
			t[i].type);
	}
}

/* ---- the rest ---- */

static void
what_is_not_known_is_no_difference(void **state UNUSED)
{
	const struct sftp_attrs a = {.has_size = true,
					.size = 5,
					.has_time = true,
					.mtime = 1767323045},
				b = {.has_size = true, .size = 5},
				c = {.has_size = true, .size = 6},
				d = {.has_time = true, .mtime = 1};
	CLEANUP(str_release) struct str why = STR_INIT;

	assert_true(job_expected(&a, &b, &why));
	assert_true(job_expected(&b, &d, &why));
	assert_false(job_expected(&b, &c, &why));
	assert_string_equal(why.s, "6 bytes instead of 5");
	str_clear(&why);
	assert_false(job_expected(&d, &a, &why));
	assert_string_equal(why.s,
		"modified 2026-01-02T03:04:05Z instead of "
		"1970-01-01T00:00:01Z");
}

/* As fast as it goes until the limit, and in the long run not faster. */
static void
a_pace_is_kept(void **state UNUSED)
{
	struct pace p = {.rate = 100000};
	int64_t now = 5 * CLOCK_SECOND, since = now;
	uint64_t spent = 0;

	while (spent < 1000000) {
		if (!pace_may(&p, now)) {
			assert_true(pace_when(&p) > now);
			now = pace_when(&p);
		}
		assert_true(pace_may(&p, now));
		pace_spend(&p, pace_piece(&p, 32768), now);
		spent += pace_piece(&p, 32768);
	}
	assert_in_range(now - since, 9 * CLOCK_SECOND, 10 * CLOCK_SECOND);
	/* What was not used in an hour cannot be caught up. */
	now += 3600 * CLOCK_SECOND;
	for (spent = 0; pace_may(&p, now); spent += 10000)
		pace_spend(&p, 10000, now);
	assert_in_range(spent, 20000, 40000);
	p.rate = 0;
	assert_true(pace_may(&p, 0));
	assert_int_equal(pace_piece(&p, 777), 777);
}

static void
host_keys_are_asked_for_in_order(void **state UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	algorithms_host_keys(0, "ssh-rsa,unheard-of", &s);
	assert_int_equal(
		strncmp(s.s, "rsa-sha2-512,rsa-sha2-256,ssh-ed25519", 37), 0);
	assert_null(strstr(s.s, "ssh-rsa"));
	algorithms_host_keys(0, "", &s);
	assert_int_equal(strncmp(s.s, "ssh-ed25519,ecdsa", 17), 0);
	algorithms_host_keys(SFTP_OLD_SHA1_KEYS, "ssh-rsa", &s);
	assert_int_equal(
		strncmp(s.s, "rsa-sha2-512,rsa-sha2-256,ssh-rsa,", 34), 0);
}

static void
old_algorithms_are_offered_only_when_asked(void **state UNUSED)
{
	LIBSSH2_SESSION *s = libssh2_session_init();
	struct err e = ERR_INIT;

	assert_true(algorithms_offer(s, 0, "", &e));
	assert_true(algorithms_offer(s, 15, "ssh-rsa", &e));
	libssh2_session_free(s);
}

/* What a server says first, with these six lists. */
static void
greet(struct str *s, const char *const list[6])
{
	str_clear(s);
	str_add(s, "Welcome!\r\nSSH-2.0-old\r\n");
	str_addn(s,
		"\0\0\2\0\4\24"
		"0123456789abcdef",
		22);
	for (unsigned i = 0; i < 6; i++) {
		const uint8_t n[4] = {0, 0, 0, (uint8_t)strlen(list[i])};

		str_addn(s, n, 4);
		str_add(s, list[i]);
	}
}

static bool
explained(unsigned old, const struct str *s, size_t len, struct str *ret)
{
	uint8_t *exact = mem_dup((const uint8_t *)s->s, len);
	bool is;

	str_clear(ret);
	is = algorithms_explain(old, exact, len, ret);
	free(exact);
	return is;
}

static void
what_is_not_in_common_is_explained(void **state UNUSED)
{
	static const char *const ancient[] = {"diffie-hellman-group14-sha1",
		"ssh-rsa,ssh-dss", "aes128-cbc", "aes128-cbc", "hmac-sha1",
		"hmac-sha1"},
				 *const strange[] = {"kex@acme", "ssh-ed25519",
					 "aes128-ctr", "aes128-ctr",
					 "hmac-sha2-256", "hmac-sha2-256"};
	CLEANUP(str_release) struct str s = STR_INIT, why = STR_INIT;

	greet(&s, ancient);
	assert_true(explained(0, &s, s.len, &why));
	assert_non_null(strstr(why.s,
		"no key exchange in common: the server has "
		"diffie-hellman-group14-sha1, offered is curve25519"));
	assert_non_null(strstr(why.s,
		"host key in common: the server has "
		"ssh-rsa,ssh-dss, offered is ssh-ed"));
	assert_non_null(strstr(why.s,
		"write algorithms: [sha1-kex, sha1-keys, cbc, sha1-macs]"));
	assert_true(explained(SFTP_OLD_CBC, &s, s.len, &why));
	assert_null(strstr(why.s, "cipher"));
	assert_false(explained(15, &s, s.len, &why));
	for (size_t n = 0; n < s.len; n++)
		assert_false(explained(0, &s, n, &why));
	greet(&s, strange);
	assert_true(explained(0, &s, s.len, &why));
	assert_non_null(strstr(why.s, "nothing that this server takes"));
}

static bool
text_is_rsa(const char *key, const char *passphrase)
{
	return rsa_is_key((const uint8_t *)key, strlen(key), passphrase);
}

/* As PKCS #8, encrypted when there is a passphrase. */
static bool
written_is_rsa(EVP_PKEY *k, const char *passphrase, const char *given)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long len;
	bool is;

	assert_int_equal(
		PEM_write_bio_PKCS8PrivateKey(b, k,
			passphrase != NULL ? EVP_aes_128_cbc() : NULL,
			passphrase,
			passphrase != NULL ? (int)strlen(passphrase) : 0, NULL,
			NULL),
		1);
	len = BIO_get_mem_data(b, &text);
	is = rsa_is_key((const uint8_t *)text, (size_t)len, given);
	BIO_free(b);
	return is;
}

static void
an_rsa_key_is_known_in_every_format(void **state UNUSED)
{
	static const char openssh_rsa[] =
		"-----BEGIN OPENSSH PRIVATE KEY-----\n"
		"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9u"
		"ZQAAAAAAAAABAAAAlwAAAAdzc2gtcn\n"
		"NhAAAAAwEAAQAAAIEAqx1m\n",
			  openssh_ed[] =
				  "-----BEGIN OPENSSH PRIVATE KEY-----\n"
				  "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9u"
				  "ZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
				  "QyNTUxOQAAACB\n";
	EVP_PKEY *rsa = EVP_RSA_gen(1024), *ec = EVP_EC_gen("P-256");

	assert_true(text_is_rsa(openssh_rsa, ""));
	assert_false(text_is_rsa(openssh_ed, ""));
	assert_false(text_is_rsa("", ""));
	assert_false(text_is_rsa("-----BEGIN RSA PRIVATE KEY-----\nMII", ""));
	assert_true(written_is_rsa(rsa, NULL, ""));
	assert_true(written_is_rsa(rsa, "sesame", "sesame"));
	assert_false(written_is_rsa(rsa, "sesame", "open"));
	assert_false(written_is_rsa(ec, NULL, ""));
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	assert_non_null(strstr(rsa_why_not(0x010a00), "1.11"));
	assert_null(rsa_why_not(0x010b00));
}

static void
every_fault_has_a_name_and_a_code(void **state UNUSED)
{
	for (unsigned f = 0; f < SFTP_FAULTS; f++)
		assert_non_null(sftp_fault_name((enum sftp_fault)f));
	assert_int_equal(sftp_fault_rc(SFTP_FINE), OK);
	assert_int_equal(sftp_fault_rc(SFTP_GONE), END);
	assert_int_equal(sftp_fault_rc(SFTP_AUTH), BAD_SOURCE);
	assert_int_equal(sftp_fault_rc(SFTP_NETWORK), AGAIN);
	assert_int_equal(sftp_fault_rc(SFTP_DENIED), BAD_ITEM);
	assert_int_equal(sftp_fault_rc(SFTP_SPOOL), BROKEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_come_as_they_went),
		cmocka_unit_test(a_path_with_nul_is_no_order),
		cmocka_unit_test(events_are_checked),
		cmocka_unit_test(names_that_leave_their_folder_are_none),
		cmocka_unit_test(items_fill_a_message_and_no_more),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(packets_are_taken_whole),
		cmocka_unit_test(packets_of_impossible_lengths),
		cmocka_unit_test(statuses_mean_faults),
		cmocka_unit_test(types_come_from_modes_or_lines),
		cmocka_unit_test(what_is_not_known_is_no_difference),
		cmocka_unit_test(a_pace_is_kept),
		cmocka_unit_test(host_keys_are_asked_for_in_order),
		cmocka_unit_test(old_algorithms_are_offered_only_when_asked),
		cmocka_unit_test(what_is_not_in_common_is_explained),
		cmocka_unit_test(an_rsa_key_is_known_in_every_format),
		cmocka_unit_test(every_fault_has_a_name_and_a_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
