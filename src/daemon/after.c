#include "daemon/after.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/decide.h"
#include "daemon/next.h"

/* A partner answers each after a round trip: so many are asked at once. */
#define AT_ONCE 32

/* One file that is to leave a partner's folder. */
struct leaving {
	struct after *after;
	struct item item; /* its name is owned */
	struct after_report report;
	struct str line;
	pthread_t thread;
};

struct after {
	struct lane *lane;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct after_report *report;
	struct decision decision;
	struct str line;
	struct leaving *leaving; /* NULL: one after the other */
	size_t n;
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

/* ---- many at once ---- */

static void *
leave_one(void *arg)
{
	struct leaving *x = arg;
	const struct after *a = x->after;

	after_item(
		a->config, a->ops, a->source, &x->item, &x->report, &x->line);
	return NULL;
}

static enum rc
tell_left(struct after *a, struct leaving *x, struct err *e)
{
	struct after_report *r = a->report;

	r->moved += x->report.moved;
	r->deleted += x->report.deleted;
	if (x->report.failed > 0 && r->failed++ == 0)
		str_add(&r->trouble, x->report.trouble.s);
	if (x->line.len == 0)
		return OK;
	return lane_tell(a->lane, a->config->name, x->item.name,
		x->item.name_len, x->line.s, e);
}

static enum rc
leave_all(struct after *a, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < a->n; i++)
		if (pthread_create(&a->leaving[i].thread, NULL, leave_one,
			    &a->leaving[i]) != 0)
			abort();
	for (size_t i = 0; i < a->n; i++) {
		struct leaving *x = &a->leaving[i];

		pthread_join(x->thread, NULL);
		if (rc == OK)
			rc = tell_left(a, x, e);
		str_release(&x->report.trouble);
		str_release(&x->line);
		mem_release(&x->item.name);
	}
	a->n = 0;
	return rc;
}

static enum rc
leave_later(struct after *a, const struct item *it, struct err *e)
{
	struct leaving *x = &a->leaving[a->n++];

	*x = (struct leaving){.after = a,
		.item = *it,
		.report = {.trouble = STR_INIT},
		.line = STR_INIT};
	x->item.name = mem_dup(it->name, it->name_len);
	return a->n == AT_ONCE ? leave_all(a, e) : OK;
}

static enum rc
act(struct after *a, const struct item *it, struct err *e)
{
	if (a->leaving != NULL)
		return leave_later(a, it, e);
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
	if (next_is_remote(cfg))
		a->leaving = mem_array(AT_ONCE, sizeof(*a->leaving));
	decision_init(&a->decision, lane_catalog(l), cfg, a->ops, s);
}

/* What was done is made durable; the stories too. */
static enum rc
end(struct after *a, enum rc rc, struct err *e)
{
	struct after_report *r = a->report;
	struct err ours = ERR_INIT;

	/* Also when the listing failed: they were decided. */
	if (a->n > 0 && leave_all(a, rc == OK ? e : &ours) != OK && rc == OK)
		rc = e->code;
	free(a->leaving);
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
