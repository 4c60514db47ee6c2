/*
 * fuzz-ndjson.c - the formats of physical lines: the same at every cut, and
 * what we call valid JSON is what jansson can read (where it has no limits of
 * its own), and the other way round.
 *
 * Input: 2 bytes (format and limits, seed), then the object.
 */
#include <jansson.h>

#include "../spans.h"
#include "fuzz.h"

#define HEAD 2

/*
 * jansson refuses what RFC 8259 allows: numbers out of range, half surrogate
 * pairs, NUL in keys. It takes what the RFC forbids in one case only: a NUL
 * byte behind a number is lost on it.
 */
static void
compare(const uint8_t *p, size_t n, bool valid)
{
	json_error_t why;
	json_t *v = json_loadb((const char *)p, n,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
		&why);
	enum json_error_code code = json_error_code(&why);

	if (v != NULL)
		SPANS_CHECK(valid || memchr(p, 0, n) != NULL);
	else if (valid)
		SPANS_CHECK(code == json_error_numeric_overflow ||
			code == json_error_null_byte_in_key ||
			code == json_error_null_character ||
			memmem(p, n, "\\u", 2) != NULL);
	json_decref(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct spans want = {.n = 0};
	uint64_t from = 0, seed;
	struct dialect d;

	if (n < HEAD)
		return 0;
	seed = p[1] | 256;
	dialect_init(&d, p[0] & 1 ? SCAN_LINES : SCAN_NDJSON);
	d.terminator = p[0] >> 1 & 3;
	d.encoding = (p[0] >> 3 & 7) % 5;
	if (p[0] & 64)
		d.max_record = 50;
	p += HEAD;
	n -= HEAD;
	SPANS_CHECK(scan_use("scalar"));
	spans_of(&d, p, n, cut_never, NULL, &want);
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++)
		for (unsigned k = 0; k < 3; k++) {
			struct spans got = {.n = 0};

			SPANS_CHECK(scan_use(*isa));
			spans_of(&d, p, n, k == 0 ? cut_never : cut_random,
				&seed, &got);
			SPANS_CHECK(spans_equal(&want, &got));
			spans_release(&got);
		}
	/* JSON in UTF-16 is not RFC 8259's, whatever its bytes look like. */
	if (want.totals.encoding >= ENCODING_UTF16LE)
		want.n = 0;
	for (size_t i = 0; i < want.n && d.format == SCAN_NDJSON; i++) {
		if ((want.v[i].kind == 0 ||
			    want.v[i].kind == KIND_INVALID_JSON) &&
			!(i == 0 && want.totals.bom))
			compare(p + from, (size_t)(want.v[i].end - from),
				want.v[i].kind == 0);
		from = want.v[i].end;
	}
	spans_release(&want);
	return 0;
}
