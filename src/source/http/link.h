/*
 * link.h - the Link header (RFC 8288): which target has a relation.
 */
#ifndef SOURCE_HTTP_LINK_H
#define SOURCE_HTTP_LINK_H

#include "base/str.h"

/*
 * value: of one header, or of several joined by ", ". False: no link with
 * this relation, or from there on the header is not one. The target is as it
 * is written: a reference, to be resolved. A link with an anchor is about
 * another page and passed over.
 */
bool link_find(const char *value, size_t len, const char *relation,
	struct str *ret_target) MUST_USE;

#endif
