#include "cli/handout.h"

#include <inttypes.h>

#include "daemon/clerk.h"

enum status
handout_receipts(
	struct engine *g, const struct cli *c, const struct source_config *s)
{
	struct err e = ERR_INIT;
	uint64_t owed;
	enum rc rc = clerk_flush(g, c->config, s, &owed, &e);

	if (rc == OK)
		return STATUS_DONE;
	if (rc == BROKEN)
		return cli_fail(&e);
	fprintf(stderr, "landfall: error: receipts of %s: %s", s->name, e.text);
	if (owed > 0)
		fprintf(stderr,
			"; %" PRIu64 " are owed; the next run tries again",
			owed);
	fputc('\n', stderr);
	return STATUS_ATTENTION;
}
