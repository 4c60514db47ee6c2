/*
 * reply.h - what one whole answer says: its records, fields of them, and the
 * values that selectors ask for.
 *
 *	r = reply_new(&spec);			once for a stream
 *	reply_read(r, &answer, each, arg, &e);	for each answer
 *	reply_value(r, &pagination->next, 0, &text)
 *	reply_free(r);
 *
 * JSON is read in one pass, whatever is asked; nothing of a body is kept but
 * the values. Rows of JSON lines and CSV are found by the scanner that finds
 * them again when the body is landed, so both agree on what is a record.
 *
 * One struct reply belongs to one thread at a time.
 */
#ifndef SOURCE_HTTP_REPLY_H
#define SOURCE_HTTP_REPLY_H

#include "landfall/api.h"
#include "landfall/http.h"
#include "landfall/scan.h"

#define REPLY_VALUES 1024 /* of one selector that are kept */

struct reply_spec {
	enum api_layer layer;		      /* JSON, JSONL or CSV */
	const struct api_records *records;    /* NULL: only values are wanted */
	const struct api_place *const *field; /* of each record */
	size_t n_fields;
	const struct api_selector *const *selector;
	size_t n_selectors;
	uint64_t max_record; /* 0: the scanner's default */
};

struct reply_text {
	uint8_t *p;
	size_t len;
	bool set;   /* the record has it, and it is not null */
	bool there; /* it has it, be it null */
};

struct reply_record {
	uint64_t number; /* in the body, from 0 */
	uint64_t offset, length;
	const uint8_t *bytes; /* a row without its line end */
	size_t size;
	const struct reply_text *field; /* as many as the spec's */
};

struct reply;

struct reply *reply_new(const struct reply_spec *spec) MUST_USE;
void reply_free(struct reply *r);

/* How the body will be scanned when it is landed. */
void reply_dialect(const struct reply_spec *spec, struct dialect *ret);

/*
 * Calls each for every record, in order; what it returns but OK ends it.
 * BAD_ITEM: the body is not what it should be, or has no place for records.
 * BROKEN: our disk. Values told before an error are void.
 */
enum rc reply_read(struct reply *r, const struct http_answer *a,
	enum rc (*each)(void *arg, const struct reply_record *x, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * For an answer that is no success: whatever its body is, no records, and a
 * body that is not JSON has no values. BROKEN: our disk.
 */
enum rc reply_look(
	struct reply *r, const struct http_answer *a, struct err *e) MUST_USE;

/*
 * The answers that come now are the pages of one list: rows of CSV have the
 * header of the first of them, whether it is repeated or not.
 */
void reply_first(struct reply *r);

/* Records in the answer read last. */
uint64_t reply_records(const struct reply *r);

/* In how many of them that field of the spec's is, be it null. */
uint64_t reply_met(const struct reply *r, size_t field);

/* Whether a selector's place is in the answer read last, be it null. */
bool reply_has(const struct reply *r, const struct api_selector *s);

/*
 * Value number i of a selector, in the answer read last; those of the body
 * must be in the spec. END: there are no more, or it was null or no scalar.
 */
enum rc reply_value(const struct reply *r, const struct api_selector *s,
	size_t i, struct str *ret);

#endif
