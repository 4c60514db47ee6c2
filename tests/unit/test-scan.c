/* scan/: small tricky inputs with the exact spans they must give. */
#include "base/str.h"
#include "landfall/scan.h"
#include "scan/state.h"

#include <string.h>

#include "../spans.h"
#include "unit.h"

/* A letter for each kind; upper case is malformed. */
static const char letters[] = {
	[0] = 'r',
	[KIND_HEADER] = 'h',
	[KIND_TRAILER] = 't',
	[KIND_COMMENT] = 'c',
	[KIND_BLANK] = 'b',
	[KIND_UNTERMINATED_QUOTE] = 'U',
	[KIND_JUNK_AFTER_QUOTE] = 'J',
	[KIND_WRONG_FIELD_COUNT] = 'W',
	[KIND_RECORD_TOO_LONG] = 'L',
	[KIND_SHORT_RECORD] = 'S',
	[KIND_INVALID_JSON] = 'N',
	[KIND_STRAY_QUOTE] = 'Q',
};

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/*
 * `dialect` in JSON with apostrophes for quotes; `spans` as letter and
 * length, "W4:2" with the detail; flags: stray quotes, NUL, invalid UTF-8.
 */
static const struct span_case {
	const char *name;
	const char *dialect;
	const uint8_t *p;
	size_t n;
	const char *spans;
	const char *flags;
} span_cases[] = {
	/* ---- terminators ---- */
	{"nothing", "'format':'csv'", BYTES(""), "", NULL},
	{"mixed terminators", "'format':'csv','header':0",
		BYTES("a,b\r\nc,d\ne,f\rg,h"), "r5 r4 r4 r3", NULL},
	{"header alone", "'format':'csv'", BYTES("a,b"), "h3", NULL},
	{"lf only: CR is content",
		"'format':'csv','header':0,'terminator':'lf'",
		BYTES("a\r\nb\rc\nd"), "r3 r4 r1", NULL},
	{"lf only: CR behind a quote is junk",
		"'format':'csv','header':0,'terminator':'lf'",
		BYTES("\"a\"\r\nb\n"), "J5 r2", NULL},
	{"crlf only: lone ones are content",
		"'format':'csv','header':0,'terminator':'crlf'",
		BYTES("a\nb\rc\r\nd\r\r\n\"e\"\r\n"), "r7 r4 r5", NULL},
	{"crlf only: a lone CR behind a quote is junk",
		"'format':'csv','header':0,'terminator':'crlf'",
		BYTES("\"a\"\rb\r\nc\r\n"), "J7 r3", NULL},
	{"cr only", "'format':'csv','header':0,'terminator':'cr'",
		BYTES("a\rb\n\rc\r\n"), "r2 r3 r2 r1", NULL},
	{"CR at the end", "'format':'csv','header':0", BYTES("a\r"), "r2",
		NULL},
	{"CR CR LF", "'format':'csv','header':0", BYTES("a\r\r\nb\r\n"),
		"r2 b2 r3", NULL},
	{"LF CR", "'format':'csv','header':0", BYTES("a\n\rb\n"), "r2 b1 r2",
		NULL},
	/* ---- quotes ---- */
	{"everything inside quotes", "'format':'csv','header':0",
		BYTES("\"a,\n\r\n\r\"\"b\",c\r\nd,e\n"), "r15 r4", NULL},
	{"empty quoted", "'format':'csv','header':0",
		BYTES("\"\",\"\"\n\"\"\n\"\""), "r6 r3 r2", NULL},
	{"only quotes inside quotes", "'format':'csv','header':0",
		BYTES("\"\"\"\"\n\"\"\"\"\"\"\n"), "r5 r7", NULL},
	{"quote closed by the end", "'format':'csv','header':0", BYTES("\"a\""),
		"r3", NULL},
	{"stray quote is content", "'format':'csv','header':0",
		BYTES("a\"b,c\nd,e\"\nf,g\n"), "r6 r5 r4", "2 0 0"},
	{"stray quote, strict", "'format':'csv','header':0,'strict':true",
		BYTES("a\"b,c\nd,e\n"), "Q6 r4", "1 0 0"},
	{"a quote behind a blank is stray", "'format':'csv','header':0",
		BYTES("a, \"b\nc\"\n"), "r6 r3", "2 0 0"},
	{"junk after quote", "'format':'csv','header':0",
		BYTES("\"a\"b,c\nd,e\n"), "J7 r4", NULL},
	{"junk, then a good quoted field", "'format':'csv','header':0",
		BYTES("\"a\"b\"c,\"d\n\",e\nf\n"), "J14 r2", NULL},
	{"no quote byte", "'format':'csv','header':0,'quote':null",
		BYTES("\"a,b\n\"c\n"), "r5 r3", NULL},
	{"other bytes", "'format':'csv','delimiter':';','quote':'`'",
		BYTES("a;b\n`c;\n`;d,e\n1;\"\n"), "h4 r10 r4", "0 0 0"},
	{"backslash", "'format':'csv','escape':'backslash','columns':2",
		BYTES("a,b\n\"c\\\",\\\\\",d\n\"e\"\"f\",g\n\\\"h,i\n"),
		"h4 r11 r9 r6", "1 0 0"},
	{"backslash before the end",
		"'format':'csv','escape':'backslash',"
		"'header':0",
		BYTES("\"a\\"), "U3", NULL},
	/* ---- one bad quote costs one line ---- */
	{"unterminated", "'format':'csv','header':0",
		BYTES("\"a,b\nc,d\ne,f\n"), "U5 r4 r4", NULL},
	{"unterminated, the last line", "'format':'csv','header':0",
		BYTES("a,b\n\"c,d"), "r4 U4", NULL},
	{"a second quote closes the first", "'format':'csv','header':0",
		BYTES("\"a\n\"b\nc\n"), "J6 r2", NULL},
	{"unterminated thrice", "'format':'csv','header':0",
		BYTES("\"a\n\"b\n\"c\n"), "J6 U3", NULL},
	{"a later line of the record opened it", "'format':'csv','header':0",
		BYTES("\"a\nb\",\"c\nd\n"), "U3 U6 r2", "0 0 0"},
	{"unterminated, CRLF", "'format':'csv','header':0",
		BYTES("\"a\r\nb\r\n"), "U4 r3", NULL},
	{"resync off", "'format':'csv','header':0,'resync':false",
		BYTES("a\n\"b\nc\nd\n"), "r2 U7", NULL},
	{"beyond max_record inside quotes",
		"'format':'csv','header':0,'max_record':8",
		BYTES("\"a\nb\nc\nd\ne\"\n"), "U3 r2 r2 r2 r3", "1 0 0"},
	{"exactly max_record", "'format':'csv','header':0,'max_record':8",
		BYTES("\"a\nbcd\"\n1234567\n"), "r8 r8", NULL},
	{"max_record plus one", "'format':'csv','header':0,'max_record':8",
		BYTES("12345678\n1234567\r\nab\n"), "L9 L9 r3", NULL},
	{"an unterminated line longer than max_record",
		"'format':'csv','header':0,'max_record':4",
		BYTES("\"abcdefghij\nk\n"), "U12 r2", NULL},
	{"over max_record, resync off: to its end by the rules",
		"'format':'csv','header':0,'max_record':4,'resync':false",
		BYTES("\"abc\ndef\",g\nh\n"), "U12 r2", NULL},
	{"it ends after all, beyond where the first pass failed",
		"'format':'csv','header':0,'max_record':12,'columns':3",
		BYTES("\"a\nb\",\"c\nd\",\"\"\ni,j,k\n"), "U3 r12 r6", "1 0 0"},
	{"too long outside quotes", "'format':'csv','header':0,'max_record':4",
		BYTES("abcdef\"gh\ni,\"j\"\n"), "L10 L6", NULL},
	{"junk wins over too long", "'format':'csv','header':0,'max_record':6",
		BYTES("\"a\"bcdefgh\ni\n"), "J11 r2", NULL},
	{"unterminated wins over junk",
		"'format':'csv','header':0,'max_record':64",
		BYTES("\"a\"b,\"c\nd\n"), "U8 r2", NULL},
	/* ---- kinds by place ---- */
	{"two headers", "'format':'csv','header':2",
		BYTES("a,b\n\"c\n\",d\ne,f\n"), "h4 h7 r4", NULL},
	{"columns of the header", "'format':'csv'",
		BYTES("a,b\nc\nd,e,f\ng,h\n"), "h4 W2:1 W6:3 r4", NULL},
	{"columns given", "'format':'csv','header':0,'columns':2",
		BYTES("a,b\nc\n"), "r4 W2:1", NULL},
	{"columns any", "'format':'csv','columns':'any'", BYTES("a,b\nc\n"),
		"h4 r2", NULL},
	{"blank lines", "'format':'csv'", BYTES("\na,b\n\r\n\rc,d\n\n"),
		"b1 h4 b2 b1 r4 b1", NULL},
	{"blank lines are records of one column", "'format':'csv'",
		BYTES("\na\n\nb\n"), "b1 h2 r1 r2", NULL},
	{"one column declared", "'format':'csv','columns':1,'header':0",
		BYTES("\n\na\n"), "r1 r1 r2", NULL},
	{"a blank is not blank", "'format':'csv','header':0,'columns':2",
		BYTES(" \n"), "W2:1", NULL},
	{"comments", "'format':'csv','comment':'#'",
		BYTES("#x\na,b\n#\"\nc,d\n#e\"\r\n#"), "c3 h4 c3 r4 c5 c1",
		NULL},
	{"a comment is not a record: no limit",
		"'format':'csv','header':0,'comment':'#','max_record':4",
		BYTES("#0123456789\na\n"), "c12 r2", NULL},
	{"trailer by prefix", "'format':'csv','trailer':{'prefix':'TRL;'}",
		BYTES("a,b\nTRL;2\nc,d\nTRL;\nTRL\n\"TRL;\",x"),
		"h4 t6 r4 t5 W4:1 r8", NULL},
	{"trailer of one line", "'format':'csv','trailer':{'lines':1}",
		BYTES("a,b\nc,d\ne,f\n3\n"), "h4 r4 r4 t2", NULL},
	{"blank lines behind the trailer",
		"'format':'csv','trailer':{'lines':1}",
		BYTES("a,b\nc,d\n3\n\n\n"), "h4 r4 t2 b1 b1", NULL},
	{"trailer of two lines, a blank between",
		"'format':'csv','trailer':{'lines':2}",
		BYTES("a,b\nc,d\n3\n\n4,5\n"), "h4 r4 t2 b1 t4", NULL},
	{"a malformed trailer", "'format':'csv','trailer':{'lines':1}",
		BYTES("a,b\nc,d\n\"e"), "h4 r4 U2", NULL},
	{"fewer records than trailers", "'format':'csv','trailer':{'lines':3}",
		BYTES("a,b\nc\n"), "h4 t2", NULL},
	{"a trailer is known only within max_record",
		"'format':'csv','max_record':8,'trailer':{'lines':2}",
		BYTES("a,b\nc,d\ne,f\ng,h\n"), "h4 r4 t4 t4", NULL},
	{"held records are released by length",
		"'format':'csv','max_record':8,'trailer':{'lines':2}",
		BYTES("a,b\nc,d\ne,f\ng,hh\n"), "h4 r4 r4 t5", NULL},
	{"a malformed header", "'format':'csv'", BYTES("\"a\"x,b\nc,d\ne\n"),
		"J7 r4 W2:1", NULL},
	/* ---- encodings ---- */
	{"UTF-8 BOM before a quote", "'format':'csv'",
		BYTES("\xef\xbb\xbf\"a\nb\",c\nd,e\n"), "h11 r4", NULL},
	{"BOM alone", "'format':'csv'", BYTES("\xef\xbb\xbf"), "b3", NULL},
	{"BOM and a blank line", "'format':'csv'", BYTES("\xef\xbb\xbf\na\n"),
		"b4 h2", NULL},
	{"BOM before a comment", "'format':'csv','comment':'#'",
		BYTES("\xef\xbb\xbf#\na\n"), "c5 h2", NULL},
	{"a BOM wins", "'format':'csv','encoding':'utf-16le','header':0",
		BYTES("\xef\xbb\xbf"
		      "ab\nc\n"),
		"r6 r2", NULL},
	{"not quite a BOM", "'format':'csv','header':0",
		BYTES("\xef\xbb\n\xff\xfd\n"), "r3 r3", "0 0 2"},
	{"UTF-16LE by its BOM", "'format':'csv'",
		BYTES("\xff\xfe\"\0\x0a\x0a\n\0\"\0\n\0b\0\r\0\n\0\x0d\x0a\n"
		      "\0"),
		"h12 r6 r4", NULL},
	{"UTF-16BE", "'format':'csv','encoding':'utf-16be','header':0",
		BYTES("\0a\0,\0b\0\r\0\n\0\"\0\n\0\""), "r10 r6", NULL},
	{"UTF-16 with an odd byte",
		"'format':'csv','encoding':'utf-16le','header':0",
		BYTES("a\0\n\0b\0c"), "r4 r3", NULL},
	{"UTF-16, the odd byte is a record",
		"'format':'csv','encoding':'utf-16le','header':0",
		BYTES("a\0\r\0\n"), "r4 r1", NULL},
	{"UTF-16 trailer prefix",
		"'format':'csv','encoding':'utf-16le','columns':1,"
		"'trailer':{'prefix':'T'}",
		BYTES("a\0\n\0T\0\n\0b\0\n\0"), "h4 t4 r4", NULL},
	{"UTF-16 NUL is a unit", "'format':'lines','encoding':'utf-16le'",
		BYTES("a\0\0\0\n\0\0a\0b\n\0"), "r6 r6", "0 1 0"},
	/* ---- flags ---- */
	{"NUL and invalid UTF-8 are content", "'format':'csv','header':0",
		BYTES("a\0,\0\n\xff\n\xc3\xbc\n\xe2\x82\n\x82\n"),
		"r5 r2 r3 r3 r2", "0 1 3"},
	{"latin1 is not invalid",
		"'format':'csv','header':0,'encoding':'latin1'",
		BYTES("\xff\n"), "r2", "0 0 0"},
	{"flags of exceptions", "'format':'csv','comment':'#'",
		BYTES("\xff\n#\xfe\n#\0\n"), "h2 c3 c3", "0 1 2"},
	/* ---- other formats ---- */
	{"lines", "'format':'lines'", BYTES("a\"\n\n\r\nb\rc"),
		"r3 r1 r2 r2 r1", NULL},
	{"lines too long", "'format':'lines','max_record':4",
		BYTES("abc\nabcd\nabc\r\nabcdefgh"), "r4 L5 L5 L8", NULL},
	{"ndjson", "'format':'ndjson'",
		BYTES("{\"a\":1}\r\n\n \t\r\n[1,\n{}\n\"\xff\"\n1"),
		"r9 b1 b4 N4 r3 N4 r1", "0 0 1"},
	{"ndjson with a BOM", "'format':'ndjson'",
		BYTES("\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n"), "r6 N6", NULL},
	{"fixed", "'format':'fixed','length':3", BYTES("abc\ndef"), "r3 r3 S1",
		NULL},
	{"fixed cuts characters", "'format':'fixed','length':2",
		BYTES("a\xc3\xbc\xc3\xbc"
		      "b"),
		"r2 r2 r2", "0 0 3"},
	{"opaque", "'format':'opaque'", BYTES("a\n\xff\0"), "r4", "0 1 1"},
	{"opaque, nothing", "'format':'opaque'", BYTES(""), "", NULL},
};

static void
read_dialect(const char *spec, struct dialect *d)
{
	CLEANUP(str_release) struct str json = STR_INIT;
	struct err e = ERR_INIT;

	str_addc(&json, '{');
	for (const char *c = spec; *c != '\0'; c++)
		str_addc(&json, *c == '\'' ? '"' : *c);
	str_addc(&json, '}');
	must(dialect_read(d, json.s, json.len, &e), &e);
}

static void
describe(const struct spans *l, struct str *out)
{
	uint64_t from = 0;

	str_clear(out);
	for (size_t i = 0; i < l->n; i++) {
		str_addf(out, "%s%c%u", i == 0 ? "" : " ",
			letters[l->v[i].kind], (unsigned)(l->v[i].end - from));
		if (l->v[i].kind == KIND_WRONG_FIELD_COUNT)
			str_addf(out, ":%u", l->v[i].detail);
		from = l->v[i].end;
	}
}

static void
check_case(const struct span_case *c, spans_cut *cut, uint64_t arg)
{
	CLEANUP(str_release) struct str got = STR_INIT;
	CLEANUP(spans_release) struct spans l = {.n = 0};
	struct dialect d;

	read_dialect(c->dialect, &d);
	spans_of(&d, c->p, c->n, cut, &arg, &l);
	describe(&l, &got);
	if (strcmp(got.s, c->spans) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", c->name, got.s, c->spans);
	str_clear(&got);
	str_addf(&got, "%u %u %u", (unsigned)l.totals.stray_quotes,
		(unsigned)l.totals.nul_bytes, (unsigned)l.totals.invalid_utf8);
	if (c->flags != NULL && strcmp(got.s, c->flags) != 0)
		fail_msg("%s: flags \"%s\"", c->name, got.s);
}

static void
test_spans_at_every_split(void **state UNUSED)
{
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++) {
		assert_true(scan_use(*isa));
		for (size_t i = 0; i < ARRAY_LEN(span_cases); i++) {
			const struct span_case *c = &span_cases[i];

			check_case(c, cut_never, 0);
			check_case(c, cut_every, 1);
			for (size_t at = 1; at < c->n; at++)
				check_case(c, cut_once, at);
		}
	}
}

/*
 * The same inputs amid enough ordinary records that whole blocks are full of
 * them, at every alignment: only the middle may differ from the short case.
 */
static void
test_trouble_amid_blocks(void **state UNUSED)
{
	static const char *const lines[] = {"a\"b,c\n", "a\"b\",c\n",
		"\"a\"b,c\n", "a\n", "\n", "\r", "a,\"\"\"\"\n",
		"\"\"\"\",a\r\n", "\"\r\n\",\"\n\"\n", "#,\"\n", "T,\"\",\n",
		"a,b\rc,d\r", "\"a\" ,b\n", "\"\"a,b\n", "a,\"\"b\n",
		"\xff,\xc3\xbc\n", "a,b\"\",c\n"};
	struct dialect d;

	dialect_init(&d, SCAN_CSV);
	d.header = 0;
	d.columns = 2;
	d.comment = '#';
	d.trailer_prefix_len = 1;
	d.trailer_prefix[0] = 'T';
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		for (unsigned k = 0; k < 280; k++) {
			CLEANUP(str_release) struct str in = STR_INIT;
			CLEANUP(spans_release) struct spans a = {.n = 0};
			const char *const *isa = scan_isa_names();

			d.columns = k % 2 ? 2 : SCAN_COLUMNS_ANY;
			for (unsigned m = 0; m < k / 2; m++)
				str_addc(&in, 'x');
			str_add(&in, ",y\r\n");
			str_add(&in, lines[i]);
			for (unsigned m = 0; m < 60; m++)
				str_add(&in, "x,\"y\"\"\r\n\"\r\n");
			assert_true(scan_use("scalar"));
			spans_of(&d, (uint8_t *)in.s, in.len, cut_never, NULL,
				&a);
			for (; *isa != NULL; isa++) {
				CLEANUP(spans_release)
				struct spans b = {.n = 0};

				assert_true(scan_use(*isa));
				spans_of(&d, (uint8_t *)in.s, in.len, cut_never,
					NULL, &b);
				if (!spans_equal(&a, &b))
					fail_msg("%s: line %zu at %u", *isa, i,
						k);
			}
		}
}

/* ---- linearity ---- */

static void
repeat(struct str *out, const char *text, size_t n)
{
	size_t len = strlen(text);

	while (out->len + len <= n)
		str_addn(out, text, len);
}

static uint64_t
steps(const struct dialect *d, const struct str *in, uint64_t step)
{
	struct spans l = {.n = 0};
	struct scan *s = scan_new(d, &spans_sink, &l);
	uint64_t n;

	spans_walk(s, d, (const uint8_t *)in->s, 0, in->len,
		step == 0 ? cut_never : cut_every, &step, &l);
	n = s->csv.steps;
	scan_free(s);
	spans_release(&l);
	return n;
}

static void
test_bad_quotes_stay_linear(void **state UNUSED)
{
	static const char *const worst[] = {
		"y\",b,\"z\n",
		"y\",\"z\n",
		"\"\n",
		"\"a\n\",\"",
		"a,\"\n\"\"\n",
		"x\",\"\r",
		"\"\\\n\",\"",
		"\\\",\"\\\n",
	};
	static const uint64_t limits[] = {16, 100, 1000, 1 << 24};
	static const uint64_t windows[] = {0, 1, 7, 4096};

	assert_true(scan_use("scalar"));
	for (size_t i = 0; i < ARRAY_LEN(worst); i++)
		for (size_t k = 0; k < ARRAY_LEN(limits) * 8; k++) {
			CLEANUP(str_release) struct str in = STR_INIT;
			struct dialect d;
			uint64_t n;

			dialect_init(&d, SCAN_CSV);
			d.max_record = limits[k % 4];
			d.escape = k & 4 ? ESCAPE_BACKSLASH : ESCAPE_DOUBLE;
			str_add(&in, "\"z\n");
			repeat(&in, worst[i], 1 << 14);
			n = steps(&d, &in, windows[k / 8]);
			if (n > 4 * in.len)
				fail_msg("case %zu, max_record %u: %u steps", i,
					(unsigned)d.max_record, (unsigned)n);
		}
}

static void
test_held_spans_are_bounded(void **state UNUSED)
{
	CLEANUP(str_release) struct str in = STR_INIT;
	CLEANUP(spans_release) struct spans l = {.n = 0};
	struct dialect d;

	dialect_init(&d, SCAN_CSV);
	d.trailer = 1;
	d.columns = 2;
	str_add(&in, "a,b\nc,d\n");
	for (unsigned i = 0; i < HOLD_MAX; i++)
		str_addc(&in, '\n');
	spans_of(&d, (uint8_t *)in.s, in.len, cut_never, NULL, &l);
	assert_int_equal(l.v[1].kind, 0);
	assert_int_equal(l.totals.records, 1);
}

/* Many batches, with and without held records. */
static void
test_batches(void **state UNUSED)
{
	CLEANUP(str_release) struct str in = STR_INIT;

	str_add(&in, "a,b\n");
	for (unsigned i = 0; i < 5000; i++)
		str_addf(&in, "%u,\"%u\n\"\r\n", i, i * i);
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++)
		for (unsigned trailer = 0; trailer < 3; trailer++) {
			CLEANUP(spans_release) struct spans l = {.n = 0};
			uint64_t step = 50000;
			struct dialect d;

			assert_true(scan_use(*isa));
			dialect_init(&d, SCAN_CSV);
			d.trailer = trailer;
			spans_of(&d, (uint8_t *)in.s, in.len, cut_every, &step,
				&l);
			assert_int_equal(l.n, 5001);
			assert_int_equal(l.records, 5000 - trailer);
			for (unsigned i = 0; i < trailer; i++)
				assert_int_equal(
					l.v[5000 - i].kind, KIND_TRAILER);
		}
}

/* ---- what lies between two exceptions ---- */

static void
test_within_knows_no_places(void **state UNUSED)
{
	static const char text[] = "a,b\n#c\n\nTRL\n\"d\ne\"\n";
	CLEANUP(spans_release) struct spans l = {.n = 0};
	struct dialect d;
	struct scan *s;

	read_dialect(
		"'format':'csv','comment':'#','trailer':{'prefix':'TRL'}", &d);
	d.trailer = 2;
	s = scan_new_within(&d, ENCODING_UTF8, 1000, &spans_sink, &l);
	spans_walk(s, &d, (const uint8_t *)text, 1000, strlen(text), cut_never,
		NULL, &l);
	scan_free(s);
	assert_int_equal(l.totals.records, 5);
	assert_int_equal(l.totals.exceptions, 0);
	assert_int_equal(l.v[0].end, 1004);
}

static void
test_neighbours_of_one_kind_join(void **state UNUSED)
{
	struct scan_exception run = {0, 2, 5, 1, KIND_BLANK, 0};
	struct scan_exception next = {2, 1, 5, 1, KIND_BLANK, 0};

	assert_true(scan_exception_join(&run, &next));
	assert_int_equal(run.length, 3);
	assert_int_equal(run.count, 2);
	next.offset = 4;
	assert_false(scan_exception_join(&run, &next));
	next.offset = 3;
	next.kind = KIND_COMMENT;
	assert_false(scan_exception_join(&run, &next));
	next.kind = KIND_BLANK;
	next.record = 6;
	assert_false(scan_exception_join(&run, &next));
	assert_int_equal(run.length, 3);
}

static void
test_kinds_have_names(void **state UNUSED)
{
	assert_string_equal(format_kind_name(KIND_UNTERMINATED_QUOTE),
		"unterminated-quote");
	assert_string_equal(format_kind_name(KIND_HEADER), "header");
	assert_null(format_kind_name(0));
	assert_null(format_kind_name(15));
	assert_null(format_kind_name(9999));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans_at_every_split),
		cmocka_unit_test(test_trouble_amid_blocks),
		cmocka_unit_test(test_bad_quotes_stay_linear),
		cmocka_unit_test(test_held_spans_are_bounded),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_within_knows_no_places),
		cmocka_unit_test(test_neighbours_of_one_kind_join),
		cmocka_unit_test(test_kinds_have_names),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
