#include "daemon/vanished.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "landfall/format.h"

#define BATCH 256

/* One block, with the name behind. */
struct waiting {
	const char *source;
	struct signature signature;
	size_t len;
	uint8_t name[];
};

struct search {
	const char *source;
	struct waiting *name[BATCH];
	size_t n;
	struct catalog_place last;
};

static enum rc
take(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct search *x = arg;
	struct waiting *w = mem_alloc(sizeof(*w) + n->name_len);

	w->source = x->source;
	w->signature = n->signature;
	w->len = n->name_len;
	memcpy(w->name, n->name, n->name_len);
	x->name[x->n++] = w;
	x->last = (struct catalog_place){n->first_seen, n->id};
	return x->n < BATCH ? OK : END;
}

static enum rc
note(struct catalog *c, void *arg, struct err *e)
{
	const struct waiting *w = arg;

	return catalog_note(c, w->source, w->name, w->len, &w->signature,
		clock_wall(), DISPOSITION_IGNORED,
		"removed before it was complete", e);
}

/* A member's container is looked for under its own name. */
static bool
is_gone(const struct source_ops *ops, struct source *s, const struct waiting *w)
{
	struct signature ignored;
	struct err untold = ERR_INIT;

	return memmem(w->name, w->len, FORMAT_MEMBER, strlen(FORMAT_MEMBER)) ==
		NULL &&
		ops->look(s, w->name, w->len, NULL, &ignored, &untold) == END;
}

static enum rc
note_batch(struct lane *l, struct search *x, const struct source_ops *ops,
	struct source *s, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < x->n; i++) {
		if (rc == OK && is_gone(ops, s, x->name[i]))
			rc = lane_write_later(l, note, x->name[i], e);
		else
			free(x->name[i]);
	}
	return rc;
}

enum rc
vanished_note(struct lane *l, const struct source_config *cfg, struct source *s,
	uint64_t pending, struct err *e)
{
	struct catalog *c = lane_catalog(l);
	struct catalog_waiting all;
	struct search x = {.source = cfg->name};
	enum rc rc = catalog_waiting(c, cfg->name, &all, e);

	if (rc != OK || all.names <= pending)
		return rc == END ? OK : rc;
	do {
		x.n = 0;
		rc = catalog_each_waiting(c, cfg->name, &x.last, take, &x, e);
		if (rc == OK)
			rc = note_batch(l, &x, source_ops(cfg->kind), s, e);
	} while (rc == OK && x.n == BATCH);
	return rc == OK ? lane_wait(l, e) : rc;
}
