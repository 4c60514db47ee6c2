/*
 * fuzz-jsonr.c - JSON and paths in it: the same at every cut and with every
 * instruction set; what the reader tells is what jansson's tree has there.
 *
 * Input: a seed byte, a path for records, a line end, a path for values
 * within them, a line end, the text.
 */
#include <jansson.h>

#include "../json-told.h"
#include "base/mem.h"
#include "fuzz.h"

struct found {
	const uint8_t *p;
	json_t **want; /* records, in order */
	size_t n, at;
	bool compare;
};

/* The values at a path, from step `at` on, in the order of the text. */
static void
collect(struct found *f, json_t *v, const struct jsonpath *path, size_t at)
{
	const struct jsonpath_step *step = &path->step[at];
	const char *name;
	json_t *child;
	size_t i;

	if (at == path->n) {
		f->want = mem_resize(f->want, f->n + 1, sizeof(*f->want));
		f->want[f->n++] = v;
		return;
	}
	if (step->kind == JSONPATH_NAMED) {
		child = json_object_getn(v, step->name, step->len);
		if (child != NULL)
			collect(f, child, path, at + 1);
	} else if (step->kind == JSONPATH_ELEMENT) {
		child = json_array_get(v, step->element);
		if (child != NULL)
			collect(f, child, path, at + 1);
	} else if (json_is_object(v)) {
		json_object_foreach(v, name, child)
			collect(f, child, path, at + 1);
	} else {
		json_array_foreach(v, i, child) collect(f, child, path, at + 1);
	}
}

static void
see_record(void *arg, unsigned query, uint64_t offset, uint64_t length)
{
	struct found *f = arg;
	json_t *v;

	SPANS_CHECK(query == 0 && f->at < f->n);
	v = json_loadb((const char *)f->p + offset, (size_t)length,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
		NULL);
	SPANS_CHECK(v != NULL && json_equal(v, f->want[f->at]));
	json_decref(v);
	f->at++;
}

static void
see_value(void *arg UNUSED, unsigned query UNUSED, enum jsonr_type type,
	const uint8_t *p, size_t n)
{
	/* Half a surrogate pair is not there: jansson refuses it. */
	SPANS_CHECK(type != JSONR_STRING || str_is_utf8(p, n));
}

/* jansson refuses what RFC 8259 allows; see fuzz-ndjson.c. */
static void
compare(const struct jsonr_spec *spec, const uint8_t *p, size_t n, bool valid)
{
	static const struct jsonr_sink sink = {see_record, see_value};
	struct found f = {.p = p};
	json_error_t why;
	json_t *v = json_loadb((const char *)p, n,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL |
			JSON_REJECT_DUPLICATES,
		&why);
	enum json_error_code code = json_error_code(&why);
	struct err e = ERR_INIT;
	struct jsonr *j;

	if (v == NULL) {
		SPANS_CHECK(!valid || code == json_error_numeric_overflow ||
			code == json_error_null_byte_in_key ||
			code == json_error_null_character ||
			code == json_error_duplicate_key ||
			memmem(p, n, "\\u", 2) != NULL);
		return;
	}
	/* Its depth is twice ours; a NUL behind a number is lost on it. */
	SPANS_CHECK(valid || n > JSONR_DEPTH || memchr(p, 0, n) != NULL);
	if (valid) {
		collect(&f, v, spec->query[0].path, 0);
		j = jsonr_new(spec, &sink, &f);
		SPANS_CHECK(
			jsonr_add(j, p, n, &e) == OK && jsonr_end(j, &e) == OK);
		SPANS_CHECK(f.at == f.n);
		jsonr_free(j);
	}
	free(f.want);
	json_decref(v);
}

/* A path up to the line end, which is passed over; written and read again. */
static bool
read_path(const uint8_t **p, size_t *n, struct jsonpath *ret)
{
	const uint8_t *end = memchr(*p, '\n', *n);
	CLEANUP(str_release) struct str s = STR_INIT;
	CLEANUP(str_release) struct str again = STR_INIT;
	struct err e = ERR_INIT;
	struct jsonpath path;

	if (end == NULL ||
		jsonpath_parse((const char *)*p, (size_t)(end - *p), ret, &e) !=
			OK)
		return false;
	jsonpath_write(ret, &s);
	SPANS_CHECK(jsonpath_parse(s.s, s.len, &path, &e) == OK);
	jsonpath_write(&path, &again);
	SPANS_CHECK(strcmp(s.s, again.s) == 0);
	jsonpath_release(&path);
	*n -= (size_t)(end + 1 - *p);
	*p = end + 1;
	return true;
}

static void
fuzz(const struct jsonr_spec *spec, const uint8_t *p, size_t n, uint64_t seed)
{
	CLEANUP(str_release) struct str want = STR_INIT;
	struct jsonr *j;
	bool valid;

	SPANS_CHECK(scan_use("scalar"));
	j = jsonr_new(spec, &told_sink, &want);
	valid = told_of(j, p, n, cut_never, NULL, &want);
	jsonr_free(j);
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++) {
		SPANS_CHECK(scan_use(*isa));
		for (unsigned k = 0; k < 3; k++) {
			CLEANUP(str_release) struct str got = STR_INIT;

			j = jsonr_new(spec, &told_sink, &got);
			SPANS_CHECK(told_of(j, p, n,
					    k == 0 ? cut_never : cut_random,
					    &seed, &got) == valid);
			SPANS_CHECK(strcmp(want.s, got.s) == 0);
			jsonr_free(j);
		}
		if (spec->max_record == 0 && spec->max_value == 0)
			SPANS_CHECK(jsonr_valid(p, n) == valid);
	}
	if (spec->max_record == 0 && spec->max_value == 0)
		compare(spec, p, n, valid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct jsonpath path[2] = {{.n = 0}, {.n = 0}};
	struct jsonr_query query[] = {
		{.path = &path[0], .within = JSONR_DOCUMENT, .records = true},
		{.path = &path[1], .within = 0},
	};
	struct jsonr_spec spec = {.query = query, .n = 2};
	uint8_t seed;

	if (n == 0)
		return 0;
	seed = *p++;
	n--;
	if (seed & 1)
		spec.max_record = 40;
	if (seed & 2)
		spec.max_value = 8;
	if (read_path(&p, &n, &path[0]) && read_path(&p, &n, &path[1]) &&
		!jsonpath_has(&path[0], JSONPATH_LAST))
		fuzz(&spec, p, n, seed | 256);
	jsonpath_release(&path[0]);
	jsonpath_release(&path[1]);
	return 0;
}
