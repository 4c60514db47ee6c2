/*
 * partition.h - the partitions of a stream: each is asked for by itself.
 */
#ifndef DAEMON_PARTITION_H
#define DAEMON_PARTITION_H

#include "daemon/parents.h"

/*
 * Sets the variables of each partition in turn and calls each with its name,
 * "channel=email,region=eu"; NULL and once for a stream without. The first
 * variable goes round fastest. What a parent gives is in `parents`, which is
 * NULL for a stream without one. Stops when each returns not OK, and returns
 * that; the variables stay then, and are unset otherwise.
 */
enum rc partition_each(const struct api_stream *s, struct vars *v,
	const struct parents *parents,
	enum rc (*each)(void *arg, const char *partition, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * The same for the one of this name, as it was told before. False: there is
 * none like it.
 */
bool
partition_set(const struct api_stream *s, const char *name, struct vars *v);

#endif
