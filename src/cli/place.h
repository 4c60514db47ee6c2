/*
 * place.h - the zone, catalog and ledger of the configuration, for commands
 * that only read. They work while another landfall lands.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "cli/cli.h"
#include "landfall/catalog.h"
#include "landfall/ledger.h"
#include "landfall/zone.h"

struct place {
	struct zone *zone;
	struct catalog *catalog;
	struct ledger_view *ledger;
};

#define PLACE_INIT \
	{ \
		.zone = NULL \
	}

enum {
	PLACE_CATALOG = 1,
	PLACE_LEDGER = 2,
};

/*
 * Loads the configuration and opens the zone and what else is wanted. What
 * is wrong is told; release with place_close whatever this returned. May be
 * called again for more.
 */
enum status place_open(struct cli *c, unsigned want, struct place *p) MUST_USE;
void place_close(struct place *p);

#endif
