#include "cli/show.h"
#include "cli/status-stream.h"
#include "cli/status.h"

static void
write_counts(struct jsonw *j, const uint64_t count[DISPOSITIONS])
{
	jsonw_object(j);
	for (unsigned d = 1; d < DISPOSITIONS; d++) {
		jsonw_key(j, disposition_name(d));
		jsonw_u64(j, count[d]);
	}
	jsonw_end(j);
}

static void
write_run(struct jsonw *j, const struct standing *s)
{
	if (!s->looked) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "started"), jsonw_time(j, s->pass.started);
	jsonw_key(j, "ended"), jsonw_time_or_null(j, s->pass.ended);
	jsonw_key(j, "outcome"), jsonw_text(j, standing_outcome(&s->pass));
	jsonw_key(j, "listed"), jsonw_u64(j, s->pass.listed);
	jsonw_key(j, "unchanged"), jsonw_u64(j, s->pass.unchanged);
	jsonw_key(j, "trouble"), jsonw_text(j, s->pass.trouble);
	jsonw_key(j, "counts"), write_counts(j, s->pass.count);
	jsonw_end(j);
}

static void
write_waiting(struct jsonw *j, const struct catalog_waiting *w)
{
	jsonw_object(j);
	jsonw_key(j, "names"), jsonw_u64(j, w->names);
	if (w->names > 0) {
		jsonw_key(j, "since"), jsonw_time(j, w->since);
		jsonw_key(j, "name"), jsonw_percent(j, w->name, w->name_len);
		jsonw_key(j, "reason"), jsonw_text(j, w->reason);
	}
	jsonw_end(j);
}

static void
write_undecided(struct jsonw *j, const struct standing_undecided *u)
{
	jsonw_object(j);
	jsonw_key(j, "names"), jsonw_u64(j, u->n);
	if (u->n > 0) {
		jsonw_key(j, "since"), jsonw_time(j, u->since);
		jsonw_key(j, "entry"), jsonw_u64(j, u->entry);
		jsonw_key(j, "name"), jsonw_percent(j, u->name.s, u->name.len);
		jsonw_key(j, "reason"), jsonw_text(j, u->reason.s);
	}
	jsonw_end(j);
}

static void
write_receipts(struct jsonw *j, const struct standing *s)
{
	if (!receipts_wanted(s->source)) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "owed"), jsonw_u64(j, s->owed.n);
	jsonw_key(j, "since"), jsonw_time_or_null(j, s->owed.since);
	jsonw_key(j, "trouble");
	jsonw_text(j, s->outbox.code != OK ? s->outbox.text : "");
	jsonw_end(j);
}

void
status_json_source(struct jsonw *j, const struct standing *s, struct catalog *c)
{
	jsonw_key(j, s->source->name), jsonw_object(j);
	jsonw_key(j, "last_run"), write_run(j, s);
	jsonw_key(j, "next_run"), jsonw_time_or_null(j, s->next);
	jsonw_key(j, "looking"), jsonw_bool(j, s->looking);
	jsonw_key(j, "waits_until"), jsonw_time_or_null(j, s->until);
	if (s->why != NULL)
		jsonw_key(j, "waits_for"), jsonw_text(j, s->why);
	jsonw_key(j, "order");
	if (s->order != NULL)
		jsonw_text(j, s->order);
	else
		jsonw_null(j);
	jsonw_key(j, "failures"), jsonw_u64(j, s->failures);
	jsonw_key(j, "counts"), write_counts(j, s->count);
	jsonw_key(j, "waiting"), write_waiting(j, &s->waiting);
	jsonw_key(j, "undecided"), write_undecided(j, &s->undecided);
	jsonw_key(j, "newest"), jsonw_time_or_null(j, s->newest);
	jsonw_key(j, "receipts"), write_receipts(j, s);
	if (s->source->kind == SOURCE_HTTP) {
		jsonw_key(j, "streams"), jsonw_array(j);
		status_streams_json(j, s->source, c);
		jsonw_end(j);
	}
	jsonw_key(j, "arrival");
	if (s->source->expect.set) {
		jsonw_object(j);
		show_arrival_json(j, &s->arrival);
		jsonw_end(j);
	} else {
		jsonw_null(j);
	}
	jsonw_end(j);
}

void
status_json_daemon(struct jsonw *j, const struct standing_daemon *d)
{
	const struct live_work *w = &d->live.work;

	jsonw_key(j, "daemon"), jsonw_object(j);
	jsonw_key(j, "running"), jsonw_bool(j, d->watches);
	jsonw_key(j, "at_work"), jsonw_bool(j, d->at_work);
	jsonw_key(j, "pid");
	if (d->pid > 0)
		jsonw_i64(j, d->pid);
	else
		jsonw_null(j);
	if (d->watches) {
		jsonw_key(j, "started"), jsonw_time(j, d->live.started);
		jsonw_key(j, "written"), jsonw_time(j, d->live.written);
		jsonw_key(j, "saying"), jsonw_text(j, d->live.saying);
		jsonw_key(j, "queued"), jsonw_u64(j, w->queued);
		jsonw_key(j, "reading"), jsonw_u64(j, w->reading);
		jsonw_key(j, "reading_bytes"), jsonw_u64(j, w->reading_bytes);
		jsonw_key(j, "staged"), jsonw_u64(j, w->staged);
		jsonw_key(j, "members"), jsonw_u64(j, w->members);
		jsonw_key(j, "rate"), jsonw_u64(j, w->rate);
		live_write_files(&d->live, j);
	}
	jsonw_end(j);
}

void
status_json_ledger(
	struct jsonw *j, const struct ledger_view *v, uint64_t recorded)
{
	uint8_t root[HASH_LEN];

	ledger_view_root(v, root);
	jsonw_key(j, "ledger"), jsonw_object(j);
	jsonw_key(j, "origin"), jsonw_text(j, ledger_view_origin(v));
	jsonw_key(j, "size"), jsonw_u64(j, ledger_view_size(v));
	jsonw_key(j, "root"), jsonw_base64(j, root, HASH_LEN);
	jsonw_key(j, "recorded"), jsonw_u64(j, recorded);
	jsonw_end(j);
}

void
status_json_alert(struct jsonw *j, const struct catalog_alert *a)
{
	jsonw_object(j);
	jsonw_key(j, "source"), jsonw_text(j, a->source);
	jsonw_key(j, "event"), jsonw_text(j, a->event);
	jsonw_key(j, "at"), jsonw_time(j, a->at);
	jsonw_key(j, "state");
	jsonw_text(j, a->given_up ? "given-up" : "undelivered");
	jsonw_key(j, "attempts"), jsonw_u64(j, a->attempts);
	jsonw_key(j, a->given_up ? "given_up_at" : "next_attempt");
	jsonw_time(j, a->due);
	jsonw_key(j, "trouble"), jsonw_text(j, a->trouble);
	jsonw_end(j);
}
