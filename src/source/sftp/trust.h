/*
 * trust.h - is this the server's own key? By the fingerprints of the
 * configuration, or by a known_hosts file; never because it came first.
 *
 *	trust_open(cfg, &t, &e);
 *	... connect, asking for the key types trust_types(t) ...
 *	trust_judge(t, blob, len, &e);
 *	trust_close(t);
 *
 * One thread at a time.
 */
#ifndef SOURCE_SFTP_TRUST_H
#define SOURCE_SFTP_TRUST_H

#include "base/err.h"
#include "base/str.h"
#include "landfall/config.h"

struct trust;

/* BAD_SOURCE: the known_hosts file cannot be read. */
enum rc trust_open(const struct sftp_config *cfg, struct trust **ret,
	struct err *e) MUST_USE;
void trust_close(struct trust *t);

/*
 * The types of key to ask the server for, by preference, with commas between
 * them; "": any. A server has several keys and shows one.
 */
const char *trust_types(const struct trust *t);

/*
 * OK: it is. AGAIN: it is not, but this server may have another key that is:
 * connect once more with what trust_types says now. BAD_SOURCE with cause
 * EKEYREJECTED: it is not; e has what was shown and what was expected.
 */
enum rc trust_judge(struct trust *t, const uint8_t *blob, size_t len,
	struct err *e) MUST_USE;

/* The server has no other key: what trust_judge would have said then. */
enum rc trust_refuse(struct trust *t, struct err *e) MUST_USE;

/* Was any key refused so far? */
bool trust_has_refused(const struct trust *t);

/* "SHA256:..." of the key shown last, or "". */
const char *trust_shown(const struct trust *t);

#endif
