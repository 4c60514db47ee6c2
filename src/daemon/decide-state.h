/*
 * decide-state.h - what deciding one name and deciding sets of them share.
 */
#ifndef DAEMON_DECIDE_STATE_H
#define DAEMON_DECIDE_STATE_H

#include "daemon/decide.h"

/*
 * It is to be taken: now, or is it not complete yet? d->known and d->name are
 * of this name, d->manifest is granted; `matched` is the pattern, or NULL.
 */
enum rc decide_ready(struct decision *d, const struct item *it,
	const char *matched, int64_t now, struct err *e) MUST_USE;

/* It was dealt with before and looks the same. OK. */
enum rc decide_stays(struct decision *d, enum disposition as);

/* As decide_all, where manifests say what lands together. */
enum rc decide_sets(struct decision *d,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e) MUST_USE;

#endif
