/*
 * stream-list.h - all records of a stream's list, read and not landed: for the
 * partitions that a parent gives, and for a sweep of keys.
 */
#ifndef DAEMON_STREAM_LIST_H
#define DAEMON_STREAM_LIST_H

#include "source/http/session.h"

struct stream_list_options {
	struct session *session;
	const struct api_stream *stream;
	const char *partition; /* whose variables are set; or NULL */
	uint64_t max_record;
	int spool; /* directory */
	const struct api_place *const *field;
	size_t n_fields;
};

/*
 * Every page, without windows: what has a variable of one is left out of the
 * request. OK: the list ended as a list ends. BAD_SOURCE: it did not, for
 * whatever reason; what was told of it is not all.
 */
enum rc stream_list(const struct stream_list_options *o,
	enum rc (*each)(void *arg, const struct reply_record *x, struct err *e),
	void *arg, struct err *e) MUST_USE;

#endif
