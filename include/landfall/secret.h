/*
 * secret.h - where a secret is, and the secret itself for as long as needed.
 *
 * A configuration names a secret and never holds one:
 *
 *	{credential: NAME}	$CREDENTIALS_DIRECTORY/NAME (systemd.exec(5))
 *	{file: PATH}		refused when group or others can read it
 *	{env: NAME}		an environment variable
 *	{command: [PROGRAM, ARGUMENT...]}	its output; no shell
 *
 * It is resolved where it is used, each time, so that a rotated secret is
 * the new one:
 *
 *	struct buf b;
 *	if (secret_resolve(&s, &b, &e) != OK) ...
 *	... b.data[0 .. b.len) ...
 *	secret_forget(&b);
 *
 * One line end behind the secret is not part of it. No error text, log line
 * or argument vector ever holds one.
 */
#ifndef LANDFALL_SECRET_H
#define LANDFALL_SECRET_H

#include "base/buf.h"

#define SECRET_MAX 65536
#define SECRET_TIMEOUT (30 * INT64_C(1000000000)) /* ns, for a command */

enum secret_kind {
	SECRET_CREDENTIAL,
	SECRET_FILE,
	SECRET_ENV,
	SECRET_COMMAND,
};

struct secret {
	enum secret_kind kind;
	char **word;	 /* the name or path; a command's whole vector */
	size_t n;	 /* 0: there is no secret */
	int64_t timeout; /* ns; SECRET_TIMEOUT unless changed */
};

/*
 * On OK ret is initialized and holds 1 to SECRET_MAX bytes. BAD_SOURCE: it
 * is not there, not safe, or empty; e says what to do about it.
 */
enum rc
secret_resolve(const struct secret *s, struct buf *ret, struct err *e) MUST_USE;

/* Overwrites the bytes, then releases them. */
void secret_forget(struct buf *b);

#endif
