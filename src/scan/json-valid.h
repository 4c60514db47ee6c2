/*
 * json-valid.h - whether bytes are one JSON text (RFC 8259), strictly.
 *
 * UTF-8 without a BOM (section 8.1), no duplicate-key or number-range rules
 * (they are not the grammar's). A \u escape of half a surrogate pair is
 * grammatical and passes. Not recursive; linear; nothing is allocated.
 */
#ifndef SCAN_JSON_VALID_H
#define SCAN_JSON_VALID_H

#include <stdbool.h>

#include "base/attr.h"

#define JSON_VALID_DEPTH 1024 /* deeper texts are not valid here */

bool json_valid(const uint8_t *p, size_t n);

#endif
