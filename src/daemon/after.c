#include "daemon/after.h"

#include "base/clock.h"
#include "daemon/decide.h"

struct after {
	struct lane *lane;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct after_report *report;
	struct decision decision;
	struct str line;
};

void
after_failed(struct after_report *r, const struct err *why)
{
	if (r->failed++ == 0)
		str_add(&r->trouble, why->text);
}

void
after_item(const struct source_config *cfg, const struct source_ops *ops,
	struct source *s, const struct item *it, struct after_report *r,
	struct str *line)
{
	CLEANUP(str_release) struct str to = STR_INIT;
	bool moves = cfg->after.action == AFTER_MOVE;
	struct err why = ERR_INIT;
	enum rc rc;

	str_clear(line);
	if (moves)
		rc = ops->move(s, it->name, it->name_len, cfg->after.folder,
			&it->signature, &to, &why);
	else
		rc = ops->remove(
			s, it->name, it->name_len, &it->signature, &why);
	/* Gone, or another one by now: then the next pass sees to it. */
	if (rc == END || rc == AGAIN)
		return;
	if (rc != OK) {
		after_failed(r, &why);
	} else if (moves) {
		r->moved++;
		str_add(line, "after: moved at the source to ");
		str_add_quoted(line, to.s, to.len);
	} else {
		r->deleted++;
		str_add(line, "after: deleted at the source");
	}
}

static enum rc
act(struct after *a, const struct item *it, struct err *e)
{
	after_item(a->config, a->ops, a->source, it, a->report, &a->line);
	if (a->line.len == 0)
		return OK;
	return lane_tell(
		a->lane, a->config->name, it->name, it->name_len, a->line.s, e);
}

static enum rc
each_name(void *arg, const struct item *it, struct err *e)
{
	struct after *a = arg;
	const struct decision *d = &a->decision;

	if (!d->unchanged || d->wanted ||
		(!d->spent && d->disposition != DISPOSITION_LANDED &&
			d->disposition != DISPOSITION_DUPLICATE &&
			d->disposition != DISPOSITION_NEW_VERSION &&
			d->disposition != DISPOSITION_UNPACKED))
		return OK;
	return act(a, it, e);
}

/* The pass has told it already. */
static void
each_trouble(void *arg UNUSED, const uint8_t *name UNUSED, size_t len UNUSED,
	const struct err *why UNUSED)
{
}

static void
begin(struct after *a, struct lane *l, const struct source_config *cfg,
	struct source *s, struct after_report *r)
{
	*a = (struct after){
		.lane = l,
		.config = cfg,
		.ops = source_ops(cfg->kind),
		.source = s,
		.report = r,
		.line = STR_INIT,
	};
	decision_init(&a->decision, lane_catalog(l), cfg, a->ops, s);
}

/* What was done is made durable; the stories too. */
static enum rc
end(struct after *a, enum rc rc, struct err *e)
{
	struct after_report *r = a->report;

	decision_release(&a->decision);
	str_release(&a->line);
	if (rc == OK && r->deleted + r->moved > 0)
		rc = a->ops->sync(a->source, e);
	if (rc == OK)
		rc = lane_wait(a->lane, e);
	if (rc == OK || rc == BROKEN)
		return rc;
	after_failed(r, e);
	return OK;
}

enum rc
after_run(struct lane *l, const struct source_config *cfg, struct source *s,
	struct after_report *r, struct err *e)
{
	struct after a;

	begin(&a, l, cfg, s, r);
	return end(
		&a, decide_all(&a.decision, each_name, each_trouble, &a, e), e);
}

enum rc
after_names(struct lane *l, const struct source_config *cfg, struct source *s,
	const struct pass_name *names, size_t n, struct after_report *r,
	struct err *e)
{
	struct after a;
	enum rc rc = OK;

	begin(&a, l, cfg, s, r);
	for (size_t i = 0; i < n && rc == OK; i++) {
		struct item it = {
			.name = names[i].name, .name_len = names[i].len};

		rc = a.ops->look(
			s, it.name, it.name_len, &it.type, &it.signature, e);
		if (rc == OK)
			rc = decide(&a.decision, &it, clock_wall(), e);
		if (rc == OK)
			rc = each_name(&a, &it, e);
		else if (rc == END)
			rc = OK;
	}
	return end(&a, rc, e);
}
