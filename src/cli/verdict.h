/*
 * verdict.h - what `landfall release` and `landfall reject` share: which
 * quarantined entry is meant, who decides, and why.
 *
 *	st = verdict_give(c, argc, argv, ORDER_RELEASE)
 *
 * and where the order is carried out (order.h)
 *
 *	st = verdict_open(&s, w, "released");
 *	... submit or note, if that is STATUS_DONE ...
 *	st = verdict_close(&s, st, rc, &e);
 */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "cli/order.h"

struct verdict {
	struct order_work *work;
	struct cli *cli; /* of the work */
	uint64_t entry;
	struct str why; /* "released from quarantine entry 3 by ann: TEXT" */
	struct lane *lane;
	struct catalog_name name; /* with the quarantined version */
	const struct source_config *config;
	enum status worst;
};

enum status
verdict_give(struct cli *c, int argc, char **argv, enum order_verb verb);

/* Is it a number, and a line? */
enum status verdict_check(struct cli *c, const struct order_request *q);

/*
 * The entry is quarantined, and nobody has settled it. How the sentence
 * begins: "released from quarantine", "rejected".
 */
enum status
verdict_open(struct verdict *s, struct order_work *w, const char *how) MUST_USE;

/* "ledger entry 3 WHY", and the status that goes with it. */
enum status verdict_refuse(const struct verdict *s, const char *why);

/*
 * st: what verdict_open() said; rc: what came of it then. Waits until that is
 * durable.
 */
enum status
verdict_close(struct verdict *s, enum status st, enum rc rc, struct err *e);

#endif
