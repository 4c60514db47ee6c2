/*
 * decide.h - what is to become of one listed name, before it is opened. The
 * same answer drives `plan` and `run`.
 */
#ifndef DAEMON_DECIDE_H
#define DAEMON_DECIDE_H

#include "daemon/claim.h"
#include "daemon/sides.h"
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
	bool unchanged;	 /* dealt with before, and it looks the same */
	bool archive;	 /* by its name; then its members land, not itself */
	struct str rule; /* for a human: which rule says so */
	struct str evidence;  /* why it is held for complete */
	struct claims claims; /* what its bytes must add up to */
	struct sides sides;   /* as they were before they were read */
	/*
	 * It is to be read with others that follow at once, and lands with
	 * all of them or not at all. The manifest that names them is the last
	 * one, IGNORED if they land; it is to be recorded with them.
	 */
	const char *set;      /* "manifest a.mf"; NULL: it is alone */
	bool set_ends;	      /* this is the manifest */
	uint64_t set_bytes;   /* of all that is to be read */
	bool spent;	      /* a manifest whose set has landed */
	bool wanted;	      /* by a manifest whose set has not */
	bool told;	      /* its manifest says as much, in the log too */
	const char *manifest; /* for settle.h */
	unsigned skip;	      /* the same */
	int64_t wait; /* PENDING: ns until another look can help, 0: none */
	bool known;   /* name below is filled in: not of what is over */
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

/*
 * Lists the source and decides every name; each finds the answer in d. Some
 * ten thousand names are decided at once, in the order of their bytes: memory
 * does not grow with their number. What was listed before the listing failed
 * is decided too. Otherwise as ops->list.
 */
enum rc decide_all(struct decision *d,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e) MUST_USE;

#endif
