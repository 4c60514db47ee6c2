/*
 * json-told.h - runs a JSON reader over a text cut into pieces and writes
 * down everything it tells, for unit tests and fuzz targets.
 */
#ifndef TESTS_JSON_TOLD_H
#define TESTS_JSON_TOLD_H

#include <stdlib.h>
#include <string.h>

#include "landfall/json.h"
#include "spans.h"

static inline void
told_record(void *arg, unsigned query, uint64_t offset, uint64_t length)
{
	str_addf(arg, "%u: record %llu+%llu\n", query,
		(unsigned long long)offset, (unsigned long long)length);
}

static inline void
told_value(void *arg, unsigned query, enum jsonr_type type, const uint8_t *p,
	size_t n)
{
	str_addf(arg, "%u: %s ", query, jsonr_type_name(type));
	str_add_quoted(arg, p, n);
	str_addc(arg, '\n');
}

static const struct jsonr_sink told_sink = {told_record, told_value};

/* p[0 .. n) in pieces, from where j stands; one line for each thing told. */
static inline bool
told_of(struct jsonr *j, const uint8_t *p, size_t n, spans_cut *cut, void *arg,
	struct str *ret)
{
	struct err e = ERR_INIT;
	enum rc rc = OK;
	uint64_t at = 0;

	while (at < n && rc == OK) {
		uint64_t to = cut(arg, at, n);
		/* Of exactly this size, so that a sanitizer sees its end. */
		uint8_t *piece = malloc((size_t)(to - at) + (to == at));

		SPANS_CHECK(piece != NULL && to >= at && to <= n);
		memcpy(piece, p + at, (size_t)(to - at));
		rc = jsonr_add(j, piece, (size_t)(to - at), &e);
		free(piece);
		at = to;
	}
	if (rc == OK)
		rc = jsonr_end(j, &e);
	if (rc != OK)
		str_addf(ret, "%s\n", e.text);
	for (unsigned i = 0; rc == OK && i < 2; i++)
		str_addf(ret, "%u: %s\n", i,
			jsonr_reached(j, i) ? "reached" : "missing");
	return rc == OK;
}

#endif
