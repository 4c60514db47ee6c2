/*
 * place.h - the zone, catalog and ledger of the configuration, for commands
 * that only read. They work while another landfall lands.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "cli/cli.h"
#include "landfall/catalog.h"
#include "landfall/ledger.h"

struct place {
	int zone; /* its directory */
	struct catalog *catalog;
	struct ledger_view *ledger;
};

#define PLACE_INIT \
	{ \
		.zone = -1 \
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

/*
 * Opens a landing file below the directory `zone` for reading. END: none
 * there. BROKEN: not a regular file, or not ours to read.
 */
enum rc
place_file(int zone, const char *path, int *ret_fd, struct err *e) MUST_USE;

#endif
