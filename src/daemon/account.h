/*
 * account.h - the control totals of one delivery: what the partner says of
 * it is gathered from its own bytes, its name and its side files, and held
 * against what landing counted.
 */
#ifndef DAEMON_ACCOUNT_H
#define DAEMON_ACCOUNT_H

#include "daemon/engine.h"
#include "landfall/land.h"

/* END: a side file is not there yet; `why` says which. */
enum rc account_side_files(
	const struct job *j, struct str *why, struct err *e) MUST_USE;

/*
 * After land_settle: what is read again is read from what was landed. OK: all
 * totals match, and `told` says which were compared. END: it is to be
 * quarantined, and `why` says so. AGAIN: a side file went away; BAD_ITEM: the
 * source failed; BROKEN: we did.
 */
enum rc
account_check(const struct job *j, struct land *l, const struct landed *landed,
	struct str *told, struct str *why, struct err *e) MUST_USE;

#endif
