/*
 * land/: what is written is read back, whatever the reads, the threads and
 * the bytes were; damage is found.
 */
#include "landfall/land.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"
#include "land/index.h"
#include "landfall/receipt.h"
#include "unit.h"

static int
temp_file(void)
{
	int fd = memfd_create("landing", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int
spool_dir(void)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

struct object {
	const uint8_t *p;
	size_t n;
	struct dialect dialect;
};

/* Between settling and finishing, all of it can be had again. */
static void
check_again(struct land *l, const struct object *o)
{
	static const size_t parts[] = {0, 1, 7, 2, 5, 4, 1, 8};
	uint8_t *p = mem_alloc(300001);
	struct err e = ERR_INIT;
	size_t got;

	for (size_t at = 0; at < o->n; at += got) {
		must(land_again(l, p, 300001, at, &got, &e), &e);
		assert_true(got == 300001 || at + got == o->n);
		assert_memory_equal(p, o->p + at, got);
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t at = o->n / 8 * parts[i];
		size_t want = o->n - at < 99 ? o->n - at : 99;

		must(land_again(l, p, 99, at, &got, &e), &e);
		assert_int_equal(got, want);
		assert_memory_equal(p, o->p + at, got);
	}
	must(land_again(l, p, 99, o->n + 1, &got, &e), &e);
	assert_int_equal(got, 0);
	free(p);
}

/* Land the object reading at most `most` bytes at a time. */
static int
land_object(const struct object *o, unsigned threads, size_t most,
	struct landed *facts)
{
	struct land_pool *pool = land_pool_new(threads, 3);
	struct provenance p = {
		.source = "test",
		.name = (const uint8_t *)"a\nb",
		.name_len = 3,
		.transport = "drop",
		.evidence = "test",
		.dialect = o->dialect,
		.dialect_origin = "declared",
		.generation = 1,
	};
	struct err e = ERR_INIT;
	int fd = temp_file(), spool = spool_dir();
	struct land *l = land_new(pool, &o->dialect, fd, spool, o->n / 2);

	for (size_t at = 0; at < o->n;) {
		size_t n;
		uint8_t *to = land_room(l, &n);

		assert_true(n > 0);
		if (n > most)
			n = most;
		if (n > o->n - at)
			n = o->n - at;
		memcpy(to, o->p + at, n);
		must(land_add(l, n, &e), &e);
		at += n;
	}
	must(land_settle(l, facts, &e), &e);
	check_again(l, o);
	p.size = facts->size;
	p.totals = facts->totals;
	memcpy(p.bytes_sha256, facts->bytes_sha256, HASH_LEN);
	must(land_finish(l, &p, facts, &e), &e);
	land_free(l);
	land_pool_free(pool);
	close(spool);
	return fd;
}

struct collected {
	const struct object *o;
	size_t at;
	uint64_t records;
	uint64_t last_end;
};

static enum rc
same_bytes(void *arg, const uint8_t *p, size_t n, struct err *e UNUSED)
{
	struct collected *c = arg;

	assert_true(n <= c->o->n - c->at);
	assert_memory_equal(p, c->o->p + c->at, n);
	c->at += n;
	return OK;
}

static enum rc
same_record(void *arg, const struct landing_record *r, struct err *e UNUSED)
{
	struct collected *c = arg;

	assert_true(r->offset >= c->last_end);
	assert_memory_equal(r->bytes, c->o->p + r->offset, r->length);
	if (c->records > 0)
		assert_true(r->number == c->records);
	c->records = r->number + 1;
	c->last_end = r->offset + r->length;
	return OK;
}

static enum rc
stop_at_first(void *arg, const struct landing_record *r, struct err *e UNUSED)
{
	struct landing_record *first = arg;

	*first = *r;
	return END;
}

/* Everything a reader can ask must agree with the object. */
static void
check_landing(int fd, const struct object *o, const struct landed *facts)
{
	struct collected c = {.o = o};
	struct err e = ERR_INIT;
	struct landing *l;
	uint8_t sum[HASH_LEN];
	const struct provenance *p;

	must(landing_open(fd, &l, &e), &e);
	p = landing_provenance(l);
	assert_int_equal(p->name_len, 3);
	assert_memory_equal(p->name, "a\nb", 3);
	assert_true(p->size == o->n);
	must(landing_bytes(l, same_bytes, &c, &e), &e);
	assert_true(c.at == o->n);
	must(landing_check(l, sum, NULL, NULL, &e), &e);
	assert_memory_equal(sum, facts->file_sha256, HASH_LEN);
	if (facts->totals.records > 0)
		must(landing_records(l, 0, 0, same_record, &c, &e), &e);
	assert_true(c.records == facts->totals.records);
	for (uint64_t k = 0; k < 20 && facts->totals.records > 0; k++) {
		uint64_t number = facts->totals.records * k / 20;
		struct landing_record r = {0};

		assert_int_equal(
			landing_records(l, number, 0, stop_at_first, &r, &e),
			END);
		assert_true(r.number == number);
	}
	assert_int_equal(landing_records(l, facts->totals.records, 0,
				 stop_at_first, &c, &e),
		END);
	landing_close(l);
}

/* A few megabytes of everything: quotes, newlines in quotes, bad lines. */
static uint8_t *
mixed_csv(size_t want, size_t *ret_n)
{
	uint8_t *p = mem_alloc(want + 4096);
	uint32_t x = 12345;
	size_t n = 0;

	n += (size_t)sprintf((char *)p, "id,name,note\r\n");
	while (n < want) {
		x = x * 1664525 + 1013904223;
		switch (x >> 28) {
		case 0:
			n += (size_t)sprintf((char *)p + n,
				"%u,\"quoted, \"\"twice\"\"\",plain\r\n", x);
			break;
		case 1:
			n += (size_t)sprintf(
				(char *)p + n, "%u,\"two\r\nlines\",z\r\n", x);
			break;
		case 2:
			n += (size_t)sprintf(
				(char *)p + n, "%u,too,many,fields\r\n", x);
			break;
		case 3:
			n += (size_t)sprintf(
				(char *)p + n, "%u,\"junk\"after,z\r\n", x);
			break;
		default:
			n += (size_t)sprintf((char *)p + n,
				"%u,some ordinary words,%u\r\n", x, x ^ 77);
		}
	}
	*ret_n = n;
	return p;
}

static void
test_objects_come_back(void **state UNUSED)
{
	static const char *const text[] = {"", "x", "a,b\n", "a,b\n1,2\n",
		"a,b\n1,\"2\n3,4\n5,6", "\n", "a,b\n1,2,3\n4,5,6\n7,8\n"};

	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		struct object o = {
			.p = (const uint8_t *)text[i], .n = strlen(text[i])};
		struct landed facts;

		dialect_init(&o.dialect, SCAN_CSV);
		check_landing(land_object(&o, 1, 1, &facts), &o, &facts);
		dialect_init(&o.dialect, SCAN_OPAQUE);
		check_landing(land_object(&o, 1, 2, &facts), &o, &facts);
		dialect_init(&o.dialect, SCAN_LINES);
		check_landing(land_object(&o, 1, 3, &facts), &o, &facts);
	}
}

static void
test_file_does_not_depend_on_threads_or_reads(void **state UNUSED)
{
	struct object o;
	struct landed first, other;
	uint8_t *p = mixed_csv(5 << 20, &o.n);

	o.p = p;
	dialect_init(&o.dialect, SCAN_CSV);
	check_landing(land_object(&o, 1, SIZE_MAX, &first), &o, &first);
	assert_true(first.has_prefix);
	for (unsigned threads = 1; threads <= 4; threads++) {
		int fd = land_object(&o, threads, 40009 * threads, &other);

		assert_memory_equal(
			first.file_sha256, other.file_sha256, HASH_LEN);
		close(fd);
	}
	free(p);
}

/* Records of several frames, as CSV (with a bad quote) and as one opaque. */
static void
test_giant_records(void **state UNUSED)
{
	size_t n = 7 * FORMAT_FRAME_TARGET + 12345;
	uint8_t *p = mem_alloc(n);
	struct object o = {.p = p, .n = n};
	struct landed facts;

	memset(p, 'x', n);
	memcpy(p, "a,b\n1,\"", 7);
	p[3 * FORMAT_FRAME_TARGET] = '"';
	p[3 * FORMAT_FRAME_TARGET + 1] = '\n';
	memcpy(p + 4 * FORMAT_FRAME_TARGET, "\n1,2\n3,4\n", 9);
	dialect_init(&o.dialect, SCAN_CSV);
	o.dialect.columns = SCAN_COLUMNS_ANY;
	check_landing(land_object(&o, 2, 300007, &facts), &o, &facts);
	assert_true(facts.totals.records > 3);
	/* The same with a limit that makes the giants malformed. */
	o.dialect.max_record = 65536;
	check_landing(land_object(&o, 2, 300007, &facts), &o, &facts);
	assert_true(facts.totals.malformed > 0);
	dialect_init(&o.dialect, SCAN_OPAQUE);
	check_landing(land_object(&o, 2, SIZE_MAX, &facts), &o, &facts);
	assert_true(facts.totals.records == 1);
	free(p);
}

/* More exceptions than memory holds: they go through the spool. */
static void
test_many_exceptions(void **state UNUSED)
{
	size_t lines = 3 * INDEX_HELD;
	struct str s = STR_INIT;
	struct object o;
	struct landed facts;

	str_add(&s, "a,b\n");
	for (size_t i = 0; i < lines; i++)
		str_add(&s, "1,2\n1,2,3\n");
	o.p = (const uint8_t *)s.s;
	o.n = s.len;
	dialect_init(&o.dialect, SCAN_CSV);
	check_landing(land_object(&o, 1, 5000, &facts), &o, &facts);
	assert_true(facts.totals.records == lines);
	assert_true(facts.totals.malformed == lines);
	str_release(&s);
}

static bool
is_good(int fd)
{
	struct err e = ERR_INIT;
	struct landing *l;
	uint8_t sum[HASH_LEN];
	bool good;

	if (landing_open(fd, &l, &e) != OK)
		return false;
	good = landing_check(l, sum, NULL, NULL, &e) == OK;
	landing_close(l);
	return good;
}

static int
copy_with(const uint8_t *p, size_t n, size_t at, uint8_t flip)
{
	struct err e = ERR_INIT;
	int fd = temp_file();

	must(io_write(fd, p, n, BROKEN, &e), &e);
	if (at < n) {
		uint8_t b = p[at] ^ flip;

		assert_true(pwrite(fd, &b, 1, (off_t)at) == 1);
	}
	return fd;
}

/*
 * Any flipped bit and any cut is refused or found, and nothing crashes. The
 * provenance's free text is not covered by the file itself: the ledger's
 * SHA-256 of the whole file is.
 */
static void
test_damage_is_found(void **state UNUSED)
{
	static const char text[] = "id,name\n1,a\n2,\"b\"\n3,c,d\n4,e\n";
	struct object o = {.p = (const uint8_t *)text, .n = strlen(text)};
	struct err e = ERR_INIT;
	struct landed facts;
	uint8_t file[4096], *tag;
	size_t n, missed = 0, provenance;
	int fd;

	dialect_init(&o.dialect, SCAN_CSV);
	fd = land_object(&o, 1, SIZE_MAX, &facts);
	must(io_pread(fd, file, sizeof(file), 0, &n, BROKEN, &e), &e);
	close(fd);
	tag = memmem(file, n, FORMAT_PROVENANCE_TAG, 4);
	assert_non_null(tag);
	provenance = (size_t)(tag - file) + FORMAT_PROVENANCE_HEAD;
	assert_true(is_good(copy_with(file, n, SIZE_MAX, 0)));
	for (size_t i = 0; i < n; i++) {
		bool text_part = i >= provenance &&
			i < n - FORMAT_SEEK_FOOTER - 3 * FORMAT_SEEK_ENTRY -
					FORMAT_SKIPPABLE_HEAD;

		for (unsigned bit = 0; bit < 8; bit++) {
			bool good = is_good(
				copy_with(file, n, i, (uint8_t)(1u << bit)));

			if (good && !text_part)
				missed++;
		}
		assert_false(is_good(copy_with(file, i, SIZE_MAX, 0)));
	}
	/* Bits the formats leave open: the seekable descriptor has none. */
	assert_int_equal(missed, 0);
}

/* Every fact of the bytes that the provenance states is found out again. */
static void
test_wrong_facts_are_found(void **state UNUSED)
{
	static const char text[] = "id,name\n1,a\n";
	static const char *const lies[][2] = {
		{"\"bom\":false", "\"bom\": true"},
		{"\"columns\":2", "\"columns\":3"},
		{"\"encoding\":\"utf-8\",\"evidence\":\"test\"",
			"\"encoding\":\"latin1\",\"evidence\":\"tes\""},
		{"\"invalid_utf8\":0", "\"invalid_utf8\":1"},
		{"\"nul_bytes\":0", "\"nul_bytes\":1"},
		{"\"stray_quotes\":0", "\"stray_quotes\":1"},
	};
	struct object o = {.p = (const uint8_t *)text, .n = strlen(text)};
	struct err e = ERR_INIT;
	struct landed facts;
	uint8_t file[4096];
	size_t n;
	int fd;

	dialect_init(&o.dialect, SCAN_CSV);
	fd = land_object(&o, 1, SIZE_MAX, &facts);
	must(io_pread(fd, file, sizeof(file), 0, &n, BROKEN, &e), &e);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		size_t len = strlen(lies[i][0]);
		uint8_t lie[4096], *at;

		assert_int_equal(strlen(lies[i][1]), len);
		memcpy(lie, file, n);
		at = memmem(lie, n, lies[i][0], len);
		assert_non_null(at);
		memcpy(at, lies[i][1], len);
		assert_false(is_good(copy_with(lie, n, SIZE_MAX, 0)));
	}
}

static void
test_provenance_round_trip(void **state UNUSED)
{
	struct provenance p = {
		.source = "s",
		.name = (const uint8_t *)"\xff/\n",
		.name_len = 3,
		.size = 42,
		.mtime = -1,
		.seen_at = 1,
		.staged_at = 1700000000123456789,
		.transport = "drop",
		.evidence = "stable 2s",
		.reason = "because",
		.released = "released from quarantine entry 3 by ann",
		.settles = 3,
		.drift = "dialect drift: 3 columns, there were 2",
		.has_header = true,
		.compared = "records 7 as trailer field 2 says",
		.dialect_origin = "declared",
		.totals = {.bytes = 42,
			.records = 7,
			.malformed = 1,
			.columns = 3,
			.bom = true},
		.generation = 2,
		.relation = RELATION_APPENDED,
	};
	struct provenance back;
	struct provenance_keep keep;
	struct str one = STR_INIT, two = STR_INIT;
	struct err e = ERR_INIT;

	dialect_init(&p.dialect, SCAN_CSV);
	p.dialect.delimiter = ';';
	memset(p.previous_sha256, 0xab, HASH_LEN);
	provenance_write(&p, &one);
	must(provenance_read(&back, &keep, one.s, one.len, &e), &e);
	provenance_write(&back, &two);
	assert_string_equal(one.s, two.s);
	provenance_release(&keep);
	assert_int_equal(provenance_read(&back, &keep, "{}", 2, &e), BAD_ITEM);
	assert_int_equal(provenance_read(&back, &keep, "[", 1, &e), BAD_ITEM);
	str_release(&one);
	str_release(&two);
}

static void
test_receipts(void **state UNUSED)
{
	static const char want[] =
		"{\"bytes_sha256\":\"abababababababababababababababababababab"
		"abababababababababababab\",\"disposition\":\"quarantined\","
		"\"entry\":\"{\\\"index\\\":17}\",\"file\":\"f\","
		"\"file_sha256\":\"0000000000000000000000000000000000000000"
		"000000000000000000000000\",\"generation\":2,\"index\":17,"
		"\"landed_at\":\"1970-01-01T00:00:05Z\",\"malformed\":3,"
		"\"malformed_first\":[{\"count\":2,\"kind\":"
		"\"junk-after-quote\",\"length\":9,\"offset\":7}],"
		"\"name\":\"a/%FF%0A\",\"origin\":\"o\",\"proof\":\"p\\n\","
		"\"reason\":\"why\",\"receipt\":1,\"records\":4,"
		"\"relation\":\"appended\",\"size\":5,\"source\":\"s\","
		"\"tree_size\":18}\n";
	struct catalog_version v = {.generation = 2,
		.disposition = DISPOSITION_QUARANTINED,
		.relation = RELATION_APPENDED,
		.file = "f",
		.size = 5,
		.records = 4,
		.malformed = 3,
		.landed_at = INT64_C(5000000000),
		.index = 17};
	struct receipt r = {.origin = "o",
		.source = "s",
		.name = (const uint8_t *)"a/\xff\n",
		.name_len = 4,
		.version = &v,
		.reason = "why",
		.entry = "{\"index\":17}",
		.entry_len = 12,
		.tree_size = 18,
		.proof = "p\n",
		.told = true,
		.malformed = {{.offset = 7,
			.length = 9,
			.count = 2,
			.kind = KIND_JUNK_AFTER_QUOTE}},
		.n_malformed = 1};
	struct str s = STR_INIT;

	memset(v.bytes_sha256, 0xab, HASH_LEN);
	receipt_write(&r, &s);
	assert_string_equal(s.s, want);
	str_clear(&s);
	r.told = false;
	r.reason = NULL;
	receipt_write(&r, &s);
	assert_non_null(strstr(s.s, "\"malformed_first\":null,"));
	assert_null(strstr(s.s, "reason"));
	str_release(&s);
}

/* One component, whatever the name; nobody's receipt is another's. */
static void
test_receipt_files(void **state UNUSED)
{
	const struct {
		const char *name, *file;
	} cases[] = {
		{"orders.csv", "orders.csv.receipt.json"},
		{"../../etc/x", "%2E.%2F..%2Fetc%2Fx.receipt.json"},
		{".hidden", "%2Ehidden.receipt.json"},
		{"-rf", "%2Drf.receipt.json"},
		{"a.csv.receipt-1.json", "a.csv.receipt-1.json.receipt.json"},
		{"\xff\n", "%FF%0A.receipt.json"},
	};
	uint8_t longest[300];
	struct str s = STR_INIT, other = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		str_clear(&s);
		receipt_file(&s, (const uint8_t *)cases[i].name,
			strlen(cases[i].name));
		assert_string_equal(s.s, cases[i].file);
	}
	str_clear(&s);
	receipt_file_of(&s, (const uint8_t *)"a.csv", 5, 17);
	assert_string_equal(s.s, "a.csv.receipt-17.json");
	memset(longest, 0xff, sizeof(longest));
	str_clear(&s);
	receipt_file_of(&s, longest, sizeof(longest), UINT64_MAX);
	assert_true(s.len + strlen(".tmp") <= 255);
	assert_null(strchr(s.s, '/'));
	longest[299] = 'x';
	receipt_file_of(&other, longest, sizeof(longest), UINT64_MAX);
	assert_string_not_equal(s.s, other.s);
	str_release(&s);
	str_release(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_come_back),
		cmocka_unit_test(test_file_does_not_depend_on_threads_or_reads),
		cmocka_unit_test(test_giant_records),
		cmocka_unit_test(test_many_exceptions),
		cmocka_unit_test(test_damage_is_found),
		cmocka_unit_test(test_wrong_facts_are_found),
		cmocka_unit_test(test_provenance_round_trip),
		cmocka_unit_test(test_receipts),
		cmocka_unit_test(test_receipt_files),
	};

	return cmocka_run_group_tests_name("land", tests, NULL, NULL);
}
