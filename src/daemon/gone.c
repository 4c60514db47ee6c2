#include "daemon/gone.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct gone {
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct delivery *first, **last;
	uint64_t n;
};

/* OK: it is there; END: it is not. */
static enum rc
look(const struct gone *g, const uint8_t *name, size_t len, struct err *e)
{
	struct signature now;
	enum rc rc = g->ops->look(g->source, name, len, NULL, &now, e);

	/* What cannot be looked at is there. */
	return rc == BAD_ITEM ? OK : rc;
}

/* Of an archive's member the archive is what lies there. */
static enum rc
look_at_container(
	const struct gone *g, const uint8_t *name, size_t len, struct err *e)
{
	enum rc rc = END;

	for (size_t i = 1; i + 1 < len && rc == END; i++)
		if (name[i] == '!' && name[i + 1] == '/')
			rc = look(g, name, i, e);
	return rc;
}

static enum rc
each_waiting(void *arg, const uint8_t *name, size_t len,
	const struct signature *sig, struct err *e)
{
	struct gone *g = arg;
	struct delivery *d;
	enum rc rc = look(g, name, len, e);

	if (rc == END)
		rc = look_at_container(g, name, len, e);
	if (rc != END)
		return rc;
	d = delivery_new(g->config->name, name, len);
	d->signature = *sig;
	d->disposition = DISPOSITION_IGNORED;
	d->reason = mem_strdup(GONE_REASON);
	*g->last = d;
	g->last = &d->next;
	return ++g->n < GONE_MOST ? OK : END;
}

enum rc
gone_note(struct lane *l, const struct source_config *cfg,
	const struct source_ops *ops, struct source *s, uint64_t pending,
	uint64_t *ret, struct err *e)
{
	struct gone g = {.config = cfg, .ops = ops, .source = s};
	struct catalog_waiting w;
	enum rc rc = catalog_waiting(lane_catalog(l), cfg->name, &w, e);

	*ret = 0;
	if (rc == END || (rc == OK && w.names <= pending))
		return OK;
	g.last = &g.first;
	if (rc == OK)
		rc = catalog_each_waiting(
			lane_catalog(l), cfg->name, each_waiting, &g, e);
	/* Not while they are read: the catalog is to be written. */
	while (g.first != NULL) {
		struct delivery *d = g.first;

		g.first = d->next;
		if (rc != OK) {
			delivery_free(d);
			continue;
		}
		rc = lane_note(l, d, e);
		*ret += rc == OK;
	}
	return rc;
}
