/*
 * err.h - result codes by how much is broken, and the text a human reads.
 *
 * Every function that can fail returns an enum rc and takes a struct err *
 * as its last argument. The innermost function sets the error (err_set,
 * err_sys); callers may put context in front (err_add) and never reword.
 * Modules do not log: whoever decides what happens next logs once, and the
 * catalog keeps the same text.
 *
 *	if (io_read(fd, p, n, &got, e) != OK)
 *		return err_add(e, "%s", name);
 *
 * Text convention: "what: why", innermost cause last, no final period, no
 * newline; partner names go through str_add_quoted() first. What slips
 * through cannot harm: control characters become '?'. An argument may be the
 * text of the error that is set.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

enum rc {
	OK = 0,
	END,	    /* nothing more; not an error, err is untouched */
	AGAIN,	    /* not now; the same call may succeed later */
	BAD_ITEM,   /* this delivery is at fault: quarantine or leave it */
	BAD_SOURCE, /* this source is at fault: back off, others go on */
	BROKEN,	    /* our disk, catalog or ledger: stop the process */
};

struct err {
	enum rc code;
	int cause;	 /* errno, or 0 */
	char text[2040]; /* always NUL-terminated; cut, never overrun */
};

#define ERR_INIT \
	{ \
		.code = OK \
	}

/* Set the error and return its code, so that `return err_set(...)` reads. */
enum rc
err_set(struct err *e, enum rc code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Like err_set, then ": " and strerror(cause); keeps cause. */
enum rc err_sys(struct err *e, enum rc code, int cause, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Put "context: " in front of the text; returns e->code. */
enum rc err_add(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Change how much is broken without touching the text; returns code. */
enum rc err_raise(struct err *e, enum rc code);

/* "ok", "end", "again", "bad-item", "bad-source", "broken". */
const char *err_name(enum rc code);

#endif
