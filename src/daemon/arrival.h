/*
 * arrival.h - how a source's arrival contract stands.
 */
#ifndef DAEMON_ARRIVAL_H
#define DAEMON_ARRIVAL_H

#include "landfall/catalog.h"
#include "landfall/config.h"

struct arrival_report {
	enum arrival outcome;
	struct contract_day day; /* unset with ARRIVAL_NONE */
	struct arrived arrived;
};

/*
 * What the catalog says of the contract day that holds `now`. A source
 * without a contract is ARRIVAL_NONE. BROKEN: the catalog.
 */
enum rc arrival_judge(struct catalog *c, const struct source_config *cfg,
	int64_t now, struct arrival_report *ret, struct err *e) MUST_USE;

#endif
