/*
 * json.h - a JSON writer (RFC 8259) for output, provenance and the ledger.
 *
 *	struct str out = STR_INIT;
 *	struct json j = json_to(&out);
 *	json_object(&j);
 *	json_key(&j, "name"), json_text(&j, "orders.csv");
 *	json_key(&j, "size"), json_u64(&j, 17);
 *	json_end(&j);
 *
 * No spaces, no newlines. In a canonical document (json_canonical) keys must
 * come in strictly rising byte order; a wrong order aborts, because two
 * spellings of one ledger entry would be two different leaves.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/str.h"

#define JSON_DEPTH 16

struct json {
	struct str *out;
	bool canonical;
	unsigned depth;
	struct {
		char close;
		bool more;
		const char *last; /* the last key; the caller keeps it alive */
	} level[JSON_DEPTH];
};

struct json json_to(struct str *out);
struct json json_canonical(struct str *out);

void json_object(struct json *j);
void json_array(struct json *j);
void json_end(struct json *j); /* the innermost object or array */

/* A string constant, or text that outlives the object. */
void json_key(struct json *j, const char *key);

/* Values. Invalid UTF-8 in text becomes U+FFFD: encode bytes first. */
void json_text(struct json *j, const char *text);
void json_textn(struct json *j, const char *text, size_t n);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
void json_hex(struct json *j, const uint8_t *p, size_t n);
void json_percent(struct json *j, const void *p, size_t n); /* "/" kept */
void json_base64(struct json *j, const uint8_t *p, size_t n);
void json_time(struct json *j, int64_t wall);	 /* whole seconds */
void json_time_ns(struct json *j, int64_t wall); /* nanoseconds */

/* A value that is already JSON. */
void json_raw(struct json *j, const char *text, size_t n);

#endif
