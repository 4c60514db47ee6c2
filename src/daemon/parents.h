/*
 * parents.h - the partitions that another stream gives: one for each of its
 * records, or for so many of them at a time.
 */
#ifndef DAEMON_PARENTS_H
#define DAEMON_PARENTS_H

#include "daemon/stream-list.h"

#define PARENTS_MAX 100000u

struct parents {
	const struct api_partitions *rule;
	size_t n_selects;
	char **value; /* n_selects for each record */
	size_t n;     /* records, no two alike */
};

/*
 * Reads the parent's list, of each of its own partitions. BAD_SOURCE: it did
 * not come to its end, a record lacks what is selected, or there are more
 * than PARENTS_MAX. The variables of partitions are unset then.
 */
enum rc
parents_read(struct parents *p, const struct api *a, const struct api_stream *s,
	struct session *session, int spool, struct err *e) MUST_USE;
void parents_release(struct parents *p);

/* How many partitions that makes. */
size_t parents_count(const struct parents *p);

/* Sets the variables of number i, and adds its name. */
void parents_set(
	const struct parents *p, size_t i, struct vars *v, struct str *name);

#endif
