/*
 * decide.h - what is to become of one listed name, before it is opened. The
 * same answer drives `plan` and `run`.
 */
#ifndef DAEMON_DECIDE_H
#define DAEMON_DECIDE_H

#include "daemon/claim.h"
#include "daemon/sums.h"
#include "landfall/catalog.h"
#include "landfall/source.h"

struct decision {
	/* What it is decided from; lives as long as the decision. */
	struct catalog *catalog;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	/*
	 * LANDED or NEW_VERSION: read it (what it turns out to be, its bytes
	 * decide); PENDING, IGNORED: a note; others: dealt with before.
	 */
	enum disposition disposition;
	bool unchanged;	      /* dealt with before, and it looks the same */
	struct str rule;      /* for a human: which rule says so */
	struct str evidence;  /* why it is held for complete */
	struct claims claims; /* what its bytes must add up to */
	int64_t wait; /* PENDING: ns until another look can help, 0: none */
	bool known;   /* name below is filled in */
	struct catalog_name name;
	struct sums sums; /* its own: the checksums read last */
};

void decision_init(struct decision *d, struct catalog *c,
	const struct source_config *cfg, const struct source_ops *ops,
	struct source *s);
void decision_release(struct decision *d);

/*
 * now: wall, ns. d can be used for the next name. BAD_SOURCE: a side file
 * could not be looked at; otherwise the catalog failed.
 */
enum rc decide(struct decision *d, const struct item *it, int64_t now,
	struct err *e) MUST_USE;

#endif
