/*
 * out.h - much output, fast: a buffer in front of standard output.
 *
 *	struct out o;
 *	out_init(&o);
 *	out_u64(&o, offset);
 *	out_add(&o, "\n", 1);
 *	if (out_end(&o, &e) != OK) ...
 *
 * A failed write is remembered and told by out_end; what follows it is
 * dropped. A reader that goes away ends the process quietly, as it does any
 * filter: only commands that change nothing use this.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "base/err.h"
#include "base/str.h"

struct out {
	size_t len;
	struct err err;
	char buf[1 << 16];
};

void out_init(struct out *o);

void out_add(struct out *o, const void *p, size_t n);
void out_text(struct out *o, const char *text);
void out_u64(struct out *o, uint64_t v); /* decimal */

/*
 * A JSON string (RFC 8259 section 7). Exact when the bytes are UTF-8; what is
 * not becomes U+FFFD.
 */
void out_json(struct out *o, const void *p, size_t n);

/* Everything is written; OK, or BROKEN with what went wrong first. */
enum rc out_end(struct out *o, struct err *e) MUST_USE;

#endif
