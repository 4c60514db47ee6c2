#include "daemon/after.h"

#include "base/clock.h"
#include "daemon/decide.h"

struct after {
	struct engine *engine;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct after_report *report;
	struct decision decision;
	struct str to, line;
};

static void
count_failure(struct after *a, const struct err *why)
{
	if (a->report->failed++ == 0)
		str_add(&a->report->trouble, why->text);
}

static enum rc
act(struct after *a, const struct item *it, struct err *e)
{
	bool moves = a->config->after.action == AFTER_MOVE;
	struct err why = ERR_INIT;
	enum rc rc;

	if (moves)
		rc = a->ops->move(a->source, it->name, it->name_len,
			a->config->after.folder, &it->signature, &a->to, &why);
	else
		rc = a->ops->remove(a->source, it->name, it->name_len,
			&it->signature, &why);
	/* Gone, or another one by now: then the next pass sees to it. */
	if (rc == END || rc == AGAIN)
		return OK;
	if (rc != OK) {
		count_failure(a, &why);
		return OK;
	}
	str_clear(&a->line);
	if (moves) {
		a->report->moved++;
		str_add(&a->line, "after: moved at the source to ");
		str_add_quoted(&a->line, a->to.s, a->to.len);
	} else {
		a->report->deleted++;
		str_add(&a->line, "after: deleted at the source");
	}
	return engine_tell(a->engine, a->config->name, it->name, it->name_len,
		a->line.s, e);
}

static enum rc
each_name(void *arg, const struct item *it, struct err *e)
{
	struct after *a = arg;
	const struct decision *d = &a->decision;

	if (decide(&a->decision, engine_catalog(a->engine), a->config, it,
		    clock_wall(), e) != OK)
		return e->code;
	if (!d->unchanged ||
		(d->disposition != DISPOSITION_LANDED &&
			d->disposition != DISPOSITION_DUPLICATE &&
			d->disposition != DISPOSITION_NEW_VERSION))
		return OK;
	return act(a, it, e);
}

/* The pass has told it already. */
static void
each_trouble(void *arg UNUSED, const uint8_t *name UNUSED, size_t len UNUSED,
	const struct err *why UNUSED)
{
}

enum rc
after_run(struct engine *g, const struct source_config *cfg, struct source *s,
	struct after_report *r, struct err *e)
{
	struct after a = {
		.engine = g,
		.config = cfg,
		.ops = source_ops(cfg->kind),
		.source = s,
		.report = r,
		.to = STR_INIT,
		.line = STR_INIT,
	};
	enum rc rc;

	decision_init(&a.decision);
	rc = a.ops->list(s, each_name, each_trouble, &a, e);
	decision_release(&a.decision);
	str_release(&a.to);
	str_release(&a.line);
	if (rc == OK && r->deleted + r->moved > 0)
		rc = a.ops->sync(s, e);
	if (rc == OK || rc == BROKEN)
		return rc;
	count_failure(&a, e);
	return OK;
}
