/* scan/: dialects in JSON, proposals, and the fields of one record. */
#include "landfall/scan.h"

#include "base/str.h"
#include "unit.h"

static void
write_dialect(const struct dialect *d, struct str *out)
{
	struct jsonw j;

	str_clear(out);
	j = jsonw_canonical(out);
	dialect_write(d, &j);
}

static const char *const written[] = {
	"{\"columns\":\"header\",\"comment\":null,\"delimiter\":\",\","
	"\"encoding\":\"utf-8\",\"escape\":\"double\",\"format\":\"csv\","
	"\"header\":1,\"max_record\":16777216,\"quote\":\"\\\"\","
	"\"resync\":true,\"strict\":false,\"terminator\":\"auto\","
	"\"trailer\":null}",
	"{\"encoding\":\"utf-8\",\"format\":\"lines\",\"max_record\":16777216,"
	"\"terminator\":\"auto\"}",
	"{\"encoding\":\"utf-8\",\"format\":\"ndjson\","
	"\"max_record\":16777216,\"terminator\":\"lf\"}",
	"{\"encoding\":\"latin1\",\"format\":\"fixed\",\"length\":80}",
	"{\"format\":\"opaque\"}",
	"{\"columns\":7,\"comment\":\"#\",\"delimiter\":\"\\u0001\","
	"\"encoding\":\"utf-16be\",\"escape\":\"backslash\",\"format\":\"csv\","
	"\"header\":0,\"max_record\":1,\"quote\":null,\"resync\":false,"
	"\"strict\":true,\"terminator\":\"crlf\","
	"\"trailer\":{\"prefix\":\"TRL;\"}}",
	"{\"columns\":\"any\",\"comment\":\"\xc2\xa7\",\"delimiter\":\"\\t\","
	"\"encoding\":\"windows-1252\",\"escape\":\"double\","
	"\"format\":\"csv\",\"header\":2,\"max_record\":16777216,"
	"\"quote\":\"'\",\"resync\":true,\"strict\":false,"
	"\"terminator\":\"cr\",\"trailer\":{\"lines\":16}}",
};

static void
test_dialects_round_trip(void **state UNUSED)
{
	CLEANUP(str_release) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	struct dialect d;

	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		must(dialect_read(&d, written[i], strlen(written[i]), &e), &e);
		write_dialect(&d, &out);
		assert_string_equal(out.s, written[i]);
	}
	dialect_init(&d, SCAN_CSV);
	write_dialect(&d, &out);
	assert_string_equal(out.s, written[0]);
}

static const char *const refused[][2] = {
	{"", "dialect: not JSON"},
	{"[]", "dialect: format: expected"},
	{"{\"format\":\"xml\"}", "dialect: format: expected"},
	{"{\"format\":\"lines\",\"header\":1}",
		"dialect: header: no such key for format lines"},
	{"{\"format\":\"csv\",\"colums\":1}", "dialect: colums: no such key"},
	{"{\"format\":\"csv\",\"columns\":0}", "dialect: columns: expected"},
	{"{\"format\":\"csv\",\"header\":-1}", "dialect: header: expected"},
	{"{\"format\":\"csv\",\"header\":true}", "dialect: header: expected"},
	{"{\"format\":\"csv\",\"delimiter\":\"ab\"}",
		"dialect: delimiter: expected one character"},
	{"{\"format\":\"csv\",\"delimiter\":\"\xe2\x82\xac\"}",
		"dialect: delimiter: expected one character"},
	{"{\"format\":\"csv\",\"delimiter\":\"\\\"\"}",
		"dialect: byte 0x22 has two meanings"},
	{"{\"format\":\"csv\",\"delimiter\":\"\\n\"}",
		"dialect: byte 0x0a has two meanings"},
	{"{\"format\":\"csv\",\"trailer\":{\"lines\":17}}",
		"dialect: trailer: expected"},
	{"{\"format\":\"csv\",\"trailer\":{}}", "dialect: trailer: expected"},
	{"{\"format\":\"csv\",\"resync\":1}", "dialect: resync: expected"},
	{"{\"format\":\"fixed\"}", "dialect: fixed: length is missing"},
	{"{\"format\":\"fixed\",\"length\":0}", "dialect: length: expected"},
};

static void
test_wrong_dialects_are_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err e = ERR_INIT;
		struct dialect d = {.header = 77};

		assert_int_equal(dialect_read(&d, refused[i][0],
					 strlen(refused[i][0]), &e),
			BAD_ITEM);
		if (strncmp(e.text, refused[i][1], strlen(refused[i][1])) != 0)
			fail_msg("%s: %s", refused[i][0], e.text);
		assert_int_equal(d.header, 77);
	}
}

/* ---- fields ---- */

static void
add_field(void *arg, const uint8_t *p, size_t n)
{
	str_addc(arg, '<');
	str_addn(arg, p, n);
	str_addc(arg, '>');
}

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
	const char *dialect; /* added to an ordinary CSV */
	enum scan_encoding encoding;
	const uint8_t *p;
	size_t n;
	const char *fields; /* NULL: not one record */
} field_cases[] = {
	{"", ENCODING_UTF8, BYTES("a,b\r\n"), "<a><b>"},
	{"", ENCODING_UTF8, BYTES("a"), "<a>"},
	{"", ENCODING_UTF8, BYTES(",\n"), "<><>"},
	{"", ENCODING_UTF8, BYTES("\n"), "<>"},
	{"", ENCODING_UTF8, BYTES("\"\"\n"), "<>"},
	{"", ENCODING_UTF8, BYTES(" a , \"b\n"), "< a >< \"b>"},
	{"", ENCODING_UTF8, BYTES("\"a,\"\"b\r\n\",c\n"), "<a,\"b\r\n><c>"},
	{"", ENCODING_UTF8, BYTES("\xef\xbb\xbf\"a\",b\n"), "<a><b>"},
	{"", ENCODING_UTF8, BYTES("a\nb\n"), NULL},
	{"", ENCODING_UTF8, BYTES("\"a\"b\n"), NULL},
	{"", ENCODING_UTF8, BYTES("\"a\n"), NULL},
	{"", ENCODING_UTF8, BYTES(""), NULL},
	{",\"terminator\":\"lf\"", ENCODING_UTF8, BYTES("a,b\r\n"), "<a><b\r>"},
	{",\"terminator\":\"crlf\"", ENCODING_UTF8, BYTES("a\n,b\r\n"),
		"<a\n><b>"},
	{",\"terminator\":\"cr\"", ENCODING_UTF8, BYTES("a,\nb\r"), "<a><\nb>"},
	{",\"quote\":null", ENCODING_UTF8, BYTES("\"a,b\",\n"), "<\"a><b\"><>"},
	{",\"delimiter\":\";\",\"quote\":\"'\"", ENCODING_UTF8,
		BYTES("'a;''';\"b\n"), "<a;'><\"b>"},
	{",\"escape\":\"backslash\"", ENCODING_UTF8,
		BYTES("\"a\\\",\\\\\",\\N,\"\\n\"\"\",\"\"\n"),
		"<a\",\\><\\N><\\n\"><>"},
	{"", ENCODING_LATIN1, BYTES("\xfc,\"\xa4\"\n"), "<\xc3\xbc><\xc2\xa4>"},
	{"", ENCODING_WINDOWS1252, BYTES("\x80\x81,a\n"),
		"<\xe2\x82\xac\xef\xbf\xbd><a>"},
	{"", ENCODING_UTF16LE,
		BYTES("\xff\xfe\"\0\xfc\0\n\0\"\0,\0b\0\r\0\n\0"),
		"<\xc3\xbc\n><b>"},
	{"", ENCODING_UTF16BE, BYTES("\0a\0,\xd8\0\0b\0c"),
		"<a><\xef\xbf\xbd"
		"bc>"},
	{"", ENCODING_UTF16BE, BYTES("\0a\0,\0b\0"), "<a><b\xef\xbf\xbd>"},
};

static void
test_fields_of_a_record(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(field_cases); i++) {
		CLEANUP(str_release) struct str json = STR_INIT;
		CLEANUP(str_release) struct str got = STR_INIT;
		struct err e = ERR_INIT;
		struct dialect d;
		enum rc rc;

		str_addf(&json, "{\"format\":\"csv\"%s}",
			field_cases[i].dialect);
		must(dialect_read(&d, json.s, json.len, &e), &e);
		rc = scan_fields(&d, field_cases[i].encoding, field_cases[i].p,
			field_cases[i].n, add_field, &got, &e);
		if (field_cases[i].fields == NULL)
			assert_int_equal(rc, BAD_ITEM);
		else if (strcmp(got.s, field_cases[i].fields) != 0)
			fail_msg("%zu: %s, not %s (%s)", i, got.s,
				field_cases[i].fields, e.text);
	}
}

static void
test_a_record_without_fields_is_one(void **state UNUSED)
{
	CLEANUP(str_release) struct str got = STR_INIT;
	struct err e = ERR_INIT;
	struct dialect d;

	dialect_init(&d, SCAN_LINES);
	must(scan_fields(&d, ENCODING_LATIN1, BYTES("a,\xfc\r\n"), add_field,
		     &got, &e),
		&e);
	dialect_init(&d, SCAN_OPAQUE);
	must(scan_fields(
		     &d, ENCODING_UTF8, BYTES("b\nc\n"), add_field, &got, &e),
		&e);
	assert_string_equal(got.s, "<a,\xc3\xbc><b\nc\n>");
}

/* ---- proposals ---- */

static const struct {
	const uint8_t *p;
	size_t n;
	enum scan_format format;
	enum scan_encoding encoding;
	char delimiter; /* of CSV */
	unsigned header;
} sniff_cases[] = {
	{BYTES("id,name\n1,a\n2,b\n"), SCAN_CSV, ENCODING_UTF8, ',', 1},
	{BYTES("id;name, all\n1;\"a,\nb\"\n2;b\n"), SCAN_CSV, ENCODING_UTF8,
		';', 1},
	{BYTES("1\t2.5\n3\t4\n"), SCAN_CSV, ENCODING_UTF8, '\t', 0},
	{BYTES("a|b|c\r\n1|2|\r\n"), SCAN_CSV, ENCODING_UTF8, '|', 1},
	{BYTES("id,name\n1,\xfc\n"), SCAN_CSV, ENCODING_LATIN1, ',', 1},
	{BYTES("id,name\n1,\x80\n"), SCAN_CSV, ENCODING_WINDOWS1252, ',', 1},
	{BYTES("\xff\xfei\0,\0n\0\n\0001\0,\0002\0\n\0"), SCAN_CSV,
		ENCODING_UTF16LE, ',', 1},
	{BYTES("\0i\0,\0n\0\n\0001\0,\0002\0\n"), SCAN_CSV, ENCODING_UTF16BE,
		',', 1},
	{BYTES("{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":3}\n"), SCAN_NDJSON,
		ENCODING_UTF8, ',', 0},
	{BYTES("some words\nand more, sometimes\nfor all\n"), SCAN_LINES,
		ENCODING_UTF8, ',', 0},
	{BYTES("\x7f"
	       "ELF\2\1\1\0\0\0\0\0"),
		SCAN_OPAQUE, ENCODING_UTF8, ',', 0},
	{BYTES(""), SCAN_OPAQUE, ENCODING_UTF8, ',', 0},
};

static void
test_sniffing_proposes(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(sniff_cases); i++) {
		struct sniff got;

		scan_sniff(sniff_cases[i].p, sniff_cases[i].n, true, &got);
		if (got.dialect.format != sniff_cases[i].format ||
			got.dialect.encoding != sniff_cases[i].encoding ||
			got.dialect.delimiter != sniff_cases[i].delimiter ||
			got.dialect.header != sniff_cases[i].header)
			fail_msg("%zu: %s %s %c %u: %s", i,
				scan_format_names[got.dialect.format],
				scan_encoding_names[got.dialect.encoding],
				got.dialect.delimiter, got.dialect.header,
				got.why.s);
		assert_true(got.why.len > 0);
		assert_true(got.confidence > 0 && got.confidence < 100);
		str_release(&got.why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialects_round_trip),
		cmocka_unit_test(test_wrong_dialects_are_refused),
		cmocka_unit_test(test_fields_of_a_record),
		cmocka_unit_test(test_a_record_without_fields_is_one),
		cmocka_unit_test(test_sniffing_proposes),
	};

	return cmocka_run_group_tests_name("dialect", tests, NULL, NULL);
}
