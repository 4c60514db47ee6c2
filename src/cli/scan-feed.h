/*
 * scan-feed.h - what the scanner sees in one feed, for `landfall scan`.
 */
#ifndef CLI_SCAN_FEED_H
#define CLI_SCAN_FEED_H

#include "cli/cli.h"
#include "landfall/feed.h"

struct scan_request {
	struct dialect dialect;
	bool sniff; /* proposes one instead */
	bool spans;
	uint64_t shown; /* exceptions, joined ones */
};

/*
 * Says it on stdout. file: what a human calls it; member: its name in an
 * archive, or NULL. What the feed fails with is returned, and not told.
 */
enum rc scan_feed(struct cli *c, const struct scan_request *q, struct feed *f,
	const char *file, const struct str *member, struct err *e) MUST_USE;

#endif
