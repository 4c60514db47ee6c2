/*
 * status-stream.h - how the streams of a polled API stand, for `status`: what
 * has landed, how far behind that is, what is to be asked, and until when it
 * has to wait.
 */
#ifndef CLI_STATUS_STREAM_H
#define CLI_STATUS_STREAM_H

#include "base/jsonw.h"
#include "landfall/catalog.h"
#include "landfall/config.h"

/* Objects of an array: one for each stream, or each partition of it. */
void status_streams_json(
	struct jsonw *j, const struct source_config *source, struct catalog *c);

/*
 * A line for each, behind `width` columns. Of a stream with many partitions
 * those that wait or failed are told, and of the others their number.
 */
void status_streams_words(
	const struct source_config *source, struct catalog *c, size_t width);

#endif
