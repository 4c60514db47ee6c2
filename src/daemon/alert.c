#include "daemon/alert.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/receipts.h"
#include "daemon/waits.h"
#include "landfall/alert.h"
#include "source/http/session.h"

/* What fails for so long does not get better by itself. */
#define FAILING_AFTER (900 * CLOCK_SECOND)

/* Between two bundles of quarantined deliveries. */
#define BUNDLE (60 * CLOCK_SECOND)

/* So far the mark may stay behind when there is nothing to tell. */
#define MARK_BEHIND 4096

/* How long alerts that were given up are remembered. */
#define GIVEN_UP_KEPT (7 * 86400 * CLOCK_SECOND)

/* What is to be recorded: one condition as it stands now, and its alert. */
struct news {
	enum condition kind;
	struct catalog_condition now;
	bool told; /* there is an alert */
	struct catalog_alert alert;
	struct str body;
};

struct judging {
	const struct alert_view *view;
	struct catalog *catalog;
	int64_t now;
	struct news news[CONDITIONS];
	size_t n;
	bool has_mark;
	uint64_t mark;
};

static enum rc
record(struct catalog *c, void *arg, struct err *e)
{
	struct judging *j = arg;
	const char *source = j->view->source->name;

	if (j->has_mark &&
		catalog_mark_put(c, source, MARK_ALERTS, j->mark, e) != OK)
		return e->code;
	for (size_t i = 0; i < j->n; i++) {
		const struct news *x = &j->news[i];

		if (catalog_condition_put(c, source, x->kind, &x->now, e) != OK)
			return e->code;
		if (x->told && catalog_alert_put(c, &x->alert, e) != OK)
			return e->code;
	}
	return catalog_alert_forget(c, j->now - GIVEN_UP_KEPT, e);
}

/*
 * The condition is like this from now on. a NULL: nobody is told. state and
 * everything in a are constants or outlive the judging.
 */
static void
add(struct judging *j, enum condition kind, const char *state, uint64_t key,
	struct alert *a)
{
	const struct alert_config *to = j->view->source->alert;
	struct news *x = &j->news[j->n++];

	*x = (struct news){
		.kind = kind,
		.now = {.state = state, .key = key, .at = j->now},
		.body = STR_INIT,
	};
	if (a == NULL || to == NULL ||
		(to->on & (UINT32_C(1) << a->event)) == 0)
		return;
	a->origin = j->view->config->origin;
	a->source = j->view->source->name;
	a->at = j->now;
	alert_body(a, &x->body);
	x->told = true;
	x->alert = (struct catalog_alert){
		.source = a->source,
		.event = alert_event_names[a->event],
		.at = a->at,
		.due = a->at,
		.body = x->body.s,
	};
}

/* The event a condition was told as; false: it was not. */
static bool
told_as(const struct catalog_condition *x, enum alert_event *ret)
{
	for (unsigned i = 0; i < ALERT_EVENTS; i++)
		if (strcmp(alert_event_names[i], x->state) == 0) {
			*ret = (enum alert_event)i;
			return true;
		}
	return false;
}

/* What was told is over. */
static void
add_recovered(struct judging *j, enum condition kind,
	const struct catalog_condition *x, struct alert *a)
{
	if (!told_as(x, &a->was))
		return;
	a->event = ALERT_RECOVERED;
	a->key = (uint64_t)x->at;
	a->todo = "nothing";
	add(j, kind, "", 0, a);
}

/* ---- arrivals ---- */

static const struct {
	enum alert_event event;
	const char *todo;
} arrivals[] = {
	[ARRIVAL_LATE] = {ALERT_LATE,
		"tell those downstream who began without it; ask the partner "
		"why"},
	[ARRIVAL_SHORT] = {ALERT_SHORT,
		"compare expected and found; ask the partner for what is "
		"missing, or why there is more than agreed"},
	[ARRIVAL_MISSING] = {ALERT_MISSING,
		"ask the partner; `landfall plan` shows what lies there and "
		"was not taken"},
	[ARRIVAL_COULD_NOT_LOOK] = {ALERT_COULD_NOT_LOOK,
		"it is not known whether the delivery is there: see "
		"`landfall status`, and let a look happen after the "
		"deadline"},
};

static enum rc
judge_arrival(struct judging *j, struct err *e)
{
	const struct arrival_report *r = j->view->arrival;
	CLEANUP(str_release) struct str text = STR_INIT;
	struct alert a = {.expect = &j->view->source->expect,
		.day = &r->day,
		.arrived = &r->arrived,
		.text = ""};
	struct catalog_condition x;
	uint64_t due = (uint64_t)r->day.due;

	if (r->outcome == ARRIVAL_NONE || r->outcome == ARRIVAL_WAITING)
		return OK;
	/* Names were looked at, not the source: the next look will tell. */
	if (r->outcome == ARRIVAL_COULD_NOT_LOOK && j->view->patient &&
		!j->view->full && !j->view->overdue)
		return OK;
	if (catalog_condition_find(j->catalog, j->view->source->name,
		    CONDITION_ARRIVAL, &x, e) != OK)
		return e->code;
	str_addf(&text, "%s, due ", arrival_name(r->outcome));
	clock_add_time(&text, r->day.due);
	str_add(&text, ": ");
	str_add_count(&text, r->arrived.files, "file");
	str_add(&text, ", ");
	str_add_size(&text, r->arrived.bytes);
	str_add(&text, ", ");
	str_add_count(&text, r->arrived.records, "record");
	a.text = text.s;
	if (r->outcome == ARRIVAL_ON_TIME) {
		add_recovered(j, CONDITION_ARRIVAL, &x, &a);
		return OK;
	}
	a.event = arrivals[r->outcome].event;
	a.todo = arrivals[r->outcome].todo;
	a.key = due;
	if (strcmp(x.state, alert_event_names[a.event]) != 0 || x.key != due)
		add(j, CONDITION_ARRIVAL, alert_event_names[a.event], due, &a);
	return OK;
}

/* ---- the source fails ---- */

static enum rc
judge_failing(struct judging *j, int64_t *wait, struct err *e)
{
	const struct alert_view *v = j->view;
	CLEANUP(str_release) struct str text = STR_INIT;
	struct alert a = {.event = ALERT_FAILING,
		.todo = "see that it can be reached and read; landfall goes "
			"on trying"};
	struct catalog_condition x;
	int64_t since = j->now;
	enum rc rc;

	if (!v->full)
		return OK;
	if (catalog_condition_find(j->catalog, v->source->name,
		    CONDITION_FAILING, &x, e) != OK)
		return e->code;
	if (!v->failed) {
		a.text = "it can be looked at again";
		add_recovered(j, CONDITION_FAILING, &x, &a);
		return OK;
	}
	if (*x.state != '\0')
		return OK;
	rc = catalog_failing(j->catalog, v->source->name, &since, e);
	if (rc != OK && rc != END)
		return rc;
	if (v->patient && j->now - since < FAILING_AFTER) {
		*wait = FAILING_AFTER - (j->now - since);
		return OK;
	}
	str_add(&text, "cannot be looked at since ");
	clock_add_time(&text, since);
	str_addf(&text, ": %s", v->pass->pass.trouble);
	a.text = text.s;
	a.key = (uint64_t)since;
	add(j, CONDITION_FAILING, alert_event_names[ALERT_FAILING],
		(uint64_t)since, &a);
	return OK;
}

/* ---- an API has told a stream to wait, and for long ---- */

static enum rc
judge_waiting(struct judging *j, struct err *e)
{
	const struct source_config *s = j->view->source;
	CLEANUP(waits_release) struct waits w = {.n = 0};
	CLEANUP(str_release) struct str todo = STR_INIT;
	struct alert a = {.event = ALERT_WAITING};
	struct catalog_condition x;
	bool is_long;

	if (s->kind != SOURCE_HTTP)
		return OK;
	if (waits_read(j->catalog, s, j->now, &w, e) != OK ||
		catalog_condition_find(
			j->catalog, s->name, CONDITION_WAITING, &x, e) != OK)
		return e->code;
	is_long = w.n > 0 && w.last - j->now > SESSION_LONG;
	/* However little is left of what was told, it is that wait. */
	if (*x.state != '\0' && !is_long && w.last < (int64_t)x.key) {
		a.text = "no stream waits so long any more";
		add_recovered(j, CONDITION_WAITING, &x, &a);
		return OK;
	}
	if (*x.state != '\0' || !is_long)
		return OK;
	if (w.n > 1)
		str_addf(&w.text, " (and %llu more)",
			(unsigned long long)(w.n - 1));
	str_addf(&todo,
		"its API asks for this: see that it is right, and who else "
		"uses what it allows; `landfall reset %s %s --wait` ends it "
		"before its time",
		s->name, w.stream.s);
	a.text = w.text.s;
	a.todo = todo.s;
	a.key = (uint64_t)w.last;
	add(j, CONDITION_WAITING, alert_event_names[ALERT_WAITING], a.key, &a);
	return OK;
}

/* ---- deliveries that wait for a human ---- */

static enum rc
judge_stuck(struct judging *j, enum condition kind, enum alert_event event,
	const char *todo, const char *over, struct err *e)
{
	const struct alert_view *v = j->view;
	const struct pass_stuck *s = &v->pass->stuck[kind];
	CLEANUP(str_release) struct str text = STR_INIT;
	struct alert a = {.event = event,
		.todo = todo,
		.text = over,
		.key = (uint64_t)j->now};
	struct catalog_condition x;

	if (catalog_condition_find(j->catalog, v->source->name, kind, &x, e) !=
		OK)
		return e->code;
	if (s->count == 0) {
		/* Only who saw every name knows that none is left. */
		if (v->full && !v->failed)
			add_recovered(j, kind, &x, &a);
		return OK;
	}
	if (*x.state != '\0')
		return OK;
	str_add_quoted(&text, s->name, s->len);
	str_addf(&text, ": %s", s->reason);
	if (s->count > 1)
		str_addf(&text, " (and %llu more)",
			(unsigned long long)(s->count - 1));
	a.text = text.s;
	a.count = s->count;
	a.name[0] = (struct alert_name){s->name, s->len};
	a.n_names = 1;
	add(j, kind, alert_event_names[event], (uint64_t)j->now, &a);
	return OK;
}

/* ---- quarantine ---- */

struct bundle {
	struct alert alert;
	uint64_t first; /* its ledger index */
	struct str text;
	struct catalog *catalog;
};

static enum rc
add_quarantined(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct bundle *b = arg;
	struct alert *a = &b->alert;

	if (n->version.disposition != DISPOSITION_QUARANTINED)
		return OK;
	if (a->count++ == 0) {
		b->first = n->version.index;
		str_add_quoted(&b->text, n->name, n->name_len);
		/* The reason is the name's: it may have come again. */
		if (n->disposition == DISPOSITION_QUARANTINED)
			str_addf(&b->text, ": %s", n->reason);
	}
	if (a->n_names < ALERT_NAMES)
		a->name[a->n_names++] = (struct alert_name){
			mem_dup(n->name, n->name_len), n->name_len};
	return OK;
}

/* Nothing that was told is in quarantine any more. */
static enum rc
judge_released(struct judging *j, const struct catalog_condition *x,
	uint64_t upto, struct err *e)
{
	struct alert a = {.text = "what was quarantined has been released, "
				  "rejected or delivered again"};
	enum rc rc;

	if (*x->state == '\0')
		return OK;
	rc = catalog_unsettled(
		j->catalog, j->view->source->name, x->key, upto, e);
	if (rc == END) {
		add_recovered(j, CONDITION_QUARANTINED, x, &a);
		return OK;
	}
	return rc;
}

static enum rc
judge_quarantined(struct judging *j, int64_t *wait, struct err *e)
{
	const char *source = j->view->source->name;
	struct bundle b = {.text = STR_INIT, .catalog = j->catalog};
	struct alert *a = &b.alert;
	struct catalog_condition x;
	uint64_t from = 0, upto;
	enum rc rc;

	if (catalog_condition_find(
		    j->catalog, source, CONDITION_QUARANTINED, &x, e) != OK ||
		catalog_ledger_size(j->catalog, &upto, e) != OK)
		return e->code;
	rc = catalog_mark_find(j->catalog, source, MARK_ALERTS, &from, e);
	if (rc != OK && rc != END)
		return rc;
	rc = catalog_each_since(
		j->catalog, source, from, upto, add_quarantined, &b, e);
	if (rc == OK && a->count == 0) {
		j->has_mark = upto > from + MARK_BEHIND;
		j->mark = upto;
		rc = judge_released(j, &x, upto, e);
	} else if (rc == OK && j->view->patient && *x.state != '\0' &&
		j->now - x.at < BUNDLE && j->now >= x.at) {
		*wait = BUNDLE - (j->now - x.at);
	} else if (rc == OK) {
		if (a->count > 1)
			str_addf(&b.text, " (and %llu more)",
				(unsigned long long)(a->count - 1));
		a->event = ALERT_QUARANTINED;
		a->text = b.text.s;
		a->todo = "`landfall why NAME` tells the reason; then "
			  "`landfall release ID`, `landfall reject ID`, or a "
			  "new delivery";
		a->key = b.first;
		add(j, CONDITION_QUARANTINED,
			alert_event_names[ALERT_QUARANTINED],
			*x.state != '\0' ? x.key : b.first, a);
		j->has_mark = true;
		j->mark = upto;
	}
	for (size_t i = 0; i < a->n_names; i++)
		free((void *)(uintptr_t)a->name[i].name);
	str_release(&b.text);
	return rc;
}

/* ---- what the partner waits for ---- */

static enum rc
judge_receipts(struct judging *j, struct err *e)
{
	const struct alert_view *v = j->view;
	CLEANUP(str_release) struct str text = STR_INIT;
	struct alert a = {.event = ALERT_RECEIPTS,
		.todo = "`landfall status` says what is wrong with the "
			"outbox; landfall goes on trying"};
	struct catalog_condition x;
	struct receipts_owed owed;

	if (receipts_count(j->catalog, v->source, &owed, e) != OK ||
		catalog_condition_find(j->catalog, v->source->name,
			CONDITION_RECEIPTS, &x, e) != OK)
		return e->code;
	if (owed.n == 0) {
		a.text = "all receipts are given";
		add_recovered(j, CONDITION_RECEIPTS, &x, &a);
		return OK;
	}
	/* A daemon's clerk may be at it this very moment. */
	if (*x.state != '\0' ||
		(v->patient && j->now - owed.since < FAILING_AFTER))
		return OK;
	str_add_count(&text, owed.n, "receipt");
	str_addf(&text, " %s owed, the first since ",
		owed.n == 1 ? "is" : "are");
	clock_add_time(&text, owed.since);
	a.text = text.s;
	a.key = (uint64_t)owed.since;
	a.count = owed.n;
	add(j, CONDITION_RECEIPTS, alert_event_names[ALERT_RECEIPTS], a.key,
		&a);
	return OK;
}

/* ---- all of it ---- */

static enum rc
judge(struct judging *j, int64_t *wait, struct err *e)
{
	if (judge_arrival(j, e) != OK || judge_failing(j, wait, e) != OK ||
		judge_waiting(j, e) != OK ||
		judge_stuck(j, CONDITION_DRIFT, ALERT_DRIFT,
			"look at the file; change the dialect or drift, or "
			"land it by hand with `landfall land`",
			"nothing is held for its shape any more", e) != OK ||
		judge_stuck(j, CONDITION_SPACE, ALERT_NO_SPACE,
			"make room on the zone's filesystem; landfall goes on "
			"by itself",
			"there is room again", e) != OK ||
		judge_receipts(j, e) != OK)
		return e->code;
	return judge_quarantined(j, wait, e);
}

enum rc
alert_judge(struct lane *l, const struct alert_view *v, int64_t *ret_wait,
	bool *ret_new, struct err *e)
{
	struct judging j = {
		.view = v, .catalog = lane_catalog(l), .now = clock_wall()};
	int64_t wait = 0;
	enum rc rc;

	*ret_wait = 0;
	*ret_new = false;
	if (v->source->alert == NULL)
		return OK;
	rc = judge(&j, &wait, e);
	if (rc == OK && (j.n > 0 || j.has_mark))
		rc = lane_write(l, record, &j, e);
	for (size_t i = 0; i < j.n; i++) {
		*ret_new |= j.news[i].told;
		str_release(&j.news[i].body);
	}
	*ret_wait = wait;
	return rc == OK ? OK : err_raise(e, BROKEN);
}

struct beginning {
	const char *source;
	uint64_t upto;
};

static enum rc
put_mark(struct catalog *c, void *arg, struct err *e)
{
	const struct beginning *b = arg;

	return catalog_mark_put(c, b->source, MARK_ALERTS, b->upto, e);
}

enum rc
alert_begin(struct lane *l, const struct source_config *cfg, struct err *e)
{
	struct beginning b = {.source = cfg->name};
	uint64_t known;
	enum rc rc;

	if (cfg->alert == NULL)
		return OK;
	rc = catalog_mark_find(
		lane_catalog(l), cfg->name, MARK_ALERTS, &known, e);
	if (rc != END)
		return rc;
	if (catalog_ledger_size(lane_catalog(l), &b.upto, e) != OK)
		return e->code;
	return lane_write(l, put_mark, &b, e);
}
