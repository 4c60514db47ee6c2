/*
 * sides.h - side files that go with their delivery (`after`): its sentinel,
 * checksum and control totals. What lies there for several, such as
 * SHA256SUMS, stays.
 *
 * How they looked is noted before they are read, and the catalog keeps that
 * until they are gone: only the very file that was there then may go, and
 * only after its delivery, which may be long after in a crash.
 */
#ifndef DAEMON_SIDES_H
#define DAEMON_SIDES_H

#include "daemon/after.h"

#define SIDES_MAX 16 /* of one delivery; what is more stays */

struct sides {
	struct str names;
	struct {
		size_t at, len; /* in names */
		struct signature signature;
	} side[SIDES_MAX];
	size_t n;
};

#define SIDES_INIT \
	{ \
		.names = STR_INIT \
	}

void sides_release(struct sides *s);

/*
 * How the side files of a delivery look right now, where `after` asks for it.
 * One that cannot be looked at counts for none.
 */
void sides_look(struct sides *s, const struct source_config *cfg,
	const struct source_ops *ops, struct source *source,
	const uint8_t *name, size_t len);

/* Has them recorded for a delivery that is about to be read. */
enum rc sides_record(struct lane *l, const char *source, const uint8_t *name,
	size_t len, const struct sides *s, struct err *e) MUST_USE;

/*
 * Removes or moves what belongs to deliveries that have landed and are at the
 * source no more. Everything of the lane is durable. Otherwise as after_run.
 */
enum rc sides_follow(struct lane *l, const struct source_config *cfg,
	struct source *s, struct after_report *r, struct err *e) MUST_USE;

#endif
