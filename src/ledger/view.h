/*
 * view.h - what the readers of a ledger share: a verified checkpoint and
 * the directory it speaks for.
 */
#ifndef LEDGER_VIEW_H
#define LEDGER_VIEW_H

#include "ledger/note.h"
#include "ledger/tile.h"

struct ledger_view {
	int dir; /* <zone>/_ledger */
	struct checkpoint checkpoint;
	struct str note;	 /* it, as signed */
	struct str bundle;	 /* the one read last */
	struct tile bundle_tile; /* width 0: none yet */
};

/* The tile at this place, as wide as the signed size makes it; not empty. */
struct tile view_tile(const struct ledger_view *v, int level, uint64_t index);

#endif
