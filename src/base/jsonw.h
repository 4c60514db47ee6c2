/*
 * jsonw.h - a JSON writer (RFC 8259) for output, provenance and the ledger.
 *
 *	struct str out = STR_INIT;
 *	struct jsonw j = jsonw_to(&out);
 *	jsonw_object(&j);
 *	jsonw_key(&j, "name"), jsonw_text(&j, "orders.csv");
 *	jsonw_key(&j, "size"), jsonw_u64(&j, 17);
 *	jsonw_end(&j);
 *
 * No spaces, no newlines. In a canonical document (jsonw_canonical) keys must
 * come in strictly rising byte order; a wrong order aborts, because two
 * spellings of one ledger entry would be two different leaves.
 *
 * Reading is jansson's, and so is the prefix json_.
 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include "base/str.h"

#define JSONW_DEPTH 16

struct jsonw {
	struct str *out;
	bool canonical;
	unsigned depth;
	struct {
		char close;
		bool more;
		const char *last; /* the last key; the caller keeps it alive */
	} level[JSONW_DEPTH];
};

struct jsonw jsonw_to(struct str *out);
struct jsonw jsonw_canonical(struct str *out);

void jsonw_object(struct jsonw *j);
void jsonw_array(struct jsonw *j);
void jsonw_end(struct jsonw *j); /* the innermost object or array */

/* A string constant, or text that outlives the object. */
void jsonw_key(struct jsonw *j, const char *key);

/* Values. Invalid UTF-8 in text becomes U+FFFD: encode bytes first. */
void jsonw_text(struct jsonw *j, const char *text);
void jsonw_textn(struct jsonw *j, const char *text, size_t n);
void jsonw_u64(struct jsonw *j, uint64_t v);
void jsonw_i64(struct jsonw *j, int64_t v);
void jsonw_bool(struct jsonw *j, bool v);
void jsonw_null(struct jsonw *j);
void jsonw_hex(struct jsonw *j, const uint8_t *p, size_t n);
void jsonw_percent(struct jsonw *j, const void *p, size_t n); /* "/" kept */
void jsonw_base64(struct jsonw *j, const uint8_t *p, size_t n);
void jsonw_time(struct jsonw *j, int64_t wall);		/* whole seconds */
void jsonw_time_or_null(struct jsonw *j, int64_t wall); /* 0: null */
void jsonw_time_ns(struct jsonw *j, int64_t wall);	/* nanoseconds */

/* A value that is already JSON. */
void jsonw_raw(struct jsonw *j, const char *text, size_t n);

#endif
