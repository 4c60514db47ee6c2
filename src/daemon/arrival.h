/*
 * arrival.h - how a source's arrival contract stands.
 */
#ifndef DAEMON_ARRIVAL_H
#define DAEMON_ARRIVAL_H

#include "landfall/catalog.h"
#include "landfall/config.h"

/* What the deadlines before one teach about `learned` bands. */
struct lesson {
	int64_t due;	  /* for this deadline; 0: nothing asked yet */
	int weekday;	  /* 0 = Sunday: learned from such days; -1: from any */
	size_t deadlines; /* how many taught; below EXPECT_LEARN_LEAST: too few
			   */
	struct band files, bytes, records;
};

struct arrival_report {
	enum arrival outcome;
	struct contract_day day; /* unset with ARRIVAL_NONE */
	struct arrived arrived;
	/* The bands it was held against; with `learned`, from `lesson`. */
	struct band files, bytes, records;
	struct lesson lesson; /* due 0: nothing is learned */
};

/*
 * What the catalog says of the contract day that holds `now`. A source
 * without a contract is ARRIVAL_NONE. kept: the lesson of the call before, or
 * all-zero; it is learned again for each deadline only. BROKEN: the catalog.
 *
 * Learned bands come from the last EXPECT_LEARN_MOST deadlines on the same
 * local weekday for which anything landed, at most 140 deadlines back; if
 * they are fewer than EXPECT_LEARN_LEAST, from those of any weekday. Until
 * there are enough, a learned band asks for one file and nothing else.
 */
enum rc arrival_judge(struct catalog *c, const struct source_config *cfg,
	int64_t now, struct lesson *kept, struct arrival_report *ret,
	struct err *e) MUST_USE;

#endif
