/*
 * sweep.h - `reconcile:`, deletes that an API does not tell: all keys are
 * listed and compared with those that have landed; one that is missing lands
 * as a tombstone, one JSON object in a line, with the sweep's evidence:
 *
 *	{"absent":["42"],"known":1200,"listed":1199,"swept_at":"..."}
 *
 * Nothing is believed of a list that did not end as a list ends, nor when
 * more than guard.max_absent_percent of what is known would be gone. A key
 * that lands again after its tombstone is known again.
 *
 * Tombstones are the partition SWEEP_PARTITION of their stream, whose row in
 * the catalog says when it was swept last. Keys are held in memory: of more
 * than SWEEP_KEYS nothing is swept, and that is told.
 */
#ifndef DAEMON_SWEEP_H
#define DAEMON_SWEEP_H

#include "daemon/stream.h"

#define SWEEP_PARTITION "absent"
#define SWEEP_KEYS 1000000u

/*
 * After a run of the stream that went well: sweeps, when it is time again.
 * As stream_run(); *ret_swept: it was.
 */
enum rc sweep_run(const struct stream_options *o, bool *ret_swept,
	struct stream_report *r, struct err *e) MUST_USE;

#endif
